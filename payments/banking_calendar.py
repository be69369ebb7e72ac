"""The banking calendar as it stands: the Federal Reserve's, and the days on which staff have overruled it."""

from datetime import date

from payments.ach.banking_days import BankingCalendar
from payments.models import BankingDayOverride


def read_calendar() -> BankingCalendar:
    """The Federal Reserve's calendar with every override that staff have recorded. One statement."""
    overrides = BankingDayOverride.objects.values_list("day", "is_open")
    closed: set[date] = set()
    opened: set[date] = set()
    for day, is_open in overrides:
        (opened if is_open else closed).add(day)
    return BankingCalendar(closed=frozenset(closed), opened=frozenset(opened))
