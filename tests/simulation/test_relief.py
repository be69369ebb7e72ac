"""Relief in a simulation: what staff do late for households in need gives starts back, and waits in no queue for good."""

from datetime import date

import pytest

from billing.models import Adjustment, StartReview
from billing.start_reviews import NewReview, open_reviews
from connector_pay.simulation import relief
from tests.billing.books import FEBRUARY, MARCH, list_broken, make_account, noon, read_enrollment, review
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("db")
FOUND, LATER = date(2027, 1, 24), date(2027, 1, 26)
RELIEFS = (relief.correct_months, relief.waive_months)
NOW = {"seed": 1, "today": LATER, "at": noon(LATER)}


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens to few happens to all."""
    for name in ("FIRST_MONTH_WAIVED", "MONTH_CORRECTED", "EXTENDED_AFTERWARDS", "DUE_DATE_MOVED_FOR_ONE"):
        monkeypatch.setattr(relief, name, 100)


@pytest.mark.parametrize("everyone", [100, 0])
def test_a_due_date_extended_afterwards_gives_back_a_start_that_was_pushed(
    monkeypatch: pytest.MonkeyPatch, everyone: int
) -> None:
    monkeypatch.setattr(relief, "EXTENDED_AFTERWARDS", everyone)
    account = make_account()
    review(FOUND)
    assert read_enrollment(account).coverage_start == MARCH
    assert relief.extend_afterwards(people=(make_staff(), make_staff()), **NOW) == 1
    review(date(2027, 1, 27))
    assert read_enrollment(account).coverage_start == FEBRUARY
    assert list_broken() == []


def test_waivers_and_corrections_reach_the_latest_bills() -> None:
    for _household in range(3):
        make_account()
    people = make_staff(), make_staff()
    done = [relieve(people=people, half=half, **NOW) for relieve in RELIEFS for half in (0, 1)]
    assert sum(done) == Adjustment.objects.count() == 6
    assert min(done) == 1


def test_starts_that_wait_for_staff_are_decided() -> None:
    enrollment = make_account().enrollment
    asked = [NewReview(enrollment.pk, FEBRUARY, MARCH, "the first payment was taken back")]
    open_reviews(reviews=asked, today=LATER, at=noon(LATER))
    assert relief.decide_starts(people=(make_staff(), make_staff()), **NOW) == 1
    assert not StartReview.objects.filter(decided_at=None).exists()
