"""The staff's dashboard: deadline day by the hour, whom tonight pushes, money on its way, return rates, collections, job runs."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import pushes
from connector_pay.lib import clock
from connector_pay.lib.charts import Bar, Chart
from connector_pay.lib.jobs import describe_counts
from connector_pay.lib.models import JobRun
from connector_pay.lib.money import format_dollars
from payments.ach.return_rates import HUNDREDTHS_OF_A_PERCENT, ReturnRate, read_return_rates
from payments.banking_calendar import read_calendar
from payments.staff import figures
from payments.staff.figures import Sums

COLLECTED_DAYS, JOB_DAYS = 30, 2
PUSHES_A_PAGE = 50
NOON = 12


@require_safe
@never_cache
def show_dashboard(request: HttpRequest) -> HttpResponse:
    """Each figure with its picture and its table."""
    at = clock.now()
    today = clock.business_date(moment=at)
    night = today + timedelta(days=1)
    since = today - timedelta(days=COLLECTED_DAYS - 1)
    collected = figures.sum_collected(since=since, until=today)
    due_day = figures.find_last_due_day(today=today)
    shown = {
        "title": "Dashboard",
        "today": today,
        "countdown": figures.describe_cutoff_countdown(at=at, calendar=read_calendar()),
        "pushes": pushes.find_uncovered(night=night).count(),
        "charts": [
            _draw_hours(today=today, due_day=due_day),
            _draw_days(
                "on-its-way", "Money on its way, by the day received", figures.sum_on_its_way(today=today)
            ),
            _draw_days(
                "collected",
                f"Collected in the last {COLLECTED_DAYS} days",
                figures.add_by_day(collected, since=since, until=today),
            ),
        ],
        "methods": list(figures.add_by_method(collected).items()),
        "rates": [_describe_rate(rate) for rate in read_return_rates(today=today).values()],
        "runs": _list_runs(today=today),
    }
    return _render(request, "admin/dashboard.html", shown)


@require_safe
@never_cache
def show_pushes(request: HttpRequest) -> HttpResponse:
    """Whose start of coverage tonight's review moves unless money comes, a page at a time."""
    night = clock.today() + timedelta(days=1)
    asked = request.GET.get("after", "0")
    after = int(asked) if asked.isdecimal() and len(asked) <= 18 else 0
    found = pushes.list_pushes(night=night, after=after, limit=PUSHES_A_PAGE)
    shown = {
        "title": "Starts that tonight’s review moves",
        "found": found,
        "after": after,
        "next_after": found[-1].account.pk if len(found) == PUSHES_A_PAGE else None,
    }
    return _render(request, "admin/pushes.html", shown)


def _draw_hours(*, today: date, due_day: date) -> Chart:
    now, before = figures.count_by_hour(day=today), figures.count_by_hour(day=due_day)
    bars = [
        Bar(_name_hour(hour), now[hour], f"{now[hour]:,}", before[hour], f"{before[hour]:,}")
        for hour in figures.HOURS
    ]
    then = f"{due_day:%B} {due_day.day}"
    return Chart("hours", "Payments by the hour they were made", bars, "Hour", first="Today", second=then)


def _draw_days(key: str, title: str, days: Mapping[date, Sums]) -> Chart:
    bars = [Bar(f"{day:%b} {day.day}", sums.cents, _describe_sums(sums)) for day, sums in days.items()]
    return Chart(key, title, bars, "Day", first="Amount")


def _describe_sums(sums: Sums) -> str:
    return f"{format_dollars(sums.cents)}, {sums.number:,} payment{'' if sums.number == 1 else 's'}"


def _name_hour(hour: int) -> str:
    return f"{hour % NOON or NOON} {'p.m.' if hour >= NOON else 'a.m.'}"


def _describe_rate(rate: ReturnRate) -> dict[str, Any]:
    return {"rate": rate, "limit": f"{100 * rate.limit / HUNDREDTHS_OF_A_PERCENT:g} %"}


def _list_runs(*, today: date) -> Sequence[dict[str, Any]]:
    """The last two days and today, the latest first."""
    runs = JobRun.objects.filter(business_date__gte=today - timedelta(days=JOB_DAYS))
    return [
        {"run": run, "did": "" if run.error else describe_counts(run.counts)}
        for run in runs.order_by("-business_date", "-asked_at", "-pk")
    ]


def _render(request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), **shown})
