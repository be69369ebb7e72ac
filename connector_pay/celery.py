"""Celery, and the whole day's timetable in the day's order (Eastern time).

Beat wakes one task a minute; it runs what is due by the job ledger. Redis only wakes work up: when it was
down, the next minute catches up.
"""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from celery import Celery
from celery.signals import setup_logging

if TYPE_CHECKING:
    from connector_pay.lib.jobs import Job

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_pay.settings")

app = Celery("connector_pay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["connector_pay", "members", "billing", "payments"])
app.conf.beat_schedule = {
    "run what is due": {"task": "connector_pay.tasks.run_what_is_due", "schedule": 60.0},
    "send notices": {"task": "members.tasks.send_notices", "schedule": 60.0},
    "draw print batches": {"task": "billing.tasks.draw_print_batches", "schedule": 60.0},
}


def read_timetable() -> list[Job]:
    """Every job of the day, in the day's order."""
    return [*_list_jobs_of_the_night(), *_list_jobs_of_the_day()]


def _list_jobs_of_the_night() -> list[Job]:
    """What the new business date brings: money, bills, starts and ends."""
    from billing import tasks as billing
    from connector_pay.lib.jobs import Job
    from members import tasks as members
    from payments import tasks as payments

    return [
        Job("credit_due", at=time(0, 1), run=payments.credit_due),
        Job("end_coverage", at=time(0, 3), run=members.end_coverage),
        Job("void_ended", at=time(0, 4), run=billing.void_ended, needs=("end_coverage",)),
        Job("issue_invoices", at=time(0, 5), run=billing.issue_invoices),
        Job("review_overdue", at=time(0, 10), run=billing.review_overdue, needs=("credit_due",)),
        Job(
            "end_autopay", at=time(0, 12), run=payments.end_autopay, needs=("end_coverage", "review_overdue")
        ),
        Job(
            "announce_drafts",
            at=time(0, 15),
            run=payments.announce_drafts,
            needs=("issue_invoices", "end_autopay"),
        ),
        Job(
            "review_behind",
            at=time(0, 20),
            run=payments.review_behind,
            needs=("credit_due", "end_coverage", "review_overdue"),
        ),
    ]


def _list_jobs_of_the_day() -> list[Job]:
    """What changes hands with the bank, what people are told, and the self-check."""
    from billing.policy import read_policy
    from connector_pay import tasks as portal
    from connector_pay.lib.jobs import Job
    from payments import tasks as payments
    from payments.autopay.days import find_drafting_time

    cutoff = read_policy().file_cutoff
    return [
        Job("clear_drafts", at=time(3, 0), run=payments.clear_drafts),
        Job("read_bank", at=time(7, 0), run=payments.read_bank),
        Job(
            "settle_due", at=time(8, 0), run=payments.settle_due, days=_on_banking_days, needs=("read_bank",)
        ),
        Job("remind_due", at=time(9, 0), run=payments.remind_due, needs=("review_overdue",)),
        Job(
            "make_retries", at=_half_an_hour_before(cutoff), run=payments.make_retries, days=_on_banking_days
        ),
        Job("draft_autopay", at=find_drafting_time(), run=payments.draft_autopay, days=payments.is_cut),
        Job("send_files", at=cutoff, run=payments.send_files, days=_on_banking_days),
        Job("self_check", at=time(23, 30), run=portal.self_check, only_asks=True),
    ]


def _half_an_hour_before(moment: time) -> time:
    return (datetime.combine(date.min, moment) - timedelta(minutes=30)).time()


def _on_banking_days(day: date) -> bool:
    from payments.banking_calendar import read_calendar

    return read_calendar().is_banking_day(day)


@setup_logging.connect
def _configure_logging(**_: object) -> None:
    """Celery writes the same redacted lines as the web."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)
