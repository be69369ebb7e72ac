"""Billing's jobs of the timetable: bills void after an end, invoices issued, what is overdue reviewed; and drawing batches."""

from datetime import date, datetime
from functools import partial

import structlog
from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from billing import ends, invoices, overdue, print_batches
from billing.models import PrintBatch
from connector_pay.lib import clock
from connector_pay.lib.jobs import Counts
from connector_pay.lib.models import JobRun

DRAFTS = "draft_autopay"  # an upper app's job: its money counts for the start of coverage
log = structlog.get_logger(__name__)


class UnableToReview(Exception):
    """Money that counts for the start of coverage is not counted yet."""


def void_ended(*, day: date, at: datetime) -> Counts:
    """Void the bills of months after the last day of coverage."""
    return ends.void_after_ends(today=day, at=at)


def issue_invoices(*, day: date, at: datetime) -> Counts:
    """The binders of new enrollments, and each month's invoices on the first of the month before."""
    return invoices.issue_missing(today=day, at=at)


def review_overdue(*, day: date, at: datetime) -> Counts:
    """Push the starts whose first payment was not received by its due date; not while AutoPay's drafts are not recorded.

    Raises UnableToReview: the ledger asks again.
    """
    if JobRun.objects.filter(job=DRAFTS, business_date__lt=day, finished_at=None).exists():
        raise UnableToReview("AutoPay's drafts of an earlier day are not recorded yet.")
    return overdue.review(today=day, at=at, run=f"review_overdue {day}")


def wake_printing(*, batch: PrintBatch) -> None:
    """Have a batch drawn once it is committed. Beat asks every minute, too, so nothing is left where no worker can be woken."""
    transaction.on_commit(partial(_wake_printing, batch.pk))


@shared_task
def draw_print_batches(batch_ids: list[int] | None = None) -> dict[str, int]:
    """Draw the parts of print batches that are left to draw."""
    return dict(print_batches.draw_waiting(at=clock.now(), batch_ids=batch_ids))


def _wake_printing(batch_id: int) -> None:
    try:
        # Raises at once while Redis is left alone, and within a second where it does not answer.
        cache.get_many(["awake"])
        draw_print_batches.apply_async(kwargs={"batch_ids": [batch_id]}, retry=False)
    except (RedisError, OperationalError) as error:
        log.warning("no worker was woken to draw a print batch", error=type(error).__name__)
