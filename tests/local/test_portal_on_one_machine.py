"""How the portal's processes are started, watched and stopped, and what `manage.py` does before a command."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_pay.local import commands, portal, servers
from connector_pay.local.places import Place
from connector_pay.local.processes import read_command_line
from connector_pay.local.stamps import describe_content, describe_named_database, is_done, mark_done
from connector_pay.local.supervising import (
    Child,
    UnableToFinish,
    UnableToGoOn,
    check_alive,
    run_to_end,
    start_child,
    stop_children,
)

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.signal(signal.SIGKILL)
        child.process.wait()


def start(script: str, tmp_path: Path, *, holding: int | None = None) -> Child:
    command = [sys.executable, "-c", script]
    return start_child(name="web", command=command, log=tmp_path / "web.log", holding=holding)


def wait_for_words(child: Child, words: str) -> None:
    give_up_at = time.monotonic() + 10
    while words not in (child.log or Path()).read_text():
        assert time.monotonic() < give_up_at, "the process did not say it"
        time.sleep(0.02)


def test_stopping_ends_a_process_with_everything_it_started(tmp_path, started):
    script = (
        "import subprocess; s = subprocess.Popen(['sleep', '60']); print(s.pid, 'up', flush=True); s.wait()"
    )
    started.append(child := start(script, tmp_path))
    wait_for_words(child, "up")
    grandchild = int((tmp_path / "web.log").read_text().split()[0])
    stop_children([child])
    assert child.process.returncode == -signal.SIGTERM
    assert read_command_line(grandchild) == ""


def test_a_process_that_will_not_stop_is_killed(tmp_path, started, monkeypatch):
    monkeypatch.setattr("connector_pay.local.supervising.SECONDS_TO_STOP", 0.3)
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
    started.append(child := start(f"{ignore}; time.sleep(60)", tmp_path))
    wait_for_words(child, "up")
    stop_children([child])
    assert child.process.returncode == -signal.SIGKILL


def test_a_process_that_ends_by_itself_is_named_with_the_end_of_its_log(tmp_path, started):
    started.append(child := start("print('the reason'); raise SystemExit(3)", tmp_path))
    child.process.wait()
    with pytest.raises(UnableToGoOn, match=r"(?s)web process ended by itself \(3\).*the reason"):
        check_alive([child])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_processes_stop_when_whoever_watches_them_is_killed(tmp_path):
    script = f"""
import time
from pathlib import Path
from connector_pay.local.supervising import start_child
command = ["sleep", "60"]
print(start_child(name="web", command=command, log=Path({str(tmp_path)!r}) / "log", holding=None).process.pid)
import sys; sys.stdout.flush()
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=MANAGE.parent, stdout=subprocess.PIPE
    ) as watcher:
        assert watcher.stdout is not None
        pid = int(watcher.stdout.readline())
        watcher.kill()
    give_up_at = time.monotonic() + 10
    while read_command_line(pid):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_a_step_that_fails_stops_the_start(capfd):
    with pytest.raises(UnableToFinish, match=r"migrate failed \(2\)"):
        run_to_end(name="migrate", command=[sys.executable, "-c", "raise SystemExit(2)"], holding=None)


@pytest.mark.parametrize("word", ["0", "65536", "-1", "web", ""])
def test_what_is_no_port_is_refused_in_words(word, capsys):
    with pytest.raises(SystemExit):
        portal.read_options([f"--port={word}"])
    assert "is no port: choose a number from 1 to 65535" in capsys.readouterr().err


def test_a_taken_port_is_refused_with_another_proposed(capsys):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(portal.PortAlreadyTaken, match=f"Port {port} .* make run PORT={port + 1}"):
            portal.refuse_taken_port(port)
    portal.refuse_taken_port(port)


@pytest.mark.parametrize(
    ("port", "error", "proposed"),
    [
        (80, PermissionError(errno.EACCES, "Permission denied"), 8000),
        (9000, OSError(errno.EADDRINUSE, "Address already in use"), 9001),
        (65535, OSError(errno.EADDRINUSE, "Address already in use"), 8000),
    ],
)
def test_the_proposed_port_is_one_that_this_user_may_use(port, error, proposed):
    assert portal.propose_port(instead_of=port, error=error) == proposed


def test_a_second_portal_of_one_checkout_is_refused_with_the_firsts_address(tmp_path):
    place = Place(tmp_path / "data")
    first, second = "http://127.0.0.1:8000", "http://127.0.0.1:9000"
    with portal.only_portal(place=place, url=first):
        for _ in range(2):
            with (
                pytest.raises(portal.PortalAlreadyRunning, match=f"already runs at {first}. Stop it first"),
                portal.only_portal(place=place, url=second),
            ):
                pass
    with portal.only_portal(place=place, url=second):
        pass


def test_a_second_portal_touches_nothing_of_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(servers, "LOCAL", Place(tmp_path))
    monkeypatch.setattr(portal, "run_portal", lambda **_: pytest.fail("it started"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with portal.only_portal(place=servers.LOCAL, url="http://127.0.0.1:8000"):
        assert portal.main(["--port", "9000", "--fresh"]) == 1
    assert "already runs at http://127.0.0.1:8000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "help"),
        (["selfcheck"], "selfcheck"),
        (["migrate", "--plan"], "migrate"),
        (["migrate", "--help"], "help"),
        (["--version"], "version"),
    ],
)
def test_the_command_is_found_among_the_words(words, command):
    assert commands.find_command(["manage.py", *words]) == command


@pytest.fixture
def environment_of_production(monkeypatch):
    for name in ("DATABASE_AS_OWNER", "DATABASE_URL_FILE", "REDIS_URL_FILE", "DEMO_MODE", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/portal")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    monkeypatch.setenv("DATABASE_AS_OWNER", "false")
    return monkeypatch


@pytest.mark.parametrize(
    ("command", "as_owner"), [("migrate", "true"), ("rotate_keys", "true"), ("run_day", "false")]
)
def test_in_production_only_the_owners_commands_sign_in_as_the_owner(
    environment_of_production, command, as_owner
):
    commands.prepare_command(["manage.py", command])
    assert os.environ["DATABASE_AS_OWNER"] == as_owner
    assert "DEMO_MODE" not in os.environ


def test_commands_on_named_servers_are_the_demos_where_the_demo_was_loaded_and_nowhere_else(
    environment_of_production, tmp_path
):
    stamp = tmp_path / "stamps" / "demo"
    mark_done(stamp, state=f"{describe_named_database()} http://127.0.0.1:9000")
    (tmp_path / "demo.json").write_text('{"url": "http://127.0.0.1:9000"}')
    for name, value in (("DEMO_STAMP", stamp), ("DEMO", tmp_path / "demo.json")):
        environment_of_production.setattr(commands, name, value)
    environment_of_production.setattr(servers, "LOCAL", Place(tmp_path))
    for name in ("SEALING_KEYS", "BLIND_INDEX_KEY", "PORTAL_URL"):
        environment_of_production.delenv(name, raising=False)
    surroundings = dict(os.environ)

    environment_of_production.setenv("DATABASE_URL", "postgres://elsewhere/another")
    commands.prepare_command(["manage.py", "run_day"])
    assert "DEMO_MODE" not in os.environ

    environment_of_production.setenv("DATABASE_URL", "postgres://elsewhere/portal")
    commands.prepare_command(["manage.py", "check", "--deploy"])
    assert "DEMO_MODE" not in os.environ
    commands.prepare_command(["manage.py", "run_day"])
    made = {name: os.environ.pop(name) for name in set(os.environ) - set(surroundings)}
    assert set(made) == {"DEMO_MODE", "SECRET_KEY", "SEALING_KEYS", "BLIND_INDEX_KEY", "PORTAL_URL"}
    assert (made["DEMO_MODE"], made["PORTAL_URL"]) == ("true", "http://127.0.0.1:9000")


def test_nothing_stands_in_for_what_is_missing_when_a_deployment_is_checked(environment_of_production):
    environment_of_production.delenv("DATABASE_URL")
    environment_of_production.delenv("REDIS_URL")
    commands.prepare_command(["manage.py", "check", "--deploy"])
    assert not {"DATABASE_URL", "REDIS_URL", "DEMO_MODE", "SECRET_KEY"} & set(os.environ)


def test_without_django_and_without_its_own_python_a_command_says_what_to_do(tmp_path):
    copy = shutil.copy(MANAGE, tmp_path)
    done = subprocess.run([sys.executable, "-I", "-S", copy, "check"], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == "Django is not installed here. Run `make run` once: it installs what the portal needs.\n"
    )


def test_a_command_starts_again_with_the_checkouts_own_python(tmp_path):
    copy = shutil.copy(MANAGE, tmp_path)
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\necho "own python: $2"\n')
    own.chmod(0o755)
    done = subprocess.run([sys.executable, "-I", "-S", copy, "check"], capture_output=True, text=True)
    assert done.stdout == "own python: check\n"


def test_a_step_is_done_again_when_its_state_changed(tmp_path):
    (source := tmp_path / "source").write_text("one")
    stamp = tmp_path / "stamps" / "step"
    mark_done(stamp, state=describe_content([source]))
    assert is_done(stamp, state=describe_content([source]))
    source.write_text("two")
    assert not is_done(stamp, state=describe_content([source]))


def test_the_demos_people_are_named_at_the_end(tmp_path, monkeypatch):
    (demo := tmp_path / "demo.json").write_text(
        '{"guests": [{"member_id": "M1", "date_of_birth": "1980-02-03"}],'
        ' "members": [{"email": "a@example.org", "password": "p1"}],'
        ' "staff": [{"role": "clerk", "username": "c", "password": "p2"}]}'
    )
    monkeypatch.setattr(portal, "DEMO", demo)
    said = "\n".join(portal.describe_people())
    for words in ("a@example.org  p1", "clerk: c  p2", "Member ID M1, born 1980-02-03"):
        assert words in said


@pytest.mark.parametrize(
    ("named", "expected"), [("", "http://127.0.0.1:9000"), ("http://127.0.0.1:1", "http://127.0.0.1:1")]
)
def test_what_a_command_tells_people_names_the_address_of_the_last_run(
    named, expected, tmp_path, monkeypatch
):
    (demo := tmp_path / "demo.json").write_text('{"url": "http://127.0.0.1:9000"}')
    monkeypatch.setattr(commands, "DEMO", demo)
    monkeypatch.setenv("PORTAL_URL", named)
    commands.set_portal_url()
    assert os.environ["PORTAL_URL"] == expected
