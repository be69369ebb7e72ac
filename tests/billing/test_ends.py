"""Ends that the exchange names: the bills of later months are void, whatever day we hear of it."""

from datetime import date

import pytest

from billing import ends, overdue
from billing.balances import read_standing
from billing.models import Account, Invoice
from members import coverage
from members.models import Enrollment
from tests.billing.behind import DECEMBER, JANUARY, PREMIUM, cover, issue, list_live_months, pay
from tests.billing.books import bill, noon
from tests.people import make_enrollment

pytestmark = pytest.mark.usefixtures("books")
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


def end(account: Account, last_day: date) -> None:
    """The exchange names the last day of coverage."""
    Enrollment.objects.filter(account=account).update(ends_on=last_day)


def void(day: date) -> int:
    return ends.void_after_ends(today=day, at=noon(day))["voided"]


def read_status(account: Account) -> str:
    return Enrollment.objects.get(account=account).status


def test_bills_of_months_after_the_last_day_are_void_and_those_before_stay() -> None:
    account = cover(today=JANUARY)
    end(account, date(2025, 12, 31))
    assert void(date(2026, 1, 5)) == 2
    assert list_live_months(account) == [DECEMBER]
    assert set(Invoice.objects.exclude(voided_at=None).values_list("void_reason", flat=True)) == {
        ends.AFTER_END
    }


def test_a_second_time_nothing_is_left_to_void() -> None:
    end(cover(today=JANUARY), date(2025, 12, 31))
    void(date(2026, 1, 5))
    assert void(date(2026, 1, 5)) == void(date(2026, 1, 8)) == 0


def test_the_last_month_itself_is_billed_and_no_later_one_is_issued_again() -> None:
    account = cover(today=date(2025, 12, 2))
    end(account, date(2026, 1, 31))
    for day in (date(2025, 12, 10), JANUARY, FEBRUARY):
        issue(day)
        void(day)
    assert list_live_months(account) == [DECEMBER, JANUARY]


def test_money_on_a_void_bill_pays_what_is_still_owed_and_the_rest_is_credit() -> None:
    account = cover(today=date(2025, 12, 2))
    first = pay(account, on=date(2025, 12, 10))
    issue(JANUARY)
    pay(account, 150_00, on=date(2026, 1, 5))
    end(account, date(2026, 1, 31))
    void(date(2026, 1, 6))
    standing = read_standing(account_id=account.pk, today=date(2026, 1, 6))
    assert (standing.due_cents, standing.credit_cents) == (0, 150_00)
    assert first


def test_money_of_a_void_month_lands_on_an_older_bill_that_is_open() -> None:
    from tests.billing.books import take_back

    account = cover(today=JANUARY)
    returned = pay(account, on=date(2025, 12, 20))
    pay(account, on=date(2026, 1, 10))
    take_back(returned, on=date(2026, 1, 12), settled=True)
    assert read_standing(account_id=account.pk, today=date(2026, 1, 12)).due_cents == PREMIUM
    end(account, date(2026, 1, 31))
    void(date(2026, 1, 13))
    standing = read_standing(account_id=account.pk, today=date(2026, 1, 13))
    assert (standing.due_cents, standing.credit_cents) == (0, 0)


def test_an_end_moved_later_brings_the_bills_back() -> None:
    account = cover(today=JANUARY)
    end(account, date(2025, 12, 31))
    void(date(2026, 1, 5))
    end(account, date(2026, 1, 31))
    issue(date(2026, 1, 6))
    assert list_live_months(account) == [DECEMBER, JANUARY]


class TestAnEndBeforeTheStart:
    def make_pushed(self) -> Account:
        """Asked for January, not paid by December 23: coverage stands to start on February 1."""
        day = date(2025, 12, 5)
        account = bill(
            make_enrollment(requested_start=JANUARY, premium_cents=PREMIUM, at=noon(day)), today=day
        )
        overdue.review(today=date(2025, 12, 24), at=noon(date(2025, 12, 24)), run="a test")
        return account

    def live_night(self, day: date) -> None:
        coverage.end_passed(today=day, at=noon(day))
        void(day)

    def test_a_pushed_start_after_the_end_is_no_coverage_and_nothing_is_owed(self) -> None:
        account = self.make_pushed()
        end(account, date(2026, 1, 31))
        self.live_night(date(2025, 12, 28))
        assert (read_status(account), list_live_months(account)) == ("ended", [])
        issue(FEBRUARY)
        assert list_live_months(account) == []

    def test_an_end_with_the_first_months_last_day_leaves_it_waiting(self) -> None:
        account = self.make_pushed()
        end(account, date(2026, 2, 28))
        self.live_night(date(2025, 12, 28))
        assert (read_status(account), list_live_months(account)) == ("waiting", [FEBRUARY])

    def test_a_first_payment_made_before_is_credit(self) -> None:
        account = self.make_pushed()
        pay(account, on=date(2025, 12, 26))
        assert read_status(account) == "active"
        end(account, date(2026, 1, 31))
        self.live_night(date(2025, 12, 28))
        standing = read_standing(account_id=account.pk, today=MARCH)
        assert (standing.enrollment_status, standing.due_cents, standing.credit_cents) == (
            "ended",
            0,
            PREMIUM,
        )


def test_many_accounts_take_as_many_statements_as_one(django_assert_max_num_queries) -> None:
    def make(count: int) -> None:
        for _ in range(count):
            end(cover(today=JANUARY), date(2025, 12, 31))

    make(1)
    with django_assert_max_num_queries(25) as few:
        assert void(date(2026, 1, 5)) == 2
    make(5)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert void(date(2026, 1, 5)) == 10
