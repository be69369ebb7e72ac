"""Mail: notices must reach people."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.utils.module_loading import import_string

from connector_pay.checks.saying import refuse, warn

NOWHERE = ("filebased", "console", "locmem", "dummy")


@register(Tags.security, deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Notices must reach people."""
    return [*_check_backend(), *_check_server()]


def _check_backend() -> Iterator[CheckMessage]:
    hint = "Unset EMAIL_BACKEND: mail then goes to EMAIL_HOST."
    if any(word in settings.EMAIL_BACKEND for word in NOWHERE):
        yield refuse(30, "EMAIL_BACKEND", "sends no mail to anyone.", hint)
        return
    try:
        import_string(settings.EMAIL_BACKEND)
    except ImportError:
        yield refuse(39, "EMAIL_BACKEND", "names nothing that is installed here.", hint)


def _check_server() -> Iterator[CheckMessage]:
    if not settings.EMAIL_HOST:
        yield refuse(31, "EMAIL_HOST", "is missing: no notice could be sent.", "Name your mail server.")
    elif settings.EMAIL_HOST != "localhost" and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        hint = "Set EMAIL_USE_TLS=true."
        yield warn(1, "EMAIL_USE_TLS", "is off: notices would travel in clear.", hint)
    sender = settings.DEFAULT_FROM_EMAIL.rstrip(">")
    if "@" not in sender or sender.endswith("@localhost"):
        hint = "Set it, like Premium Billing <billing@example.org>."
        yield refuse(32, "DEFAULT_FROM_EMAIL", "is missing: notices would come from nobody.", hint)
