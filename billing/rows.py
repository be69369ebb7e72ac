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
    values = [list(column) for column in zip(*rows, strict=True)]
    if not values:
        return []
    answers = ", ".join(_find_column(model, name) for name in returning)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_write_insert(model, columns)} ON CONFLICT DO NOTHING RETURNING {answers}",
            values,
        )
        return list(cursor.fetchall())


def insert_all(*, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert the rows, every one: a unique key that is taken refuses them all with an IntegrityError."""
    values = [list(column) for column in zip(*rows, strict=True)]
    if values:
        with connection.cursor() as cursor:
            cursor.execute(_write_insert(model, columns), values)


def _write_insert(model: type[models.Model], columns: Sequence[str]) -> str:
    names = ", ".join(_find_column(model, name) for name in columns)
    arrays = ", ".join(f"%s::{_find_type(model, name)}[]" for name in columns)
    return f"INSERT INTO {model._meta.db_table} ({names}) SELECT * FROM unnest({arrays})"


def _find_field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _find_column(model: type[models.Model], name: str) -> str:
    return str(_find_field(model, name).column)


def _find_type(model: type[models.Model], name: str) -> str:
    """The column's type without its length: a cast to varchar(80) would cut a longer value, not refuse it."""
    return str(_find_field(model, name).db_type(connection)).partition("(")[0]
