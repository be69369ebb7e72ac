"""States that the outside world moves: one table of allowed arrows each, every move a compare-and-swap with a history row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction


class UnableToMove(Exception):
    """The table of arrows has no such move."""


@dataclass(frozen=True)
class StateMachine:
    """A model's `status` column, its allowed arrows, and the append-only model that keeps each move.

    The history model has a foreign key named `subject_field` to the moved row and the columns before, after, at, why.
    """

    arrows: Mapping[str, frozenset[str]]
    subject_field: str

    def allows(self, *, before: str, after: str) -> bool:
        """Whether the table has the arrow before -> after."""
        return after in self.arrows.get(before, frozenset())

    def move(
        self,
        *,
        model: type[models.Model],
        history: type[models.Model],
        ids: Iterable[int],
        before: str,
        after: str,
        at: datetime,
        why: str = "",
        changes: Mapping[str, object] | None = None,
    ) -> list[int]:
        """Move those of the rows that are still in `before`; returns their ids, in order. The others are left as they are.

        `changes` are further columns set by the same UPDATE. One UPDATE and one INSERT in one transaction, for one row or many.
        """
        if not self.allows(before=before, after=after):
            raise UnableToMove(f"{model.__name__} may not go from {before} to {after}.")
        asked = list(ids)
        if not asked:
            return []
        with transaction.atomic():
            moved = _swap(model=model, ids=asked, before=before, after=after, changes=changes or {})
            if moved:
                arrow = {"before": before, "after": after, "at": at, "why": why}
                _write_history(history=history, subject=self.subject_field, ids=moved, arrow=arrow)
        return moved


def _swap(
    *, model: type[models.Model], ids: Sequence[int], before: str, after: str, changes: Mapping[str, object]
) -> list[int]:
    """UPDATE ... WHERE status = before RETURNING id: only one of two racing movers gets each row."""
    columns: dict[str, Any] = {"status": after, **changes}
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(_find_column(model, name))} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE id = ANY(%s) AND status = %s RETURNING id",
            [*columns.values(), list(ids), before],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _write_history(
    *, history: type[models.Model], subject: str, ids: Sequence[int], arrow: Mapping[str, Any]
) -> None:
    """The same row for each of the ids, in their order."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(_find_column(history, name)) for name in (subject, *arrow))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(history._meta.db_table)} ({columns}) "
            f"SELECT moved.id, {', '.join(['%s'] * len(arrow))} FROM unnest(%s::bigint[]) AS moved (id)",
            [*arrow.values(), list(ids)],
        )


def _find_column(model: type[models.Model], name: str) -> str:
    return str(getattr(model._meta.get_field(name), "column"))  # noqa: B009  (relations without a column have none)
