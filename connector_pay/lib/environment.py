"""Reading settings strictly: a value that cannot be understood stops the start and says which one it is."""

import base64
import binascii
import json
import re
from datetime import time
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured


def read_boolean(value: str, *, name: str) -> bool:
    """True for "true", False for "false"; anything else is refused by the setting's name."""
    answers = {"true": True, "false": False}
    if value.strip().lower() not in answers:
        raise ImproperlyConfigured(f'{name} must be "true" or "false".')
    return answers[value.strip().lower()]


def read_keys(value: str) -> dict[str, bytes]:
    """The key ring "id:base64[,id:base64]" as id -> 32 bytes, in order: the first key seals, all of them
    open.
    """
    ring: dict[str, bytes] = {}
    for item in filter(None, (part.strip() for part in value.split(","))):
        key_id, _, encoded = item.partition(":")
        try:
            ring[key_id] = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"SEALING_KEYS: key {key_id!r} is not base64.") from error
        if len(ring[key_id]) != 32 or not key_id:
            raise ImproperlyConfigured("SEALING_KEYS: each key is id:base64 of exactly 32 bytes.")
    return ring


def read_database_url(*, url: str, role: str | None, keep_for_seconds: int) -> dict[str, Any]:
    """Django's database settings for a postgres:// URL, working under `role` where one is given."""
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", "NAME": "DATABASE_URL is not set"}
    # A dict literal of Django's own shape: the package's type is narrower than what Django takes.
    database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=keep_for_seconds))
    database["CONN_HEALTH_CHECKS"] = True
    if role:
        options = database.setdefault("OPTIONS", {})
        options["options"] = f"{options.get('options', '')} -c role={role}".strip()
    return database


def redis_for_celery(url: str) -> str:
    """The broker address Celery wants for a Redis URL: its own spelling for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{quote(parts.path)}"


def read_fields(value: str, *, name: str) -> dict[str, Any]:
    """Fields written as one JSON object, {} where there is none; times of day as "17:00"."""
    if not value.strip():
        return {}
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ImproperlyConfigured(f'{name} must be one JSON object, like {{"due_day": 23}}.')
    return {key: time.fromisoformat(item) if _is_time(item) else item for key, item in found.items()}


def _is_time(item: Any) -> bool:
    return isinstance(item, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", item) is not None


def pad_routing_number(value: str) -> str:
    """A bank file names a bank by ten characters: a space and its nine-digit routing number. Nothing stays
    nothing.
    """
    return value.strip().rjust(10) if value.strip() else ""
