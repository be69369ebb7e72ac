"""A second process of a simulation: half of the households pay there, and the outbox is sent from there, at the same time."""

import os
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from django.db import connection

_OF_THE_PARENT: list[object] = []
Task = Callable[..., Counter[str]]


class UnableToHelp(Exception):
    """Something failed in the second process; the text is its story."""


class Helper:
    """The second process, as the first one sees it: what is asked is done in order, and collected later."""

    def __init__(self, *, line: Connection) -> None:
        self._line, self._asked = line, 0

    def ask(self, task: str, **facts: Any) -> None:
        """Have a task done; goes on at once."""
        self._line.send((task, facts))
        self._asked += 1

    def collect(self) -> Counter[str]:
        """Wait until everything that was asked is done; what came of it. Raises UnableToHelp."""
        done: Counter[str] = Counter()
        while self._asked:
            self._asked -= 1
            answer, story = self._line.recv()
            if story:
                raise UnableToHelp(story)
            done += answer
        return done


@contextmanager
def helped(*, tasks: Mapping[str, Task]) -> Iterator[Helper]:
    """Fork a helper that knows these tasks; it ends with the block, or with this process."""
    ours, theirs = Pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        _help(theirs, tasks)
    theirs.close()
    try:
        yield Helper(line=ours)
    finally:
        ours.close()
        os.waitpid(child, 0)


def use_own_session() -> None:
    """In a forked process: leave the parent's session to the parent. Letting go of it would end it for both."""
    _OF_THE_PARENT.append(connection.connection)
    connection.connection = None


def _help(line: Connection, tasks: Mapping[str, Task]) -> NoReturn:
    """Do what is asked until nobody can ask any more."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        use_own_session()
        while True:
            name, facts = line.recv()
            try:
                line.send((tasks[name](**facts), ""))
            except Exception:  # noqa: BLE001  the whole story goes to the parent
                line.send((Counter(), traceback.format_exc()))
    except EOFError:
        os._exit(0)  # the parent is done, or gone
    finally:
        os._exit(1)
