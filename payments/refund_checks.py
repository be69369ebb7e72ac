"""Refund checks to print: approved refunds that go by check and have no number yet."""

from dataclasses import dataclass

from members.models import Member
from payments.models import Refund, RefundMethod, RefundStatus


@dataclass(frozen=True)
class CheckToPrint:
    """A check that waits for its number: to whom, for how much; it goes to the member's address."""

    refund: Refund
    member: Member


def list_checks_to_print() -> list[CheckToPrint]:
    """Refunds by check that are approved and have no number yet, the oldest first."""
    waiting = Refund.objects.filter(method=RefundMethod.CHECK, status=RefundStatus.APPROVED).order_by("pk")
    waiting = waiting.select_related("receipt__account__enrollment__member", "payment")
    return [CheckToPrint(refund, refund.receipt.account.enrollment.member) for refund in waiting]
