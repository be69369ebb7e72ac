"""Due dates and start dates: pure rules of the calendar, from dates to dates, with no database and no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

DueDate = Callable[[date], date]


@dataclass(frozen=True)
class PayBy:
    """The next deadline for new coverage: pay by `due_date` for coverage starting `start_date`."""

    due_date: date
    start_date: date


def first_of_month(day: date) -> date:
    """The first day of the date's month."""
    return day.replace(day=1)


def next_month(month: date, *, count: int = 1) -> date:
    """The first of the month `count` months after (before, if negative) the one that `month` lies in."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def find_due_date(month: date, *, due_day: int = 23) -> date:
    """The premium for a coverage month is due on the 23rd of the month before, weekends and holidays included."""
    return next_month(month, count=-1).replace(day=due_day)


def find_next_due_day(today: date, *, due_day: int = 23) -> date:
    """The first due day that has not passed: the 23rd of this month, or of the next."""
    month = today if today.day <= due_day else next_month(today)
    return month.replace(day=due_day)


def find_start(*, requested: date, received: date, due_date: DueDate = find_due_date) -> date:
    """The first month, from the requested one on, whose due date the received date still meets.

    `received` is the day on which the money first covered the binder; `due_date` gives a month's due date, overrides included.
    """
    month = first_of_month(requested)
    while due_date(month) < received:
        month = next_month(month)
    return month


def find_pay_by(*, today: date, due_date: DueDate = find_due_date) -> PayBy:
    """The deadline on the front door: money received by it starts new coverage on the date it names."""
    start = find_start(requested=next_month(today), received=today, due_date=due_date)
    return PayBy(due_date=due_date(start), start_date=start)
