"""Running things at the same time, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

PATIENCE_SECONDS = 60
LONG_ENOUGH_TO_WAIT_SECONDS = 0.7


def run_together(*acts: Callable[[], Any]) -> list[Any]:
    """Start all at one barrier; what each returned, or the exception it raised, in their order."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(PATIENCE_SECONDS)
        return _run_apart(act)

    with ThreadPoolExecutor(len(acts)) as pool:
        return [_read(future) for future in [pool.submit(run, act) for act in acts]]


def run_inside(first: Callable[[], Any], second: Callable[[], Any], *, waits: bool) -> tuple[Any, Any]:
    """Run the second while the first's transaction is done but not yet committed; what each returned or raised.

    `waits` says that the second is expected to wait for that commit; otherwise it must finish before it.
    """
    done, go_on = threading.Event(), threading.Event()

    def run_first() -> Any:
        with transaction.atomic():
            answer = first()
            done.set()
            go_on.wait(PATIENCE_SECONDS)
        return answer

    with ThreadPoolExecutor(2) as pool:
        began = pool.submit(_run_apart, run_first)
        assert done.wait(PATIENCE_SECONDS), _read(began)
        follows = pool.submit(_run_apart, second)
        try:
            follows.exception(LONG_ENOUGH_TO_WAIT_SECONDS if waits else PATIENCE_SECONDS)
            came_through = True
        except TimeoutError:
            came_through = False
        finally:
            go_on.set()
        answers = _read(began), _read(follows)
    assert came_through != waits, answers
    return answers


def _run_apart(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


def _read(future: Future[Any]) -> Any:
    return future.exception(PATIENCE_SECONDS) or future.result()
