"""The servers: PostgreSQL as somebody who cannot rewrite the books, and Redis."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse

ALL_POWERFUL = frozenset({"postgres", "root"})
REDIS_SCHEMES = ("redis", "rediss", "unix")


@register(Tags.security, deploy=True)
def check_servers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The portal must sign in to PostgreSQL as somebody who cannot rewrite the books."""
    found: list[CheckMessage] = list(_check_database())
    hint = "Set it, like redis://redis:6379/0."
    if not settings.REDIS_URL:
        found.append(refuse(14, "REDIS_URL", "is missing.", hint))
    elif urlsplit(settings.REDIS_URL).scheme not in REDIS_SCHEMES:
        found.append(refuse(36, "REDIS_URL", "is no address of a Redis server.", hint))
    return found


def _check_database() -> Iterator[CheckMessage]:
    if not settings.DATABASE_URL:
        yield refuse(
            9,
            "DATABASE_URL",
            "is missing.",
            "Set it, like postgres://portal:PASSWORD@postgres/connector_pay.",
        )
        return
    login = urlsplit(settings.DATABASE_URL)
    owner = urlsplit(settings.DATABASE_OWNER_URL)
    if login.username in ALL_POWERFUL:
        yield refuse(
            10,
            "DATABASE_URL",
            f"signs in as {login.username}, who may do anything.",
            "Name a login of the portal's own.",
        )
    if settings.DATABASE_OWNER_URL and login.username == owner.username:
        problem = "and DATABASE_OWNER_URL sign in as the same person: the portal could rewrite the books."
        yield refuse(
            11, "DATABASE_URL", problem, "Give the portal a login of its own; prepare_database makes it."
        )
    if settings.DATABASE_AS_OWNER:
        yield refuse(
            12, "DATABASE_AS_OWNER", "is for migrations only.", "Unset it for the portal's processes."
        )
    if login.hostname and not login.hostname.startswith("%2F") and not login.password:
        yield refuse(13, "DATABASE_URL", "has no password.", "Put the login's password into the address.")
