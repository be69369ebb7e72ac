"""Staff's review of bank accounts, and the decision by hand on those that wait: approve, or refuse with a reason.

An account's number is shown by how it ends alone; whoever may see the whole of it says why, on a page of its own.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from connector_pay.lib import clock
from connector_pay.lib.masking import mask_number
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to_list
from connector_pay.lib.staff_pages import Page, require, show_act
from payments.bank_accounts import list_waiting
from payments.models import (
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    Payment,
    PaymentStatus,
    Validation,
)
from payments.pausing import UnableToLiftPause, lift_pause
from payments.staff.account_numbers import MAY_REVEAL, show_number
from payments.validation import MANUAL
from payments.validation.manual import AccountAlreadyDecided, approve_by_hand, refuse_by_hand

MAY_DECIDE = "payments.change_bankaccount"
MAY_LIFT = "payments.lift_pause"
LONGEST_REASON = 120


class BankAccountMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = BankAccountMove
    fields = ("before", "after", "at", "why")


class ValidationInline(ReadOnlyInline):
    """How it was validated."""

    model = Validation
    fields = ("method", "outcome", "detail", "at")


class WaitingFilter(admin.SimpleListFilter):
    """The accounts that a payment waits for."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "A payment waits for its validation")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BankAccount]) -> QuerySet[BankAccount]:
        """Those, or all."""
        return queryset.filter(pk__in=list_waiting().values("pk")) if self.value() == "yes" else queryset


@admin.register(BankAccount)
class BankAccountAdmin(ReadOnlyAdmin):
    """A bank account that payments are drawn on; whoever may change it decides on it while it waits."""

    change_form_template = "admin/payments/bankaccount/change_form.html"
    list_display = ("ending", "holder_name", "kind", "routing_number", "status", "added_at")
    list_filter = (WaitingFilter, "status", "kind")
    fields = (
        "ending",
        "holder_name",
        "kind",
        "routing_number",
        "status",
        "owner",
        "payments",
        "added_at",
        "hidden_at",
    )
    inlines = (ValidationInline, BankAccountMoveInline)
    search_paths = {"last_four": "last_four", "title": "holder_name", "email": "owner__email"}
    search_help_text = "The last four digits, the name on the account, or the owner's email address"

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of the decision and of the whole number."""
        number = path(
            "<int:pk>/number/", self.admin_site.admin_view(show_number), name="payments_bankaccount_number"
        )
        decide = path(
            "<int:pk>/decide/", self.admin_site.admin_view(self.decide), name="payments_bankaccount_decide"
        )
        lift = path(
            "<int:pk>/lift/", self.admin_site.admin_view(lift_a_pause), name="payments_bankaccount_lift"
        )
        return [number, decide, lift, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The account, with what there is to decide."""
        account = self.get_object(request, object_id)
        if account and account.status == BankAccountStatus.UNCHECKED and _may_decide(request):
            extra_context = {**(extra_context or {}), "waiting": _count_waiting(account)}
        extra_context = {**(extra_context or {}), "may_reveal": request.user.has_perm(MAY_REVEAL)}
        return super().change_view(request, object_id, form_url, extra_context)

    @method_decorator(require_POST)
    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, or refuse with a reason; back to the account, which says what has become of it."""
        if not _may_decide(request):
            raise PermissionDenied("Only staff who may change bank accounts decide on them.")
        account = get_object_or_404(BankAccount, pk=pk)
        why = " ".join(request.POST.get("why", "").split())[:LONGEST_REASON]
        if "approve" not in request.POST and not why:
            messages.error(request, "Say why this account is refused. Nothing was changed.")
        else:
            _decide(request, account, why=why)
        return redirect("admin:payments_bankaccount_change", account.pk)

    @admin.display(description="number")
    def ending(self, account: BankAccount) -> str:
        """How the number ends; more is never shown."""
        return mask_number(account.last_four)

    @admin.display(description="payments")
    def payments(self, account: BankAccount) -> str:
        """Leads to the payments drawn on it."""
        return link_to_list(Payment, "Payments drawn on it", bank_account__id__exact=account.pk)


def _may_decide(request: HttpRequest) -> bool:
    return MANUAL in settings.BANK_VALIDATION_METHODS and request.user.has_perm(MAY_DECIDE)


def _count_waiting(account: BankAccount) -> dict[str, int]:
    recorded = Payment.objects.filter(bank_account=account, status=PaymentStatus.RECORDED)
    found = recorded.aggregate(number=Count("pk"), cents=Sum("amount_cents", default=0))
    return {"number": found["number"], "cents": found["cents"], "longest_reason": LONGEST_REASON}


def _decide(request: HttpRequest, account: BankAccount, *, why: str) -> None:
    by, at = request.user.get_username(), clock.now()
    try:
        if "approve" in request.POST:
            approve_by_hand(bank_account=account, by=by, at=at)
            messages.success(request, "Approved. What waits on this account goes into the next bank file.")
        else:
            refuse_by_hand(bank_account=account, by=by, why=why, today=clock.business_date(moment=at), at=at)
            messages.success(
                request, "Refused. What waited on this account is returned, and its payers are told."
            )
    except AccountAlreadyDecided:
        messages.warning(request, "This account no longer waits for a decision. Nothing was changed.")


@require_http_methods(["GET", "POST"])
@never_cache
def lift_a_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a paused bank account pay again."""
    require(request, MAY_LIFT)
    account = get_object_or_404(BankAccount, pk=pk)

    def act(typed: Mapping[str, Any]) -> str:
        if BankAccount.objects.get(pk=pk).status != BankAccountStatus.VALID:  # not pressed twice
            why = f"by {request.user.get_username()}: {typed['why']}"
            lift_pause(bank_account_id=pk, why=why, at=clock.now())
        return "The pause is lifted. Payments from this account are taken again."

    page = Page(
        title="Lift the pause",
        button="Lift the pause",
        back=account,
        facts=[
            ("Number", mask_number(account.last_four)),
            ("Name", account.holder_name),
            ("Status", account.get_status_display()),
        ],
        words=[
            "Payments from this account are taken again, online and by phone, by whoever types it.",
            "What was returned before counts no more. Payments and AutoPay that the pause stopped stay stopped.",
        ],
    )
    return show_act(request, page, act=act, refusals=(UnableToLiftPause,))
