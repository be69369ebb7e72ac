"""Reading settings strictly: a value that cannot be understood stops the start and says which one it is."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import time
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

Value = TypeVar("Value")
KEY_BYTES = 32
DATABASE_SCHEMES = ("postgres", "postgresql")
KEYS_WANTED = (
    "must be NAME:KEY[,NAME:KEY...], each KEY base64 of 32 random bytes. Make a KEY with: "
    "python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"
)


class UnableToReadValue(ValueError):
    """The value is not of the setting's form; the message goes on after the setting's name, and says what is."""


class UnableToReadSettings(ImproperlyConfigured):
    """Settings have values that cannot be understood: one line names each, and says what to write instead."""


class Environment:
    """The settings of the environment. What cannot be understood is collected, to be refused all at once."""

    def __init__(self) -> None:
        self._variables = FileAwareEnv()
        self._refused: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """The text of NAME, or of the file that NAME_FILE names."""
        try:
            return str(self._variables.str(name, default))
        except ValueError:
            self._refuse(name, f"cannot be read from its file: let {name}_FILE name a file of plain text.")
            return default

    def words(self, name: str, default: list[str]) -> list[str]:
        """Texts with commas between."""
        text = self.text(name, ",".join(default))
        return [part.strip() for part in text.split(",") if part.strip()]

    def read(self, name: str, default: str = "", *, how: Callable[[str], Value], instead: Value) -> Value:
        """What `how` makes of the text; `instead` only lets the reading go on where it raises UnableToReadValue."""
        try:
            return how(self.text(name, default))
        except UnableToReadValue as problem:
            self._refuse(name, str(problem))
            return instead

    def boolean(self, name: str, *, default: bool) -> bool:
        """True for "true", False for "false", and nothing else."""
        return self.read(name, str(default), how=read_boolean, instead=default)

    def number(self, name: str, default: int, *, lowest: int = 0, highest: int = 1_000_000) -> int:
        """A whole number between two."""
        return self.read(
            name,
            str(default),
            how=lambda text: read_number(text, lowest=lowest, highest=highest),
            instead=default,
        )

    def choice(self, name: str, default: str, *, among: tuple[str, ...]) -> str:
        """One of a few words."""
        return self.read(name, default, how=lambda text: read_choice(text, among=among), instead=default)

    def finish(self) -> None:
        """Raises UnableToReadSettings if anything could not be understood."""
        if self._refused:
            raise UnableToReadSettings("\n".join(self._refused))

    def _refuse(self, name: str, problem: str) -> None:
        self._refused.append(f"{name} {problem}")


def read_boolean(value: str) -> bool:
    """True for "true", False for "false". Raises UnableToReadValue."""
    answers = {"true": True, "false": False}
    if value.strip().lower() not in answers:
        raise UnableToReadValue('must be "true" or "false".')
    return answers[value.strip().lower()]


def read_number(value: str, *, lowest: int, highest: int) -> int:
    """A whole number in digits. Raises UnableToReadValue."""
    text = value.strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise UnableToReadValue(f"must be a whole number from {lowest} to {highest}.")
    return int(text)


def read_seconds(value: str) -> float:
    """Seconds, with a decimal point if need be. Raises UnableToReadValue."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", value.strip()):
        raise UnableToReadValue("must be a number of seconds, like 5 or 0.5.")
    return float(value)


def read_choice(value: str, *, among: tuple[str, ...]) -> str:
    """One of the words. Raises UnableToReadValue."""
    if value.strip() not in among:
        raise UnableToReadValue(f"must be one of {', '.join(among)}.")
    return value.strip()


def read_keys(value: str) -> dict[str, bytes]:
    """The key ring "id:base64[,id:base64]" as id -> 32 bytes, in order: the first key seals, all of them
    open.

    Raises UnableToReadValue, which quotes nothing: where the name was forgotten, the name is the key.
    """
    ring: dict[str, bytes] = {}
    for item in filter(None, (part.strip() for part in value.split(","))):
        key_id, _, encoded = item.partition(":")
        try:
            ring[key_id] = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise UnableToReadValue(KEYS_WANTED) from None
        if len(ring[key_id]) != KEY_BYTES or not key_id:
            raise UnableToReadValue(KEYS_WANTED)
    return ring


def read_address(value: str) -> str:
    """An address that can be taken apart, or nothing. Raises UnableToReadValue."""
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except ValueError:
        raise UnableToReadValue("is no address: write signs in a password as %40 and the like.") from None
    return value.strip()


def read_database_address(value: str) -> str:
    """The address of a PostgreSQL database, or nothing. Raises UnableToReadValue, which quotes no password."""
    address = read_address(value)
    if address and urlsplit(address).scheme not in DATABASE_SCHEMES:
        raise UnableToReadValue("must be the address of PostgreSQL, like postgres://USER:PASSWORD@HOST/NAME.")
    return address


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


def read_fields(value: str) -> dict[str, Any]:
    """Fields written as one JSON object, {} where there is none; times of day as "17:00". Raises
    UnableToReadValue.
    """
    if not value.strip():
        return {}
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnableToReadValue('must be one JSON object, like {"due_day": 23, "file_cutoff": "17:00"}.')
    return {key: time.fromisoformat(item) if _is_time(item) else item for key, item in found.items()}


def _is_time(item: Any) -> bool:
    return isinstance(item, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", item) is not None


def pad_routing_number(value: str) -> str:
    """A bank file names a bank by ten characters: a space and its nine-digit routing number. Nothing stays
    nothing.
    """
    return value.strip().rjust(10) if value.strip() else ""
