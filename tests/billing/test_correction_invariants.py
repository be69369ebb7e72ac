"""The self-check finds a correction that was not done as asked for, and one that a lone person decided."""

from datetime import date
from uuid import uuid4

import pytest

from billing.models import Account, Correction, CorrectionKind, DueDateOverride, StartDecision, StartReview
from tests.billing.books import FEBRUARY, PREMIUM, list_broken, make_account, noon, receive, review
from tests.billing.correcting import ask, correct, decide
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("db")
DAY = date(2027, 1, 18)
EXTENDED = date(2027, 1, 28)


def plant(kind: str, account: Account | None = None, **what: object) -> Correction:
    """A row that says it is done, of which nothing was done."""
    defaults = {
        "month": FEBRUARY,
        "last_month": FEBRUARY,
        "why": "planted",
        "form_key": uuid4(),
        "asked_by": make_staff(),
        "asked_at": noon(DAY),
        "asked_on": DAY,
        "takes_two": kind == CorrectionKind.MONTH_DUE_DATE,
    }
    made = Correction.objects.create(kind=kind, account=account, **(defaults | what))
    decided_by = make_staff() if kind == CorrectionKind.MONTH_DUE_DATE else None
    Correction.objects.filter(pk=made.pk).update(
        status="applied", decided_by=decided_by, decided_at=noon(DAY)
    )
    return made


def test_what_is_said_to_be_done_and_was_not_is_found() -> None:
    account = make_account()
    plant(CorrectionKind.ADJUSTMENT, account, cents=-1)
    assert set(list_broken()) == {"I7 corrections", "corrections of money"}
    plant(CorrectionKind.MONTH_DUE_DATE, new_date=EXTENDED)
    assert "corrections of due dates" in list_broken()


def test_another_due_date_than_was_asked_for_is_found() -> None:
    done = correct(CorrectionKind.DUE_DATE, make_account(), month=FEBRUARY, new_date=EXTENDED, today=DAY)
    assert list_broken() == []
    waiting = ask(CorrectionKind.MONTH_DUE_DATE, month=FEBRUARY, new_date=EXTENDED, today=DAY)
    facts = {"coverage_month": FEBRUARY, "due_date": EXTENDED, "reason": "x", "recorded_at": noon(DAY)}
    DueDateOverride.objects.create(correction=waiting, reviewed_at=noon(DAY), **facts)
    assert list_broken() == ["corrections of due dates"]
    assert done.override.account == done.account


def test_a_start_decided_otherwise_than_asked_for_is_found() -> None:
    account, day = make_account(), date(2027, 2, 3)
    review(date(2027, 1, 24))
    receive(account, PREMIUM, on=date(2027, 1, 22), today=day)
    decide(StartReview.objects.get(), StartDecision.KEEP, today=day)
    assert list_broken() == []
    StartReview.objects.update(decision=StartDecision.MOVE)
    assert "corrections of starts" in list_broken()
