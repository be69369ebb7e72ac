"""The members' part of the day: plans that change, coverage whose last day is over; and sending the outbox, every minute."""

from datetime import date, datetime

import structlog
from celery import shared_task

from connector_pay.lib import clock
from connector_pay.lib.jobs import Counts
from members import coverage, intake, outbox

log = structlog.get_logger(__name__)


def end_coverage(*, day: date, at: datetime) -> Counts:
    """End the enrollments whose last day of coverage is over; the others have the plan that was said for this month."""
    ended = len(coverage.end_passed(today=day, at=at))
    changed = intake.take_up_changes(today=day)
    return {"ended": ended, **({"changed": changed} if changed else {})}


@shared_task
def send_notices() -> int:
    """Send the emails that wait in the outbox; a mail server that cannot be reached is one line of the log."""
    try:
        return outbox.send_unsent(at=clock.now())
    except outbox.UnableToReachServer as problem:
        log.error("mail server unreachable", reason=problem.reason, sent=problem.sent)
        return problem.sent
