"""Runs the whole portal on one machine: its servers, the demo exchange, and the web, worker and beat.

`python -m connector_pay.local.portal` is what `make run` ends in. Ctrl-C stops every process it started.
"""

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from connector_pay import design_system
from connector_pay.local import commands, servers
from connector_pay.local.beginning import begin_anew
from connector_pay.local.keeping import AlreadyInUse, take_lock
from connector_pay.local.places import CHECKOUT, DATA, DEMO, DEMO_STAMP, Place
from connector_pay.local.stamps import (
    REQUIREMENTS,
    describe_cluster,
    describe_content,
    describe_named_database,
    is_done,
    mark_done,
)
from connector_pay.local.supervising import (
    Child,
    UnableToFinish,
    UnableToGoOn,
    check_alive,
    run_to_end,
    start_child,
    stop_children,
)

HOST = "127.0.0.1"
USUAL_PORT = 8000
HIGHEST_PORT = 65535
LOGS = DATA / "logs"
SECONDS_TO_BECOME_READY = 120.0
SECONDS_BETWEEN_LOOKS = 0.5
BIN = Path(sys.executable).parent


class StopAsked(Exception):
    """Somebody pressed Ctrl-C, or asked this process to end."""


class PortalAlreadyRunning(Exception):
    """The portal of this checkout already runs; the message says at which address."""


class PortAlreadyTaken(Exception):
    """Another program answers at the port the portal was to use."""


UNABLE_TO_RUN = (
    PortalAlreadyRunning,
    PortAlreadyTaken,
    AlreadyInUse,
    UnableToFinish,
    UnableToGoOn,
    commands.UnableToMigrate,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the portal until it is asked to stop (0), or cannot go on (1)."""
    options = read_options(arguments)
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, ask_to_stop)
    try:
        with only_portal(place=servers.LOCAL, url=f"http://{HOST}:{options.port}"):
            run_portal(port=options.port, fresh=options.fresh)
    except StopAsked:
        return 0
    except (*UNABLE_TO_RUN, *servers.UNABLE_TO_PROVIDE) as error:
        return complain(error)
    finally:
        ignore_signals()


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the whole portal on this machine.")
    parser.add_argument("--port", type=read_port, default=USUAL_PORT, help="where the portal answers (8000)")
    parser.add_argument("--fresh", action="store_true", help="wipe what the demo kept, and begin anew")
    return parser.parse_args(arguments)


def read_port(text: str) -> int:
    """A port as people type it. Raises argparse.ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port: choose a number from 1 to {HIGHEST_PORT}")
    return int(text)


def run_portal(*, port: int, fresh: bool) -> NoReturn:
    """Prepare the servers and the demo exchange, start the portal, and watch it."""
    refuse_taken_port(port)
    if fresh:
        say("Wiping what the demo kept")
        begin_anew()
    say("Starting PostgreSQL and Redis" if not servers.is_production() else "Using the servers that are set")
    provided = servers.provide()
    provided.place.make_folders()
    servers.set_demo_environment(provided.place)
    url = f"http://{HOST}:{port}"
    os.environ.setdefault("PORTAL_URL", url)
    os.environ["PYTHONUNBUFFERED"] = "1"
    prepare_database(provided)
    collect_static(provided)
    if not (is_loaded := is_demo_loaded(provided, url=url)):
        say("Loading the demo exchange")
        load_demo(provided, url=url)
    with starting_processes(port=port, holding=provided.lock) as children:
        if is_loaded:
            load_demo(provided, url=url)
        wait_until_ready(port=port, children=children)
        greet(url)
        watch(children, provided=provided)


@contextlib.contextmanager
def only_portal(*, place: Place, url: str) -> Iterator[None]:
    """Be the one portal of this checkout, which has one database, one list of people and one address.

    Raises `PortalAlreadyRunning`.
    """
    place.make_folders()
    path = place.locks / "portal"
    try:
        lock = take_lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        where = path.read_text().strip() or "another address"
        raise PortalAlreadyRunning(
            f"The portal of this checkout already runs at {where}. Stop it first, or use another checkout."
        ) from error
    try:
        path.write_text(url)
        yield
    finally:
        os.close(lock)


def refuse_taken_port(port: int) -> None:
    """Raises `PortAlreadyTaken`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = f"Port {port} cannot be used ({error.strerror})."
            other = propose_port(instead_of=port, error=error)
            raise PortAlreadyTaken(f"{reason} Choose another: make run PORT={other}") from error


def propose_port(*, instead_of: int, error: OSError) -> int:
    """The next port; the usual one where low ports are the administrator's, or after the highest."""
    return USUAL_PORT if isinstance(error, PermissionError) or instead_of == HIGHEST_PORT else instead_of + 1


def prepare_database(provided: servers.Provided) -> None:
    """Migrate as the owner, on the embedded database or on the one the environment names."""
    if provided.postgres:
        commands.migrate_if_needed(provided)
    else:
        say("Bringing the database up to date")
        run_command("migrate", "--noinput", "--verbosity", "0", provided=provided)


def collect_static(provided: servers.Provided) -> None:
    """Collect the pages' static files where they changed since the last time."""
    stamp, collected = DATA / "stamps" / "static", DATA / "static"
    folders = (CHECKOUT / "static", design_system.FOLDER)
    sources = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    state = describe_content([*sources, REQUIREMENTS, CHECKOUT / "connector_pay" / "settings.py"])
    if not (collected.is_dir() and is_done(stamp, state=state)):
        say("Collecting the pages' files")
        run_command("collectstatic", "--noinput", "--verbosity", "0", provided=provided)
        mark_done(stamp, state=state)


def is_demo_loaded(provided: servers.Provided, *, url: str) -> bool:
    """Tell whether this database has the demo exchange under this address, or is to have none."""
    if os.environ["DEMO_MODE"].lower() != "true":
        return True
    return DEMO.exists() and is_done(DEMO_STAMP, state=f"{describe_database(provided)} {url}")


def load_demo(provided: servers.Provided, *, url: str) -> None:
    """Load the demo exchange the first time; later, bring the list of whom to try up to date."""
    if os.environ["DEMO_MODE"].lower() != "true":
        say("Not in demo mode: no demo exchange is loaded")
        return
    run_command("load_demo", "--url", url, provided=provided)
    mark_done(DEMO_STAMP, state=f"{describe_database(provided)} {url}")


def describe_database(provided: servers.Provided) -> str:
    if provided.postgres and provided.servers is not None:
        return describe_cluster(provided.servers.postgres.data)
    return describe_named_database()


def run_command(*words: str, provided: servers.Provided) -> None:
    """Run a management command to its end, on the servers of this environment. Raises `UnableToFinish`."""
    command = [sys.executable, str(CHECKOUT / "manage.py"), *words]
    run_to_end(name=f"manage.py {words[0]}", command=command, holding=provided.lock)


def list_processes(*, port: int) -> dict[str, list[str]]:
    """The portal's processes and their commands: `docker-compose.yml` runs the same programs."""
    celery = [str(BIN / "celery"), "-A", "connector_pay"]
    gunicorn = [str(BIN / "gunicorn"), "connector_pay.wsgi", "--no-control-socket"]
    threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    schedule = ["--schedule", str(DATA / "celerybeat-schedule"), "--pidfile="]
    return {
        "web": [*gunicorn, "--bind", f"{HOST}:{port}", *threads],
        "worker": [*celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"],
        "beat": [*celery, "beat", *schedule],
    }


@contextlib.contextmanager
def starting_processes(*, port: int, holding: int | None) -> Iterator[list[Child]]:
    """Start the portal's processes, each with a log of its own, and stop them all at the end."""
    say("Starting web, worker and beat")
    os.chdir(CHECKOUT)
    LOGS.mkdir(mode=0o700, parents=True, exist_ok=True)
    children: list[Child] = []
    try:
        for name, command in list_processes(port=port).items():
            log = LOGS / f"{name}.log"
            log.write_bytes(b"")
            children.append(start_child(name=name, command=command, log=log, holding=holding))
        yield children
    finally:
        ignore_signals()
        say("Stopping the portal")
        stop_children(children)


def wait_until_ready(*, port: int, children: list[Child]) -> None:
    """Wait until the portal says that it is ready. Raises `UnableToGoOn`."""
    give_up_at = time.monotonic() + SECONDS_TO_BECOME_READY
    while not is_ready(port):
        check_alive(children)
        if time.monotonic() > give_up_at:
            raise UnableToGoOn(f"The portal did not become ready; {LOGS / 'web.log'} may say why.")
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def greet(url: str) -> None:
    """Say where the portal is and whom to sign in as."""
    lines = ["", f"The portal is ready: {url}", f"Logs: {LOGS}", *describe_people(), "Ctrl-C stops it.", ""]
    say("\n".join(lines))


def describe_people() -> list[str]:
    """Whom to sign in as, from the demo exchange's own list."""
    if not DEMO.exists():
        return []
    demo = json.loads(DEMO.read_text())
    members = [f"  member: {one['email']}  {one['password']}" for one in demo["members"][:1]]
    staff = [f"  {one['role']}: {one['username']}  {one['password']}" for one in demo["staff"]]
    guests = [
        f"  guest: Member ID {one['member_id']}, born {one['date_of_birth']}" for one in demo["guests"][:1]
    ]
    return [
        "Sign in as",
        *members,
        *staff,
        "or pay without an account as",
        *guests,
        f"Everybody else, and what each of the staff’s authenticator apps needs: {DEMO}",
    ]


def watch(children: list[Child], *, provided: servers.Provided) -> NoReturn:
    """Watch the processes until one ends or we are asked to stop; a server that died is started again.

    Raises `UnableToGoOn`, `StopAsked`.
    """
    parent = os.getppid()
    while True:
        check_alive(children)
        if "MAKELEVEL" in os.environ and os.getppid() != parent:
            raise StopAsked  # make itself was killed
        provided.revive()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def say(words: str) -> None:
    """Print a line at once; who started us may have stopped listening."""
    with contextlib.suppress(BrokenPipeError):
        print(words, flush=True)


def complain(error: Exception) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(error, file=sys.stderr, flush=True)
    return 1


def ask_to_stop(number: int, frame: FrameType | None) -> NoReturn:
    raise StopAsked


def ignore_signals() -> None:
    """While everything is being stopped, a second Ctrl-C must not leave half of it running."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
