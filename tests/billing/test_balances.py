"""How an account stands: what every page reads."""

from datetime import date

import pytest

from billing import invoices
from billing.accounts import UnableToFindAccount
from billing.balances import read_standing, read_standings
from members.models import EnrollmentStatus
from tests.billing.books import (
    FEBRUARY,
    PREMIUM,
    make_account,
    noon,
    receive,
    review,
    see,
    settle_and_clear,
)

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 10)


def test_a_new_bill_is_due_and_not_past_due() -> None:
    account = make_account()
    standing = see(account, today=date(2027, 1, 23))
    assert (standing.due_cents, standing.this_month_cents, standing.past_due_cents) == (PREMIUM, PREMIUM, 0)
    assert (standing.due_date, standing.coverage_start) == (date(2027, 1, 23), FEBRUARY)
    assert standing.enrollment_status == EnrollmentStatus.WAITING
    assert standing.binder == standing.latest_invoice == standing.open_invoices[0]
    assert (standing.binder.number, len(standing.binder.number)) == (f"{standing.binder.id:010d}", 10)


def test_the_day_after_its_due_date_it_is_past_due() -> None:
    standing = see(make_account(), today=date(2027, 1, 24))
    assert (standing.due_cents, standing.this_month_cents, standing.past_due_cents) == (PREMIUM, 0, PREMIUM)
    review(date(2027, 1, 24))


def test_a_received_payment_is_not_owed_and_is_in_progress_until_it_clears() -> None:
    account = make_account()
    reference = receive(account, PREMIUM, on=DAY)
    standing = see(account, today=DAY)
    assert (standing.due_cents, standing.due_date, standing.in_progress_cents) == (0, None, PREMIUM)
    assert (standing.binder_received, standing.binder.cleared_cents) == (True, 0)
    settle_and_clear(reference, on=date(2027, 1, 15))
    standing = see(account, today=date(2027, 1, 15))
    assert (standing.in_progress_cents, standing.binder.cleared_cents) == (0, PREMIUM)
    assert standing.enrollment_status == EnrollmentStatus.ACTIVE


def test_a_partial_payment_leaves_the_rest_due() -> None:
    account = make_account()
    receive(account, 100_00, on=DAY)
    standing = see(account, today=DAY)
    assert (standing.binder.received_cents, standing.binder.remaining_cents) == (100_00, PREMIUM - 100_00)
    assert (standing.due_cents, standing.binder_received) == (PREMIUM - 100_00, False)


def test_months_are_listed_oldest_first_and_the_due_date_is_the_oldests() -> None:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=DAY), on=date(2027, 1, 15))
    for day in (date(2027, 2, 1), date(2027, 3, 1)):
        invoices.issue_missing(today=day, at=noon(day))
    standing = see(account, today=date(2027, 3, 1))
    assert [item.coverage_month.month for item in standing.open_invoices] == [3, 4]
    assert (standing.due_date, standing.past_due_cents) == (date(2027, 2, 23), PREMIUM)
    assert (standing.latest_invoice.coverage_month.month, standing.this_month_cents) == (4, PREMIUM)


def test_the_monthly_premium_is_what_the_member_owes_a_month() -> None:
    account = make_account(premium_cents=500_00, subsidy_cents=420_00)
    assert see(account, today=DAY).monthly_premium_cents == 80_00


def test_health_and_dental_stand_apart() -> None:
    health, dental = make_account(), make_account(product="dental", premium_cents=30_00)
    receive(health, PREMIUM, on=DAY)
    standings = read_standings(account_ids=[dental.pk, health.pk], today=DAY)
    assert [(item.product, item.due_cents) for item in standings.values()] == [
        ("health", 0),
        ("dental", 30_00),
    ]


def test_an_unknown_account_is_left_out_of_many_and_refused_alone() -> None:
    assert read_standings(account_ids=[999_999_999], today=DAY) == {}
    with pytest.raises(UnableToFindAccount):
        read_standing(account_id=999_999_999, today=DAY)
