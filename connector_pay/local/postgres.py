"""The embedded PostgreSQL: made once with the portal's roles and database, and reached by a Unix socket only.

The owner (`connector_pay_owner`) migrates; the application signs in as `connector_pay_web`, which has no
rights but those of the group role `connector_pay_app`. Nobody needs a password: the socket's folder is
private.
"""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from connector_pay.local.accounts import Account
from connector_pay.local.processes import (
    UnableToStartServer,
    find_process,
    is_answering,
    read_end,
    start_apart,
    stop_process,
    wait_until_ready,
)

DATABASE = "connector_pay"
OWNER = "connector_pay_owner"
APPLICATION_LOGIN = "connector_pay_web"
APPLICATION_ROLE = "connector_pay_app"
SUPERUSER = "postgres"

SOCKET = ".s.PGSQL.5432"
ALWAYS = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC", "client_encoding": "UTF8"}
# A crash of the machine may cost a throw-away database, never the demo's. A crash of the server costs no
# commit of either: with fsync off, waiting for one is a mere write, so synchronous_commit stays on.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}

ROLES_AND_DATABASE = (
    f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE",
    f"CREATE ROLE {APPLICATION_ROLE} NOLOGIN",
    f"CREATE ROLE {APPLICATION_LOGIN} LOGIN IN ROLE {APPLICATION_ROLE}",
    f"GRANT {APPLICATION_ROLE} TO {OWNER} WITH ADMIN OPTION",
    f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
)


@dataclass(frozen=True)
class Postgres:
    """One embedded PostgreSQL server."""

    account: Account
    log: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.account.data

    @property
    def socket(self) -> Path:
        return self.account.sockets / SOCKET

    def url(self, *, role: str, database: str = DATABASE) -> str:
        """Return the address of a database for a role: `postgres://ROLE@%2Fsocket%2Ffolder/DATABASE`."""
        return f"postgres://{role}@{quote(str(self.account.sockets), safe='')}/{database}"

    def find(self) -> int | None:
        """Return the server's pid while it runs."""
        words = ("postgres", str(self.data))
        return find_process(pid_file=self.data / "postmaster.pid", words=words)

    def find_leftover(self) -> int | None:
        """Return the pid of a server of ours whose data folder was removed while it ran."""
        return find_process(pid_file=Path(f"{self.socket}.lock"), words=("postgres", str(self.data)))

    def is_ready(self) -> bool:
        if self.find() is None:
            return False
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[7].strip() == "ready" and is_answering(self.socket)

    def start(self) -> None:
        """Start the server, making its data first where there is none. Raises `UnableToStartServer`."""
        if not (self.data / "PG_VERSION").exists():
            self.create()
        self.clear_the_way()
        settings = ALWAYS | {"unix_socket_directories": str(self.account.sockets)}
        settings |= {} if self.durable else NOT_DURABLE
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*self.command("postgres"), "-D", str(self.data), *options]
        process = start_apart(command, log=self.log, **self.account.popen_arguments())
        wait_until_ready(self.is_ready, process=process, name="PostgreSQL", log=self.log)

    def clear_the_way(self) -> None:
        """Stop a server of ours that no longer answers, and remove lock files that outlived theirs.

        PostgreSQL itself refuses to start when the pid in such a file belongs to any process by now.
        """
        stop_process(self.find, how=signal.SIGINT)
        stop_process(self.find_leftover, how=signal.SIGQUIT)
        for leftover in (self.data / "postmaster.pid", self.socket, Path(f"{self.socket}.lock")):
            leftover.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop the server in order; open connections are closed."""
        stop_process(self.find, how=signal.SIGINT)

    def stop_immediately(self) -> None:
        """Stop the server as a crash would: it recovers when it is started again."""
        stop_process(self.find, how=signal.SIGQUIT)

    def kill(self) -> None:
        """Kill the server without a chance to tidy up."""
        stop_process(self.find, how=signal.SIGKILL)

    def create(self) -> None:
        """Make the data folder with the portal's roles and database, whole or not at all."""
        unfinished = self.data.with_name(self.data.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self.account.hand_over(unfinished)
        collation = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        how = ["-U", SUPERUSER, "--auth=trust", "-E", "UTF8", *collation, "--no-instructions"]
        # Small log segments: a throw-away server is copied in a fraction of a second.
        how += [] if self.durable else ["--no-sync", "--wal-segsize=1"]
        self.run(*self.command("initdb"), "-D", str(unfinished), *how)
        alone = ["--single", "-D", str(unfinished), "-c", "exit_on_error=true", "postgres"]
        self.run(*self.command("postgres"), *alone, says=ROLES_AND_DATABASE)
        unfinished.rename(self.data)

    def command(self, program: str) -> list[str]:
        return [*self.account.prefix, str(self.account.programs / "bin" / program)]

    def run(self, *command: str, says: tuple[str, ...] = ()) -> None:
        """Run one of PostgreSQL's programs to its end. Raises `UnableToStartServer` with what it said."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                input="".join(f"{line}\n" for line in says).encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=os.environ | {"LC_ALL": "C"},
                **self.account.popen_arguments(),
            )
        if done.returncode:
            raise UnableToStartServer(f"{Path(command[-1]).name} failed. {self.log}:\n{read_end(self.log)}")
