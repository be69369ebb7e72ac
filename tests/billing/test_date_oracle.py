"""The date rules against a second, independent telling of them: every month of 2025-2035, at its edges."""

import calendar
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from billing.due_dates import find_due_date, find_start
from billing.first_payments import find_binder_start
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
