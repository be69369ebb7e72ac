"""Receipts, the payment history with its filters and CSV, and canceling a payment."""

import csv
from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.accounts import list_accounts_of_member
from connector_pay.lib import clock
from connector_pay.lib.addresses import read_network
from connector_pay.lib.csv_files import make_safe
from connector_pay.lib.money import format_dollars
from payments.canceling import UnableToCancel, cancel_payment
from payments.channels.limits import count_lookup
from payments.confirmation import format_number
from payments.drafts import read_session_digest
from payments.models import Payment, PaymentStatus
from payments.payables import list_payables
from payments.receipt_forms import FindReceiptForm, HistoryForm
from payments.receipts import (
    UnableToFindReceipt,
    find_receipt,
    find_receipt_by_last_four,
    list_payments,
    list_steps,
)
from payments.statements import describe_status
from payments.views.access import require_member

PER_PAGE = 25


class UnableToLookUp(Exception):
    """Too many tries at this receipt, or from this address."""


@never_cache
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """One payment and its steps, for its member or the browser that made it; others are asked for the last four."""
    try:
        payment = _find_mine(request, number)
    except UnableToFindReceipt:
        return redirect("receipt_find")
    return _show_receipt(request, payment, full=True)


@never_cache
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """A receipt without signing in: the confirmation number and the bank account's last four show amount, status and dates."""
    form = FindReceiptForm(request.POST or None)
    if form.is_valid():
        try:
            _count(request, form.cleaned_data["number"])
            payment = find_receipt_by_last_four(**form.cleaned_data)
        except UnableToLookUp:
            form.add_error(
                "number", _("There were too many look-ups. Wait 15 minutes and try again, or sign in")
            )
        except UnableToFindReceipt:
            form.add_error(
                "number", _("We could not find a payment with that. Check both numbers and try again.")
            )
        else:
            return _show_receipt(request, payment, full=False)
    return render(request, "payments/receipt_find.html", {"form": form})


@never_cache
@login_required
@require_member
def history(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Every payment on the member's accounts, by plan, status and date."""
    form = HistoryForm(request.GET)
    found = list_payments(member_pk=member_pk, wanted=form.read_filter())
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    today, accounts = clock.today(), list_accounts_of_member(member_pk=member_pk)
    rows = [(payment, describe_status(payment=payment, today=today)) for payment in page]
    query = request.GET.copy()
    query.pop("page", None)
    is_filtered = any(request.GET.get(name) for name in form.fields)
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "query": query.urlencode(),
        "is_filtered": is_filtered,
        "can_pay": bool(rows) or bool(list_payables(account_ids=accounts, today=today)),
    }
    return render(request, "payments/history.html", context)


@never_cache
@login_required
@require_member
def history_csv(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """The same list as a file for a spreadsheet."""
    payments = list_payments(member_pk=member_pk, wanted=HistoryForm(request.GET).read_filter())
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="payments.csv"'
    writer = csv.writer(answer)
    writer.writerow(
        [_("Received"), _("Plan"), _("Amount"), _("Status"), _("Bank account"), _("Confirmation number")]
    )
    today = clock.today()
    writer.writerows(_make_row(request, payment, today) for payment in payments.iterator())
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Cancel a payment that is not yet in a bank file: asked once, then done."""
    try:
        payment = _find_mine(request, number)
    except UnableToFindReceipt as error:
        raise Http404(_("There is no payment of yours with that number.")) from error
    if not _paid_it(request, payment):
        raise Http404(_("There is no payment of yours with that number."))
    if request.method == "GET":
        return render(
            request, "payments/cancel.html", {"payment": payment, "can_cancel": _can_cancel(payment)}
        )
    try:
        cancel_payment(
            payment_id=payment.pk, today=clock.today(), at=clock.now(), why="canceled by the payer"
        )
    except UnableToCancel as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your payment is canceled. No money will be taken."))
    return redirect("receipt", number=payment.confirmation_number)


def _count(request: HttpRequest, number: str) -> None:
    """Four digits are soon guessed: tries are counted like a guest's look-ups. Raises UnableToLookUp."""
    identifier = f"receipt {number}"
    if count_lookup(address=read_network(request) or "", identifier=identifier, at=clock.now()).withhold:
        raise UnableToLookUp


def _find_mine(request: HttpRequest, number: str) -> Payment:
    member_pk = getattr(request.user, "member_id", None)
    return find_receipt(number=number, member_pk=member_pk, session_digest=read_session_digest(request))


def _show_receipt(request: HttpRequest, payment: Payment, *, full: bool) -> HttpResponse:
    today = clock.today()
    context = {
        "payment": payment,
        "full": full,
        "shows_bank": _paid_it(request, payment),
        "status": describe_status(payment=payment, today=today),
        "steps": list_steps(
            payment=payment, today=today, at=clock.now(), shows_coverage=_is_members(request, payment)
        ),
        "can_cancel": full and _paid_it(request, payment) and _can_cancel(payment),
        "number": format_number(payment.confirmation_number),
    }
    return render(request, "payments/receipt.html", context)


def _paid_it(request: HttpRequest, payment: Payment) -> bool:
    """Whether this reader is the payer: the bank account's owner, or the browser that paid."""
    by_owner = request.user.is_authenticated and payment.bank_account.owner_id == request.user.pk
    return by_owner or payment.session_digest == read_session_digest(request) != ""


def _is_members(request: HttpRequest, payment: Payment) -> bool:
    """Whether this reader is the member whose bill it paid: where their coverage stands is nobody else's."""
    member_pk: int | None = getattr(request.user, "member_id", None)
    return member_pk is not None and payment.account.enrollment.member_id == member_pk


def _can_cancel(payment: Payment) -> bool:
    return payment.status == PaymentStatus.RECORDED


def _make_row(request: HttpRequest, payment: Payment, today: date) -> list[str]:
    bank = payment.bank_account
    cells = [
        payment.received_date.isoformat(),
        payment.account.enrollment.plan.name,
        format_dollars(payment.amount_cents),
        describe_status(payment=payment, today=today),
        f"{bank.get_kind_display()} {bank.last_four}" if _paid_it(request, payment) else _("Paid by a guest"),
        format_number(payment.confirmation_number),
    ]
    return [make_safe(cell) for cell in cells]
