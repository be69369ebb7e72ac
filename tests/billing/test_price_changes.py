"""A decrease of a billed month is credit at once; an increase waits for the next bill and unpays nothing."""

from datetime import date

import pytest

from billing import invoices
from billing.models import Account, Invoice, InvoiceLine
from billing.premiums import Line, Rate, Terms
from billing.price_changes import Billed, FirstBill, find_changes
from members.models import EnrollmentStatus, Notice
from tests.billing.books import (
    APRIL,
    FEBRUARY,
    MARCH,
    PREMIUM,
    bill,
    list_broken,
    make_account,
    noon,
    read_enrollment,
    receive,
    review,
    see,
    settle_and_clear,
    take_back,
)
from tests.people import make_enrollment, make_rate

pytestmark = pytest.mark.usefixtures("books")
PAID, SAID = date(2027, 1, 10), date(2027, 1, 18)


def make_active() -> Account:
    """Paid on January 10, posted on January 15: active from February 1."""
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=PAID), on=date(2027, 1, 15))
    return account


def say(account: Account, cents: int, *, month: date = FEBRUARY, day: date = SAID) -> None:
    """Intake says another price."""
    make_rate(enrollment=read_enrollment(account), month=month, premium_cents=cents, at=noon(day))


def issue(day: date) -> dict[str, int]:
    return dict(invoices.issue_missing(today=day, at=noon(day)))


def list_live(account: Account) -> list[tuple[date, int]]:
    live = Invoice.objects.filter(account=account, voided_at=None).order_by("coverage_month")
    return list(live.values_list("coverage_month", "amount_cents"))


def list_lines(account: Account) -> list[tuple[date, date, int, str]]:
    lines = InvoiceLine.objects.filter(invoice__account=account, invoice__voided_at=None).order_by("pk")
    return list(lines.values_list("invoice__coverage_month", "for_month", "cents", "why"))


class TestADecrease:
    def test_of_a_paid_month_is_credit_at_once_and_the_month_stays_paid(self) -> None:
        account = make_active()
        say(account, PREMIUM - 30_00)
        assert issue(SAID) == {"accounts": 0, "invoices": 0, "corrected": 1}
        standing = see(account, today=SAID)
        assert (standing.due_cents, standing.credit_cents) == (0, 30_00)
        assert list_live(account) == [(FEBRUARY, PREMIUM - 30_00)]
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE

    def test_is_given_back_once_however_often_the_run_comes(self) -> None:
        account = make_active()
        say(account, PREMIUM - 30_00)
        assert [issue(SAID).get("corrected", 0) for _ in range(3)] == [1, 0, 0]
        assert Invoice.objects.filter(account=account).count() == 2

    def test_of_two_billed_months_gives_back_both(self) -> None:
        account = make_active()
        issue(FEBRUARY)
        say(account, PREMIUM - 10_00, day=date(2027, 2, 3))
        issue(date(2027, 2, 4))
        assert list_live(account) == [(FEBRUARY, PREMIUM - 10_00), (MARCH, PREMIUM - 10_00)]
        standing = see(account, today=date(2027, 2, 4))
        assert (standing.due_cents, standing.credit_cents) == (PREMIUM - 20_00, 0)

    def test_from_a_later_month_on_leaves_the_earlier_ones(self) -> None:
        account = make_active()
        issue(FEBRUARY)
        say(account, 1_00, month=MARCH, day=date(2027, 2, 3))
        issue(date(2027, 2, 4))
        assert list_live(account) == [(FEBRUARY, PREMIUM), (MARCH, 1_00)]


class TestAnIncrease:
    def test_of_a_paid_month_goes_on_the_next_bill_and_unpays_nothing(self) -> None:
        account = make_active()
        say(account, PREMIUM + 30_00)
        assert issue(SAID) == {"accounts": 0, "invoices": 0}
        assert see(account, today=SAID).due_cents == 0
        issue(FEBRUARY)
        assert list_live(account) == [(FEBRUARY, PREMIUM), (MARCH, PREMIUM + 60_00)]
        assert list_lines(account) == [(MARCH, FEBRUARY, 30_00, "change")]
        standing = see(account, today=FEBRUARY)
        assert (standing.due_cents, standing.due_date) == (PREMIUM + 60_00, date(2027, 2, 23))

    def test_is_charged_once(self) -> None:
        account = make_active()
        say(account, PREMIUM + 30_00)
        for day in (FEBRUARY, date(2027, 2, 2), MARCH):
            issue(day)
        assert list_live(account)[-1] == (APRIL, PREMIUM + 30_00)
        assert len(list_lines(account)) == 1

    def test_taken_back_in_part_leaves_what_is_left_on_the_bill_that_carried_it(self) -> None:
        account = make_active()
        say(account, PREMIUM + 30_00)
        issue(FEBRUARY)
        say(account, PREMIUM + 10_00, day=date(2027, 2, 5))
        issue(date(2027, 2, 6))
        assert list_live(account) == [(FEBRUARY, PREMIUM), (MARCH, PREMIUM + 20_00)]
        assert list_lines(account) == [(MARCH, FEBRUARY, 10_00, "change")]

    def test_taken_back_before_the_next_bill_was_never_there(self) -> None:
        account = make_active()
        say(account, PREMIUM + 30_00)
        say(account, PREMIUM, day=date(2027, 1, 20))
        issue(FEBRUARY)
        assert list_live(account) == [(FEBRUARY, PREMIUM), (MARCH, PREMIUM)]

    def test_several_months_late_goes_on_the_first_of_the_bills(self) -> None:
        account = make_active()
        say(account, PREMIUM + 30_00)
        issue(MARCH)
        assert list_live(account)[1:] == [(MARCH, PREMIUM + 60_00), (APRIL, PREMIUM + 30_00)]


class TestABinder:
    @pytest.mark.parametrize("cents", [PREMIUM + 30_00, PREMIUM - 30_00])
    def test_that_is_not_paid_is_issued_anew_and_the_member_gets_the_new_bill(self, cents: int) -> None:
        account = make_account()
        say(account, cents)
        issue(SAID)
        assert list_live(account) == [(FEBRUARY, cents)]
        assert Notice.objects.filter(event="bill_ready").latest("pk").facts["amount_cents"] == cents

    def test_paid_in_part_is_issued_anew_and_keeps_its_money(self) -> None:
        account = make_account()
        receive(account, 100_00, on=PAID)
        say(account, PREMIUM + 30_00)
        issue(SAID)
        assert see(account, today=SAID).due_cents == PREMIUM + 30_00 - 100_00

    def test_received_but_not_posted_is_not_unpaid_by_an_increase(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=PAID)
        say(account, PREMIUM + 30_00)
        issue(SAID)
        assert see(account, today=SAID).binder_received
        settle_and_clear(reference, on=date(2027, 1, 20))
        issue(FEBRUARY)
        assert list_live(account) == [(FEBRUARY, PREMIUM), (MARCH, PREMIUM + 60_00)]

    def test_covered_by_a_cut_in_its_price_after_the_due_date_is_late(self) -> None:
        account = make_account()
        receive(account, 200_00, on=PAID)
        review(date(2027, 1, 24))
        say(account, 200_00, day=date(2027, 1, 26))
        issue(date(2027, 1, 27))
        review(date(2027, 1, 27))
        assert read_enrollment(account).coverage_start == MARCH
        assert see(account, today=date(2027, 1, 27)).binder_received

    def test_whose_price_falls_to_nothing_makes_coverage_active(self) -> None:
        account = make_account()
        say(account, 0)
        issue(SAID)
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE

    def test_a_check_found_after_an_increase_covers_what_was_asked_when_it_came(self) -> None:
        account = make_account()
        say(account, PREMIUM + 30_00)
        issue(SAID)
        receive(account, PREMIUM, on=date(2027, 1, 17), today=date(2027, 1, 28))
        issue(date(2027, 1, 29))
        review(date(2027, 1, 29))
        standing = see(account, today=date(2027, 1, 29))
        assert (standing.coverage_start, standing.due_cents) == (FEBRUARY, 0)
        assert list_lines(account) == [(FEBRUARY, FEBRUARY, -30_00, "change")]

    def test_pushed_and_restored_after_an_increase_it_asks_for_no_more_than_when_it_was_covered(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        say(account, PREMIUM + 30_00, day=date(2027, 1, 26))
        issue(date(2027, 1, 27))
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 1, 28))
        standing = see(account, today=date(2027, 1, 28))
        assert (standing.coverage_start, standing.due_cents) == (FEBRUARY, 0)
        assert Notice.objects.filter(event="start_restored").latest("pk").facts["amount_cents"] == 0

    def test_returned_after_an_increase_asks_for_the_new_price(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=PAID)
        say(account, PREMIUM + 30_00)
        issue(SAID)
        take_back(reference, on=date(2027, 1, 19))
        issue(date(2027, 1, 20))
        assert list_live(account) == [(FEBRUARY, PREMIUM + 30_00)]


def test_a_run_reads_only_the_accounts_of_which_something_was_said(django_assert_num_queries) -> None:
    for _ in range(3):
        bill(make_enrollment())
    with django_assert_num_queries(1):
        assert invoices.correct_bills(today=SAID, at=noon(SAID)) == 0


def test_a_month_charged_for_more_than_it_comes_to_is_found() -> None:
    account = make_active()
    issue(FEBRUARY)
    issue(MARCH)
    say(account, 100_00, month=APRIL, day=date(2027, 2, 20))
    assert list_broken() == ["I5 prices"]
    make_rate(enrollment=read_enrollment(account), month=APRIL, premium_cents=PREMIUM, at=noon(MARCH))


class TestTheRule:
    """Pure: bills as they are, and the terms; out come the bills to issue anew and what the next one carries."""

    TERMS = Terms((Rate(1, FEBRUARY, 100_00, 0),))

    @staticmethod
    def find(
        *bills: Billed, cents: int, first: FirstBill | None = None
    ) -> tuple[list[tuple[date, int, int]], int]:
        terms = Terms((Rate(1, FEBRUARY, cents, 0),))
        found = find_changes(account_id=1, enrollment_id=1, bills=bills, terms=terms, first=first)
        corrected = [
            (part.bill.month, part.own_cents, sum(line.cents for line in part.carried))
            for part in found.corrected
        ]
        return corrected, sum(line.cents for line in found.carried)

    @pytest.mark.parametrize(
        ("cents", "corrected", "carried"),
        [
            (140_00, [], 40_00 - 30_00 + 40_00),
            (130_00, [], 30_00),
            (110_00, [(MARCH, 100_00, 10_00)], 10_00),
            (100_00, [(MARCH, 100_00, 0)], 0),
            (80_00, [(FEBRUARY, 80_00, 0), (MARCH, 80_00, 0)], 0),
        ],
    )
    def test_what_was_carried_is_taken_off_before_the_month_itself(
        self, cents: int, corrected: list[tuple[date, int, int]], carried: int
    ) -> None:
        february = Billed(1, FEBRUARY, FEBRUARY, 100_00)
        march = Billed(2, MARCH, None, 100_00, (Line(FEBRUARY, 30_00, "change"),))
        assert self.find(february, march, cents=cents) == (corrected, carried)

    @pytest.mark.parametrize(
        ("asks", "own", "carried"), [(None, 130_00, 0), (100_00, 100_00, 30_00), (150_00, 130_00, 0)]
    )
    def test_a_first_bill_follows_its_price_until_it_is_covered(
        self, asks: int | None, own: int, carried: int
    ) -> None:
        binder = Billed(1, FEBRUARY, FEBRUARY, 120_00)
        assert self.find(binder, cents=130_00, first=FirstBill(asks)) == ([(FEBRUARY, own, 0)], carried)
