"""Refunds on the staff's side: one asks with a preview of what it does, another approves, checks get their numbers.

The buttons call the rules of `payments.refunds`, which say in words why something cannot be done.
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter, methodcaller
from typing import Any, cast
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.credit import read_idle_cents
from billing.models import Movement, Receipt
from connector_pay.lib import clock
from connector_pay.lib.export_admin import ExportableAdmin
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import (
    ReadOnlyInline,
    link_to,
    link_to_list,
    show_dollars,
)
from connector_pay.lib.staff_pages import press, read_why, render_page, require
from members.models import Notice, User
from payments import refunds
from payments.models import FileEntry, Payment, Refund, RefundMethod, RefundMove, RefundStatus
from payments.refund_checks import list_checks_to_print
from payments.refund_rules import UnableToRefund, read_source
from payments.staff.refund_form import RefundForm

MAY_ASK, MAY_DECIDE = "payments.add_refund", "payments.change_refund"


class RefundMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = RefundMove
    fields = ("before", "after", "at", "why")


class RefundEntryInline(ReadOnlyInline):
    """The line of the bank file it went out on."""

    model = FileEntry
    verbose_name_plural = "file entries"
    fields = ("file_link", "line", "trace")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileEntry]:
        """With the file."""
        return super().get_queryset(request).select_related("file")

    @admin.display(description="file")
    def file_link(self, entry: FileEntry) -> str:
        """Leads to the file."""
        return link_to(entry.file)


@admin.register(Refund)
class RefundAdmin(ExportableAdmin):
    """Money on its way back to who paid it, with the buttons that move it."""

    list_display = ("id", "member", "amount", "method", "status", "payee", "asked_by", "asked_at")
    list_filter = ("status", "method")
    list_select_related = ("receipt__account__enrollment__member", "asked_by", "decided_by")
    fields = (
        "member",
        "receipt_link",
        "payment_link",
        "amount",
        "method",
        "bank_account_link",
        "payee",
        "mail_to",
        "why",
        "status",
        "asked_by",
        "asked_at",
        "decided_by",
        "decided_at",
        "effective_date",
        "check_number",
        "printed_on",
        "movements",
        "notices",
    )
    inlines = (RefundMoveInline, RefundEntryInline)
    search_paths = {
        "number": "pk",
        "confirmation": "payment__confirmation_number",
        "member_id": "receipt__account__enrollment__member__member_id",
        "phone": "receipt__account__enrollment__member__phone",
        "name": "receipt__account__enrollment__member__last_name",
        "title": "payee",
    }
    search_help_text = "Refund number, confirmation number, Member ID, phone number, name or payee"
    amount = show_dollars("cents", "amount")
    export_permission = "payments.export_refund"
    export_columns = {
        "Refund": attrgetter("pk"),
        "Member ID": attrgetter("receipt.account.enrollment.member.member_id"),
        "Amount": lambda refund: format_dollars(refund.cents),
        "Way": methodcaller("get_method_display"),
        "Status": methodcaller("get_status_display"),
        "Pay to": attrgetter("payee"),
        "Why": attrgetter("why"),
        "Asked by": attrgetter("asked_by"),
        "Asked": attrgetter("asked_at"),
        "Decided by": attrgetter("decided_by"),
        "Decided": attrgetter("decided_at"),
        "Check number": attrgetter("check_number"),
    }

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        return [
            path("ask/<int:receipt_id>/", wrap(ask), name="payments_refund_ask"),
            path("ask/payment/<int:payment_id>/", wrap(ask_of_payment), name="payments_refund_ask_payment"),
            path("<int:refund_id>/approve/", wrap(approve), name="payments_refund_approve"),
            path("<int:refund_id>/decline/", wrap(decline), name="payments_refund_decline"),
            path("<int:refund_id>/stop/", wrap(stop), name="payments_refund_stop"),
            path("<int:refund_id>/print/", wrap(print_check), name="payments_refund_print"),
            path("checks/", wrap(show_checks), name="payments_refund_checks"),
            path("due/", wrap(show_refundable), name="payments_refund_due"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now, and what approving would do."""
        refund = Refund.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        more = describe_actions(refund, request=request) if refund else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="member")
    def member(self, refund: Refund) -> str:
        """Leads to the member."""
        return link_to(refund.receipt.account.enrollment.member)

    @admin.display(description="receipt")
    def receipt_link(self, refund: Refund) -> str:
        """Leads to the money."""
        return link_to(refund.receipt)

    @admin.display(description="payment")
    def payment_link(self, refund: Refund) -> str:
        """Leads to the debit that brought it."""
        return link_to(refund.payment)

    @admin.display(description="bank account")
    def bank_account_link(self, refund: Refund) -> str:
        """Leads to the bank account it goes to."""
        return link_to(refund.bank_account)

    @admin.display(description="ledger")
    def movements(self, refund: Refund) -> str:
        """Leads to its movements."""
        return link_to_list(
            Movement, "Movements of this refund", reference__startswith=f"{refund.reference}:"
        )

    @admin.display(description="notices")
    def notices(self, refund: Refund) -> str:
        """Leads to what was told about it."""
        return link_to_list(Notice, "Notices about this refund", subject__exact=refund.reference)


def describe_actions(refund: Refund, *, request: HttpRequest) -> dict[str, Any]:
    """Which buttons this person gets, and for a refund that waits what approving it would do, or why it cannot be done."""
    may_decide = request.user.has_perm(MAY_DECIDE)
    asked = refund.status == RefundStatus.ASKED
    approved = refund.status == RefundStatus.APPROVED
    more: dict[str, Any] = {
        "asked_by_you": asked and refund.asked_by_id == request.user.pk,
        "can_decide": asked and may_decide and refund.asked_by_id != request.user.pk,
        "can_print": approved and may_decide and refund.method == RefundMethod.CHECK,
        "can_stop": approved and may_decide and refund.method != RefundMethod.REVERSAL,
    }
    if asked:
        more |= _preview(receipt_id=refund.receipt_id, cents=refund.cents, method=refund.method)
    return more


@require_http_methods(["GET", "POST"])
@never_cache
def ask(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """Ask for a refund: the form, then a preview of what it does, then the asking itself. Two presses ask once."""
    require(request, MAY_ASK)
    receipt = get_object_or_404(Receipt.objects.select_related("account__enrollment__member"), pk=receipt_id)
    idle = read_idle_cents(receipt_id=receipt.pk)
    first = {"amount": format_dollars(idle), "form_key": uuid4(), "method": RefundMethod.ACH}
    form = RefundForm(request.POST or None, initial=first, receipt=receipt)
    preview: dict[str, Any] = {}
    if form.is_valid():
        # What was shown is what is asked for: an amount changed afterwards is shown first.
        if "ask" in request.POST and request.POST.get("previewed") == form.previewed:
            answer = _ask(request, receipt_id=receipt.pk, form=form)
            if answer is not None:
                return answer
        refund = {name: form.cleaned_data[name] for name in ("cents", "method")}
        preview = _preview(receipt_id=receipt.pk, **refund)
    source = read_source(receipt_id=receipt.pk)
    shown = {"receipt": receipt, "form": form, "idle": format_dollars(idle), "source": source}
    template = "admin/payments/refund/ask.html"
    return render_page(request, template, title="Ask for a refund", back=Refund, **shown, **preview)


@require_safe
def ask_of_payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Leads from a payment to asking for a refund of the money it brought."""
    payment = get_object_or_404(Payment, pk=payment_id)
    receipt = Receipt.objects.filter(reference=payment.reference).first()
    if receipt is None:
        messages.error(request, "Nothing was counted for this payment yet. There is nothing to refund.")
        return redirect("admin:payments_payment_change", payment_id)
    return redirect("admin:payments_refund_ask", receipt.pk)


@require_POST
def approve(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Approve what another person asked for."""
    return _decide(
        request, refund_id, refunds.approve_refund, said="Approved. The money has left the credit."
    )


@require_POST
def decline(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Decline what another person asked for."""
    return _decide(request, refund_id, refunds.decline_refund, said="Declined.", why=read_why(request))


@require_POST
def stop(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Stop an approved refund before it goes out."""
    said = "Stopped. The money is credit again."
    return _decide(request, refund_id, refunds.stop_refund, said=said, why=read_why(request))


@require_POST
def print_check(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Note the number of a check that is printed."""
    require(request, MAY_DECIDE)
    number = request.POST.get("check_number", "")
    try:
        refund = refunds.print_check(
            refund_id=refund_id, check_number=number, today=clock.today(), at=clock.now()
        )
    except UnableToRefund as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Check {refund.check_number} is printed for {refund.payee}.")
    return redirect("admin:payments_refund_checks")


@require_safe
@never_cache
def show_checks(request: HttpRequest) -> HttpResponse:
    """The checks that wait for their numbers."""
    return render_page(
        request,
        "admin/payments/refund/checks.html",
        title="Checks to print",
        back=Refund,
        checks=list_checks_to_print(),
        may_print=request.user.has_perm(MAY_DECIDE),
    )


@require_safe
@never_cache
def show_refundable(request: HttpRequest) -> HttpResponse:
    """Cleared credit of enrollments that are over, each with the way to ask for its refund."""
    return render_page(
        request,
        "admin/payments/refund/due.html",
        title="Credit of enrollments that are over",
        back=Refund,
        receipts=refunds.find_refundable(today=clock.today()),
        may_ask=request.user.has_perm(MAY_ASK),
    )


def _ask(request: HttpRequest, *, receipt_id: int, form: RefundForm) -> HttpResponse | None:
    """Ask, and lead to the refund; where it is refused, the reason stands on the form."""
    asked = {name: form.cleaned_data[name] for name in ("cents", "method", "why", "mail_to", "form_key")}
    try:
        refund = refunds.ask_refund(
            receipt_id=receipt_id,
            by=cast("User", request.user),
            today=clock.today(),
            at=clock.now(),
            **asked,
        )
    except UnableToRefund as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, "Asked for. Another person must approve it.")
    return redirect("admin:payments_refund_change", refund.pk)


def _decide(
    request: HttpRequest, refund_id: int, act: Callable[..., Refund], *, said: str, **more: str
) -> HttpResponse:
    require(request, MAY_DECIDE)
    get_object_or_404(Refund, pk=refund_id)
    facts = {"by": request.user, "today": clock.today(), "at": clock.now()}
    press(
        request, act=partial(act, refund_id=refund_id, **facts, **more), refusals=(UnableToRefund,), said=said
    )
    return redirect("admin:payments_refund_change", refund_id)


def _preview(*, receipt_id: int, cents: int, method: str) -> dict[str, Any]:
    """How the account would stand before and after, or why it cannot be done today."""
    try:
        preview = refunds.preview_refund(
            receipt_id=receipt_id, cents=cents, method=method, today=clock.today(), at=clock.now()
        )
    except UnableToRefund as refusal:
        return {"refusal": str(refusal)}
    before, after = preview.before, preview.after
    rows = [
        ("Credit on the account", before.credit_cents, after.credit_cents),
        ("Owed on its bills", before.due_cents, after.due_cents),
    ]
    return {
        "effect": [(words, format_dollars(was), format_dollars(will)) for words, was, will in rows],
        "start_before": before.coverage_start,
        "start_after": after.coverage_start,
    }
