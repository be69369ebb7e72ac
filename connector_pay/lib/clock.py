"""Business time: the moment and the date that decide deadlines, in the exchange's time zone.

Only views, tasks and commands read this clock; rules are passed `today=` and `at=`. In demo mode the
business date may run ahead of the machine's by whole days (`DemoClock`), so that a demonstration can live
a month in an afternoon.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

EASTERN = ZoneInfo("America/New_York")
MIDNIGHT = time()


def now() -> datetime:
    """The business moment, in UTC: machine time, plus the demo clock's days on the Eastern calendar."""
    machine = datetime.now(UTC)
    if not settings.DEMO_MODE:
        return machine
    from connector_pay.lib.models import DemoClock

    return move_by_days(moment=machine, days=DemoClock.read_days())


def today() -> date:
    """The business date: the calendar date in America/New_York."""
    return business_date(moment=now())


def business_date(*, moment: datetime) -> date:
    """The calendar date in America/New_York of any moment that knows its time zone."""
    return moment.astimezone(EASTERN).date()


def eastern_moment(*, day: date, at: time) -> datetime:
    """The UTC moment of a wall-clock time in America/New_York (of the two in the autumn change, the
    first).
    """
    return datetime.combine(day, at, tzinfo=EASTERN).astimezone(UTC)


def move_by_days(*, moment: datetime, days: int) -> datetime:
    """The same Eastern wall-clock time, `days` calendar days later, in UTC."""
    if not days:
        return moment  # in the hour that the autumn change repeats, a wall-clock time names two moments
    wall = moment.astimezone(EASTERN).replace(tzinfo=None) + timedelta(days=days)
    return wall.replace(tzinfo=EASTERN).astimezone(UTC)
