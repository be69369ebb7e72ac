"""Lists of millions of rows for staff: a page begins where the last one ended, and nothing is counted or skipped over."""

from datetime import datetime
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest

from connector_pay.lib.read_only_admin import CappedPaginator, ReadOnlyAdmin

OLDER, NEWER = "older_than", "newer_than"


class KeysetChangeList(ChangeList):
    """Rows newest first, by a moment and the key. `older` and `newer` lead to the pages beside this one."""

    is_keyset = True
    older = newer = ""

    @property
    def moment(self) -> str:
        """The column by which, with the key, the rows are in order."""
        return cast("KeysetAdmin", self.model_admin).moment

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The place is no filter: a filter or a search that is chosen begins at the newest again."""
        self.place = {name: self.params.pop(name, "") for name in (OLDER, NEWER)}
        for name in (OLDER, NEWER):
            self.filter_params.pop(name, None)
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """Always the same order: it is the index's."""
        return [f"-{self.moment}", "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """One page, read from its place on."""
        rows, has_before, has_after = self._read_page()
        self.result_list = rows
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.multi_page = self.show_admin_actions = False
        self.can_show_all = True
        self.paginator = CappedPaginator(rows, self.list_per_page)
        if has_after:
            self.older = self.get_query_string({OLDER: self._name_place(rows[-1])})
        if has_before:
            self.newer = self.get_query_string({NEWER: self._name_place(rows[0])})
        self.newest = self.get_query_string()

    def _read_page(self) -> tuple[list[Any], bool, bool]:
        """The rows, and whether there are any before and after them."""
        limit = self.list_per_page
        if newer := self._find_place(NEWER):
            moment = self.moment
            rows = list(self.queryset.filter(self._beside(newer, "gt")).order_by(moment, "pk")[: limit + 1])
            return rows[:limit][::-1], len(rows) > limit, True
        older = self._find_place(OLDER)
        found = self.queryset.filter(self._beside(older, "lt")) if older else self.queryset
        rows = list(found[: limit + 1])
        return rows[:limit], older is not None and bool(rows), len(rows) > limit

    def _beside(self, place: tuple[datetime, int], way: str) -> Q:
        """The rows on one side of a place. The first condition is the index's range, the second cuts it exactly."""
        moment, key = place
        name = self.moment
        return Q(**{f"{name}__{way}e": moment}) & (Q(**{f"{name}__{way}": moment}) | Q(**{f"pk__{way}": key}))

    def _name_place(self, row: Any) -> str:
        return f"{getattr(row, self.moment).isoformat()},{row.pk}"

    def _find_place(self, name: str) -> tuple[datetime, int] | None:
        """The moment and the key that the address names; none where it names none."""
        moment, _, key = self.place[name].rpartition(",")
        if not moment or not key.isdecimal() or int(key) >= 2**63:
            return None
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            return None
        return (at, int(key)) if at.tzinfo else None


class KeysetAdmin(ReadOnlyAdmin):
    """Review of a model with millions of rows. `moment` is the column by which, with the key, an index orders them."""

    moment = ""
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Pages by place."""
        return KeysetChangeList
