"""Living the demo's days: the business date moves forward, and every job of the timetable whose moment
lies between is run.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings

from connector_pay.celery import read_timetable
from connector_pay.lib import clock
from connector_pay.lib.jobs import Ran, describe_counts, hold_timetable, run_until
from connector_pay.lib.models import DemoClock
from members import outbox

SECONDS_FOR_OTHERS = 60.0
NOTICES_AT_ONCE = 500
DAYS_AT_MOST = 400


class UnableToMoveDate(Exception):
    """The business date moves forward only, not too far at once, and only in demo mode."""


def live_until(*, day: date, wait_seconds: float = SECONDS_FOR_OTHERS) -> Iterator[Ran]:
    """Live the days up to `day`, to the wall-clock time it is now, running each due job in order; yields
    what each did.

    Jobs run as of their own moment. Beat may go on meanwhile: it finds the timetable taken, or the work done.
    Raises UnableToMoveDate for a day that has passed or lies more than DAYS_AT_MOST ahead, or outside demo
    mode, and TimetableAlreadyRunning when another process is still running the jobs after `wait_seconds`.
    """
    _refuse(day)
    with hold_timetable(wait_seconds=wait_seconds):
        yield from run_what_is_due()
        while clock.today() < day:
            DemoClock.advance(days=DemoClock.read_days() + 1)
            yield from run_what_is_due()


def _refuse(day: date) -> None:
    """Raises UnableToMoveDate for a day that cannot be lived up to."""
    if not settings.DEMO_MODE:
        raise UnableToMoveDate(
            "Real days cannot be moved: the business date follows the clock unless DEMO_MODE=true."
        )
    today = clock.today()
    if day < today:
        raise UnableToMoveDate(f"It is already {today}: the business date never goes back to {day}.")
    if (day - today).days > DAYS_AT_MOST:
        raise UnableToMoveDate(
            f"{day} is more than {DAYS_AT_MOST} days ahead of {today}, and every day between would be lived. "
            f"Choose a day up to {today + timedelta(days=DAYS_AT_MOST)}, and go on from there."
        )


def run_what_is_due() -> Iterator[Ran]:
    """Run the jobs whose moment has come, then send what they had to tell."""
    yield from run_until(timetable=read_timetable(), moment=clock.now())
    yield from send_notices()


def send_notices() -> Iterator[Ran]:
    """Send every email that waits in the outbox; yields one line if there was any."""
    sent, errors, at = 0, [], clock.now()
    while True:
        try:
            just_sent = outbox.send_unsent(limit=NOTICES_AT_ONCE, at=at)
        except outbox.UnableToSend as problem:
            just_sent = problem.sent
            errors.append(str(problem))
        except outbox.UnableToReachServer as problem:
            sent += problem.sent
            errors.append(str(problem))
            break
        else:
            if not just_sent:
                break
        sent += just_sent
    if sent or errors:
        yield Ran("send_notices", clock.today(), at, counts={"sent": sent}, error=" ".join(errors))


def describe(ran: Ran) -> str:
    """One aligned line: the date, the Eastern time, the job, and its counts or what went wrong."""
    moment = ran.at.astimezone(clock.EASTERN)
    outcome = f"FAILED: {ran.error}" if ran.error else describe_counts(ran.counts)
    return f"{moment:%Y-%m-%d %H:%M}  {ran.job:<15}  {outcome}"
