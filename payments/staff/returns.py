"""Returns and corrections on the staff's side: what the bank sent back, and what was done about the lines that were parked."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to, show_dollars
from members.models import User
from payments.ach.parked_lines import LONGEST_WHY, UnableToResolveLine, find_parked, resolve_line
from payments.models import ReturnLine, ReturnResolution

MAY_RESOLVE = "payments.resolve_returnline"


class ReturnResolutionInline(ReadOnlyInline):
    """What was done about it, and by whom."""

    model = ReturnResolution
    verbose_name_plural = "what was done about it"
    fields = ("why", "by", "at")


class ParkedFilter(admin.SimpleListFilter):
    """The lines that wait for a person."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "It waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReturnLine]) -> QuerySet[ReturnLine]:
        """Those, or all."""
        return queryset.filter(pk__in=find_parked().values("pk")) if self.value() == "yes" else queryset


@admin.register(ReturnLine)
class ReturnLineAdmin(ReadOnlyAdmin):
    """One return or correction that the bank sent: applied once, or parked for a person."""

    change_form_template = "admin/payments/returnline/change_form.html"
    list_display = ("code", "trace", "amount", "payment_link", "applied", "parked_because", "at")
    list_filter = (ParkedFilter, "applied", "code")
    list_select_related = ("entry__payment",)
    fields = (
        "code",
        "trace",
        "amount",
        "payment_link",
        "file_link",
        "line",
        "as_it_came",
        "applied",
        "parked_because",
        "at",
    )
    inlines = (ReturnResolutionInline,)
    search_paths = {"trace": "trace", "text": "code", "confirmation": "entry__payment__confirmation_number"}
    search_help_text = "Trace number, return code or confirmation number"
    amount = show_dollars("amount_cents", "amount")

    def get_urls(self) -> list[URLPattern]:
        """With the address that takes what was done."""
        wrap = self.admin_site.admin_view
        own = path("<int:line_id>/resolve/", wrap(resolve), name="payments_returnline_resolve")
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the form, where the line waits and this person may close it."""
        waits = object_id.isdecimal() and find_parked().filter(pk=object_id).exists()
        more = {"can_resolve": waits and request.user.has_perm(MAY_RESOLVE), "longest_why": LONGEST_WHY}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="payment")
    def payment_link(self, line: ReturnLine) -> str:
        """Leads to the payment it names."""
        return link_to(line.entry.payment if line.entry else None)

    @admin.display(description="file")
    def file_link(self, line: ReturnLine) -> str:
        """Leads to the file it came in."""
        return link_to(line.file)

    @admin.display(description="as it came")
    def as_it_came(self, line: ReturnLine) -> str:
        """Leads to the raw lines, masked."""
        address = reverse("admin:payments_returnline_raw", args=[line.pk])
        return format_html('<a href="{}">The bank’s own line, masked</a>', address)


@require_POST
def resolve(request: HttpRequest, line_id: int) -> HttpResponse:
    """One of the staff says what was done; back to the line."""
    if not request.user.has_perm(MAY_RESOLVE):
        raise PermissionDenied("You may not do this. Ask an administrator for the right to.")
    get_object_or_404(ReturnLine, pk=line_id)
    try:
        resolve_line(
            line_id=line_id, by=cast("User", request.user), why=request.POST.get("why", ""), at=clock.now()
        )
    except UnableToResolveLine as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Written down. This return no longer waits for anybody.")
    return redirect("admin:payments_returnline_change", line_id)
