"""Databases of the tests: a template migrated once per state of the migrations, and quick clones of it.

Append-only tables refuse TRUNCATE, so nothing is ever flushed: a test that commits gets a clone of its own.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.memory import find_tablespace

ROOT = Path(__file__).resolve().parent.parent


def name_template() -> str:
    """The template's name, from every migration that is installed for our apps, and from the staff's roles."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")) + sorted(ROOT.glob("*/*/migrations/*.py")):
        digest.update(path.read_bytes())
    for path in (
        ROOT / "connector_pay/lib/grants.py",
        ROOT / "connector_pay/roles.py",
        ROOT / "requirements/dev.txt",
    ):
        digest.update(path.read_bytes())
    return f"template_{digest.hexdigest()[:16]}"


def url_of(name: str, *, owner: bool = False) -> str:
    """The address of a database of this name on the tests' server, for the application's login or the owner's."""
    parts = urlsplit(os.environ["DATABASE_OWNER_URL" if owner else "DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name}"))


def run_as_owner(statement: str) -> None:
    """One statement outside any transaction, such as CREATE DATABASE."""
    connection = psycopg2.connect(url_of("postgres", owner=True))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def prepare_template() -> str:
    """Migrate the template if this state of the migrations has none; other processes wait for the first."""
    name = name_template()
    data = ROOT / ".data" / "test"
    data.mkdir(parents=True, exist_ok=True)
    with open(data / "template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _exists(name):
            _migrate(name)
    return name


def clone(*, template: str, name: str) -> None:
    """A copy of the template, in memory where there is some."""
    tablespace = find_tablespace(os.environ["DATABASE_URL"])
    run_as_owner(f'DROP DATABASE IF EXISTS "{name}"')
    # Naming even the default tablespace needs a right of its own.
    where = f" TABLESPACE {tablespace}" if tablespace else ""
    run_as_owner(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy{where}')


def analyze(name: str) -> None:
    """Let the planner know what the database holds, as it does of one that is not as new."""
    _tend(name, "ANALYZE")


def vacuum(name: str) -> None:
    """The same, with every row's fate known: copies of it need no more care than one that has long stood."""
    _tend(name, "VACUUM (ANALYZE, FREEZE)")


def let_begin_anywhere(name: str, *, table: str, how: str) -> None:
    """As the owner, "DISABLE" what holds a table's new rows to where their arrows begin, or "ENABLE" it again."""
    _tend(name, f"ALTER TABLE {table} {how} TRIGGER guard_beginning")


def _tend(name: str, how: str) -> None:
    connection = psycopg2.connect(url_of(name, owner=True))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(how)
    finally:
        connection.close()


def drop(name: str) -> None:
    """Remove a clone. Sessions left on it by ended processes, or by another thread of this one, are ended first."""
    connection = psycopg2.connect(url_of("postgres"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
                [name],
            )
    finally:
        connection.close()
    run_as_owner(f'DROP DATABASE IF EXISTS "{name}"')


def environment_of(name: str) -> dict[str, str]:
    """The environment in which another process works on this database."""
    return {
        **os.environ,
        "DATABASE_URL": url_of(name),
        "DATABASE_OWNER_URL": url_of(name, owner=True),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings"),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def another_database(name: str) -> Iterator[None]:
    """Point Django's default connection at the database of this name, for as long as the block lasts."""
    from django.db import connection

    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _exists(name: str) -> bool:
    connection = psycopg2.connect(url_of("postgres", owner=True))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return cursor.fetchone() is not None
    finally:
        connection.close()


def _migrate(name: str) -> None:
    """Migrate under a passing name, so that a killed run leaves no half-made template."""
    unfinished = f"{name}_unfinished"
    run_as_owner(f'DROP DATABASE IF EXISTS "{unfinished}"')
    run_as_owner(f'CREATE DATABASE "{unfinished}" TEMPLATE template0')
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "-v", "0"],
        env={**environment_of(unfinished), "DATABASE_AS_OWNER": "true"},
        cwd=ROOT,
        check=True,
    )
    run_as_owner(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
