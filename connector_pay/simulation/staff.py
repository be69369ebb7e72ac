"""The exchange's staff in a simulation: credit of those whose coverage is over is asked for, approved and printed."""

from datetime import date, datetime
from uuid import UUID

from connector_pay.simulation.chances import roll
from members.models import User
from payments.refund_rules import UnableToRefund
from payments.refunds import approve_refund, ask_refund, find_refundable, list_checks_to_print, print_check

NAMES = ("asker", "approver")
FIRST_CHECK = 100_000


def hire_staff() -> None:
    """One who asks, another who approves."""
    for name in NAMES:
        User.objects.create(
            username=name,
            email=f"{name}@example.org",
            is_staff=True,
            password="!",  # noqa: S106  nobody signs in
        )


def give_back(*, seed: int, today: date, at: datetime) -> int:
    """Refund whatever credit waits for it, and print the checks; returns how many refunds were approved."""
    asker, approver = (User.objects.get(username=name) for name in NAMES)
    approved = 0
    for item in find_refundable(today=today):
        dice = roll(seed, "refund", item.receipt.pk, today)
        try:
            refund = ask_refund(
                receipt_id=item.receipt.pk,
                cents=item.idle_cents,
                method=item.method,
                why="coverage is over",
                form_key=UUID(int=dice.getrandbits(128), version=4),
                by=asker,
                today=today,
                at=at,
            )
            approve_refund(refund_id=refund.pk, by=approver, today=today, at=at)
        except UnableToRefund:
            continue
        approved += 1
    for check in list_checks_to_print():
        number = str(FIRST_CHECK + check.refund.pk)
        print_check(refund_id=check.refund.pk, check_number=number, today=today, at=at)
    return approved
