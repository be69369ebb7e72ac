"""Refund checks to print: approved refunds that go by check and have no number yet."""

from dataclasses import dataclass

from members.letters import list_address_lines
from payments.models import Refund, RefundMethod, RefundStatus


@dataclass(frozen=True)
class CheckToPrint:
    """A check that waits for its number, and where it goes: to the address that staff gave, else to the member's."""

    refund: Refund
    lines: list[str]


def list_checks_to_print() -> list[CheckToPrint]:
    """Refunds by check that are approved and have no number yet, the oldest first."""
    waiting = Refund.objects.filter(method=RefundMethod.CHECK, status=RefundStatus.APPROVED).order_by("pk")
    waiting = waiting.select_related("receipt__account__enrollment__member", "payment")
    return [CheckToPrint(refund, _list_lines(refund)) for refund in waiting]


def _list_lines(refund: Refund) -> list[str]:
    if refund.mail_to:
        return [refund.payee, *refund.mail_to.splitlines()]
    return list_address_lines(member=refund.receipt.account.enrollment.member)
