"""Month close, on the staff's side: the figures of a month that is over, and its package to take away."""

from datetime import date, timedelta
from typing import cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.models import Chart
from billing.month_close import (
    MonthClose,
    UnableToCloseMonth,
    close_month,
    draw_close,
    name_file,
    write_amount,
    write_csv,
)
from connector_pay.lib import clock
from connector_pay.lib.access_log import record_access
from members.models import User

MAY_CLOSE = "billing.close_month"


class MonthForm(forms.Form):
    """Which month."""

    month = forms.DateField(
        label="Month",
        input_formats=["%Y-%m"],
        widget=forms.DateInput(format="%Y-%m", attrs={"size": 8, "autocomplete": "off"}),
        help_text="Year and month, like 2027-01.",
        error_messages={
            "required": "Write the month like 2027-01",
            "invalid": "Write the month like 2027-01",
        },
    )


@never_cache
@require_http_methods(["GET", "POST"])
def show_close(request: HttpRequest) -> HttpResponse:
    """The figures of a month, by default the last one; each file that is taken away is written down."""
    if not request.user.has_perm(MAY_CLOSE):
        raise PermissionDenied("You may not do this. Ask an administrator for the right to.")
    today = clock.today()
    last = today.replace(day=1) - timedelta(days=1)
    form = MonthForm({"month": request.GET.get("month") or f"{last:%Y-%m}"})
    close = _close(form, today)
    if close and request.method == "POST":
        return _send(request, close, ending="pdf" if "pdf" in request.POST else "csv")
    shown = {**admin.site.each_context(request), "title": "Month close", "form": form, "close": close}
    return render(request, "admin/billing/movement/month_close.html", shown | _describe(close))


def _close(form: MonthForm, today: date) -> MonthClose | None:
    if not form.is_valid():
        return None
    try:
        return close_month(month=form.cleaned_data["month"], today=today)
    except UnableToCloseMonth as refusal:
        form.add_error("month", str(refusal))
        return None


def _describe(close: MonthClose | None) -> dict[str, object]:
    """The figures as people read them."""
    if close is None:
        return {}
    balances = [
        (Chart(row.chart).label, row.opening_cents, row.debit_cents, row.credit_cents, row.closing_cents)
        for row in close.balances
    ]
    return {
        "balances": [(name, *map(write_amount, amounts)) for name, *amounts in balances],
        "kinds": [
            (
                kind.name,
                Chart(kind.debit).label,
                Chart(kind.credit).label,
                kind.number,
                write_amount(kind.cents),
            )
            for kind in close.kinds
        ],
        "moved": write_amount(close.moved_cents),
    }


def _send(request: HttpRequest, close: MonthClose, *, ending: str) -> HttpResponse:
    at = clock.now()
    record_access(
        by=cast("User", request.user),
        what="Month close",
        subject=name_file(close=close, ending=ending),
        why=f"close of {close.month:%B %Y}",
        rows=len(close.balances) + len(close.kinds),
        at=at,
    )
    body = draw_close(close=close, at=at) if ending == "pdf" else write_csv(close=close).encode()
    kind = "application/pdf" if ending == "pdf" else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{name_file(close=close, ending=ending)}"'}
    return HttpResponse(body, content_type=kind, headers=headers)
