"""More time to pay: an account's due date at once, everyone's from the next nightly review; never earlier, never far away."""

from datetime import date

import pytest

from billing.corrections import UnableToCorrect
from billing.due_date_overrides import read_due_date
from billing.extensions import find_reach
from billing.models import Correction, CorrectionKind, StartReview
from tests.billing.books import (
    FEBRUARY,
    MARCH,
    PREMIUM,
    make_account,
    read_enrollment,
    receive,
    review,
)
from tests.billing.correcting import ask, correct

pytestmark = pytest.mark.usefixtures("books")
EXTENDED = date(2027, 1, 31)
DAY = date(2027, 1, 26)


def extend(day: date = EXTENDED, *, today: date = DAY, month: date = FEBRUARY, account=None) -> Correction:
    kind = CorrectionKind.DUE_DATE if account else CorrectionKind.MONTH_DUE_DATE
    return correct(kind, account, month=month, new_date=day, today=today)


def test_one_account_is_given_its_start_back_at_once_and_nobody_else() -> None:
    alice, bob = make_account(), make_account()
    review(date(2027, 1, 24))
    extend(account=alice)
    assert [read_enrollment(item).coverage_start for item in (alice, bob)] == [FEBRUARY, MARCH]
    assert read_due_date(account_id=alice.pk)(FEBRUARY) == EXTENDED


def test_everyone_is_given_theirs_back_in_the_next_review_and_it_takes_two() -> None:
    account = make_account()
    review(date(2027, 1, 24))
    asked = ask(CorrectionKind.MONTH_DUE_DATE, month=FEBRUARY, new_date=EXTENDED, today=DAY)
    assert (asked.status, read_due_date()(FEBRUARY)) == ("asked", date(2027, 1, 23))
    extend()
    assert read_enrollment(account).coverage_start == MARCH
    review(date(2027, 1, 27))
    assert read_enrollment(account).coverage_start == FEBRUARY


def test_a_month_that_has_begun_waits_for_staff() -> None:
    account = make_account()
    review(date(2027, 1, 24))
    receive(account, PREMIUM, on=DAY)
    extend(account=account, today=date(2027, 2, 2))
    assert StartReview.objects.get().rules_give == FEBRUARY


def test_more_time_may_be_given_again_and_the_latest_word_holds() -> None:
    account = make_account()
    for day in (date(2027, 1, 25), date(2027, 1, 28)):
        extend(day, account=account, today=date(2027, 1, 20))
        extend(day, today=date(2027, 1, 20))
        assert read_due_date(account_id=account.pk)(FEBRUARY) == read_due_date()(FEBRUARY) == day


@pytest.mark.parametrize(("day", "status"), [(23, "applied"), (24, "asked")])
def test_for_one_account_one_person_suffices_until_the_due_date_has_passed(day: int, status: str) -> None:
    what = {"month": FEBRUARY, "new_date": EXTENDED, "today": date(2027, 1, day)}
    assert ask(CorrectionKind.DUE_DATE, make_account(), **what).status == status


def test_given_again_it_takes_two_whenever_it_is_asked_for() -> None:
    account, early = make_account(), date(2027, 1, 20)
    extend(date(2027, 1, 25), account=account, today=early)
    what = {"month": FEBRUARY, "new_date": EXTENDED, "today": early}
    assert ask(CorrectionKind.DUE_DATE, account, **what).status == "asked"
    assert ask(CorrectionKind.DUE_DATE, make_account(), **what).status == "applied"


def test_given_again_and_again_it_ends_sixty_days_past_what_holds_for_others() -> None:
    account = make_account()
    extend(date(2027, 3, 20), account=account)
    with pytest.raises(UnableToCorrect, match="up to March 24, 2027"):
        extend(date(2027, 3, 25), account=account)
    extend(date(2027, 3, 24), account=account)
    extend(EXTENDED)
    extend(date(2027, 4, 1), account=account)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"day": date(2027, 1, 23)}, "only moved to a later day"),
        ({"day": date(2027, 3, 25)}, "up to March 24, 2027"),
        ({"month": date(2027, 2, 2)}, "first day"),
    ],
)
def test_what_is_no_extension_is_refused(facts: dict[str, date], words: str) -> None:
    account = make_account()
    for whose in (None, account):
        with pytest.raises(UnableToCorrect, match=words):
            extend(account=whose, **facts)
    assert extend(date(2027, 3, 24)).status == "applied"


def test_a_month_before_the_enrollment_is_none_of_its_months() -> None:
    account = make_account()
    with pytest.raises(UnableToCorrect, match="January 2027 is no month"):
        extend(month=date(2027, 1, 1), account=account)


def test_it_says_whom_it_concerns() -> None:
    paid, pushed, waiting = make_account(), make_account(), make_account(requested_start=MARCH)
    receive(paid, PREMIUM, on=date(2027, 1, 10))
    assert find_reach(month=FEBRUARY).unpaid_bills == 1
    review(date(2027, 1, 24))
    reach = find_reach(month=FEBRUARY)
    assert (reach.due_date, reach.unpaid_bills, reach.starts) == (date(2027, 1, 23), 0, 1)
    assert find_reach(month=MARCH).unpaid_bills == len({pushed, waiting})
