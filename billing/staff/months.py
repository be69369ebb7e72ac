"""More time for everyone: staff move a month's due date, or record an outage that hit one; another person approves it."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import corrections, outages
from billing.corrections import UnableToCorrect
from billing.due_dates import first_of_month, next_month
from billing.extensions import find_reach
from billing.models import Correction, Outage
from billing.outages import UnableToRecordOutage
from billing.staff.correction_forms import DueDateForm, OutageForm
from billing.staff.previews import list_reach, preview_correction
from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, link_to
from connector_pay.lib.staff_pages import Done, Effect, Page, require, show_act
from members.models import User

MAY_MOVE, MAY_RECORD = "billing.move_month_due_date", "billing.record_outage"
NOBODY_CONCERNED = "No due date fell into this outage. It is only listed."


def list_urls(*, wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of what is asked for everyone."""
    return [
        path("month/", wrap(move_month), name="billing_correction_month"),
        path("outage/", wrap(record_outage), name="billing_correction_outage"),
    ]


@admin.register(Outage)
class OutageAdmin(ReadOnlyAdmin):
    """A time in which people could not pay."""

    list_display = ("id", "what", "began_at", "ended_at", "recorded_by")
    list_select_related = ("recorded_by",)
    fields = (
        *("began_at", "ended_at", "what", "public_words"),
        *("more_time", "recorded_by", "recorded_at"),
    )

    @admin.display(description="more time")
    def more_time(self, outage: Outage) -> SafeString | str:
        """Leads to what was asked for because of it."""
        asked = [(link_to(item), item.get_status_display()) for item in outage.corrections.order_by("pk")]
        return format_html_join("; ", "{} ({})", asked) or "No due date fell into it."


@require_http_methods(["GET", "POST"])
@never_cache
def move_month(request: HttpRequest) -> HttpResponse:
    """Ask that a month is due later, for everyone."""
    require(request, MAY_MOVE)
    by, today, at = cast("User", request.user), clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> Done:
        new, why, key = DueDateForm.read(typed, account_id=None), typed["why"], typed["form_key"]
        asked = corrections.ask(new=new, why=why, form_key=key, by=by, today=today, at=at)
        return Done("Asked for. Another person must approve it.", asked)

    def preview(typed: Mapping[str, Any]) -> Effect:
        new = DueDateForm.read(typed, account_id=None)
        return preview_correction(new=new, by=by, today=today, at=at)

    page = Page(
        title="Move a month’s due date for everyone",
        button="Ask for this due date",
        back=Correction,
        words=[
            "Everybody has until the new day to pay for the month, but those with a date of their own.",
            "Starts of coverage that were pushed past the month are looked at again in the night after it is approved.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=(UnableToCorrect,),
        preview=preview,
        form_class=DueDateForm,
        needs_preview=True,
        months=[next_month(first_of_month(today), count=count) for count in range(2, -3, -1)],
    )


@require_http_methods(["GET", "POST"])
@never_cache
def record_outage(request: HttpRequest) -> HttpResponse:
    """Write an outage down, and ask for more time where it hit a due date."""
    require(request, MAY_RECORD)
    by, today, at = cast("User", request.user), clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> Done:
        outage = outages.record_outage(**typed, by=by, today=today, at=at)
        said = "Recorded. Another person must approve the later due date."
        return Done(said if outage.corrections.exists() else "Recorded.", outage)

    def preview(typed: Mapping[str, Any]) -> Effect:
        try:
            moved = outages.read_moved(began_at=typed["began_at"], ended_at=typed["ended_at"])
        except UnableToRecordOutage as refusal:
            return Effect(refusal=str(refusal))
        tables = [
            list_reach(month=month, reach=find_reach(month=month), new_date=day)
            for month, day in moved.items()
        ]
        return Effect(tables=tables, words=[] if tables else [NOBODY_CONCERNED])

    page = Page(
        title="Record an outage",
        button="Record this outage",
        back=Outage,
        words=[
            "Where people could not pay on a due date, everybody gets the whole day after the outage.",
            "Another person approves the later due date. From then on the front page shows the public words.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=(UnableToRecordOutage,),
        preview=preview,
        form_class=OutageForm,
        needs_preview=True,
    )
