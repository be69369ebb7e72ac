"""Questions written once: Django puts a query about some ids into SQL at its first asking, and later only the ids are new.

Putting a query into SQL takes Django longer than answering it for one account takes the database. What is asked must not depend
on anything but the ids, or other values, which the query names by `among`: one parameter, however many they are.
"""

from collections.abc import Callable, Iterable
from functools import cache, wraps
from inspect import signature
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

Row = list[Any]


def write_once(make: Callable[..., QuerySet[Any, Any]]) -> Callable[..., list[Row]]:
    """Decorate what makes a `values_list` query of lists of values: it becomes what reads its rows.

    Where one of the lists is empty nothing is asked, and nothing found. What locks its rows must be asked in a transaction, as
    ever: raises TransactionManagementError.
    """
    # Stand in the parameters where the values come, each list's its own.
    places = [[-place] for place, _name in enumerate(signature(make).parameters, start=1)]

    @cache
    def write() -> tuple[str, list[Any], SQLCompiler, dict[int, Any]]:
        compiler = make(*places).query.get_compiler(DEFAULT_DB_ALIAS)
        statement, params = compiler.as_sql()
        answers = [column[0] for column in compiler.select]
        return statement, list(params), compiler, compiler.get_converters(answers)

    @wraps(make)
    def read(*asked: Iterable[Any]) -> list[Row]:
        values = [list(some) for some in asked]
        if not all(values):
            return []
        statement, params, compiler, converters = write()
        given = [values[places.index(value)] if value in places else value for value in params]
        if compiler.query.select_for_update and connection.get_autocommit():
            raise TransactionManagementError("Rows are locked for as long as a transaction lasts: begin one.")
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
            return list(compiler.apply_converters(cursor.fetchall(), converters))

    return read
