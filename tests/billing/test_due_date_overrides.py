"""Due dates as they stand for an account."""

from datetime import date

import pytest

from billing.due_date_overrides import read_due_date, read_due_dates
from billing.models import Account
from tests.billing.books import FEBRUARY, MARCH, make_account, noon
from tests.billing.correcting import make_override

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


def test_the_due_day_is_the_policys(settings) -> None:
    settings.PREMIUM_POLICY = {"due_day": 20}
    assert read_due_date()(FEBRUARY) == date(2027, 1, 20)


def test_accounts_without_dates_of_their_own_share_one_rule() -> None:
    alice, bob = make_account(), make_account()
    due_dates = read_due_dates(account_ids=[alice.pk, bob.pk])
    assert due_dates[alice.pk] is due_dates[bob.pk]
