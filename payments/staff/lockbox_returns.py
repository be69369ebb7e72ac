"""Returned checks of lockbox files on the staff's side: which check each is of, and what was done about those that wait."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    link_to,
    link_to_list,
    show_dollars,
)
from connector_pay.lib.staff_pages import require
from members.models import User
from payments.channels.lockbox.returned import (
    LONGEST_WHY,
    UnableToCloseReturn,
    close_return,
    find_parked_returns,
)
from payments.models import LockboxReturn, LockboxReturnClosing, ReceivedCheck

MAY_CLOSE = "payments.return_check"


class LockboxReturnClosingInline(ReadOnlyInline):
    """What was done about it, and by whom."""

    model = LockboxReturnClosing
    verbose_name_plural = "what was done about it"
    fields = ("why", "by", "at")


class WaitingFilter(admin.SimpleListFilter):
    """The returns that wait for a person."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "It waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LockboxReturn]) -> QuerySet[LockboxReturn]:
        """Those, or all."""
        return (
            queryset.filter(pk__in=find_parked_returns().values("pk")) if self.value() == "yes" else queryset
        )


@admin.register(LockboxReturn)
class LockboxReturnAdmin(ReadOnlyAdmin):
    """A check that the bank returned by a lockbox file: which one it is, or why it waits for a person."""

    change_form_template = "admin/payments/lockboxreturn/change_form.html"
    list_display = ("check_number", "amount", "why", "check_link", "parked_because", "file_link")
    list_filter = (WaitingFilter,)
    list_select_related = ("received_check", "file__file")
    fields = (
        *("check_number", "amount", "why", "check_link", "parked_because", "alike"),
        *("file_link", "number", "line"),
    )
    inlines = (LockboxReturnClosingInline,)
    search_paths = {"text": "check_number", "last_four": "check_number"}
    search_help_text = "The check's number"
    amount = show_dollars("cents", "amount")

    def get_urls(self) -> list[URLPattern]:
        """With the address that takes what was done."""
        wrap = self.admin_site.admin_view
        own = path("<int:return_id>/close/", wrap(close), name="payments_lockboxreturn_close")
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the form, where the return waits and this person may close it."""
        waits = object_id.isdecimal() and find_parked_returns().filter(pk=object_id).exists()
        more = {"can_close": waits and request.user.has_perm(MAY_CLOSE), "longest_why": LONGEST_WHY}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="check")
    def check_link(self, returned: LockboxReturn) -> str:
        """Leads to the check that was returned."""
        return link_to(returned.received_check)

    @admin.display(description="which it may be")
    def alike(self, returned: LockboxReturn) -> str:
        """Leads to the checks of its number."""
        return link_to_list(ReceivedCheck, "Checks of this number", q=returned.check_number)

    @admin.display(description="file")
    def file_link(self, returned: LockboxReturn) -> str:
        """Leads to its file."""
        return link_to(returned.file)


@require_POST
def close(request: HttpRequest, return_id: int) -> HttpResponse:
    """One of the staff says what was done; back to the return."""
    require(request, MAY_CLOSE)
    get_object_or_404(LockboxReturn, pk=return_id)
    by, why = cast("User", request.user), request.POST.get("why", "")
    try:
        close_return(return_id=return_id, by=by, why=why, at=clock.now())
    except UnableToCloseReturn as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Written down. This return no longer waits for anybody.")
    return redirect("admin:payments_lockboxreturn_change", return_id)
