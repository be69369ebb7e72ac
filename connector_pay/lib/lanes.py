"""Lanes: the parts of a long run, done a few at once, each over a database connection of its own.

The run stays one: in the process that holds the timetable, with the counts of all its parts, and failed where one has failed.
So nothing of it can be lost in a queue, or come days late.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from django.conf import settings
from django.db import connection

Part = TypeVar("Part")
Result = TypeVar("Result")


def run_in_lanes(*, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Do each part once, as many at once as the setting says; the results in the order of the parts.

    What fails in one is raised here once those under way have ended, and no further one is begun. One after the other where
    there is a single part, or where the caller is in a transaction, whose rows no other connection sees.
    """
    if len(parts) == 1 or settings.RUN_LANES == 1 or connection.in_atomic_block:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(max_workers=settings.RUN_LANES, thread_name_prefix="lane") as pool:
        under_way = [pool.submit(copy_context().run, _work_apart, work, part) for part in parts]
        wait(under_way, return_when=FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)  # those under way end first; nothing where all are done
    failed = [error for each in under_way if not each.cancelled() and (error := each.exception())]
    if failed:
        raise failed[0]
    return [each.result() for each in under_way]


def _work_apart(work: Callable[[Part], Result], part: Part) -> Result:
    """Django gives each thread a connection of its own, and leaves it open."""
    try:
        return work(part)
    finally:
        connection.close()
