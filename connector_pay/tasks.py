"""The tasks that see every app: running what the timetable has due, and the nightly self-check."""

from datetime import date, datetime

import structlog
from celery import shared_task

from connector_pay import self_check as checking
from connector_pay.celery import read_timetable
from connector_pay.lib import clock
from connector_pay.lib.jobs import Counts, TimetableAlreadyRunning, run_until

log = structlog.get_logger(__name__)


class SelfCheckFailed(Exception):
    """Something that must always hold does not."""


@shared_task
def run_what_is_due() -> None:
    """Run every job of the timetable whose moment has come and that has not finished."""
    try:
        for _ in run_until(timetable=read_timetable(), moment=clock.now()):
            pass
    except TimetableAlreadyRunning:
        log.info("the timetable is already running")


def self_check(*, day: date, at: datetime) -> Counts:
    """The nightly self-check: fails, and so shows among the failed jobs, if an invariant is broken."""
    broken = checking.find_violations()
    if broken:
        raise SelfCheckFailed("; ".join(f"{item.name}: {len(item.rows)} rows" for item in broken))
    return {"invariants": checking.count_invariants()}
