"""Processes under one roof: started together, watched, and stopped together with everything they started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connector_pay.local.processes import read_end

SECONDS_TO_STOP = 10.0
SECONDS_TO_BE_KILLED = 3.0  # a machine whose first process reaps nobody shows the dead for ever
SECONDS_BETWEEN_LOOKS = 0.05
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class UnableToFinish(Exception):
    """A step that must succeed before the portal can start did not."""


class UnableToGoOn(Exception):
    """A process of the portal ended by itself."""


@dataclass(frozen=True)
class Child:
    """One process of the portal; `log` is where it writes, the terminal where that is None."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    def signal(self, how: signal.Signals) -> None:
        """Tell the process and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)

    def is_gone(self) -> bool:
        """Tell whether the process and everything in its group has ended."""
        if self.process.poll() is None:
            return False
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def start_child(*, name: str, command: Sequence[str], log: Path | None, holding: int | None) -> Child:
    """Start a process in a group of its own, so that Ctrl-C reaches it only through us.

    It shares the lock `holding` on the servers: they stay as long as it lives. When we are killed it is
    told to stop.
    """
    us = os.getpid()
    with contextlib.ExitStack() as files:
        output = files.enter_context(log.open("ab")) if log else None
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            process_group=0,
            pass_fds=() if holding is None else (holding,),
            preexec_fn=lambda: die_with_parent(us),
        )
    return Child(name, process, log)


def die_with_parent(parent: int) -> None:
    """Ask the kernel, where it offers that, to stop this process when its parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


def run_to_end(*, name: str, command: Sequence[str], holding: int | None) -> None:
    """Run one step before the portal starts, its words on our terminal. Raises `UnableToFinish`."""
    child = start_child(name=name, command=command, log=None, holding=holding)
    try:
        while child.process.poll() is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        stop_children([child])
    if child.process.returncode:
        raise UnableToFinish(f"{name} failed ({child.process.returncode}); the reason stands above.")


def check_alive(children: Iterable[Child]) -> None:
    """Raises `UnableToGoOn` with the end of its log when one of the processes has ended."""
    for child in children:
        code = child.process.poll()
        if code is not None:
            said = f" The end of {child.log}:\n{read_end(child.log)}" if child.log else ""
            raise UnableToGoOn(f"The {child.name} process ended by itself ({code}).{said}")


def stop_children(children: Sequence[Child]) -> None:
    """Stop the processes and all they started; what has not stopped after ten seconds is killed."""
    for how, seconds in ((signal.SIGTERM, SECONDS_TO_STOP), (signal.SIGKILL, SECONDS_TO_BE_KILLED)):
        for child in children:
            child.signal(how)
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            if all(child.is_gone() for child in children):
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)
