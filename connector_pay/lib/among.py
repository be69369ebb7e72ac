"""`filter(pk__among=ids)`: one of many values, sent as one array, so that thousands cost the same to ask for as one."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler


class Among(Lookup):
    """`column = ANY(array)`. `in` writes a parameter for each value, which takes Django longer than the database the rows."""

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        """The values as they are: plain ones, never rows or expressions."""
        return list(self.rhs)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """None asked for, none found: such a query is never sent."""
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        field = getattr(self.lhs, "target", self.lhs.output_field)  # of a relation, the key at its end
        kind = field.rel_db_type(connection).partition("(")[0]  # a longer value is not cut to fit
        return f"{column} = ANY(%s::{kind}[])", [*params, self.rhs]
