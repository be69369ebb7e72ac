"""The time left until a due date, said in its last three days: right when the page is drawn, and counted down by its script."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.balances import Standing
from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.templatetags.exchange import long_date

LAST_DAYS = timedelta(days=3)
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


@dataclass(frozen=True)
class TimeLeft:
    """How long money can still be received by a due date, which is until it ends in Eastern time."""

    due_date: date
    until: datetime
    at: datetime

    @property
    def words(self) -> str:
        """3 hours 12 minutes left, until 11:59 p.m. Eastern on January 23, 2027."""
        return self.pattern.replace("%(time)s", _say_length(self.seconds))

    @property
    def pattern(self) -> str:
        """The same with the place of the time open, for the page's script to fill."""
        words = _("%(time)s left, until 11:59 p.m. Eastern on %(day)s.")
        return words.replace("%(day)s", long_date(self.due_date))

    @property
    def over(self) -> str:
        """What the line says once the time is over."""
        words = _("The time to pay by %(day)s is over. Load this page again to see what paying does now.")
        return words % {"day": long_date(self.due_date)}

    @property
    def seconds(self) -> int:
        """Whole seconds, counted from when the page is drawn."""
        return int((self.until - self.at).total_seconds())

    @property
    def units(self) -> list[str]:
        """One and many days, hours and minutes, and less than a minute, for the script."""
        return [*(_name(unit, count) for unit in ("day", "hour", "minute") for count in (1, 2)), _less()]


def find_time_left(*, due_date: date | None, at: datetime) -> TimeLeft | None:
    """What is left of the last three days before a due date ends; None earlier, and once it has passed."""
    if due_date is None:
        return None
    until = eastern_moment(day=due_date + timedelta(days=1), at=time())
    return TimeLeft(due_date, until, at) if timedelta() < until - at <= LAST_DAYS else None


def find_next_due_date(*, standing: Standing, today: date) -> date | None:
    """The first due date of an open bill that has not passed."""
    return min((bill.due_date for bill in standing.open_invoices if bill.due_date >= today), default=None)


def _say_length(seconds: int) -> str:
    """The two units that matter, never more than is left."""
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    pairs = [("day", days), ("hour", hours)] if days else [("hour", hours), ("minute", minutes)]
    said = [_name(unit, count) % {"count": count} for unit, count in pairs if count]
    return " ".join(said) or _less()


def _name(unit: str, count: int) -> str:
    if unit == "day":
        return ngettext("%(count)s day", "%(count)s days", count)
    if unit == "hour":
        return ngettext("%(count)s hour", "%(count)s hours", count)
    return ngettext("%(count)s minute", "%(count)s minutes", count)


def _less() -> str:
    return _("Less than a minute")
