"""The secrets: each long, random and its own, or sessions can be forged and account numbers read."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

from connector_pay.checks.saying import refuse

SECRET_LENGTH = 50
KEY_BYTES = 32
MAKE_KEY = "Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"


@register(Tags.security, deploy=True)
def check_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without its own long secrets, sessions can be forged and account numbers read."""
    return [*_check_secret_key(), *_check_sealing_keys(), *_check_blind_index_key()]


def _check_secret_key() -> Iterator[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    hint = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
    if not key:
        yield refuse(1, "SECRET_KEY", "is missing.", hint)
    elif len(key) < SECRET_LENGTH or key.startswith("django-insecure-"):
        yield refuse(
            2, "SECRET_KEY", f"is too weak: it needs {SECRET_LENGTH} random characters or more.", hint
        )


def _check_sealing_keys() -> Iterator[CheckMessage]:
    ring = settings.SEALING_KEYS
    if not ring:
        yield refuse(
            3, "SEALING_KEYS", "is missing: no bank account can be kept.", f"Set it to NAME:KEY. {MAKE_KEY}"
        )
    for name, key in ring.items():
        if _looks_made_up(key):
            yield refuse(4, "SEALING_KEYS", f"holds a key that is not random: {name}.", MAKE_KEY)
        if name.startswith("local-") and not settings.DEMO_MODE:
            yield refuse(5, "SEALING_KEYS", f"holds a demonstration's key: {name}.", MAKE_KEY)


def _check_blind_index_key() -> Iterator[CheckMessage]:
    try:
        key = base64.b64decode(settings.BLIND_INDEX_KEY, validate=True)
    except binascii.Error:
        key = b""
    if not settings.BLIND_INDEX_KEY:
        yield refuse(6, "BLIND_INDEX_KEY", "is missing: equal bank accounts cannot be recognized.", MAKE_KEY)
    elif len(key) != KEY_BYTES or _looks_made_up(key):
        yield refuse(7, "BLIND_INDEX_KEY", f"must be base64 of {KEY_BYTES} random bytes.", MAKE_KEY)
    elif key in settings.SEALING_KEYS.values():
        yield refuse(8, "BLIND_INDEX_KEY", "is also a sealing key.", f"Give each its own key. {MAKE_KEY}")


def _looks_made_up(key: bytes) -> bool:
    """32 random bytes are almost all different."""
    return len(set(key)) < KEY_BYTES // 2
