"""The payment line: a carrier's webhooks are believed by their signature alone."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse

SHORTEST_TOKEN = 20
HINT = "Set the token with which your phone carrier signs, or none where no call is taken."


@register(Tags.security, deploy=True)
def check_phone(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Nobody but the carrier may say what was keyed in on a call."""
    return list(_check_phone())


def _check_phone() -> Iterator[CheckMessage]:
    token = settings.PHONE_TOKEN
    if token and (len(token) < SHORTEST_TOKEN or len(set(token)) < SHORTEST_TOKEN // 4):
        yield refuse(80, "PHONE_TOKEN", "can be guessed: anyone could key in payments.", HINT)
