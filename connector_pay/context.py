"""What every page knows: the exchange's name and help line, how long a session lasts, and in a demo the business date."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from connector_pay.lib import clock
from connector_pay.lib.templatetags.exchange import get_exchange


def exchange(request: HttpRequest) -> dict[str, Any]:
    """The exchange's words for every template; `business_date` only where no real money moves."""
    words: dict[str, Any] = {
        "exchange": get_exchange(),
        "demo_mode": settings.DEMO_MODE,
        "session_minutes": settings.SESSION_COOKIE_AGE // 60,
    }
    if settings.DEMO_MODE:
        # Called by the template, so that a page which does not show the strip does not ask for the date.
        words["business_date"] = clock.today
    return words
