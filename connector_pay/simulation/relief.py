"""What the simulated staff do for households in need: waivers, corrections, due dates moved afterwards, and starts decided."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from billing.corrections import NewCorrection, UnableToCorrect, approve, ask
from billing.due_date_overrides import read_due_date
from billing.due_dates import first_of_month, next_month
from billing.models import (
    Account,
    CorrectionKind,
    CorrectionStatus,
    DueDateOverride,
    Invoice,
    StartDecision,
    StartReview,
)
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
KEYS = UUID("6d9a4a53-4a63-4a0e-8a35-1f9e0f6a2f11")  # of the forms that the simulated staff send
OPEN = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)


def waive_months(*, seed: int, today: date, at: datetime, people: tuple[User, User], half: int) -> int:
    """Let a few off the latest month that was billed, or half of it, as they asked some days ago; returns how many."""
    waived = 0
    for bill in _list_latest_bills(half):
        dice = roll(seed, "waiver", bill.account.enrollment.external_id, today)
        if happens(dice, FIRST_MONTH_WAIVED if bill.is_binder else MONTH_WAIVED):
            half = bill.amount_cents // 2 if happens(dice, 50) else 0
            waived += correct(
                CorrectionKind.WAIVER,
                people=people,
                why="a flood",
                key=f"waiver:{bill.pk}",
                today=today,
                at=at,
                account_id=bill.account_id,
                month=bill.coverage_month,
                cents=-half,
                is_whole=not half,
                asked_on=today - timedelta(days=dice.randint(0, DAYS_AGO)),
            )
    return waived


def correct_months(*, seed: int, today: date, at: datetime, people: tuple[User, User], half: int) -> int:
    """Correct what the latest month of a few comes to, up or down; returns how many."""
    corrected = 0
    for bill in _list_latest_bills(half):
        dice = roll(seed, "correction", bill.account.enrollment.external_id, today)
        if happens(dice, MONTH_CORRECTED):
            corrected += correct(
                CorrectionKind.ADJUSTMENT,
                people=people,
                why="the wrong tier",
                key=f"correction:{bill.pk}",
                today=today,
                at=at,
                account_id=bill.account_id,
                month=bill.coverage_month,
                cents=dice.choice([-40_00, -1_00, 1_00, 25_00]),
            )
    return corrected


def extend_afterwards(*, seed: int, today: date, at: datetime, people: tuple[User, User]) -> int:
    """Once it has passed, the due date is extended for everyone: starts pushed meanwhile are given back. Else for a few."""
    month = next_month(first_of_month(today))
    due_date = read_due_date()(month)
    if due_date < today and happens(roll(seed, "extended afterwards", month), EXTENDED_AFTERWARDS):
        return _extend(month, None, due_date=due_date, people=people, today=today, at=at)
    moved = 0
    waiting = Account.objects.filter(enrollment__status__in=OPEN).select_related("enrollment").order_by("pk")
    for account in waiting:
        dice = roll(seed, "extended for one", account.enrollment.external_id, today)
        if happens(dice, DUE_DATE_MOVED_FOR_ONE):
            moved += _extend(month, account, due_date=due_date, people=people, today=today, at=at)
    return moved


def decide_starts(*, seed: int, today: date, at: datetime, people: tuple[User, User]) -> int:
    """Each start that waits for staff stays where it stands or goes where the rules put it; returns how many were decided."""
    decided = 0
    for review in (
        StartReview.objects.filter(decided_at=None).select_related("enrollment__account").order_by("pk")
    ):
        dice = roll(seed, "start", review.enrollment.external_id, today)
        decision = StartDecision.KEEP if happens(dice, START_KEPT) else StartDecision.MOVE
        # Coverage may have changed, or was not paid for: then it is looked at again.
        decided += correct(
            CorrectionKind.START,
            people=people,
            why="looked at",
            key=f"start:{review.pk}:{today}",
            today=today,
            at=at,
            account_id=review.enrollment.account.pk,
            start_review_id=review.pk,
            decision=decision,
        )
    return decided


def correct(
    kind: str, *, people: tuple[User, User], why: str, key: str, today: date, at: datetime, **what: Any
) -> int:
    """One asks, and the other approves where it takes two; 1 if it was done now, 0 where it could not be, or was before."""
    new, asker, approver = NewCorrection(kind, **what), *people
    try:
        asked = ask(new=new, why=why, form_key=uuid5(KEYS, key), by=asker, today=today, at=at)
    except UnableToCorrect:
        return 0
    if asked.status == CorrectionStatus.ASKED:
        approve(correction_id=asked.pk, by=approver, today=today, at=at)
    return int(asked.asked_at == at)


def _extend(
    month: date,
    account: Account | None,
    *,
    due_date: date,
    people: tuple[User, User],
    today: date,
    at: datetime,
) -> int:
    """Seven days more than what was due before; once for each month and account."""
    if DueDateOverride.objects.filter(coverage_month=month, account=account).exists():
        return 0
    return correct(
        CorrectionKind.DUE_DATE if account else CorrectionKind.MONTH_DUE_DATE,
        people=people,
        why="a storm",
        key=f"extended:{month}:{account.pk if account else 'everyone'}",
        today=today,
        at=at,
        account_id=account.pk if account else None,
        month=month,
        new_date=due_date + timedelta(days=DAYS_MORE),
    )


def _list_latest_bills(half: int) -> list[Invoice]:
    """The latest bill of each open account, in the order of the accounts; of every other household."""
    bills = Invoice.objects.filter(voided_at=None, account__enrollment__status__in=OPEN)
    latest = bills.order_by("account", "-coverage_month").distinct("account")
    rows = latest.select_related("account__enrollment")
    return [bill for bill in rows if bill.account.enrollment.member_id % 2 == half]
