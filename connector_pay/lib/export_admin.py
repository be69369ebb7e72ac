"""Lists that staff may take away: the rows as filtered, as CSV, with a reason, and written down in the log of looks."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.access_log import LONGEST_REASON, UnableToLook, record_access
from connector_pay.lib.csv_files import write_lines
from connector_pay.lib.masking import mask_digits
from connector_pay.lib.read_only_admin import ReadOnlyAdmin

ROWS_AT_ONCE = 2000
LIMITS = {"gt": ", after", "gte": ", from", "lt": ", before", "lte": ", up to"}


class ExportableAdmin(ReadOnlyAdmin):
    """A review whose list may be taken away by whoever has `export_permission`, in `export_columns`."""

    export_permission: ClassVar[str]
    export_columns: ClassVar[Mapping[str, Callable[[Any], object]]]

    def get_urls(self) -> list[URLPattern]:
        """With the address of the export."""
        export = path("export/", self.admin_site.admin_view(self.export), name=self._name_export())
        return [export, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way to the export, for whoever may."""
        if request.user.has_perm(self.export_permission):
            query = request.GET.urlencode()
            address = f"{reverse(f'admin:{self._name_export()}')}{'?' if query else ''}{query}"
            extra_context = {**(extra_context or {}), "export_url": address}
        return super().changelist_view(request, extra_context)

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "POST"]))
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """How many rows it is, and why; then the file."""
        if not request.user.has_perm(self.export_permission):
            raise PermissionDenied("You may not do this. Ask an administrator for the right to.")
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect(request.path)
        if request.method == "POST":
            try:
                return self._send(request, rows)
            except UnableToLook as refusal:
                messages.error(request, str(refusal))
        shown = {
            **self.admin_site.each_context(request),
            "title": f"Take away the list of {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "count": rows.count(),
            "filters": [(_word_filter(name), value) for name, value in _list_filters(request)],
            "longest_reason": LONGEST_REASON,
        }
        return render(request, "admin/export.html", shown)

    def _send(self, request: HttpRequest, rows: QuerySet[Any]) -> StreamingHttpResponse:
        record_access(
            by=cast(AbstractBaseUser, request.user),
            what=f"List of {self.opts.verbose_name_plural}",
            subject=urlencode(_list_filters(request)) or "all",
            why=request.POST.get("why", ""),
            rows=rows.count(),
            at=clock.now(),
        )
        lines = write_lines(columns=self.export_columns, rows=rows.iterator(chunk_size=ROWS_AT_ONCE))
        name = f"{self.opts.verbose_name_plural}-{clock.today()}.csv".replace(" ", "-")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def _name_export(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"


def _list_filters(request: HttpRequest) -> list[tuple[str, str]]:
    """What the list was filtered by, as it is kept: without empty values, and no number in it that could be an account's."""
    typed = [(name, " ".join(value.split())) for name, values in request.GET.lists() for value in values]
    return sorted((name, value if _is_day(value) else mask_digits(value)) for name, value in typed if value)


def _word_filter(name: str) -> str:
    """A filter's name as people read it: `received_date__gte` is "received date, from"."""
    field, _, lookup = name.partition("__")
    words = "searched for" if field == SEARCH_VAR else field.replace("_", " ")
    return words + LIMITS.get(lookup, "")


def _is_day(value: str) -> bool:
    """Whether a value is a day or a moment, as filters by date write it: no account number, though a long run of digits."""
    try:
        return value[4:5] == "-" and bool(parse_date(value) or parse_datetime(value))
    except ValueError:
        return False
