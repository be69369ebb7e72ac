"""Banking days: the days on which the Federal Reserve settles, so the days on which money can move.

A holiday on a Saturday is not moved; one on a Sunday is kept on the Monday. The calendar is right from 1986
on. Two sets let staff overrule it: `extra_holidays` (closed after all) and `extra_open_days` (open after
all); a day in both is closed.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

NO_DAYS: frozenset[date] = frozenset()

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
ONE_DAY = timedelta(days=1)

# (month, day, first year) of the holidays with a fixed date
FIXED_HOLIDAYS = (
    (1, 1, 1986),  # New Year's Day
    (6, 19, 2021),  # Juneteenth
    (7, 4, 1986),  # Independence Day
    (11, 11, 1986),  # Veterans Day
    (12, 25, 1986),  # Christmas Day
)

# (month, weekday, which one in the month; -1 is the last)
FLOATING_HOLIDAYS = (
    (1, MONDAY, 3),  # Martin Luther King Jr. Day
    (2, MONDAY, 3),  # Presidents Day
    (5, MONDAY, -1),  # Memorial Day
    (9, MONDAY, 1),  # Labor Day
    (10, MONDAY, 2),  # Columbus Day
    (11, THURSDAY, 4),  # Thanksgiving Day
)


def is_banking_day(
    *, day: date, extra_holidays: Set[date] = NO_DAYS, extra_open_days: Set[date] = NO_DAYS
) -> bool:
    """Tell whether the Federal Reserve settles on the day, staff's overrides first."""
    if day in extra_holidays:
        return False
    if day in extra_open_days:
        return True
    return day.weekday() < SATURDAY and day not in find_holidays(year=day.year)


def next_banking_day(
    *, day: date, extra_holidays: Set[date] = NO_DAYS, extra_open_days: Set[date] = NO_DAYS
) -> date:
    """Give the first banking day strictly after the day."""
    return add_banking_days(day=day, count=1, extra_holidays=extra_holidays, extra_open_days=extra_open_days)


def banking_day_on_or_after(
    *, day: date, extra_holidays: Set[date] = NO_DAYS, extra_open_days: Set[date] = NO_DAYS
) -> date:
    """Give the day itself if it is a banking day, otherwise the next one: how a debit date rolls."""
    while not is_banking_day(day=day, extra_holidays=extra_holidays, extra_open_days=extra_open_days):
        day += ONE_DAY
    return day


def banking_day_on_or_before(
    *, day: date, extra_holidays: Set[date] = NO_DAYS, extra_open_days: Set[date] = NO_DAYS
) -> date:
    """Give the day itself if it is a banking day, otherwise the last one before it."""
    while not is_banking_day(day=day, extra_holidays=extra_holidays, extra_open_days=extra_open_days):
        day -= ONE_DAY
    return day


def add_banking_days(
    *, day: date, count: int, extra_holidays: Set[date] = NO_DAYS, extra_open_days: Set[date] = NO_DAYS
) -> date:
    """Give the count-th banking day strictly after the day, or strictly before it when count is negative.

    A count of 0 is the day itself, banking day or not.
    """
    step = ONE_DAY if count > 0 else -ONE_DAY
    left = abs(count)
    while left:
        day += step
        left -= is_banking_day(day=day, extra_holidays=extra_holidays, extra_open_days=extra_open_days)
    return day


@dataclass(frozen=True)
class BankingCalendar:
    """The days on which money moves: the Federal Reserve's calendar, and the days on which staff have overruled it."""

    closed: frozenset[date] = NO_DAYS
    opened: frozenset[date] = NO_DAYS

    def is_banking_day(self, day: date) -> bool:
        """Whether the banks settle on the day."""
        return is_banking_day(day=day, extra_holidays=self.closed, extra_open_days=self.opened)

    def add(self, day: date, count: int) -> date:
        """The count-th banking day after the day, or before it where count is negative."""
        return add_banking_days(day=day, count=count, extra_holidays=self.closed, extra_open_days=self.opened)

    def roll_forward(self, day: date) -> date:
        """The day itself if it is a banking day, else the next one."""
        return day if self.is_banking_day(day) else self.add(day, 1)

    def roll_back(self, day: date) -> date:
        """The day itself if it is a banking day, else the last one before it."""
        return day if self.is_banking_day(day) else self.add(day, -1)

    def list_days(self, *, after: date, until: date) -> Iterator[date]:
        """The banking days after `after`, up to and including `until`."""
        day = self.add(after, 1)
        while day <= until:
            yield day
            day = self.add(day, 1)


FEDERAL_RESERVE = BankingCalendar()


@lru_cache(maxsize=256)
def _find_holidays(year: int) -> frozenset[date]:
    fixed = (date(year, month, day) for month, day, first_year in FIXED_HOLIDAYS if year >= first_year)
    floating = (_find_weekday(year, month, weekday, which) for month, weekday, which in FLOATING_HOLIDAYS)
    return frozenset(_observe(holiday) for holiday in (*fixed, *floating))


def find_holidays(*, year: int) -> frozenset[date]:
    """Give the weekdays and Saturdays of a year on which the Federal Reserve keeps a holiday."""
    return _find_holidays(year)


def _observe(holiday: date) -> date:
    return holiday + ONE_DAY if holiday.weekday() == SUNDAY else holiday


def _find_weekday(year: int, month: int, weekday: int, which: int) -> date:
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year, month + 1, 1) - ONE_DAY
    return last - timedelta(days=(last.weekday() - weekday) % 7)
