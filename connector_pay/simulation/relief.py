"""What the simulated staff do for households in need: waivers, corrections, due dates moved afterwards, and starts decided."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta

from billing.adjustments import UnableToAdjust, adjust
from billing.due_date_overrides import read_due_date
from billing.due_dates import first_of_month, next_month
from billing.models import Account, Invoice, StartDecision, StartReview
from billing.models import DueDateOverride as Override
from billing.start_decisions import UnableToDecide, decide_start
from billing.waivers import UnableToWaive, grant_waiver
from connector_pay.simulation.chances import (
    DUE_DATE_MOVED_FOR_ONE,
    EXTENDED_AFTERWARDS,
    FIRST_MONTH_WAIVED,
    MONTH_CORRECTED,
    MONTH_WAIVED,
    START_KEPT,
    happens,
    roll,
)
from members.models import EnrollmentStatus, User

DAYS_AGO, DAYS_MORE = 6, 7
OPEN = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)


def waive_months(*, seed: int, today: date, at: datetime, people: tuple[User, User]) -> int:
    """Let a few off the latest month that was billed, or half of it, as they asked some days ago; returns how many."""
    waived = 0
    for bill in _list_latest_bills(today=today):
        dice = roll(seed, "waiver", bill.account.enrollment.external_id, today)
        if happens(dice, FIRST_MONTH_WAIVED if bill.is_binder else MONTH_WAIVED):
            months: Mapping[date, int | None] = {
                bill.coverage_month: bill.amount_cents // 2 if happens(dice, 50) else None
            }
            with suppress(UnableToWaive):  # nothing is left of it
                waived += len(
                    grant_waiver(
                        account_id=bill.account_id,
                        months=months,
                        asked_on=today - timedelta(days=dice.randint(0, DAYS_AGO)),
                        reason="a flood",
                        asked_by=people[0],
                        approved_by=people[1],
                        reference=f"{bill.pk}",
                        today=today,
                        at=at,
                    )
                )
    return waived


def correct_months(*, seed: int, today: date, at: datetime, people: tuple[User, User]) -> int:
    """Correct what the latest month of a few comes to, up or down; returns how many."""
    corrected = 0
    for bill in _list_latest_bills(today=today):
        dice = roll(seed, "correction", bill.account.enrollment.external_id, today)
        if happens(dice, MONTH_CORRECTED):
            with suppress(UnableToAdjust):  # more than there is
                adjust(
                    account_id=bill.account_id,
                    month=bill.coverage_month,
                    cents=dice.choice([-40_00, -1_00, 1_00, 25_00]),
                    reason="the wrong tier",
                    asked_by=people[0],
                    approved_by=people[1],
                    reference=f"correction:{bill.pk}",
                    today=today,
                    at=at,
                )
                corrected += 1
    return corrected


def extend_afterwards(*, seed: int, today: date, at: datetime) -> int:
    """Once it has passed, the due date is extended for everyone: starts pushed meanwhile are given back. Else for a few."""
    month = next_month(first_of_month(today))
    due_date = read_due_date()(month)
    if due_date < today and happens(roll(seed, "extended afterwards", month), EXTENDED_AFTERWARDS):
        return _extend(month, None, due_date=due_date, at=at)
    moved = 0
    waiting = Account.objects.filter(enrollment__status__in=OPEN).select_related("enrollment").order_by("pk")
    for account in waiting:
        dice = roll(seed, "extended for one", account.enrollment.external_id, today)
        if happens(dice, DUE_DATE_MOVED_FOR_ONE):
            moved += _extend(month, account, due_date=due_date, at=at)
    return moved


def decide_starts(*, seed: int, today: date, at: datetime, by: User) -> int:
    """Each start that waits for staff stays where it stands or goes where the rules put it; returns how many were decided."""
    decided = 0
    for review in (
        StartReview.objects.filter(decided_at=None).select_related("enrollment__account").order_by("pk")
    ):
        dice = roll(seed, "start", review.enrollment.external_id, today)
        decision = StartDecision.KEEP if happens(dice, START_KEPT) else StartDecision.MOVE
        try:
            decide_start(review_id=review.pk, decision=decision, by=by, today=today, at=at)
        except UnableToDecide:
            continue  # coverage has changed, or was not paid for: it is looked at again
        decided += 1
    return decided


def _extend(month: date, account: Account | None, *, due_date: date, at: datetime) -> int:
    moved = {"due_date": due_date + timedelta(days=DAYS_MORE), "reason": "a storm", "recorded_at": at}
    _, is_new = Override.objects.get_or_create(coverage_month=month, account=account, defaults=moved)
    return int(is_new)


def _list_latest_bills(*, today: date) -> list[Invoice]:
    """The latest bill of each open account, in the order of the accounts."""
    bills = Invoice.objects.filter(voided_at=None, account__enrollment__status__in=OPEN)
    latest = bills.order_by("account", "-coverage_month").distinct("account")
    return list(latest.select_related("account__enrollment"))
