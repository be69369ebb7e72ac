"""Both sides of a benchmark must leave the same rows behind, or neither measures the other."""

from collections.abc import Sequence

from django.db import connection

from tests.bench.measuring import Work

# Every row counts, in whatever order, and at any size: their hashes are added up by the database.
ALL_ROWS = "SELECT count(*), coalesce(sum(hashtextextended(row::text, 0)::numeric), 0) FROM ({query}) AS row"
SHOWN = 3


def refuse_other_rows(*, ours: Work, yardstick: Work, prepare: Work, queries: Sequence[str]) -> None:
    """Raises AssertionError where a query finds other rows after the one than after the other."""
    left = []
    for work in (ours, yardstick):
        prepare()
        work()
        left.append([(_ask(ALL_ROWS.format(query=query)), _ask(_show(query))) for query in queries])
    for query, mine, theirs in zip(queries, *left, strict=True):
        assert mine == theirs, (query, mine, theirs)


def _show(query: str) -> str:
    return f"SELECT * FROM ({query}) AS row ORDER BY row DESC LIMIT {SHOWN}"


def _ask(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
