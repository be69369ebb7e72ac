"""Receipts: one payment as its payer sees it, the line of its steps, and who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import Allocation
from connector_pay.lib.clock import business_date
from members.models import EnrollmentMove, EnrollmentStatus
from payments.banking_calendar import read_calendar
from payments.confirmation import compact_number
from payments.models import BankAccountStatus, Payment, PaymentChannel, PaymentMove, PaymentStatus
from payments.statements import expected_clearing_date


class UnableToFindReceipt(Exception):
    """No payment of this person's has that confirmation number."""


@dataclass(frozen=True)
class Step:
    """One step of a payment: what happened, or will, and when. `state` is done, current, coming or bad."""

    words: str
    day: date | None
    state: str


@dataclass(frozen=True)
class PaymentFilter:
    """What a member asked to see of the payment history."""

    product: str = ""
    status: str = ""
    since: date | None = None
    until: date | None = None


# The public words of the history's filter, and the states they stand for.
STATUS_GROUPS: Mapping[str, tuple[str, ...]] = {
    "processing": (PaymentStatus.RECORDED, PaymentStatus.SENDING, PaymentStatus.SENT, PaymentStatus.SETTLED),
    "paid": (PaymentStatus.POSTED,),
    "returned": (PaymentStatus.RETURNED,),
    "canceled": (PaymentStatus.CANCELED,),
}


def list_payments(*, member_pk: int, wanted: PaymentFilter) -> QuerySet[Payment]:
    """A member's payments, whoever made them, the latest first."""
    conditions = Q(account__enrollment__member_id=member_pk)
    if wanted.product:
        conditions &= Q(account__enrollment__plan__product=wanted.product)
    if wanted.status:
        conditions &= Q(status__in=STATUS_GROUPS[wanted.status])
    if wanted.since:
        conditions &= Q(received_date__gte=wanted.since)
    if wanted.until:
        conditions &= Q(received_date__lte=wanted.until)
    payments = Payment.objects.filter(conditions).select_related("account__enrollment__plan", "bank_account")
    return payments.order_by("-recorded_at", "-id")


def find_receipt(*, number: str, member_pk: int | None, session_digest: str) -> Payment:
    """The payment with this confirmation number, for its member or for the browser session that made it."""
    mine = Q(pk__in=[])
    if member_pk is not None:
        mine |= Q(account__enrollment__member_id=member_pk)
    if session_digest:
        mine |= Q(session_digest=session_digest)
    return _find(Q(confirmation_number=compact_number(number)) & mine)


def find_receipt_by_last_four(*, number: str, last_four: str) -> Payment:
    """The payment with this confirmation number and bank account ending, for someone who is not signed in."""
    return _find(Q(confirmation_number=compact_number(number), bank_account__last_four=last_four.strip()))


def list_steps(*, payment: Payment, today: date, at: datetime, shows_coverage: bool) -> list[Step]:
    """Received, sent to the bank, cleared: each with its day, or the day it is expected; or how the payment ended instead.

    For a reader who may know of it, a first payment goes on to the coverage it starts.
    """
    done = {move.after: business_date(moment=move.at) for move in PaymentMove.objects.filter(payment=payment)}
    is_drafted = payment.channel == PaymentChannel.AUTOPAY
    made = Step(
        _("Made by AutoPay") if is_drafted else _("Payment made"),
        business_date(moment=payment.recorded_at),
        "done",
    )
    if payment.status == PaymentStatus.CANCELED:
        return [made, Step(_("Canceled. No money will be taken."), done[PaymentStatus.CANCELED], "bad")]
    sent_on = done.get(PaymentStatus.SENT)
    sent = Step(_("Sent to the bank"), sent_on, "done")
    if payment.status == PaymentStatus.RETURNED:
        words = _("Returned by the bank. This payment does not count.")
        back = Step(words, done[PaymentStatus.RETURNED], "bad")
        return [made, sent, back] if sent_on else [made, back]
    steps = [
        _describe_received(payment, today),
        sent if sent_on else Step(_("Will be sent to the bank"), None, "coming"),
        _describe_clearing(payment, today=today, at=at),
    ]
    return steps + (_describe_coverage(payment, today) if shows_coverage else [])


def _describe_received(payment: Payment, today: date) -> Step:
    if payment.received_date > today:
        return Step(_("Will count as received"), payment.received_date, "coming")
    return Step(_("Received"), payment.received_date, "done")


def _describe_clearing(payment: Payment, *, today: date, at: datetime) -> Step:
    if payment.posted_on:
        return Step(_("Cleared. The payment is final."), payment.posted_on, "done")
    expected = expected_clearing_date(
        today=today,
        at=at,
        received_date=payment.received_date,
        validated=payment.bank_account.status == BankAccountStatus.VALID,
        effective_date=payment.effective_date,
        calendar=read_calendar(),
    )
    return Step(_("Expected to be final, unless the bank sends it back"), expected, "coming")


def _describe_coverage(payment: Payment, today: date) -> list[Step]:
    """What a payment toward the first bill leads to; nothing for a later bill."""
    enrollment = payment.account.enrollment
    on_binder = Allocation.objects.filter(
        receipt__reference=payment.reference, invoice__is_binder=True, invoice__voided_at=None
    )
    is_scheduled = payment.received_date > today
    if enrollment.status == EnrollmentStatus.WAITING and (is_scheduled or on_binder.exists()):
        return [Step(_("Coverage will be confirmed once the whole first bill has cleared"), None, "coming")]
    confirmed = EnrollmentMove.objects.filter(enrollment=enrollment, after=EnrollmentStatus.ACTIVE)
    move = confirmed.order_by("-at").first()
    if move and enrollment.status == EnrollmentStatus.ACTIVE and on_binder.exists():
        return [Step(_("Coverage confirmed"), business_date(moment=move.at), "done")]
    return []


def _find(conditions: Q) -> Payment:
    shown = ("account__enrollment__plan", "bank_account", "authorization")
    payments = Payment.objects.filter(conditions).select_related(*shown)
    payment = payments.first()
    if payment is None:
        raise UnableToFindReceipt
    return payment
