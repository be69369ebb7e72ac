"""Ladders of falling behind: from the oldest unpaid month to the notices, the last day to pay and the end of coverage.

Pure, with no database and no clock. M is the oldest unpaid month. Without a subsidy, and for all dental, there is one
notice on the 1st of M, and coverage was good for the months before M. With a subsidy there are three, on the 1st of M
and of the two months after it, and M itself is still covered.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.due_dates import first_of_month, next_month


class Kind(StrEnum):
    """Which ladder an account stands on: the short one, or that of subsidized health coverage."""

    SHORT = "short"
    LONG = "long"


NOTICES = {Kind.SHORT: 1, Kind.LONG: 3}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for at a time: what was due `before` a day, to be paid by money received `until` another."""

    before: date
    until: date


@dataclass(frozen=True, slots=True)
class Ladder:
    """The days of one time of falling behind. Without `ends_on` staff choose the end: the hole was found too late."""

    found_on: date
    notice_dates: tuple[date, ...]
    last_day_to_pay: date
    ends_on: date | None

    def list_due_notices(self, *, today: date) -> list[date]:
        """The notices whose day has come."""
        return [day for day in self.notice_dates if day <= today]

    def is_last_notice(self, day: date) -> bool:
        """Whether this notice is the warning, after which coverage ends."""
        return day == self.notice_dates[-1]

    def find_asked_before(self, *, today: date) -> date:
        """What was due before this day must be paid: all that the latest notice names, else all that was found unpaid."""
        return max([self.found_on, *self.list_due_notices(today=today)])

    def list_asked(self, *, today: date) -> list[Asked]:
        """All that was asked for by now, one after the other: each counts until the day before the next notice.

        Whoever pays what the latest notice asks for is never told afterwards that the next one asks for more.
        """
        days = sorted({self.found_on, *self.list_due_notices(today=today)})
        following = [day for day in self.notice_dates if day > days[-1]][:1]
        ends = [day - timedelta(days=1) for day in (*days[1:], *following)]
        until = [*ends, self.last_day_to_pay] if len(ends) < len(days) else ends
        return [Asked(*stage) for stage in zip(days, until, strict=True)]


def choose_kind(*, product: str, subsidized: bool) -> Kind:
    """Subsidized health coverage has the long ladder; all dental, and health without a subsidy, the short one."""
    return Kind.LONG if product == "health" and subsidized else Kind.SHORT


def find_ladder(*, oldest_month: date, kind: Kind, found_on: date, due_day: int = 23) -> Ladder:
    """The ladder of an account whose oldest unpaid month is M, from the day on which the review found it.

    Found by the 1st of M, its notices begin there; found later, on the next 1st, and staff choose the end.
    """
    month = first_of_month(oldest_month)
    first = max(month, found_on if found_on.day == 1 else next_month(found_on))
    notices = tuple(next_month(first, count=count) for count in range(NOTICES[kind]))
    covered_until = month if kind == Kind.SHORT else next_month(month)
    return Ladder(
        found_on=found_on,
        notice_dates=notices,
        last_day_to_pay=notices[-1].replace(day=due_day),
        ends_on=covered_until - timedelta(days=1) if first == month else None,
    )
