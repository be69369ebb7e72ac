"""What `manage.py` does before a command: the right Python, servers to work on, and an up-to-date database.

In production, where the environment names both servers, it only lets the owner's commands sign in as the
owner; but a demo that `make run` loaded on servers that were named to it stays one.
"""

import json
import os
import subprocess
import sys

from connector_pay.local import servers
from connector_pay.local.local_keys import is_set
from connector_pay.local.places import CHECKOUT, DEMO, DEMO_STAMP
from connector_pay.local.programs import find_postgres
from connector_pay.local.stamps import (
    describe_cluster,
    describe_migrations,
    describe_named_database,
    is_done,
    mark_done,
)

NEED_NO_SERVERS = frozenset(
    {
        "ach_lint",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "startapp",
        "version",
    }
)
ABOUT_MIGRATIONS = frozenset(
    {
        "makemigrations",
        "migrate",
        "optimizemigration",
        "prepare_database",
        "showmigrations",
        "sqlmigrate",
        "squashmigrations",
    }
)
AS_THE_OWNER = ABOUT_MIGRATIONS | {"flush", "prepare_database", "rotate_keys", "sqlflush", "sqlsequencereset"}


class UnableToMigrate(Exception):
    """The embedded database could not be brought up to date."""


def prepare_command(argv: list[str]) -> None:
    """Prepare the environment of a management command, before Django reads it.

    Raises `UnableToMigrate` and what `connector_pay.local.servers.provide` raises.
    """
    command = find_command(argv)
    if command in AS_THE_OWNER:
        os.environ["DATABASE_AS_OWNER"] = "true"
    # The check of a deployment is about the environment as it is: nothing may stand in for what is missing.
    if command == "check" and "--deploy" in argv:
        return
    if servers.is_production():
        set_demo_environment_if_loaded()
        return
    provided = servers.provide(start=command not in NEED_NO_SERVERS)
    set_portal_url()
    if command == "dbshell":
        os.environ["PATH"] = os.environ.get("PATH", os.defpath) + os.pathsep + str(find_postgres() / "bin")
    if command not in NEED_NO_SERVERS | ABOUT_MIGRATIONS:
        migrate_if_needed(provided)


def find_command(argv: list[str]) -> str:
    """Return the command's name: "help" where there is none, or where only help is asked for."""
    if len(argv) < 2 or {"--help", "-h"} & set(argv):
        return "help"
    return argv[1].removeprefix("--")


def set_demo_environment_if_loaded() -> None:
    """Give a command the keys of this checkout's demo where the servers that are named are those on which
    `make run` loaded it; production is left as it is.
    """
    if DEMO_STAMP.exists() and DEMO_STAMP.read_text().startswith(describe_named_database()):
        servers.set_demo_environment(servers.LOCAL)
        set_portal_url()


def set_portal_url() -> None:
    """Let notices that a command sends name the address at which `make run` last answered."""
    if not is_set("PORTAL_URL") and DEMO.exists():
        os.environ["PORTAL_URL"] = json.loads(DEMO.read_text())["url"]


def migrate_if_needed(provided: servers.Provided) -> None:
    """Migrate the embedded database as its owner, unless it has every migration of this code.

    A database that the environment names is its operator's to migrate. Raises `UnableToMigrate`.
    """
    if not provided.postgres or provided.servers is None:
        return
    stamp = provided.place.data / "postgres.migrated"
    state = f"{describe_migrations()} {describe_cluster(provided.servers.postgres.data)}"
    with provided.servers.one_at_a_time("migrating"):
        if not is_done(stamp, state=state):
            print("Bringing the database up to date", file=sys.stderr, flush=True)
            run_migrate()
            mark_done(stamp, state=state)


def run_migrate() -> None:
    """Run `manage.py migrate` as the owner. Raises `UnableToMigrate`."""
    command = [
        sys.executable,
        str(CHECKOUT / "manage.py"),
        "migrate",
        "--noinput",
        "--skip-checks",
        "--verbosity",
        "0",
    ]
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise UnableToMigrate("The database could not be brought up to date; the reason stands above.")
