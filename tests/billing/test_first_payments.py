"""Since when a binder is covered as it stood: money, waivers, bills issued anew and refunds, each with its day."""

from datetime import date

import pytest

from billing.due_dates import find_due_date
from billing.first_payments import BinderBill, FirstPayment, Held, Money
from billing.premiums import Adjusted, Rate, Terms

JANUARY, FEBRUARY, MARCH, APRIL = (date(2027, month, 1) for month in range(1, 5))
ISSUED, DUE = date(2027, 1, 5), date(2027, 1, 23)


def day(number: int) -> date:
    return date(2027, 1, number)


def make(
    *money: Money,
    bills: tuple[tuple[int, int], ...] = ((5, 100_00),),
    waived: tuple[tuple[int, int], ...] = (),
    **facts,
) -> FirstPayment:
    """February, which costs $100.00, billed on January 5 unless told otherwise."""
    waivers = tuple(Adjusted(FEBRUARY, -cents, "waiver", day(number)) for number, cents in waived)
    versions = tuple(BinderBill(day(number), cents) for number, cents in bills)
    defaults = {
        "requested_start": FEBRUARY,
        "due_date": find_due_date,
        "terms": Terms((Rate(1, FEBRUARY, 100_00, 0),), waivers),
        "money": money,
        "bills": {FEBRUARY: {FEBRUARY: versions}},
    }
    return FirstPayment(**(defaults | facts))


@pytest.mark.parametrize(
    ("cents", "covered"), [((60_00, 39_99), None), ((60_00, 40_00), day(20)), ((100_00, 1), day(10))]
)
def test_the_day_counts_on_which_the_money_came_to_the_whole_bill(
    cents: tuple[int, int], covered: date | None
) -> None:
    payment = make(Money(day(10), cents[0]), Money(day(20), cents[1]))
    assert payment.find_covered_on(FEBRUARY) == covered


@pytest.mark.parametrize(("received", "covered"), [(19, day(20)), (20, day(20)), (21, day(21))])
def test_a_bill_issued_anew_at_less_is_covered_from_the_day_of_the_new_bill(
    received: int, covered: date
) -> None:
    payment = make(Money(day(received), 80_00), bills=((5, 100_00), (20, 80_00)))
    assert payment.find_covered_on(FEBRUARY) == covered


@pytest.mark.parametrize(("received", "covered"), [(14, day(14)), (15, None), (16, None)])
def test_the_bill_of_the_day_decides_however_it_was_billed_before_or_after(
    received: int, covered: date | None
) -> None:
    payment = make(Money(day(received), 100_00), bills=((5, 100_00), (15, 130_00)))
    assert payment.find_covered_on(FEBRUARY) == covered


def test_what_is_covered_asks_for_no_more_after_an_increase_and_for_less_after_a_decrease() -> None:
    money = Money(day(10), 100_00)
    assert make(money, bills=((5, 100_00), (15, 130_00))).find_held(start=FEBRUARY) == Held(day(10), 100_00)
    assert make(money, bills=((5, 100_00), (15, 70_00))).find_held(start=FEBRUARY) == Held(day(10), 70_00)


@pytest.mark.parametrize(
    ("waived", "covered"),
    [(100_00, day(20)), (40_00, day(20)), (39_99, None), (200_00, day(20))],
)
def test_a_waiver_counts_from_the_day_it_was_asked_for(waived: int, covered: date | None) -> None:
    assert make(Money(day(10), 60_00), waived=((20, waived),)).find_covered_on(FEBRUARY) == covered


def test_money_before_the_first_bill_counts_against_that_bill() -> None:
    assert make(Money(day(3), 100_00)).find_covered_on(FEBRUARY) == day(3)


def test_what_costs_nothing_was_always_covered() -> None:
    assert make(bills=((5, 0),)).find_covered_on(FEBRUARY) == date.min


def test_a_month_never_billed_counts_at_its_price_less_what_was_waived_by_the_day() -> None:
    payment = make(Money(day(10), 60_00), bills=(), waived=((20, 40_00),))
    unbilled = FirstPayment(FEBRUARY, find_due_date, payment.terms, payment.money)
    assert unbilled.find_covered_on(FEBRUARY) == day(20)
    assert unbilled.find_covered_on(MARCH) is None


@pytest.mark.parametrize(
    ("gone", "covered"), [(50_00, day(10)), (50_01, None), (150_00, None)], ids=["idle", "a cent", "all"]
)
def test_idle_money_may_go_back_and_money_that_was_needed_may_not(gone: int, covered: date | None) -> None:
    payment = make(Money(day(10), 150_00), Money(day(25), -gone))
    assert payment.find_covered_on(FEBRUARY) == covered


def test_what_a_decrease_gave_back_may_be_refunded_and_the_start_still_holds() -> None:
    payment = make(Money(day(10), 100_00), Money(day(28), -30_00), bills=((5, 100_00), (26, 70_00)))
    assert payment.find_covered_on(FEBRUARY) == day(10)
    assert payment.find_start(today=day(31)) == FEBRUARY


def test_a_binder_of_several_months_is_covered_when_all_of_them_are() -> None:
    bills = {JANUARY: {JANUARY: [BinderBill(day(5), 100_00)], FEBRUARY: [BinderBill(day(5), 120_00)]}}
    terms = Terms((Rate(1, JANUARY, 100_00, 0),))
    payment = FirstPayment(JANUARY, {JANUARY: DUE}.__getitem__, terms, (Money(day(20), 219_99),), bills)
    assert payment.find_covered_on(JANUARY) is None
    assert payment.add(money=[Money(day(23), 1)]).is_covered_in_time(start=JANUARY)
    assert not payment.add(money=[Money(day(24), 1)]).is_covered_in_time(start=JANUARY)


@pytest.mark.parametrize(("received", "start"), [(23, FEBRUARY), (24, MARCH)])
def test_active_coverage_moves_back_only_to_a_month_that_was_paid_for_in_time(
    received: int, start: date
) -> None:
    assert make(Money(day(received), 100_00)).find_earlier_start(than=MARCH) == start
