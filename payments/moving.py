"""Moving: a payment or check put on the wrong account is put on the right one, its received date kept; both are told.

What it still has to go through (sent, settled, cleared, returned) it goes through on the account where it counts now.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import override

from billing.balances import Standing, read_standing
from billing.models import Receipt, ReceiptChange
from billing.receipt_changes import Decision, NewPlace, UnableToChangeReceipt, change_receipts, lock_places
from members.models import Plan
from members.outbox import Telling, tell
from payments.coverage_sentences import describe_after_return, describe_effect
from payments.models import Refund, RefundStatus

OVER = (RefundStatus.DECLINED, RefundStatus.RETURNED)


class UnableToMoveMoney(ValueError):
    """The money may not be moved there; the text says why, for staff. Nothing was changed."""


def move_money(
    *, receipt_id: int, account_id: int, decision: Decision, today: date, at: datetime
) -> ReceiptChange:
    """Take received money off one account and put it on another, as of the day it was received.

    A form key used before returns what it moved then. Raises UnableToMoveMoney.
    """
    receipt = find_receipt(receipt_id=receipt_id)
    with transaction.atomic():
        place = NewPlace(receipt.pk, account_id)
        try:
            lock_places(places=[place])
            before = read_standing(account_id=account_id, today=today)
            (change,) = change_receipts(places=[place], decision=decision, today=today, at=at)
        except UnableToChangeReceipt as refusal:
            raise UnableToMoveMoney(str(refusal)) from refusal
        _refuse_refunds(receipt)
        _tell(change, before=before, today=today, at=at)
    return change


def find_receipt(*, receipt_id: int) -> Receipt:
    """The money, with its people. Raises UnableToMoveMoney."""
    found = Receipt.objects.select_related("account__enrollment__member", "account__enrollment__plan")
    receipt = found.filter(pk=receipt_id).first()
    if receipt is None:
        raise UnableToMoveMoney("Nothing was counted for it yet. There is nothing to move.")
    return receipt


def _refuse_refunds(receipt: Receipt) -> None:
    """Read under the lock: a refund that was asked for names the account it was asked of."""
    if Refund.objects.filter(receipt=receipt).exclude(status__in=OVER).exists():
        raise UnableToMoveMoney("A refund of it was asked for. Decline that first.")


def _tell(change: ReceiptChange, *, before: Standing, today: date, at: datetime) -> None:
    """Each member hears of their own bill alone."""
    changes = ReceiptChange.objects.select_related(
        *("receipt", "account_before__enrollment__member", "account_before__enrollment__plan"),
        *("account_after__enrollment__member", "account_after__enrollment__plan"),
    )
    found = changes.get(pk=change.pk)
    tell(tellings=[_tell_left(found, today), *_tell_right(found, before, today)], today=today, at=at)


def _tell_left(change: ReceiptChange, today: date) -> Telling:
    standing = read_standing(account_id=change.account_before_id, today=today)
    enrollment = change.account_before.enrollment
    with override(enrollment.member.language):
        effect = describe_after_return(standing=standing, today=today)
    owed = {"due_cents": standing.due_cents, "due_date": standing.due_date} if standing.due_cents else {}
    return Telling(
        event="money_moved_away",
        subject=f"receipt_change:{change.pk}",
        member=enrollment.member,
        facts=list_facts(change, plan=enrollment.plan) | {"effect": effect} | owed,
    )


def _tell_right(change: ReceiptChange, before: Standing, today: date) -> Sequence[Telling]:
    enrollment = change.account_after.enrollment
    with override(enrollment.member.language):
        effect = describe_effect(
            standing=before,
            amount_cents=change.receipt.cents,
            received_date=change.received_after,
            today=today,
            due_date_rule=before.due_date_rule,
        )
    facts = list_facts(change, plan=enrollment.plan) | {"effect": effect}
    subject = f"receipt_change:{change.pk}"
    return [Telling(event="money_moved_here", subject=subject, member=enrollment.member, facts=facts)]


def list_facts(change: ReceiptChange, *, plan: Plan) -> dict[str, object]:
    """What every notice about moved money says."""
    return {
        "product": plan.product,
        "plan_name": plan.name,
        "amount_cents": change.receipt.cents,
        "received_date": change.received_after,
    }
