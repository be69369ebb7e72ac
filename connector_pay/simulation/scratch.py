"""The scratch database of a simulation: a clone of a migrated template, with a bank of its own, gone at the end.

The template is kept, so that the next simulation of the same code begins at once.
"""

import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from connector_pay.lib import clock
from connector_pay.local.stamps import describe_migrations

PREFIX, TEMPLATE_PREFIX = "simulation_", "simulation_template_"
LOOKUP_LIMITS = ("guest_find_per_address", "guest_find_per_identifier", "guest_find_overall")
STOPPED = 128 + signal.SIGTERM
_LOCK_KEY = 7_336_020


class UnableToMakeScratch(Exception):
    """There is no login that may make databases, or the template could not be migrated."""


@contextmanager
def scratch_exchange(*, seed: int) -> Iterator[None]:
    """An empty exchange of its own, on which Django works as in production as long as the block lasts.

    Whatever ends the block, its database and its bank's folder are gone afterwards. Raises UnableToMakeScratch.
    """
    if not settings.DATABASE_OWNER_URL:
        raise UnableToMakeScratch("Set DATABASE_OWNER_URL to a login that may make databases.")
    name = f"{PREFIX}{os.getpid()}_{token_hex(3)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connector-pay-simulation-")))
        stack.enter_context(_ended_in_order())
        stack.callback(_drop, name)
        _clone(name)
        stack.enter_context(_another_database(name))
        stack.enter_context(override_settings(**_describe_exchange(folder, seed=seed)))
        stack.callback(clock.stand_at, None)
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        yield


def _describe_exchange(folder: Path, *, seed: int) -> dict[str, Any]:
    """As in production, but for the bank, the mail and what only a demonstration has."""
    return {
        "SANDBOX_BANK_SEED": seed,
        "DEMO_MODE": False,
        "BANK_DRIVER": "sandbox",
        "SANDBOX_BANK": "connector_pay.simulation.bank.MoodyBank",
        "SANDBOX_BANK_DIR": folder / "bank",
        "LOCKBOX_NUMBERS": ["0097006"],
        "BANK_VALIDATION_METHODS": ["history", "instant", "manual"],
        "INSTANT_VALIDATION_URL": "",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        # Who calls at one moment is counted anew in every run of the same days: here no look-up is one too many.
        "PREMIUM_POLICY": dict.fromkeys(LOOKUP_LIMITS, 10**9),
    }


@contextmanager
def _another_database(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Asked to stop, the process unwinds as on Ctrl-C."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(STOPPED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _clone(name: str) -> None:
    """Only one process at a time looks after the template. What killed simulations left behind goes, too."""
    with _owner() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'simulation\\_%'")
        known = {row[0] for row in cursor.fetchall()}
        template = f"{TEMPLATE_PREFIX}{describe_migrations()[:16]}"
        for left in known - {template}:
            if not _is_alive(left):
                cursor.execute(f'DROP DATABASE IF EXISTS "{left}" WITH (FORCE)')
        if template not in known:
            _migrate(cursor, template)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        # Nothing here must survive a crash of the server.
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')


def _is_alive(name: str) -> bool:
    """Whether the process that made a scratch database still runs. An old template has none."""
    found = re.fullmatch(rf"{PREFIX}(\d+)_\w+", name)
    if not found:
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _migrate(cursor: Any, name: str) -> None:
    """Under a passing name, so that a killed run leaves no half-made template. Raises UnableToMakeScratch."""
    unfinished = f"{name}_unfinished"
    cursor.execute(f'DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)')
    cursor.execute(f'CREATE DATABASE "{unfinished}" TEMPLATE template0')
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    migrating = subprocess.run(command, env=_make_environment(unfinished), cwd=settings.BASE_DIR)  # noqa: S603
    if migrating.returncode or not _is_migrated(unfinished):
        raise UnableToMakeScratch("The scratch database could not be migrated; the reason stands above.")
    cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')


def _make_environment(name: str) -> dict[str, str]:
    """Where a process works on the scratch database as its owner: a file that names another would win, and is left out."""
    named = {
        "DATABASE_URL": _name_database(settings.DATABASE_URL, name),
        "DATABASE_OWNER_URL": _name_database(settings.DATABASE_OWNER_URL, name),
        "DATABASE_AS_OWNER": "true",
    }
    files = {f"{key}_FILE" for key in named}
    return {key: value for key, value in os.environ.items() if key not in files} | named


def _is_migrated(name: str) -> bool:
    """Whether it is really this database that was migrated."""
    with _owner(name) as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def _drop(name: str) -> None:
    connection.close()
    with _owner() as cursor:
        cursor.execute(
            f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        )


@contextmanager
def _owner(database: str = "postgres") -> Iterator[Any]:
    """The owner's session, outside any transaction."""
    session = psycopg2.connect(_name_database(settings.DATABASE_OWNER_URL, database))
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            yield cursor
    finally:
        session.close()


def _name_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
