"""How the exchange writes money, dates, moments and Member IDs on a page."""

from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils import dateformat
from django.utils.translation import get_language, gettext, pgettext

from connector_pay.lib.clock import EASTERN
from connector_pay.lib.money import format_dollars

register = template.Library()


@register.filter
def money(cents: int) -> str:
    """Whole cents as dollars: 28417 is "$284.17", a credit is "-$5.00".

    Raises TypeError for anything that is not whole cents: an amount nobody knows is never shown as nothing.
    """
    if not isinstance(cents, int) or isinstance(cents, bool):
        raise TypeError(f"money is whole cents, not {type(cents).__name__}")
    return format_dollars(cents)


@register.filter
def long_date(day: date) -> str:
    """A day in words with its year: February 1, 2026."""
    return dateformat.format(day, pgettext("a day, in Django's date format", "F j, Y"))


@register.filter
def short_date(day: date) -> str:
    """A day in words where the year is plain from what stands around it: January 23."""
    return dateformat.format(day, pgettext("a day without its year, in Django's date format", "F j"))


@register.filter
def long_month(day: date) -> str:
    """The month of a day, in words with its year: February 2026."""
    return dateformat.format(day, pgettext("a month, in Django's date format", "F Y"))


@register.filter
def eastern(moment: datetime) -> str:
    """A moment as people of the exchange read it: January 23, 2026, 11:50 p.m. Eastern."""
    written = pgettext("a moment, in Django's date format", "F j, Y, g:i a")
    return gettext("%s Eastern") % dateformat.format(moment.astimezone(EASTERN), written)


@register.filter
def member_id(digits: str) -> str:
    """A Member ID in groups of four, as it is read aloud: 0034 5678 9011."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


@register.simple_tag
def get_exchange() -> dict[str, Any]:
    """The exchange's name and help line in the reader's language, also for pages that are drawn without a request."""
    words: dict[str, Any] = settings.EXCHANGE
    return {**words, "hours": words.get(f"hours_{get_language()}", words["hours"])}
