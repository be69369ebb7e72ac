"""The staff's first page: what waits for a person, and today's figures."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.staff import queues as billing
from connector_pay.lib import clock
from connector_pay.lib.models import JobRun
from connector_pay.lib.staff_queues import Queue, arrange, count_waiting
from payments.staff import figures
from payments.staff import queues as payments

FAILED_DAYS = 7  # a job that only asks has failed for good; it is looked at for so long


def describe_front_page(request: HttpRequest) -> dict[str, Any]:
    """What stands above the list of models."""
    today = clock.today()
    return {
        "queues": arrange(queues=list_queues(today=today), may=request.user.has_perm),
        "figures": _list_figures(today=today),
        "today": today,
    }


def list_queues(*, today: date) -> list[Queue]:
    """Every queue of every app, and the jobs that failed. Three statements."""
    return [*payments.list_queues(today=today), *billing.list_queues(), _count_failed_jobs(today=today)]


def _count_failed_jobs(*, today: date) -> Queue:
    failed = JobRun.objects.exclude(error="").filter(business_date__gte=today - timedelta(days=FAILED_DAYS))
    counted = count_waiting({"jobs": (failed, "asked_at")})["jobs"]
    link = f"{reverse('admin:lib_jobrun_changelist')}?failed=yes"
    return Queue("Jobs that failed in the last 7 days", *counted, link=link, permission="lib.view_jobrun")


def _list_figures(*, today: date) -> list[tuple[str, figures.Sums]]:
    """What came in today and what is on its way, in three figures."""
    collected = figures.sum_collected(since=today, until=today).values()
    moving = figures.sum_on_its_way(today=today).values()
    return [
        ("Payments received today", figures.add_all(collected)),
        ("On its way from the payers’ banks", figures.add_all(moving)),
        ("Waits for the next bank files", figures.sum_unsent(today=today)),
    ]
