"""The demo date, for staff: moves the business date forward by a day or to a date, and shows what each job
of those days did.
"""

import time
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay import demo_days
from connector_pay.celery import read_timetable
from connector_pay.lib import clock
from connector_pay.lib.jobs import TimetableAlreadyRunning, describe_counts
from connector_pay.lib.models import JobRun
from members.models import Enrollment
from payments.models import BankFile, Payment

SECONDS_OF_A_PAGE = 20.0
SECONDS_FOR_OTHERS = 10.0
DAYS_SHOWN = 3


class MoveDateForm(forms.Form):
    """How far to move: one day, or to a date that lies ahead."""

    day = forms.DateField(
        label="Move to a date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean_day(self) -> date:
        """The day to live up to: tomorrow, unless a date was asked for."""
        today = clock.today()
        if "one_day" in self.data:
            return today + timedelta(days=1)
        day: date | None = self.cleaned_data["day"]
        if day is None:
            raise ValidationError("Enter the date to move to")
        if not 0 < (day - today).days <= demo_days.DAYS_AT_MOST:
            raise ValidationError(f"Enter a date after today and at most {demo_days.DAYS_AT_MOST} days ahead")
        return day


@never_cache
@admin.site.admin_view
@require_http_methods(["GET", "POST"])
def demo_date(request: HttpRequest) -> HttpResponse:
    """The business date, the buttons that move it, and the road: what each job did, and where everything
    stands.
    """
    if not settings.DEMO_MODE:
        raise Http404
    form = MoveDateForm(request.POST or None)
    if form.is_valid():
        _live(request, day=form.cleaned_data["day"])
        return redirect("demo_date")
    return render(request, "admin/demo_date.html", _describe(request, form))


def _live(request: HttpRequest, *, day: date) -> None:
    """Live as many of the days as fit one page, and say how it went."""
    give_up_at = time.monotonic() + SECONDS_OF_A_PAGE
    ran = failed = 0
    try:
        while clock.today() < day and time.monotonic() < give_up_at:
            for job in demo_days.live_until(
                day=clock.today() + timedelta(days=1), wait_seconds=SECONDS_FOR_OTHERS
            ):
                ran, failed = ran + 1, failed + bool(job.error)
    except (TimetableAlreadyRunning, demo_days.UnableToMoveDate) as problem:
        messages.error(request, str(problem))
    reached = date_format(clock.today(), "l, F j, Y")
    messages.success(request, f"It is now {reached}. {ran} jobs ran.")
    if failed:
        messages.error(
            request,
            f"{failed} jobs failed. They are tried again at the next move, and every minute; the self-check each night.",
        )
    if clock.today() < day:
        messages.warning(
            request, f"Not yet {date_format(day, 'F j, Y')}: move on to live the days that are left."
        )


def _describe(request: HttpRequest, form: MoveDateForm) -> dict[str, Any]:
    times = {job.name: job.at for job in read_timetable()}
    days = (
        JobRun.objects.order_by("-business_date")
        .values_list("business_date", flat=True)
        .distinct()[:DAYS_SHOWN]
    )
    runs = sorted(
        JobRun.objects.filter(business_date__in=list(days)),
        key=lambda run: (run.business_date, times.get(run.job, clock.MIDNIGHT)),
    )
    return {
        **admin.site.each_context(request),
        "title": "Demo date",
        "form": form,
        "today": clock.today(),
        "runs": [{"run": run, "at": times.get(run.job), "did": describe_counts(run.counts)} for run in runs],
        "standings": [
            _count("Payments", Payment),
            _count("Enrollments", Enrollment),
            _count("Bank files", BankFile),
        ],
    }


def _count(title: str, model: Any) -> dict[str, Any]:
    labels = dict(model._meta.get_field("status").flatchoices)
    counted = model.objects.order_by().values_list("status").annotate(number=Count("pk"))
    return {"title": title, "counts": [(labels[status], number) for status, number in sorted(counted)]}
