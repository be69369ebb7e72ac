"""Who keeps the servers running: every process that uses them shares a lock, and the last one out stops them.

The lock is the kernel's (flock), so a process that is killed lets go of it too. Beside the users, a keeper
waits for the lock that nobody shares any more; when it gets it, it stops the servers, while newcomers wait
at the door.
"""

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from connector_pay.local.accounts import choose_account
from connector_pay.local.places import CHECKOUT, Place, make_private_folder
from connector_pay.local.postgres import Postgres
from connector_pay.local.processes import start_apart
from connector_pay.local.valkey import Valkey

IN_USE = "The portal or a manage.py command still uses the servers of this checkout; stop it first"


class AlreadyInUse(Exception):
    """Another process uses the servers that were to be stopped or wiped."""


class Servers:
    """The two embedded servers of one place, and the locks of those who use them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        place.make_folders()
        account = choose_account(place=place)
        self.postgres = Postgres(account, log=place.logs / "postgres.log", durable=place.durable)
        self.valkey = Valkey(
            place.data / "redis", place.sockets, log=place.logs / "redis.log", durable=place.durable
        )
        self.users_lock: int | None = None

    def enter(self, *, postgres: bool = True, redis: bool = True) -> None:
        """Hold the servers for the life of this process, starting those that do not run.

        Raises `UnableToStartServer`, `UnableToUseFolder`.
        """
        self.users_lock = take_lock(self.place.locks / "users", fcntl.LOCK_SH)
        make_private_folder(self.place.sockets)
        self.start_missing(postgres=postgres, redis=redis)

    def start_missing(self, *, postgres: bool, redis: bool) -> None:
        """Start the servers that do not run, and a keeper. Raises `UnableToStartServer`."""
        with self.one_at_a_time("starting"):
            if postgres and not self.postgres.is_ready():
                self.postgres.start()
            if redis and not self.valkey.is_ready():
                self.valkey.start()
            self.call_a_keeper()

    def are_running(self, *, postgres: bool, redis: bool) -> bool:
        """Tell, at no cost to the servers, whether their processes live."""
        return not (postgres and self.postgres.find() is None) and not (redis and self.valkey.find() is None)

    def leave(self) -> None:
        """Let go of the servers, and stop them if nobody else holds them; returns when that is done."""
        if self.users_lock is None:
            return
        os.close(self.users_lock)
        self.users_lock = None
        try:
            with self.nobody_else():
                self.stop()
        except AlreadyInUse:
            # Either there are other users, or the keeper was faster: then wait until it is done.
            os.close(take_lock(self.place.locks / "users", fcntl.LOCK_SH))

    def stop(self) -> None:
        """Stop both servers in order, and leave nothing in the folder of temporary files."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.place.sockets, ignore_errors=True)

    @contextlib.contextmanager
    def nobody_else(self) -> Iterator[None]:
        """Keep everybody out meanwhile. Raises `AlreadyInUse`."""
        try:
            lock = take_lock(self.place.locks / "users", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyInUse(f"{IN_USE} ({self.place.data}).") from error
        try:
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def one_at_a_time(self, name: str) -> Iterator[None]:
        """Let one process at a time through a step that must not be done twice at once."""
        lock = take_lock(self.place.locks / name, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)

    def call_a_keeper(self) -> None:
        """Start a keeper where there is none. While we hold the users' lock, one that is there stays."""
        try:
            os.close(take_lock(self.place.locks / "keeper", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return
        command = [sys.executable, "-m", "connector_pay.local.keeping", str(self.place.data)]
        command += [] if self.place.durable else ["throw-away"]
        start_apart(command, log=self.place.logs / "keeper.log", cwd=CHECKOUT)

    def keep(self) -> None:
        """Wait until nobody uses the servers, then stop them."""
        try:
            keeper_lock = take_lock(self.place.locks / "keeper", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        users_lock = take_lock(self.place.locks / "users", fcntl.LOCK_EX)
        if is_still_the_file(users_lock, self.place.locks / "users"):
            self.stop()
        # In this order: whoever enters next must find no keeper, or one that is yet to wait.
        os.close(keeper_lock)
        os.close(users_lock)


def take_lock(path: Path, how: int) -> int:
    """Take a lock and return its file descriptor; closing that, or the end of the process, lets go of it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, how)
    except BaseException:
        os.close(lock)
        raise
    return lock


def is_still_the_file(lock: int, path: Path) -> bool:
    """Tell whether the lock's file still stands at its path: somebody may have removed the data folder."""
    try:
        return os.fstat(lock).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    Servers(Place(Path(sys.argv[1]), durable=len(sys.argv) < 3)).keep()
