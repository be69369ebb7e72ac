"""Received dates: the day of a check or a payment by phone corrected, forward or back; what it decided is decided anew."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import override

from billing.balances import Standing, read_standing
from billing.correction_kinds import Rule
from billing.due_date_overrides import read_due_date
from billing.models import Correction, Receipt, ReceiptChange
from billing.receipt_changes import Decision, NewPlace, UnableToChangeReceipt, change_receipts
from members.models import User
from members.outbox import Telling, tell
from payments.coverage_sentences import describe_first_bill
from payments.models import Payment, PaymentChannel

CHECK, PAYMENT = "check:", "payment:"
NOT_THIS = "Only the day of a check or of a payment by phone is corrected."


class UnableToChangeDate(ValueError):
    """The day may not be corrected so; the text says why, for staff. Nothing was changed."""


def apply(*, correction: Correction, by: User, today: date, at: datetime) -> ReceiptChange:
    """Do what was asked for, and approved by another person where it takes one. Raises UnableToChangeDate.

    Under the lock of the account of which it was asked: money that was moved away since is another's.
    """
    if correction.receipt_id is None or correction.new_date is None:
        raise UnableToChangeDate("Name the money and its day.")
    if not Receipt.objects.filter(pk=correction.receipt_id, account=correction.account_id).exists():
        raise UnableToChangeDate("This money counts for another account now. Ask anew.")
    decision = Decision(
        by=correction.asked_by,
        approved_by=by if by.pk != correction.asked_by_id else None,
        why=correction.why,
        form_key=correction.form_key,
    )
    return _change(correction.receipt_id, correction.new_date, decision=decision, today=today, at=at)


def change_received_date(
    *, receipt_id: int, received_date: date, decision: Decision, today: date, at: datetime
) -> ReceiptChange:
    """Let a check or a payment by phone count as of another day; moved back across a due date it takes two people.

    A form key used before returns what it changed then. Raises UnableToChangeDate.
    """
    with transaction.atomic():
        change = _change(receipt_id, received_date, decision=decision, today=today, at=at)
        days = {"before": change.received_before, "after": change.received_after}
        if decision.approved_by is None and takes_two(account_id=change.account_after_id, **days):
            raise UnableToChangeDate(
                "Moved back across a due date it may start coverage or keep it. Another person must approve it."
            )
    return change


def _change(
    receipt_id: int, received_date: date, *, decision: Decision, today: date, at: datetime
) -> ReceiptChange:
    with transaction.atomic():
        receipt = Receipt.objects.filter(pk=receipt_id).first()
        if receipt is None or not may_be_corrected(receipt=receipt):
            raise UnableToChangeDate(NOT_THIS)
        place = NewPlace(receipt.pk, receipt.account_id, received_date)
        try:
            (change,) = change_receipts(places=[place], decision=decision, today=today, at=at)
        except UnableToChangeReceipt as refusal:
            raise UnableToChangeDate(str(refusal)) from refusal
        _tell(change, today=today, at=at)
    return change


def may_be_corrected(*, receipt: Receipt) -> bool:
    """Whether a person wrote its day down: of a check, and of a payment by phone."""
    if receipt.reference.startswith(CHECK):
        return True
    number = receipt.reference.removeprefix(PAYMENT)
    return number.isdigit() and Payment.objects.filter(pk=int(number), channel=PaymentChannel.PHONE).exists()


def takes_two(*, account_id: int, before: date, after: date) -> bool:
    """Whether a day moved back passes a due date of the account, or a 23rd: from after it to that day or before."""
    return read_due_date(account_id=account_id).is_crossed(back_to=after, before=before)


def _tell(change: ReceiptChange, *, today: date, at: datetime) -> None:
    found = ReceiptChange.objects.select_related(
        "receipt", "account_after__enrollment__member", "account_after__enrollment__plan"
    ).get(pk=change.pk)
    enrollment = found.account_after.enrollment
    standing = read_standing(account_id=found.account_after_id, today=today)
    with override(enrollment.member.language):
        effect = _describe(standing, today)
    facts = {
        "product": enrollment.plan.product,
        "plan_name": enrollment.plan.name,
        "amount_cents": found.receipt.cents,
        "day_before": found.received_before,
        "day_after": found.received_after,
        "effect": effect,
    }
    subject = f"receipt_change:{found.pk}"
    telling = Telling(event="received_date_changed", subject=subject, member=enrollment.member, facts=facts)
    tell(tellings=[telling], today=today, at=at)


def _describe(standing: Standing, today: date) -> str:
    """While the first bill waits, what it takes; a start that moved brings a notice of its own."""
    return describe_first_bill(standing=standing, today=today)


def _crosses(correction: Correction) -> bool:
    receipt, day = correction.receipt, correction.new_date
    if receipt is None or day is None:
        return False
    return takes_two(account_id=receipt.account_id, before=receipt.received_date, after=day)


RULE = Rule(apply=apply, takes_two=_crosses, refusals=(UnableToChangeDate,))
