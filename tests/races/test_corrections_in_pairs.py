"""Corrections in pairs: approved by two at once, asked twice, against one another. Unguarded the race is real."""

from datetime import date
from functools import partial

import pytest

from billing import adjustments, corrections
from billing.corrections import UnableToCorrect, decline
from billing.models import Account, Adjustment, Correction, CorrectionKind, DueDateOverride
from connector_pay.lib import states
from members.models import User
from tests.billing.books import APRIL, FEBRUARY, make_account, noon, see
from tests.billing.correcting import approve, ask
from tests.people import make_staff
from tests.races.test_money_in_pairs import list_broken, lock_nothing, swap_unguarded
from tests.races.together import run_inside, run_together

DAY = date(2027, 1, 18)
pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def supervisors() -> tuple[User, User]:
    return make_staff(), make_staff()


def adjust(account: Account, cents: int, *, month: date = FEBRUARY, **facts) -> Correction:
    return ask(CorrectionKind.ADJUSTMENT, account, month=month, cents=cents, today=DAY, **facts)


class TestTwoApprovalsAtOnce:
    def test_one_applies_it_and_the_other_hears_that_it_was_decided(self, supervisors) -> None:
        account = make_account(premium_cents=900_00)
        asked = adjust(account, -600_00)
        first, second = supervisors
        done, refusal = run_inside(
            lambda: approve(asked, by=first, today=DAY),
            lambda: approve(asked, by=second, today=DAY),
            waits=True,
        )
        assert done.decided_by == first
        assert isinstance(refusal, UnableToCorrect)
        assert (see(account, today=DAY).due_cents, list_broken()) == (300_00, set())

    def test_so_it_is_for_a_month_of_everyone_which_locks_no_account(self, supervisors) -> None:
        what = {"month": FEBRUARY, "new_date": date(2027, 1, 31), "today": DAY}
        asked = ask(CorrectionKind.MONTH_DUE_DATE, **what)
        first, second = supervisors
        _, refusal = run_inside(
            lambda: approve(asked, by=first, today=DAY),
            lambda: approve(asked, by=second, today=DAY),
            waits=True,
        )
        assert "same moment" in str(refusal)
        assert (DueDateOverride.objects.count(), list_broken()) == (1, set())

    def test_approved_and_declined_at_once_it_is_one_of_them(self, supervisors) -> None:
        account = make_account(premium_cents=900_00)
        asked = adjust(account, -600_00)
        first, second = supervisors
        facts = {"correction_id": asked.pk, "by": second, "why": "no", "today": DAY, "at": noon(DAY)}
        answers = run_together(lambda: approve(asked, by=first, today=DAY), lambda: decline(**facts))
        assert sum(isinstance(answer, Correction) for answer in answers) == 1
        asked.refresh_from_db()
        assert Adjustment.objects.count() == (asked.status == "applied")
        assert list_broken() == set()

    def test_without_lock_and_compare_and_swap_both_say_they_did_it_and_the_key_alone_stops_the_second(
        self, supervisors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = adjust(make_account(premium_cents=900_00), -600_00)
        for module in (corrections, adjustments):
            monkeypatch.setattr(module, "lock_accounts", lock_nothing)
        monkeypatch.setattr(states, "_swap", swap_unguarded)
        first, second = supervisors
        run_inside(
            lambda: approve(asked, by=first, today=DAY),
            lambda: approve(asked, by=second, today=DAY),
            waits=True,
        )
        assert Adjustment.objects.count() == 1
        assert {"I7 corrections", "corrections of money"} & list_broken()


def test_a_double_click_at_one_moment_asks_once() -> None:
    account, clerk = make_account(), make_staff()
    answers = run_together(*[lambda: adjust(account, -10_00, by=clerk, key="C1")] * 4)
    assert len({answer.pk for answer in answers}) == 1
    assert (Adjustment.objects.count(), list_broken()) == (1, set())


def test_a_double_click_for_everyone_asks_once() -> None:
    clerk, what = make_staff(), {"month": FEBRUARY, "new_date": date(2027, 1, 31), "today": DAY}
    acts = [lambda: ask(CorrectionKind.MONTH_DUE_DATE, by=clerk, key="M1", **what)] * 4
    assert len({answer.pk for answer in run_together(*acts)}) == 1


class TestTwoAdjustmentsThatTogetherPassTheLimit:
    def test_the_second_waits_and_takes_another_person(self) -> None:
        account, clerk = make_account(premium_cents=900_00), make_staff()
        first, second = run_inside(
            lambda: adjust(account, -300_00, by=clerk), lambda: adjust(account, -300_00, by=clerk), waits=True
        )
        assert (first.status, second.status) == ("applied", "asked")

    def test_without_the_lock_one_person_would_have_passed_it_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account, clerk = make_account(premium_cents=900_00), make_staff()
        for module in (corrections, adjustments):
            monkeypatch.setattr(module, "lock_accounts", lock_nothing)
        # A month that is not billed yet: no bill's own key stands in the way.
        act = partial(adjust, account, -300_00, by=clerk, month=APRIL)
        first, second = run_inside(act, act, waits=False)
        assert (first.status, second.status) == ("applied", "applied")
