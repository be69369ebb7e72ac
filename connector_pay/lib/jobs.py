"""The job ledger: each job of the timetable runs once per business date, in order, however often it is
asked for.

Celery asks every minute and `manage.py run_day` asks when told; both go through `run_until`. A job that
failed or was killed is run again at the next asking; the jobs that need it wait. A job that only asks how
things are is not: its failure is the day's answer, kept and shown, and the next day asks anew.
"""

import time as machine
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog
from django.db import connection
from django.db.backends.utils import CursorWrapper

from connector_pay.lib.clock import business_date, eastern_moment
from connector_pay.lib.masking import redact_digits
from connector_pay.lib.models import JobRun
from connector_pay.lib.money import format_dollars

log = structlog.get_logger(__name__)
Counts = Mapping[str, int]
_LOCK_KEY = 7_336_001
_SECONDS_BETWEEN_TRIES = 0.2


class TimetableAlreadyRunning(Exception):
    """Another process is running the jobs of the timetable."""


@dataclass(frozen=True)
class Job:
    """A line of the timetable: what runs, when (Eastern wall clock), on which days, and after which other
    jobs of that day.

    `run(day=, at=)` does the work for one business date, is safe to run twice, and returns what it did as
    counts. `only_asks` says that it changes nothing and that no job needs it.
    """

    name: str
    at: time
    run: Callable[..., Counts]
    days: Callable[[date], bool] = lambda day: True
    needs: tuple[str, ...] = ()
    only_asks: bool = False

    def read_moment(self, day: date) -> datetime:
        """The UTC moment at which this job is due on a date."""
        return eastern_moment(day=day, at=self.at)


@dataclass(frozen=True)
class Ran:
    """One job that was asked for: for which date and moment, and what it did or why it did not."""

    job: str
    day: date
    at: datetime
    counts: Counts
    error: str = ""


@contextmanager
def hold_timetable(*, wait_seconds: float = 0) -> Iterator[None]:
    """Be the one process that runs the timetable, as long as the block lasts; blocks of one process may be
    nested.

    Raises TimetableAlreadyRunning when another process still runs it after `wait_seconds` of machine time.
    """
    give_up_at = machine.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while not _ask_database(cursor, "SELECT pg_try_advisory_lock(%s)"):
            if machine.monotonic() >= give_up_at:
                raise TimetableAlreadyRunning(
                    "Another process is running the timetable's jobs. Try again in a minute."
                )
            machine.sleep(_SECONDS_BETWEEN_TRIES)
        try:
            yield
        finally:
            _ask_database(cursor, "SELECT pg_advisory_unlock(%s)")


def run_until(*, timetable: Sequence[Job], moment: datetime) -> Iterator[Ran]:
    """Run, in order, every job whose moment has come by `moment` and that has not finished for its date.

    Starts from the earliest date with a job that was asked for and has not finished, else from the last
    date on which any was asked for, so that no day is left out after a long rest; on a new installation,
    from the date of `moment`. Raises TimetableAlreadyRunning while another process is doing the same.
    """
    with hold_timetable():
        last = business_date(moment=moment)
        day = _find_first_day(last=last)
        while day <= last:
            yield from _run_day(timetable=timetable, day=day, moment=moment)
            day += timedelta(days=1)


def describe_counts(counts: Counts) -> str:
    """What a job did, in words: "files 1, debits 3, debit $852.51"; what ends in _cents is money."""
    said = [
        f"{name.removesuffix('_cents')} {format_dollars(count)}"
        if name.endswith("_cents")
        else f"{name.replace('_', ' ')} {count:,}"
        for name, count in counts.items()
        if count
    ]
    return ", ".join(said) or "nothing to do"


def _run_day(*, timetable: Sequence[Job], day: date, moment: datetime) -> Iterator[Ran]:
    """Every due job of one date is written down as asked for before the first runs: none is forgotten
    after a kill.
    """
    planned = {job.name for job in timetable if job.days(day)}
    due = [job for job in timetable if job.name in planned and job.read_moment(day) <= moment]
    finished = _ask_for(jobs=due, day=day)
    for job in due:
        if job.name in finished:
            continue
        missing = [name for name in job.needs if name in planned and name not in finished]
        if missing:
            yield Ran(job.name, day, job.read_moment(day), counts={}, error=f"waits for {', '.join(missing)}")
            continue
        ran = _run_job(job=job, day=day)
        if not ran.error:
            finished.add(job.name)
        yield ran


def _ask_for(*, jobs: Sequence[Job], day: date) -> set[str]:
    """Write down which jobs are asked for on a date; the names of those that have finished."""
    known = dict(JobRun.objects.filter(business_date=day).values_list("job", "finished_at"))
    JobRun.objects.bulk_create(
        [
            JobRun(job=job.name, business_date=day, asked_at=datetime.now(UTC))
            for job in jobs
            if job.name not in known
        ],
        ignore_conflicts=True,
    )
    return {name for name, finished_at in known.items() if finished_at}


def _run_job(*, job: Job, day: date) -> Ran:
    """Run one job for one date as of its own moment, and write down how it went."""
    run, slot = JobRun.objects.filter(job=job.name, business_date=day), job.read_moment(day)
    run.update(started_at=datetime.now(UTC), error="")
    try:
        counts = dict(job.run(day=day, at=slot))
    except Exception as error:
        # Kept and shown to staff, run again at the next asking: one broken job must not stop the others.
        # What only asks has its answer: asked again for each past day it would delay today's money.
        run.update(
            error=redact_digits("".join(traceback.format_exception(error)))[-4000:],
            finished_at=datetime.now(UTC) if job.only_asks else None,
        )
        log.exception("job failed", job=job.name, business_date=str(day))
        return Ran(job.name, day, slot, counts={}, error=redact_digits(f"{type(error).__name__}: {error}"))
    run.update(finished_at=datetime.now(UTC), counts=counts)
    log.info("job finished", job=job.name, business_date=str(day), counts=counts)
    return Ran(job.name, day, slot, counts=counts)


def _find_first_day(*, last: date) -> date:
    """The earliest date with a job asked for but not finished, else the latest date any was asked for,
    else `last`.
    """
    runs = JobRun.objects.order_by("business_date")
    unfinished = runs.filter(finished_at=None).values_list("business_date", flat=True).first()
    latest = runs.reverse().values_list("business_date", flat=True).first()
    return min(unfinished or latest or last, last)


def _ask_database(cursor: CursorWrapper, question: str) -> bool:
    cursor.execute(question, [_LOCK_KEY])
    (answer,) = cursor.fetchone()
    return bool(answer)
