"""The workers of a simulation: they run the timetable, and rest, die in the middle of a job, or run one twice."""

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

from django.db import connection

from connector_pay.celery import read_timetable
from connector_pay.lib.clock import business_date
from connector_pay.lib.jobs import Job, Ran, hold_timetable, run_until
from connector_pay.simulation.chances import (
    JOB_RUNS_TWICE,
    WORKER_DIES,
    WORKERS_REST_FOR_DAYS,
    WORKERS_REST_TODAY,
    happens,
    roll,
)
from connector_pay.simulation.helper import use_own_session
from payments.ach.incoming import UnableToReadFiles
from payments.ach.sending import UnableToSendFile
from payments.bank import UnableToReachBank, UnableToTellOutcome

SECONDS_TO_LET_GO = 30.0
LAST_STATEMENT = 150  # about as many as the jobs of one day make
DAYS_ASLEEP = 3
DIED = 42
BAD_DAYS = (UnableToReachBank, UnableToTellOutcome, UnableToSendFile, UnableToReadFiles)


class UnableToRunJob(Exception):
    """A job failed, and not because the bank had a bad day."""


def are_resting(*, seed: int, moment: datetime) -> bool:
    """Whether nobody works at this moment: for an hour or two, or for up to three days."""
    today = business_date(moment=moment)
    if happens(roll(seed, "rest", moment), WORKERS_REST_TODAY):
        return True
    for days in range(DAYS_ASLEEP):
        dice = roll(seed, "asleep", today - timedelta(days=days))
        if happens(dice, WORKERS_REST_FOR_DAYS) and dice.randint(1, DAYS_ASLEEP) > days:
            return True
    return False


def run_jobs(*, seed: int, moment: datetime) -> list[Ran]:
    """Run what is due, in a process that may die before it is done, then in this one; some jobs twice.

    Raises UnableToRunJob.
    """
    timetable, dice = list_jobs(), roll(seed, "workers", moment)
    if happens(dice, WORKER_DIES):
        die_working(timetable=timetable, moment=moment, die_at=dice.randint(1, LAST_STATEMENT))
    with hold_timetable(wait_seconds=SECONDS_TO_LET_GO):
        ran = list(run_until(timetable=timetable, moment=moment))
    _refuse_failures(ran)
    finished = sorted({(item.day, item.job) for item in ran if not item.error})
    if finished and happens(dice, JOB_RUNS_TWICE):
        _run_again(timetable, *dice.choice(finished))
    return ran


def list_jobs() -> list[Job]:
    """The real timetable, without the nightly self-check: the simulation has one of its own."""
    return [job for job in read_timetable() if not job.only_asks]


def die_working(*, timetable: Sequence[Job], moment: datetime, die_at: int) -> None:
    """A forked worker runs what is due and dies at the statement or COMMIT of this number, if it comes so far."""
    child = os.fork()
    if child == 0:
        _work_and_die(timetable, moment, die_at=die_at)
    os.waitpid(child, 0)


def _work_and_die(timetable: Sequence[Job], moment: datetime, *, die_at: int) -> NoReturn:
    passed, commit = 0, getattr(connection, "_commit")  # noqa: B009  Django does not declare it

    def pass_one() -> None:
        nonlocal passed
        passed += 1
        if passed == die_at:
            os._exit(DIED)

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        pass_one()
        return run(sql, params, many, context)

    def commit_counted() -> None:
        pass_one()
        commit()
        pass_one()

    try:
        use_own_session()
        connection.execute_wrappers.append(execute)
        setattr(connection, "_commit", commit_counted)  # noqa: B010  this session's alone
        for _ in run_until(timetable=timetable, moment=moment):
            pass
    finally:
        os._exit(0)


def _run_again(timetable: Sequence[Job], day: date, name: str) -> None:
    """Once more as of the same moment, beside the ledger of jobs."""
    job = next(job for job in timetable if job.name == name)
    try:
        job.run(day=day, at=job.read_moment(day))
    except BAD_DAYS:
        return  # the bank has one


def _refuse_failures(ran: Sequence[Ran]) -> None:
    """Raises UnableToRunJob for what the bank's bad days do not explain."""
    excused = (*(kind.__name__ for kind in BAD_DAYS), "waits for")
    for item in ran:
        if item.error and not item.error.startswith(excused):
            raise UnableToRunJob(f"{item.day} {item.job}: {item.error}")
