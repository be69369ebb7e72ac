"""Writing many rows at once: one INSERT for a set, with or without the rows whose unique key is taken."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import connection, models


def insert_missing(
    *,
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    returning: Sequence[str],
) -> list[tuple[Any, ...]]:
    """Insert the rows that no unique key refuses; returns the `returning` columns of those inserted.

    `columns` names the model's fields. One statement however many rows; none for no rows.
    """
    insert, values = _write_insert(model, columns, rows)
    if not values:
        return []
    answers = ", ".join(_find_column(model, name) for name in returning)
    with connection.cursor() as cursor:
        cursor.execute(f"{insert} ON CONFLICT DO NOTHING RETURNING {answers}", values)
        return list(cursor.fetchall())


def insert_all(*, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert the rows, every one: a unique key that is taken refuses them all with an IntegrityError."""
    insert, values = _write_insert(model, columns, rows)
    if values:
        with connection.cursor() as cursor:
            cursor.execute(insert, values)


def _write_insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[Any]]:
    """The INSERT and its values, none for no rows. A value that all rows share is sent once, the others as a column each."""
    names = ", ".join(_find_column(model, name) for name in columns)
    chosen: list[str] = []
    arrays: list[str] = []
    shared_values: list[Any] = []
    array_values: list[Any] = []
    for name, column in zip(columns, zip(*rows, strict=True), strict=False):
        kind, first = _find_type(model, name), column[0]
        if arrays and all(value is first for value in column):
            chosen.append(f"%s::{kind}")
            shared_values.append(first)
        else:
            chosen.append(f"given.c{len(arrays)}")
            arrays.append(kind)
            array_values.append(list(column))
    given = ", ".join(f"%s::{kind}[]" for kind in arrays)
    aliases = ", ".join(f"c{place}" for place in range(len(arrays)))
    insert = (
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(chosen)} "
        f"FROM unnest({given}) AS given ({aliases})"
    )
    return insert, [*shared_values, *array_values]


def _find_field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _find_column(model: type[models.Model], name: str) -> str:
    return str(_find_field(model, name).column)


def _find_type(model: type[models.Model], name: str) -> str:
    """The column's type without its length: a cast to varchar(80) would cut a longer value, not refuse it."""
    return str(_find_field(model, name).db_type(connection)).partition("(")[0]
