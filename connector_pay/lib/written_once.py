"""Questions written once: Django puts a query about some ids into SQL at its first asking, and later only the ids are new.

Putting a query into SQL takes Django longer than answering it for one account takes the database. What is asked must not depend
on anything but the ids, which the query names by `among`: one parameter, however many they are.
"""

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = list[Any]
_IDS = [-1]  # stands in the parameters where the ids come


def write_once(make: Callable[[list[int]], QuerySet[Any, Any]]) -> Callable[[Iterable[int]], list[Row]]:
    """Decorate what makes a `values_list` query of ids: it becomes what reads its rows. No ids, no question."""

    @cache
    def write() -> tuple[str, list[Any], SQLCompiler, dict[int, Any]]:
        compiler = make(_IDS).query.get_compiler(DEFAULT_DB_ALIAS)
        statement, params = compiler.as_sql()
        answers = [column[0] for column in compiler.select]
        return statement, list(params), compiler, compiler.get_converters(answers)

    @wraps(make)
    def read(ids: Iterable[int]) -> list[Row]:
        asked = list(ids)
        if not asked:
            return []
        statement, params, compiler, converters = write()
        with connection.cursor() as cursor:
            cursor.execute(statement, [asked if value == _IDS else value for value in params])
            return [list(row) for row in compiler.apply_converters(cursor.fetchall(), converters)]

    return read
