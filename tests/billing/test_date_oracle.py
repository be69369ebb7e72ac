"""The date rules against a second, independent telling of them: every month of 2025-2035, at its edges."""

import calendar
import random
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from billing.due_dates import find_due_date, find_start
from billing.first_payments import BinderBill, FirstPayment, Money, find_binder_start
from billing.premiums import Adjusted, Rate, Terms
from connector_pay.lib.clock import business_date

MONTHS = [(year, month) for year in range(2025, 2036) for month in range(1, 13)]


def tell_eastern_day(moment: datetime) -> date:
    """The calendar day in Boston, from the law of daylight saving time: no time zone database."""
    sundays = [
        week[calendar.SUNDAY] for week in calendar.monthcalendar(moment.year, 3) if week[calendar.SUNDAY]
    ]
    begins = datetime(moment.year, 3, sundays[1], 7, tzinfo=UTC)
    sundays = [
        week[calendar.SUNDAY] for week in calendar.monthcalendar(moment.year, 11) if week[calendar.SUNDAY]
    ]
    ends = datetime(moment.year, 11, sundays[0], 6, tzinfo=UTC)
    hours = -4 if begins <= moment < ends else -5
    return moment.astimezone(timezone(timedelta(hours=hours))).date()


def tell_start(year: int, month: int, paid: date) -> date:
    """By the 23rd starts next month, later the month after next, and never before the month asked for."""
    months = paid.year * 12 + paid.month - 1 + (1 if paid.day <= 23 else 2)
    months = max(months, year * 12 + month - 1)
    return date(months // 12, months % 12 + 1, 1)


def list_moments(year: int, month: int) -> list[datetime]:
    """The edges in UTC: midnights around the 23rd, of weekends, and at the month's ends, by either clock."""
    last = calendar.monthrange(year, month)[1]
    days = [(22, 1), (23, 0), (23, 1), (24, 0), (1, 0), (last, 0), (last, 1)]
    days += [
        (day, 0) for week in calendar.monthcalendar(year, month) for day in week[calendar.SATURDAY :] if day
    ]
    midnights = [datetime(year, month, day, tzinfo=UTC) + timedelta(days=more) for day, more in days]
    edges = [timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1)]
    return [
        at + timedelta(hours=hours) + edge for at in midnights for hours in (4, 5, 6, 7) for edge in edges
    ]


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_every_moment_at_an_edge_gives_the_start_the_oracle_tells(year: int, month: int) -> None:
    for moment in list_moments(year, month):
        received = business_date(moment=moment)
        assert received == tell_eastern_day(moment)
        for ahead in (0, 1, 2, 5):
            index = year * 12 + month - 1 + ahead
            asked = (index // 12, index % 12 + 1)
            assert find_start(requested=date(*asked, 1), received=received) == tell_start(*asked, received), (
                moment
            )


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_every_month_is_due_on_the_23rd_of_the_month_before(year: int, month: int) -> None:
    due = find_due_date(date(year, month, 1))
    assert due.day == 23
    assert (date(year, month, 1) - due).days in (6, 7, 8, 9)


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_a_binder_covered_on_any_day_starts_as_the_oracle_tells_however_late_it_is_reviewed(
    year: int, month: int
) -> None:
    for received in {business_date(moment=moment) for moment in list_moments(year, month)}:
        expected = tell_start(year, month, received)
        for days_late in (0, 1, 7, 40, 100):
            start = find_binder_start(
                requested=date(year, month, 1),
                today=received + timedelta(days=days_late),
                due_date=find_due_date,
                covered_on=lambda _: received,  # noqa: B023  (called before the loop moves on)
            )
            assert start == expected


def test_a_binder_never_covered_starts_as_if_it_were_covered_today() -> None:
    for days in range(800):
        today = date(2027, 1, 1) + timedelta(days=days)
        start = find_binder_start(
            requested=date(2027, 2, 1), today=today, due_date=find_due_date, covered_on=lambda _: None
        )
        assert start == tell_start(2027, 2, today)


def tell_covered_day(
    money: list[tuple[date, int]], bills: list[tuple[date, int]], waived: list[tuple[date, int]]
) -> date | None:
    """Day by day through the calendar: what was asked for that morning, what was waived and received by that night."""
    first = min(day for day, _cents in [*money, *bills, *waived])
    for number in range(120):
        today = first + timedelta(days=number)
        asked = [cents for day, cents in bills if day <= today]
        asked = asked[-1] if asked else bills[0][1]
        asked -= sum(cents for day, cents in waived if day <= today)
        if sum(cents for day, cents in money if day <= today) >= max(asked, 0):
            return today
    return None


def make_case(rule: random.Random, year: int, month: int) -> tuple[FirstPayment, date | None, date]:
    """A first bill, perhaps issued anew, perhaps waived in part, paid in one or two parts around its due date."""
    start, due = date(year, month, 1), find_due_date(date(year, month, 1))
    issued = due - timedelta(days=rule.randint(10, 20))
    bills = [(issued, 100)]
    if rule.random() < 0.5:
        bills.append((issued + timedelta(days=rule.randint(0, 15)), rule.choice((70, 130))))
    waived = [(due + timedelta(days=rule.randint(-8, 3)), rule.choice((30, 100)))] * rule.randint(0, 1)
    days = sorted(due + timedelta(days=rule.randint(-9, 6)) for _ in range(rule.randint(0, 2)))
    money = [(day, rule.choice((40, 60, 70, 100, 130))) for day in days]
    extended = due + timedelta(days=rule.choice((0, 0, 2, 5)))
    payment = FirstPayment(
        requested_start=start,
        due_date=lambda other: extended if other == start else find_due_date(other),
        terms=Terms(
            (Rate(1, start, 100, 0),), tuple(Adjusted(start, -cents, "waiver", day) for day, cents in waived)
        ),
        money=tuple(Money(day, cents) for day, cents in money),
        bills={start: {start: [BinderBill(day, cents) for day, cents in bills]}},
    )
    return payment, tell_covered_day(money, bills, waived), extended


@pytest.mark.parametrize(("year", "month"), MONTHS)
def test_bills_issued_anew_waivers_and_extended_due_dates_give_the_start_the_oracle_tells(
    year: int, month: int
) -> None:
    rule, start = random.Random(year * 12 + month), date(year, month, 1)
    for _ in range(40):
        payment, covered, due = make_case(rule, year, month)
        assert payment.find_covered_on(start) == covered
        in_time = covered is not None and covered <= due
        for today in (due, due + timedelta(days=1), due + timedelta(days=3)):
            found = payment.find_start(today=today)
            assert (found == start) == (in_time or today <= due), (payment, today)
