"""Draft amounts: what is due less what is on its way, up to what was announced; and the next three, bill by bill."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.balances import OpenInvoice, Standing
from billing.due_dates import find_due_date
from billing.premiums import CHANGE, CORRECTION, WAIVER, Adjusted, Line, Rate, Terms
from members.models import EnrollmentStatus
from payments.ach.banking_days import FEDERAL_RESERVE
from payments.autopay.amounts import (
    Outlook,
    find_draft_cents,
    find_last_announcing,
    forecast,
    list_missed,
    sum_due,
)
from payments.autopay.days import DraftDay, find_draft_day
from payments.autopay.plans import list_days

JANUARY, FEBRUARY, MARCH = date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)
PREMIUM, NO_LIMIT = 90_00, 10_000_00


@pytest.mark.parametrize(
    ("due", "scheduled", "announced", "drafted"),
    [
        (90_00, 0, 90_00, 90_00),
        (50_00, 0, 90_00, 50_00),  # $40 paid in another way since
        (90_00, 40_00, 90_00, 50_00),  # $40 scheduled
        (90_00, 90_00, 90_00, 0),
        (90_00, 100_00, 90_00, 0),  # more than is due is on its way
        (120_00, 0, 90_00, 90_00),  # +$30 on the 18th waits for the next bill
        (120_00, 40_00, 90_00, 80_00),
        (90_00, 0, 0, 0),  # nothing was announced
        (0, 0, 90_00, 0),
        (20, 0, 20, 20),
    ],
)
def test_a_draft_is_what_is_due_less_what_is_on_its_way_and_never_more_than_was_announced(
    due: int, scheduled: int, announced: int, drafted: int
) -> None:
    found = find_draft_cents(due_cents=due, scheduled_cents=scheduled, announced_cents=announced)
    assert found == drafted


def test_an_amount_can_be_announced_until_ten_days_before() -> None:
    assert find_last_announcing(draft_date=date(2027, 1, 22)) == date(2027, 1, 12)


def make_bill(
    month: date, cents: int = PREMIUM, *, due: date | None = None, binder: bool = False
) -> OpenInvoice:
    return OpenInvoice(
        id=month.month,
        number=f"{month.month:010d}",
        coverage_month=month,
        due_date=due or find_due_date(month),
        amount_cents=cents,
        received_cents=0,
        remaining_cents=cents,
        is_binder=binder,
    )


def make_outlook(*bills: OpenInvoice, latest: OpenInvoice | None = None, **facts: Any) -> Outlook:
    """Somebody covered since January who owes these bills."""
    named = ("scheduled_cents", "terms", "ends_on", "carried")
    own = {name: facts.pop(name) for name in named if name in facts}
    standing = Standing(
        **{
            "account_id": 1,
            "enrollment_id": 1,
            "member_id": 1,
            "product": "health",
            "plan_name": "Silver",
            "coverage_start": JANUARY,
            "requested_start": JANUARY,
            "enrollment_status": EnrollmentStatus.ACTIVE,
            "binder": next((bill for bill in bills if bill.is_binder), None),
            "open_invoices": bills,
            "due_cents": sum(bill.remaining_cents for bill in bills),
            "this_month_cents": 0,
            "past_due_cents": 0,
            "due_date": bills[0].due_date if bills else None,
            "credit_cents": 0,
            "monthly_premium_cents": PREMIUM,
            "in_progress_cents": 0,
            "binder_received": True,
            "latest_invoice": latest or (bills[-1] if bills else make_bill(FEBRUARY, 0)),
        }
        | facts
    )
    outlook = Outlook(standing, scheduled_cents=0, terms=Terms([Rate(1, JANUARY, PREMIUM, 0)]))
    return replace(outlook, **own)


def list_three(first: date = date(2027, 1, 1)) -> list[DraftDay]:
    first_day = find_draft_day(month=first, calendar=FEDERAL_RESERVE)
    return list_days(first=first_day, calendar=FEDERAL_RESERVE)


def see(outlook: Outlook, first: date = date(2027, 1, 1), **facts: Any) -> list[tuple[int, bool]]:
    return [
        (item.cents, item.is_estimate) for item in forecast(outlook=outlook, days=list_three(first), **facts)
    ]


def test_the_open_bill_comes_first_then_each_month_to_come_at_todays_price() -> None:
    assert see(make_outlook(make_bill(FEBRUARY, 84_00))) == [(84_00, False), (90_00, True), (90_00, True)]


def test_a_new_price_counts_from_its_month_on() -> None:
    rates = [Rate(1, JANUARY, PREMIUM, 0), Rate(2, date(2027, 4, 1), 100_00, 25_00)]
    outlook = make_outlook(make_bill(FEBRUARY), terms=Terms(rates))
    assert see(outlook) == [(90_00, False), (90_00, True), (75_00, True)]


def test_what_is_waived_corrected_or_carried_over_is_expected_as_it_will_be_billed() -> None:
    asked = date(2027, 1, 5)
    adjusted = [Adjusted(MARCH, -60_00, WAIVER, asked), Adjusted(date(2027, 4, 1), 10_00, CORRECTION, asked)]
    terms = Terms([Rate(1, JANUARY, PREMIUM, 0)], adjusted)
    outlook = make_outlook(make_bill(FEBRUARY), terms=terms, carried=[Line(FEBRUARY, 7_00, CHANGE)])
    assert see(outlook) == [(90_00, False), (37_00, True), (100_00, True)]


def test_past_due_bills_are_drafted_with_the_next_one() -> None:
    outlook = make_outlook(make_bill(JANUARY), make_bill(FEBRUARY))
    assert see(outlook)[0] == (180_00, False)


def test_what_is_on_its_way_and_credit_are_left_out_of_the_oldest_bills_first() -> None:
    assert see(make_outlook(make_bill(FEBRUARY), scheduled_cents=100_00))[:2] == [(0, False), (80_00, True)]
    assert see(make_outlook(credit_cents=130_00)) == [(0, False), (0, True), (50_00, True)]


def test_no_bill_comes_after_the_last_day_of_coverage() -> None:
    outlook = make_outlook(make_bill(FEBRUARY), ends_on=date(2027, 3, 31))
    assert see(outlook) == [(90_00, False), (90_00, True), (0, False)]


def test_above_what_was_announced_the_rest_waits_for_the_next_draft() -> None:
    outlook = make_outlook(make_bill(FEBRUARY, 120_00))
    assert see(outlook, first_cents_at_most=90_00) == [(90_00, False), (120_00, True), (90_00, True)]
    assert see(outlook, first_cents_at_most=0)[0] == (0, False)


def test_a_first_bill_of_a_later_month_waits_for_the_draft_before_its_due_date() -> None:
    binder = make_bill(MARCH, binder=True)
    waiting = make_outlook(
        binder, enrollment_status=EnrollmentStatus.WAITING, coverage_start=MARCH, binder_received=False
    )
    assert see(waiting) == [(0, False), (90_00, False), (90_00, True)]
    days = list_three()
    assert sum_due(standing=waiting.standing, following=days[1].received_date) == 0
    assert sum_due(standing=waiting.standing, following=days[2].received_date) == 90_00


def test_an_extended_due_date_keeps_its_draft_until_a_later_one_is_still_in_time() -> None:
    extended, later = (make_bill(FEBRUARY, due=day) for day in (date(2027, 2, 21), date(2027, 2, 22)))
    assert [see(make_outlook(bill))[0][0] for bill in (extended, later)] == [90_00, 0]


def test_a_first_bill_that_the_first_draft_misses_is_expected_for_the_month_it_moves_to() -> None:
    binder = make_bill(FEBRUARY, binder=True)
    waiting = make_outlook(
        binder,
        enrollment_status=EnrollmentStatus.WAITING,
        coverage_start=FEBRUARY,
        requested_start=FEBRUARY,
        binder_received=False,
        terms=Terms([Rate(1, FEBRUARY, PREMIUM, 0)]),
    )
    assert see(waiting, first=date(2027, 2, 1)) == [(90_00, False), (90_00, True), (90_00, True)]


def test_what_was_waived_of_a_first_bill_is_not_of_the_month_it_moves_to() -> None:
    terms = Terms([Rate(1, FEBRUARY, PREMIUM, 0)], [Adjusted(FEBRUARY, -40_00, WAIVER, date(2027, 1, 5))])
    waiting = make_outlook(
        make_bill(FEBRUARY, 50_00, binder=True),
        enrollment_status=EnrollmentStatus.WAITING,
        coverage_start=FEBRUARY,
        requested_start=FEBRUARY,
        binder_received=False,
        terms=terms,
    )
    assert see(waiting, first=date(2027, 2, 1))[0] == (90_00, False)


def miss(outlook: Outlook, first: date = date(2027, 1, 1), most_cents: int = NO_LIMIT) -> list[date]:
    forecasts = forecast(outlook=outlook, days=list_three(first))
    missed = list_missed(outlook=outlook, forecasts=forecasts, most_cents=most_cents)
    return [bill.coverage_month for bill in missed]


def test_a_bill_due_before_the_first_draft_is_missed_and_one_due_on_the_draft_day_is_not() -> None:
    on_the_day = make_bill(FEBRUARY, due=date(2027, 1, 22))
    before = make_bill(FEBRUARY, due=date(2027, 1, 21))
    assert miss(make_outlook(on_the_day)) == []
    assert miss(make_outlook(before)) == [FEBRUARY]
    assert miss(make_outlook(make_bill(FEBRUARY)), first=date(2027, 2, 1)) == [FEBRUARY]
    assert miss(make_outlook(make_bill(JANUARY), make_bill(FEBRUARY))) == [JANUARY]


def test_a_bill_whose_money_is_on_its_way_is_not_missed() -> None:
    bills = (make_bill(JANUARY), make_bill(FEBRUARY))
    assert miss(make_outlook(*bills, scheduled_cents=90_00)) == []
    assert miss(make_outlook(*bills, scheduled_cents=89_99)) == [JANUARY]


def test_above_the_limit_a_bill_is_missed_at_it_it_is_not() -> None:
    outlook = make_outlook(make_bill(FEBRUARY))
    assert miss(outlook, most_cents=90_00) == []
    assert miss(outlook, most_cents=89_99) == [FEBRUARY]
    later = make_outlook(make_bill(MARCH), latest=make_bill(MARCH))
    assert miss(later, most_cents=89_99) == [MARCH], "of the draft that would take it, not of the first"
