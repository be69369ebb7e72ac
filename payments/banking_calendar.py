"""The banking calendar as it stands: the Federal Reserve's, and the days on which staff have overruled it."""

from datetime import date
from typing import Any

from django.db.models import QuerySet

from connector_pay.lib.written_once import write_once
from payments.ach.banking_days import BankingCalendar
from payments.models import BankingDayOverride


def read_calendar() -> BankingCalendar:
    """The Federal Reserve's calendar with every override that staff have recorded. One statement."""
    closed: set[date] = set()
    opened: set[date] = set()
    for day, is_open in _read_overrides():
        (opened if is_open else closed).add(day)
    return BankingCalendar(closed=frozenset(closed), opened=frozenset(opened))


@write_once
def _read_overrides() -> QuerySet[BankingDayOverride, Any]:
    return BankingDayOverride.objects.values_list("day", "is_open")
