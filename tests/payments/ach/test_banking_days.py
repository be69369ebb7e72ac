"""The Federal Reserve's calendar, held against an independent one."""

from datetime import date, timedelta

import holidays
import pytest

from payments.ach.banking_days import (
    add_banking_days,
    banking_day_on_or_after,
    banking_day_on_or_before,
    is_banking_day,
    next_banking_day,
)

YEARS = range(2020, 2041)


def test_every_day_from_2020_to_2040_agrees_with_the_federal_reserve_calendar() -> None:
    oracle = holidays.financial_holidays("XFED", years=YEARS)
    day = date(2020, 1, 1)
    while day.year <= 2040:
        assert is_banking_day(day=day) == (day.weekday() < 5 and day not in oracle), day
        day += timedelta(days=1)


def test_a_saturday_holiday_is_not_moved_to_the_friday() -> None:
    assert is_banking_day(day=date(2026, 7, 3))


def test_a_sunday_holiday_is_kept_on_the_monday() -> None:
    assert not is_banking_day(day=date(2027, 7, 5))


def test_the_next_banking_day_is_strictly_after() -> None:
    assert next_banking_day(day=date(2026, 11, 24)) == date(2026, 11, 25)
    assert next_banking_day(day=date(2026, 11, 25)) == date(2026, 11, 27)
    assert next_banking_day(day=date(2026, 11, 27)) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("day", "after", "before"),
    [
        (date(2026, 5, 22), date(2026, 5, 22), date(2026, 5, 22)),
        (date(2026, 5, 23), date(2026, 5, 26), date(2026, 5, 22)),
        (date(2026, 5, 25), date(2026, 5, 26), date(2026, 5, 22)),
        (date(2026, 5, 26), date(2026, 5, 26), date(2026, 5, 26)),
    ],
)
def test_a_weekend_and_memorial_day_roll_to_the_nearest_banking_day(
    day: date, after: date, before: date
) -> None:
    assert banking_day_on_or_after(day=day) == after
    assert banking_day_on_or_before(day=day) == before


def test_adding_goes_forward_back_and_nowhere() -> None:
    saturday = date(2026, 5, 23)
    assert add_banking_days(day=saturday, count=0) == saturday
    assert add_banking_days(day=saturday, count=1) == date(2026, 5, 26)
    assert add_banking_days(day=saturday, count=-1) == date(2026, 5, 22)
    assert add_banking_days(day=date(2026, 12, 24), count=5) == date(2027, 1, 4)


def test_staff_close_a_day_and_open_a_day() -> None:
    storm = date(2026, 11, 24)
    thanksgiving = date(2026, 11, 26)
    assert not is_banking_day(day=storm, extra_holidays=frozenset({storm}))
    assert is_banking_day(day=thanksgiving, extra_open_days=frozenset({thanksgiving}))
    both = {"extra_holidays": frozenset({storm}), "extra_open_days": frozenset({storm, thanksgiving})}
    assert not is_banking_day(day=storm, **both)
    assert add_banking_days(day=date(2026, 11, 23), count=2, **both) == thanksgiving
