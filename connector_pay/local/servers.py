"""The servers a process works on: those the environment names, or this checkout's embedded ones.

`DATABASE_URL` and `REDIS_URL` each replace an embedded server; with both set, as in production, nothing is
touched.
"""

import atexit
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from connector_pay.local.accounts import UnableToLeaveRoot
from connector_pay.local.keeping import Servers
from connector_pay.local.local_keys import is_set, set_local_secrets
from connector_pay.local.places import DATA, TEST_DATA, Place, UnableToUseFolder, make_private_folder
from connector_pay.local.postgres import APPLICATION_LOGIN, OWNER, SUPERUSER
from connector_pay.local.processes import UnableToStartServer
from connector_pay.local.programs import UnableToFindPrograms

UNABLE_TO_PROVIDE = (UnableToFindPrograms, UnableToLeaveRoot, UnableToStartServer, UnableToUseFolder)

LOCAL = Place(DATA)
FOR_TESTS = Place(TEST_DATA, durable=False)


@dataclass(frozen=True)
class Provided:
    """Which embedded servers stand in for ones the environment did not name, and who holds them."""

    place: Place
    postgres: bool
    redis: bool
    servers: Servers | None

    @property
    def lock(self) -> int | None:
        """The file descriptor of the lock: a child that inherits it holds the servers too."""
        return self.servers.users_lock if self.servers else None

    def revive(self) -> None:
        """Start an embedded server again that died meanwhile. Raises `UnableToStartServer`."""
        wanted = {"postgres": self.postgres, "redis": self.redis}
        if self.servers is not None and not self.servers.are_running(**wanted):
            self.servers.start_missing(**wanted)


def is_production() -> bool:
    """Tell whether the environment names both servers."""
    return is_set("DATABASE_URL") and is_set("REDIS_URL")


def provide(*, start: bool = True) -> Provided:
    """Start this checkout's servers, and name them in the environment where it names none of its own.

    Keys and demo mode are set likewise. With `start=False` nothing is started, for commands that need no
    database. Raises one of `UNABLE_TO_PROVIDE`.
    """
    return provide_at(LOCAL, start=start)


def provide_for_tests() -> Provided:
    """Do the same for the tests, on servers of their own that spare the disk."""
    return provide_at(FOR_TESTS, start=True)


def provide_at(place: Place, *, start: bool) -> Provided:
    needs_postgres, needs_redis = not is_set("DATABASE_URL"), not is_set("REDIS_URL")
    if not needs_postgres and not needs_redis:
        return Provided(place, postgres=False, redis=False, servers=None)
    servers = Servers(place)
    if start:
        hold_until_exit(servers, postgres=needs_postgres, redis=needs_redis)
    if needs_postgres:
        set_database(servers)
    if needs_redis:
        os.environ["REDIS_URL"] = servers.valkey.url
    with servers.one_at_a_time("starting"):
        set_demo_environment(place)
    return Provided(place, needs_postgres, needs_redis, servers)


def hold_until_exit(servers: Servers, *, postgres: bool, redis: bool) -> None:
    """Hold the servers until this process ends; a fork of it shares its lock and must not let go of it."""
    holder = os.getpid()
    atexit.register(lambda: servers.leave() if os.getpid() == holder else None)
    servers.enter(postgres=postgres, redis=redis)


def set_database(servers: Servers) -> None:
    os.environ["DATABASE_URL"] = servers.postgres.url(role=APPLICATION_LOGIN)
    if not is_set("DATABASE_OWNER_URL"):
        os.environ["DATABASE_OWNER_URL"] = servers.postgres.url(role=OWNER)


def set_demo_environment(place: Place) -> None:
    """Make this the demo unless the environment says otherwise, with keys of this machine."""
    set_local_secrets(file=place.data / "secrets.env")
    os.environ.setdefault("DEMO_MODE", "true")


class ThrowAwayServers:
    """Two servers of one's own in an empty folder, for tests that kill them; a context manager stops them.

    `database_url` and `owner_url` name the portal's empty database, `redis_url` the Redis-protocol server.
    """

    def __init__(self, folder: Path, *, redis_options: tuple[str, ...] = ()) -> None:
        self.place = Place(folder.resolve(), durable=False)
        self.redis_options = redis_options
        servers = Servers(self.place)
        self.postgres, self.valkey = servers.postgres, servers.valkey
        self.database_url = self.postgres.url(role=APPLICATION_LOGIN)
        self.owner_url = self.postgres.url(role=OWNER)
        self.superuser_url = self.postgres.url(role=SUPERUSER)
        self.redis_url = self.valkey.url

    def environment(self) -> dict[str, str]:
        """Return what a process needs in its environment to work on these servers."""
        return {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis_url,
        }

    def start(self) -> None:
        """Start both servers, on a copy of the template at the first start."""
        if not self.postgres.data.exists():
            self.copy_template()
        make_private_folder(self.place.sockets)
        self.postgres.start()
        self.valkey.start(*self.redis_options)

    def copy_template(self) -> None:
        """Copy the data of a fresh server, made once a checkout: faster than making it anew."""
        template = Servers(Place(TEST_DATA / "template", durable=False))
        with template.one_at_a_time("starting"):
            if not (template.postgres.data / "PG_VERSION").exists():
                template.postgres.create()
        account = self.postgres.account
        shutil.copytree(template.postgres.data, account.data)
        if account.uid is not None:
            for path in [account.data, *account.data.rglob("*")]:
                os.chown(path, account.uid, account.gid or -1)

    def stop(self) -> None:
        """Stop both servers in order."""
        self.valkey.stop()
        self.postgres.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.valkey.kill()
        self.postgres.stop_immediately()
        if self.postgres.account.uid is not None:
            shutil.rmtree(self.postgres.data.parent)
        shutil.rmtree(self.place.sockets, ignore_errors=True)
