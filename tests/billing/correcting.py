"""What the tests of corrections do: ask, and approve where it takes a second person."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from billing import corrections
from billing.corrections import NewCorrection
from billing.models import (
    CORRECTION_MOVES,
    Account,
    Correction,
    CorrectionKind,
    CorrectionMove,
    CorrectionStatus,
    DueDateOverride,
    StartDecision,
    StartReview,
)
from connector_pay.lib.clock import business_date
from members.models import User
from tests.billing.books import noon
from tests.people import make_staff

KEYS = UUID("0f3a5f52-6f0c-4e0f-9a1b-3d6f3b1f3a10")


def ask(
    kind: str,
    account: Account | None = None,
    *,
    today: date,
    by: User | None = None,
    key: str = "",
    why: str = "a reason",
    **what: Any,
) -> Correction:
    """One of the staff asks; the same `key` sends the same form again."""
    return corrections.ask(
        new=NewCorrection(kind, account_id=account.pk if account else None, **what),
        why=why,
        form_key=uuid5(KEYS, key) if key else uuid4(),
        by=by or make_staff(),
        today=today,
        at=noon(today),
    )


def approve(correction: Correction, *, today: date, by: User | None = None) -> Correction:
    """Another approves."""
    return corrections.approve(
        correction_id=correction.pk, by=by or make_staff(), today=today, at=noon(today)
    )


def correct(kind: str, account: Account | None = None, *, today: date, **facts: Any) -> Correction:
    """Asked for, and approved where it waits."""
    asked = ask(kind, account, today=today, **facts)
    return approve(asked, today=today) if asked.status == CorrectionStatus.ASKED else asked


def waive(
    account: Account, month: date, cents: int | None = None, *, today: date, **facts: Any
) -> Correction:
    """A waiver of cents of a month, or of all of it."""
    what = {"is_whole": True} if cents is None else {"cents": -cents}
    return correct(CorrectionKind.WAIVER, account, month=month, today=today, **what, **facts)


def decide(review: StartReview, decision: StartDecision, *, today: date, **facts: Any) -> Correction:
    """A start under review is decided."""
    account = review.enrollment.account
    what = {"start_review_id": review.pk, "decision": decision.value}
    return correct(CorrectionKind.START, account, today=today, **what, **facts)


def make_override(
    *, coverage_month: date, due_date: date, recorded_at: datetime, reason: str = "a storm", **columns: Any
) -> DueDateOverride:
    """A due date as it stands once two people have moved it: whatever day it is, and no rule asked."""
    account = columns.pop("account", None)
    asked = Correction.objects.create(
        kind=CorrectionKind.DUE_DATE if account else CorrectionKind.MONTH_DUE_DATE,
        account=account,
        month=coverage_month,
        last_month=coverage_month,
        new_date=due_date,
        why=reason,
        form_key=uuid4(),
        asked_by=make_staff(),
        asked_at=recorded_at,
        asked_on=business_date(moment=recorded_at),
        takes_two=account is None,
    )
    CORRECTION_MOVES.move(
        model=Correction,
        history=CorrectionMove,
        ids=[asked.pk],
        before=CorrectionStatus.ASKED,
        after=CorrectionStatus.APPLIED,
        at=recorded_at,
        changes={"decided_by": make_staff().pk, "decided_at": recorded_at},
    )
    return DueDateOverride.objects.create(
        coverage_month=coverage_month,
        account=account,
        due_date=due_date,
        reason=reason,
        recorded_at=recorded_at,
        correction=asked,
        **columns,
    )
