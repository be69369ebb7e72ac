"""Business time: the moment and the date that decide deadlines, in the exchange's time zone.

Only views, tasks and commands read this clock; rules are passed `today=` and `at=`. In demo mode the
business date may run ahead of the machine's by whole days (`DemoClock`), so that a demonstration can live
a month in an afternoon. In a simulation it stands where it was put.
"""

from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

EASTERN = ZoneInfo("America/New_York")
MIDNIGHT = time()
_SIMULATED: ContextVar[datetime | None] = ContextVar("simulated moment", default=None)


def now() -> datetime:
    """The business moment, in UTC: machine time, plus the demo clock's days on the Eastern calendar."""
    simulated = _SIMULATED.get()
    if simulated is not None:
        return simulated
    machine = datetime.now(UTC)
    if not settings.DEMO_MODE:
        return machine
    from connector_pay.lib.models import DemoClock

    return move_by_days(moment=machine, days=DemoClock.read_days())


def today() -> date:
    """The business date: the calendar date in America/New_York."""
    return business_date(moment=now())


def stand_at(moment: datetime | None) -> None:
    """In a simulation business time stands at this moment until it is put elsewhere; None lets it go."""
    _SIMULATED.set(moment)


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
