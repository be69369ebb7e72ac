"""Staff's review of AutoPay: each standing permission, its proof as a PDF, and what a caller asks for: turn it off, or go on."""

from typing import Any, cast

import structlog
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing.balances import read_standing
from connector_pay.lib import clock
from connector_pay.lib.access_log import record_access
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.autopay.states import read_states
from payments.autopay.turning_off import go_on, turn_off
from payments.models import DraftAnnouncement, Mandate, MandateMove, MandateStatus
from payments.proofs import make_mandate_filename, prove_mandate

log = structlog.get_logger(__name__)
MAY_CHANGE = "payments.change_mandate"


class MandateMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = MandateMove
    fields = ("before", "after", "at", "why")


@admin.register(Mandate)
class MandateAdmin(ReadOnlyAdmin):
    """AutoPay of one account from one bank account."""

    change_form_template = "admin/payments/mandate/change_form.html"
    list_display = ("id", "member", "account", "bank_account", "status", "drafts_from", "given_at")
    list_filter = ("status", "account__enrollment__plan__product")
    list_select_related = ("account__enrollment__member", "bank_account")
    fields = (
        "member",
        "account_link",
        "bank_account_link",
        "authorization_link",
        "status",
        "most_at_once",
        "drafts_from",
        "announced",
        "given_at",
        "proof",
    )
    inlines = (MandateMoveInline,)
    search_paths = {
        "last_four": "bank_account__last_four",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number, name, or the bank account's last four digits"

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of the proof, and of what a caller asks for."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/proof/", wrap(self.show_proof), name="payments_mandate_proof"),
            path("<int:pk>/change-state/", wrap(self.change_state), name="payments_mandate_change_state"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The mandate, with what may be done."""
        mandate = self.get_object(request, object_id)
        if mandate and request.user.has_perm(MAY_CHANGE):
            is_paused = mandate.status == MandateStatus.SUSPENDED
            is_alive = is_paused or mandate.status == MandateStatus.ON
            extra_context = {**(extra_context or {}), "is_alive": is_alive, "is_paused": is_paused}
        return super().change_view(request, object_id, form_url, extra_context)

    @method_decorator([require_safe, never_cache])
    def show_proof(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The proof as a file to keep or to send to the payer's bank; each look is written down."""
        mandate = get_object_or_404(Mandate, pk=pk)
        name, at = make_mandate_filename(mandate=mandate), clock.now()
        record_access(
            by=cast(User, request.user),
            what="Proof of authorization",
            subject=name,
            why="to keep, or for the payer's bank",
            rows=1,
            at=at,
        )
        log.info("proof of authorization drawn up", mandate=mandate.pk, by=request.user.pk)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        document = prove_mandate(mandate=mandate, at=at)
        return HttpResponse(document, content_type="application/pdf", headers=headers)

    @method_decorator(require_POST)
    def change_state(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Turn it off, or let it go on; back to the mandate, which says what has become of it."""
        if not request.user.has_perm(MAY_CHANGE):
            raise PermissionDenied("Only staff who may change AutoPay do so for a caller.")
        mandate = get_object_or_404(Mandate, pk=pk)
        if _change(request, mandate):
            first = _describe_first_draft(mandate) if "go_on" in request.POST else ""
            messages.success(request, f"Done. The member's AutoPay is as the caller asked.{first}")
        else:
            messages.warning(request, "AutoPay does not stand where this page said. Nothing was changed.")
        return redirect("admin:payments_mandate_change", pk)

    @admin.display(description="member")
    def member(self, mandate: Mandate) -> str:
        """Leads to the member."""
        return link_to(mandate.account.enrollment.member)

    @admin.display(description="account")
    def account_link(self, mandate: Mandate) -> str:
        """Leads to the billing account."""
        return link_to(mandate.account)

    @admin.display(description="bank account")
    def bank_account_link(self, mandate: Mandate) -> str:
        """Leads to the bank account."""
        return link_to(mandate.bank_account)

    @admin.display(description="authorization")
    def authorization_link(self, mandate: Mandate) -> str:
        """Leads to what the payer agreed to."""
        return link_to(mandate.authorization)

    @admin.display(description="most at once")
    def most_at_once(self, mandate: Mandate) -> str:
        """The most that one draft takes, and whose limit that is."""
        whose = "the payer's limit" if mandate.ceiling_cents else "the most that any payment may be"
        return f"{format_dollars(mandate.authorization.amount_cents)} ({whose})"

    @admin.display(description="announced")
    def announced(self, mandate: Mandate) -> str:
        """The last amount and day that the payer was told."""
        return str(
            DraftAnnouncement.objects.filter(account=mandate.account_id).order_by("-pk").first() or "-"
        )

    @admin.display(description="proof of authorization")
    def proof(self, mandate: Mandate) -> str:
        """Leads to the PDF."""
        address = reverse("admin:payments_mandate_proof", args=[mandate.pk])
        return format_html('<a href="{}">Proof of authorization (PDF)</a>', address)


def _describe_first_draft(mandate: Mandate) -> str:
    """Which draft comes first of AutoPay that goes on, for the caller to hear."""
    at, account_id = clock.now(), mandate.account_id
    standing = read_standing(account_id=account_id, today=clock.business_date(moment=at))
    (state,) = read_states(standings={account_id: standing}, at=at).values()
    drafts = [item for item in state.forecasts if item.cents]
    if not drafts:
        return " Nothing is due yet, so no draft is planned."
    about = "about " if drafts[0].is_estimate else ""
    said = f" The first draft is {about}{format_dollars(drafts[0].cents)} on {long_date(drafts[0].day.received_date)}."
    left = sum(
        bill.remaining_cents for bill in standing.open_invoices if bill.due_date < drafts[0].day.received_date
    )
    return (
        f"{said} {format_dollars(left)} is due before that: it must be paid in another way." if left else said
    )


def _change(request: HttpRequest, mandate: Mandate) -> bool:
    """What the button says, for the mandate that the page showed; False where it is no longer alive."""
    at, by = clock.now(), request.user.get_username()
    if mandate.status not in (MandateStatus.ON, MandateStatus.SUSPENDED):
        return False
    if "go_on" in request.POST:
        return go_on(account_id=mandate.account_id, at=at, why=f"asked for by phone, noted by {by}")
    why = f"turned off by phone, noted by {by}"
    return bool(
        turn_off(account_ids=[mandate.account_id], today=clock.business_date(moment=at), at=at, why=why)
    )
