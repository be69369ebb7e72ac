"""The exchange's staff in a simulation: they give money back when coverage is over, and extend a due date now and then."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from billing.due_date_overrides import read_due_date
from billing.due_dates import first_of_month, next_month
from billing.models import DueDateOverride
from connector_pay.simulation.chances import DUE_DATE_EXTENDED, happens, roll
from members.models import User
from payments.refund_rules import UnableToRefund
from payments.refunds import approve_refund, ask_refund, find_refundable, list_checks_to_print, print_check

NAMES = ("asker", "approver")
FIRST_CHECK = 100_000
REFUNDS_ON, EXTENDS_ON = 6, 15  # days of the month
DAYS_MORE = 5


def hire_staff() -> None:
    """One who asks, another who approves."""
    for name in NAMES:
        User.objects.create(
            username=name,
            email=f"{name}@example.org",
            is_staff=True,
            password="!",  # noqa: S106  nobody signs in
        )


def work(*, seed: int, today: date, at: datetime) -> Counter[str]:
    """What is theirs to do on this day of the month; returns how much of each."""
    tasks = _TASKS.get(today.day, ())
    return Counter({task.__name__: task(seed=seed, today=today, at=at) for task in tasks})


def extend_due_date(*, seed: int, today: date, at: datetime) -> int:
    """By policy, everyone has some days more for the next month, said before its due date."""
    month = next_month(first_of_month(today))
    if not happens(roll(seed, "extension", month), DUE_DATE_EXTENDED):
        return 0
    due_date = read_due_date()(month) + timedelta(days=DAYS_MORE)
    _, is_new = DueDateOverride.objects.get_or_create(
        coverage_month=month,
        account=None,
        defaults={"due_date": due_date, "reason": "winter storm", "recorded_at": at},
    )
    return int(is_new)


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


# What staff do on which days of the month: confirming terminations is to join here.
_TASKS: dict[int, tuple[Callable[..., int], ...]] = {REFUNDS_ON: (give_back,), EXTENDS_ON: (extend_due_date,)}
