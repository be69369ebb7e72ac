"""A signed-in member pays: start, amount, then the steps shared with guests, and the confirmation."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from billing.accounts import list_accounts_of_member
from connector_pay.lib import clock
from payments.autopay.states import read_states
from payments.banking_calendar import read_calendar
from payments.confirmation import format_number
from payments.drafts import Contents, ensure_session, read_session_digest, start_draft
from payments.forms.amount import AmountForm
from payments.models import BankAccountStatus, Payment, PaymentChannel
from payments.payables import list_payables, list_questions, read_in_progress
from payments.paying_again import UnableToPayAgain, prepare_contents
from payments.receipts import UnableToFindReceipt, find_receipt
from payments.recording import find_recorded
from payments.statements import describe_cutoff, expected_clearing_date
from payments.views.access import require_member
from payments.views.journey import AMOUNT, BANK, CONFIRMATION, REVIEW, Journey, describe_step, read_user
from payments.views.steps import show_bank, show_review, take_step

NUMBERS = ("routing_number", "account_number", "confirm_account_number")


@never_cache
@login_required
@require_member
@require_safe
def start(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Begin a payment; `?account=` says which bill is ticked beforehand."""
    at = clock.now()
    account_ids = list_accounts_of_member(member_pk=member_pk)
    payables = list_payables(account_ids=account_ids, today=clock.business_date(moment=at))
    if not payables:
        return render(request, "payments/pay_nothing.html")
    asked = request.GET.get("account", "")
    known = {str(payable.account_id) for payable in payables}
    typed = {f"pay_{key}": key == asked for key in known} if asked in known else {}
    contents = Contents(account_ids=tuple(payable.account_id for payable in payables), typed=typed)
    return _begin(request, contents, step=AMOUNT, at=at)


@never_cache
@login_required
@require_member
@require_safe
def again(request: HttpRequest, number: str, *, member_pk: int) -> HttpResponse:
    """Pay once more what came back: straight to the bank account. Where nothing is owed any more, as any payment begins."""
    at = clock.now()
    try:
        payment = find_receipt(number=number, member_pk=member_pk, session_digest="")
    except UnableToFindReceipt:
        return redirect("home")
    account_ids = list_accounts_of_member(member_pk=member_pk)
    payables = list_payables(account_ids=account_ids, today=clock.business_date(moment=at))
    try:
        contents = prepare_contents(payment=payment, payables=payables)
    except UnableToPayAgain:
        return redirect("pay")
    return _begin(request, contents, step=BANK, at=at)


@never_cache
@sensitive_post_parameters(*NUMBERS)
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, draft: UUID, step: str, *, member_pk: int) -> HttpResponse:
    """One step of a member's payment."""
    at = clock.now()
    steps = {AMOUNT: show_amount, BANK: show_bank, REVIEW: show_review}
    return take_step(request, draft_id=draft, step=step, steps=steps, channel=PaymentChannel.WEB, at=at)


def show_amount(journey: Journey) -> HttpResponse:
    """Which bills, how much, and when; for a guest who sees what is due as well."""
    payables = journey.read_payables()
    if not payables:
        return render(journey.request, "payments/pay_nothing.html")
    options: dict[str, Any] = {
        "payables": payables,
        "today": journey.today,
        "can_schedule": not journey.is_guest,
    }
    if journey.request.method != "POST":
        form = AmountForm(initial=dict(journey.contents.typed), **options)
        return _draw_amount(journey, form)
    form = AmountForm(journey.request.POST, **options)
    if journey.is_keeping:
        return journey.keep_half_typed(typed=form.typed)
    if not form.is_valid():
        return _draw_amount(journey, form)
    questions = list_questions(
        chosen=form.chosen,
        payables={payable.account_id: payable for payable in payables},
        shows_account=True,
        received_date=form.pay_on or journey.today,
        in_progress=read_in_progress(account_ids=[item.account_id for item in form.chosen]),
        session_digest=journey.session_digest,
    )
    if form.ask_again(questions):
        return _draw_amount(journey, form)
    journey.keep(replace(journey.contents, typed=form.typed, chosen=form.chosen, pay_on=form.pay_on))
    return journey.go(BANK)


@never_cache
@require_safe
def confirmation(request: HttpRequest, form_key: UUID) -> HttpResponse:
    """What was received, for the browser session that paid or the member whose bill it is."""
    payments = [payment for payment in find_recorded(form_key=form_key) if _may_see(request, payment)]
    if not payments:
        return redirect("receipt_find")
    first = payments[0]
    is_guest = first.channel == PaymentChannel.GUEST
    context = {
        "payments": [(payment, format_number(payment.confirmation_number)) for payment in payments],
        "total_cents": sum(payment.amount_cents for payment in payments),
        "clearing_date": _find_clearing_date(first),
        "is_scheduled": first.received_date > clock.business_date(moment=first.recorded_at),
        "received_date": first.received_date,
        "receipt_email": first.receipt_email,
        "cutoff": describe_cutoff(),
        "is_guest": is_guest,
        **describe_step(CONFIRMATION, is_guest=is_guest),
    }
    return render(request, "payments/confirmation.html", context)


def _begin(request: HttpRequest, contents: Contents, *, step: str, at: datetime) -> HttpResponse:
    user, digest = read_user(request), ensure_session(request)
    draft = start_draft(user=user, session_digest=digest, contents=contents, at=at)
    return redirect("pay_step", draft.pk, step)


def _draw_amount(journey: Journey, form: AmountForm) -> HttpResponse:
    """The page; a member with AutoPay reads what it takes, a guest nothing of it."""
    standings = {} if journey.is_guest else {item.account_id: item.standing for item in form.payables}
    autopay = read_states(standings=standings, at=journey.at) if standings else {}
    return journey.show("payments/pay_amount.html", AMOUNT, form=form, autopay=autopay)


def _may_see(request: HttpRequest, payment: Payment) -> bool:
    digest = read_session_digest(request)
    member_pk = getattr(request.user, "member_id", None)
    return bool(digest and payment.session_digest == digest) or (
        member_pk is not None and payment.account.enrollment.member_id == member_pk
    )


def _find_clearing_date(payment: Payment) -> date:
    """As expected when the payment was recorded, or by the bank file it has gone into since."""
    return expected_clearing_date(
        today=clock.business_date(moment=payment.recorded_at),
        at=payment.recorded_at,
        received_date=payment.received_date,
        validated=payment.bank_account.status == BankAccountStatus.VALID,
        effective_date=payment.effective_date,
        calendar=read_calendar(),
    )
