"""The web: pages over https only, under the portal's own name, each member told from the others."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse


@register(Tags.security, deploy=True)
def check_web(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Members must reach the portal over https, under its own name, and each be told from the others."""
    return [*_check_names(), *_check_web()]


def _check_names() -> Iterator[CheckMessage]:
    hint = "List the portal's own names, with commas between."
    if not settings.ALLOWED_HOSTS:
        yield refuse(37, "ALLOWED_HOSTS", "is missing: no page would be shown to anyone.", hint)
    elif "*" in settings.ALLOWED_HOSTS:
        yield refuse(16, "ALLOWED_HOSTS", "lets every name in.", hint)


def _check_web() -> Iterator[CheckMessage]:
    portal = urlsplit(settings.PORTAL_URL)
    if settings.DEMO_MODE:
        problem = "is on: staff can move the business date, and no real money moves."
        yield refuse(15, "DEMO_MODE", problem, "Set DEMO_MODE=false.")
    if settings.DEBUG:
        yield refuse(38, "DEBUG", "is on: visitors would see program texts and settings.", "Set DEBUG=false.")
    if not settings.BEHIND_HTTPS:
        yield refuse(
            17,
            "BEHIND_HTTPS",
            "is off: passwords and account numbers would travel in clear.",
            "Set BEHIND_HTTPS=true.",
        )
    if portal.scheme != "https" or not portal.hostname:
        yield refuse(
            18,
            "PORTAL_URL",
            "is not an https address.",
            "Set the address members see, like https://pay.example.org.",
        )
    elif settings.ALLOWED_HOSTS and not _is_allowed(portal.hostname):
        yield refuse(
            19,
            "PORTAL_URL",
            "has a name that ALLOWED_HOSTS lacks.",
            f"Add {portal.hostname} to ALLOWED_HOSTS.",
        )
    if settings.BEHIND_HTTPS and settings.TRUSTED_PROXIES < 1:
        problem = (
            "is 0: behind a proxy every page would redirect to itself, and all members share one address."
        )
        yield refuse(
            20, "TRUSTED_PROXIES", problem, "Set how many proxies of yours stand before gunicorn, usually 1."
        )
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if not origin.startswith("https://"):
            yield refuse(
                21, "CSRF_TRUSTED_ORIGINS", f"trusts {origin}.", "List https addresses only, or none."
            )


def _is_allowed(name: str) -> bool:
    return any(
        host in (name, "*") or (host.startswith(".") and name.endswith(host))
        for host in settings.ALLOWED_HOSTS
    )
