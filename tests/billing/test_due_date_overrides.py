"""Due dates as they stand for an account."""

from datetime import date, datetime
from uuid import uuid4

import pytest

from billing.due_date_overrides import read_due_date, read_due_dates, read_first_due_date
from billing.models import Account
from billing.outages import record_outage
from tests.billing.books import FEBRUARY, MARCH, PREMIUM, make_account, noon, read_enrollment, receive, review
from tests.billing.correcting import approve, make_override
from tests.diary import eastern
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
RECORDED = noon(date(2027, 1, 10))


def move_due_date(day: date, *, month: date = FEBRUARY, account: Account | None = None) -> None:
    make_override(coverage_month=month, account=account, due_date=day, reason="a storm", recorded_at=RECORDED)


def test_without_overrides_the_23rd_of_the_month_before_holds() -> None:
    account = make_account()
    assert read_due_date(account_id=account.pk)(FEBRUARY) == date(2027, 1, 23)
    assert read_due_date()(FEBRUARY) == date(2027, 1, 23)


def test_an_override_of_a_month_moves_that_month_for_everyone() -> None:
    account = make_account()
    move_due_date(date(2027, 1, 31))
    for due_date in (read_due_date(account_id=account.pk), read_due_date()):
        assert due_date(FEBRUARY) == date(2027, 1, 31)
        assert due_date(MARCH) == date(2027, 2, 23)


def test_an_override_of_one_account_moves_it_for_nobody_else() -> None:
    alice, bob = make_account(), make_account()
    move_due_date(date(2027, 1, 28), account=alice)
    due_dates = read_due_dates(account_ids=[alice.pk, bob.pk])
    assert due_dates[alice.pk](FEBRUARY) == date(2027, 1, 28)
    assert due_dates[bob.pk](FEBRUARY) == date(2027, 1, 23)


def test_the_binders_own_date_beats_the_months_override_and_the_accounts_override_beats_both() -> None:
    account = make_account(binder_due_date=date(2027, 1, 29))
    move_due_date(date(2027, 1, 31))
    assert read_due_date(account_id=account.pk)(FEBRUARY) == date(2027, 1, 29)
    assert read_due_date(account_id=account.pk)(MARCH) == date(2027, 2, 23)
    move_due_date(date(2027, 2, 5), account=account)
    assert read_due_date(account_id=account.pk)(FEBRUARY) == date(2027, 2, 5)


@pytest.mark.parametrize(("own", "counts"), [(24, 25), (25, 25), (26, 26)], ids=["before", "at", "after"])
def test_more_time_because_of_an_outage_reaches_who_has_a_date_of_their_own_and_the_later_counts(
    own: int, counts: int
) -> None:
    alice, named = make_account(), make_account(binder_due_date=date(2027, 1, own))
    move_due_date(date(2027, 1, own), account=alice)
    began, ended = eastern(2027, 1, 23, 20), eastern(2027, 1, 24, 9)
    record_outage_for_everyone(began, ended)
    for account in (alice, named):
        assert read_due_date(account_id=account.pk)(FEBRUARY) == date(2027, 1, counts)
    assert read_due_date()(FEBRUARY) == date(2027, 1, 25)
    assert read_first_due_date(account_id=alice.pk)(FEBRUARY) == date(2027, 1, 25)


def test_after_an_outage_staff_may_still_give_one_account_more_time() -> None:
    account = make_account()
    record_outage_for_everyone(eastern(2027, 1, 23, 20), eastern(2027, 1, 24, 9))
    move_due_date(date(2027, 1, 28), account=account)
    assert read_due_date(account_id=account.pk)(FEBRUARY) == date(2027, 1, 28)


def test_a_start_that_was_pushed_in_spite_of_a_date_of_its_own_is_given_back_after_an_outage() -> None:
    account = make_account()
    move_due_date(date(2027, 1, 24), account=account)
    review(date(2027, 1, 25))
    assert read_enrollment(account).coverage_start == MARCH
    receive(account, PREMIUM, on=date(2027, 1, 25))
    record_outage_for_everyone(eastern(2027, 1, 23, 20), eastern(2027, 1, 24, 9))
    review(date(2027, 1, 28))
    assert read_enrollment(account).coverage_start == FEBRUARY


def record_outage_for_everyone(began: datetime, ended: datetime) -> None:
    """An outage, the later due date asked for because of it, and approved."""
    today = date(2027, 1, 27)
    facts = {"what": "the bank page", "public_words": "You have one more day.", "form_key": uuid4()}
    outage = record_outage(
        began_at=began, ended_at=ended, by=make_staff(), today=today, at=noon(today), **facts
    )
    approve(outage.corrections.get(), today=today)


def test_the_due_day_is_the_policys(settings) -> None:
    settings.PREMIUM_POLICY = {"due_day": 20}
    assert read_due_date()(FEBRUARY) == date(2027, 1, 20)


def test_accounts_without_dates_of_their_own_share_one_rule() -> None:
    alice, bob = make_account(), make_account()
    due_dates = read_due_dates(account_ids=[alice.pk, bob.pk])
    assert due_dates[alice.pk] is due_dates[bob.pk]
