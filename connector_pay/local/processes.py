"""Server processes on this machine: started apart from the terminal, found by pid files, and stopped."""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.01
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 20.0

# They may outlive us: Python would complain about each one it forgets while it still runs.
started_apart: list[subprocess.Popen[bytes]] = []


@atexit.register
def let_go() -> None:
    """At our own end, too, Python forgets them without a complaint."""
    for process in started_apart:
        process.returncode = process.poll() or 0


class UnableToStartServer(Exception):
    """An embedded server ended, or did not become ready, when it was started."""


def start_apart(command: list[str], *, log: Path, **popen_arguments: Any) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C in our terminal does not reach and that holds none of our files."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **{"cwd": "/", **popen_arguments},
        )
    started_apart.append(process)
    return process


def wait_until_ready(
    is_ready: Callable[[], bool], *, process: subprocess.Popen[bytes] | None, name: str, log: Path
) -> None:
    """Wait until a starting server answers. Raises `UnableToStartServer` with the end of its log."""
    give_up_at = time.monotonic() + SECONDS_TO_START
    while not is_ready():
        if (process is not None and process.poll() is not None) or time.monotonic() > give_up_at:
            raise UnableToStartServer(f"{name} did not start. The end of {log}:\n{read_end(log)}")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def read_end(log: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return "(nothing was written)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def read_pid(file: Path) -> int | None:
    """Return the number on the first line of a pid file, None where there is no such file or number."""
    try:
        first_line = file.read_text(errors="replace").split("\n", 1)[0].strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(first_line) if first_line.isdigit() else None


def find_process(*, pid_file: Path, words: tuple[str, ...]) -> int | None:
    """Return the pid in the file if that process lives and its command line has every one of the words.

    A pid file outlives its process after a kill, and the number may belong to somebody else by now.
    """
    pid = read_pid(pid_file)
    if pid is None:
        return None
    command = read_command_line(pid)
    return pid if command and all(word in command for word in words) else None


def read_command_line(pid: int) -> str:
    """Return a process's command line, empty when it is gone or only waits to be reaped."""
    if Path("/proc/self/cmdline").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return command.replace(b"\0", b" ").decode(errors="replace").strip()
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return listed.stdout.strip()


def is_answering(socket_path: Path) -> bool:
    """Tell whether somebody accepts connections at this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(socket_path))
        except OSError:
            return False
    return True


def stop_process(find: Callable[[], int | None], *, how: signal.Signals) -> None:
    """Ask a process to stop, wait until it has, and kill it when it does not."""
    pid = find()
    if pid is None:
        return
    send_signal(pid, how)
    give_up_at = time.monotonic() + SECONDS_TO_STOP
    while is_alive(pid):
        if time.monotonic() > give_up_at:
            send_signal(pid, signal.SIGKILL)
            give_up_at = time.monotonic() + SECONDS_TO_STOP
        time.sleep(SECONDS_BETWEEN_LOOKS)


def send_signal(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def is_alive(pid: int) -> bool:
    """Tell whether a process still runs; one of our own children that has ended is reaped by the look."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return read_command_line(pid) != ""
