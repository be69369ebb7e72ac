"""Coverage to be ended, on the staff's side: one person confirms the list or keeps the coverage, and handles reinstatements.

The buttons call billing.terminations and billing.reinstatement, which say in words why something cannot be done.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import reinstatement, terminations
from billing.balances import read_standing
from billing.models import Episode, EpisodeMove, EpisodeStatus
from billing.reinstatement import UnableToReinstate
from billing.terminations import LOOK_AGAIN, UnableToEndCoverage
from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to, link_to_list
from connector_pay.lib.staff_pages import LONGEST_WHY, press, read_why, render_page, require
from connector_pay.lib.templatetags.exchange import long_date
from members.models import Notice, User

MAY_DECIDE = "billing.change_episode"
CENTS = re.compile(r"[0-9]{1,18}")
TICK = re.compile(r"(?P<episode>[0-9]{1,18}):(?P<cents>[0-9]{1,18})")


class EpisodeMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = EpisodeMove
    fields = ("before", "after", "at", "why")


@admin.register(Episode)
class EpisodeAdmin(ReadOnlyAdmin):
    """One time of falling behind, with the buttons that decide what becomes of it."""

    list_display = ("id", "member", "plan", "oldest_month", "kind", "status", "last_day_to_pay", "ended_on")
    list_filter = ("status", "kind")
    list_select_related = ("account__enrollment__member", "account__enrollment__plan")
    fields = (
        "member",
        "account_link",
        "oldest_month",
        "kind",
        "status",
        "found_on",
        "notice_days",
        "last_day_to_pay",
        "would_end_on",
        "ended_on",
        "planned_end",
        "decided_by",
        "decided_on",
        "notices",
    )
    inlines = (EpisodeMoveInline,)
    search_paths = {
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number or name"

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        return [
            path("terminations/", wrap(show_terminations), name="billing_episode_terminations"),
            path("terminations/confirm/", wrap(confirm), name="billing_episode_confirm"),
            path("<int:episode_id>/end/", wrap(end), name="billing_episode_end"),
            path("<int:episode_id>/keep/", wrap(keep), name="billing_episode_keep"),
            path("<int:episode_id>/ask/", wrap(ask), name="billing_episode_ask"),
            path("<int:episode_id>/approve/", wrap(approve), name="billing_episode_approve"),
            path("<int:episode_id>/decline/", wrap(decline), name="billing_episode_decline"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now."""
        episode = Episode.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        more = describe_actions(episode, request=request) if episode else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="member")
    def member(self, episode: Episode) -> str:
        """Leads to the member."""
        return link_to(episode.account.enrollment.member)

    @admin.display(description="plan")
    def plan(self, episode: Episode) -> str:
        """Its plan's name."""
        return episode.account.enrollment.plan.name

    @admin.display(description="account")
    def account_link(self, episode: Episode) -> str:
        """Leads to the billing account."""
        return link_to(episode.account)

    @admin.display(description="notices on")
    def notice_days(self, episode: Episode) -> str:
        """The days of its notices."""
        return "; ".join(long_date(day) for day in episode.ladder.notice_dates)

    @admin.display(description="last day to pay")
    def last_day_to_pay(self, episode: Episode) -> str:
        """By then all that the latest notice asks for must be received."""
        return long_date(episode.ladder.last_day_to_pay)

    @admin.display(description="ends otherwise with")
    def would_end_on(self, episode: Episode) -> str:
        """The last day of coverage by the ladder, where it has one."""
        ends_on = episode.ladder.ends_on
        return long_date(ends_on) if ends_on else "a day that staff choose"

    @admin.display(description="notices")
    def notices(self, episode: Episode) -> str:
        """Leads to what was told about it."""
        return link_to_list(Notice, "Notices about this", subject__startswith=f"episode:{episode.pk}:")


def describe_actions(episode: Episode, *, request: HttpRequest) -> dict[str, Any]:
    """Which buttons this person gets, and how the account stands."""
    may_decide, today = request.user.has_perm(MAY_DECIDE), clock.today()
    last_day = reinstatement.find_last_day_to_ask(episode=episode)
    ended = episode.status == EpisodeStatus.ENDED
    return {
        "standing": read_standing(account_id=episode.account_id, today=today),
        "can_end": may_decide and episode.status == EpisodeStatus.LISTED,
        "staff_choose": episode.ladder.ends_on is None,
        "can_ask": may_decide and ended and last_day is not None and today <= last_day,
        "ask_by": last_day if ended else None,
        "can_reinstate": may_decide and episode.status == EpisodeStatus.ASKED,
        "longest_reason": LONGEST_WHY,
    }


@require_safe
@never_cache
def show_terminations(request: HttpRequest) -> HttpResponse:
    """Coverage to be ended: each with what is owed and the last day of coverage; tick, and confirm."""
    return render_page(
        request,
        "admin/billing/episode/terminations.html",
        title="Coverage to be ended",
        back=Episode,
        terminations=terminations.list_terminations(today=clock.today()),
        may_confirm=request.user.has_perm(MAY_DECIDE),
    )


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """End the coverage of those that were ticked."""
    require(request, MAY_DECIDE)
    shown = _read_ticks(request)
    if not shown:
        messages.error(request, "Tick the coverage to be ended. Nothing was changed.")
        return redirect("admin:billing_episode_terminations")
    by, today, at = cast("User", request.user), clock.today(), clock.now()
    try:
        ended = terminations.confirm_terminations(
            episode_ids=shown, by=by, today=today, at=at, shown_cents=shown
        )
    except UnableToEndCoverage as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Ended: {len(ended)}. The members are told.")
        if left := terminations.find_still_listed(episode_ids=shown):
            messages.warning(request, f"Not ended: {len(left)}. {LOOK_AGAIN}")
    return redirect("admin:billing_episode_terminations")


@require_POST
def end(request: HttpRequest, episode_id: int) -> HttpResponse:
    """End one coverage, on the day that staff choose where the ladder names none."""
    typed = request.POST.get("ends_on", "")
    try:
        ends_on = date.fromisoformat(typed) if typed else None
    except ValueError:
        messages.error(request, "Enter the last day of coverage like 2026-01-31. Nothing was changed.")
        return redirect("admin:billing_episode_change", episode_id)
    return _decide(
        request,
        episode_id,
        terminations.end_coverage,
        said="Ended. The member is told.",
        ends_on=ends_on,
        shown_cents=_read_shown_cents(request),
    )


@require_POST
def keep(request: HttpRequest, episode_id: int) -> HttpResponse:
    """Take one coverage off the list."""
    return _decide(
        request,
        episode_id,
        terminations.keep_coverage,
        said="Kept. It is off the list.",
        why=read_why(request),
    )


@require_POST
def ask(request: HttpRequest, episode_id: int) -> HttpResponse:
    """Write down that the member asks for the coverage back."""
    said = "Written down. The months are billed again; approve it once they are paid."
    return _decide(request, episode_id, reinstatement.ask_reinstatement, said=said)


@require_POST
def approve(request: HttpRequest, episode_id: int) -> HttpResponse:
    """Approve a reinstatement."""
    return _decide(
        request, episode_id, reinstatement.approve_reinstatement, said="Reinstated. The member is told."
    )


@require_POST
def decline(request: HttpRequest, episode_id: int) -> HttpResponse:
    """Decline a reinstatement."""
    said = "Declined. Coverage stays ended, and the months billed again are void."
    return _decide(request, episode_id, reinstatement.decline_reinstatement, said=said, why=read_why(request))


def _decide(
    request: HttpRequest, episode_id: int, act: Callable[..., object], *, said: str, **more: object
) -> HttpResponse:
    require(request, MAY_DECIDE)
    get_object_or_404(Episode, pk=episode_id)
    facts = {"by": request.user, "today": clock.today(), "at": clock.now()}
    press(
        request,
        act=partial(act, episode_id=episode_id, **facts, **more),
        refusals=(UnableToEndCoverage, UnableToReinstate),
        said=said,
    )
    return redirect("admin:billing_episode_change", episode_id)


def _read_shown_cents(request: HttpRequest) -> int:
    """The cents past due that the page showed; none were, where it is not said."""
    typed = request.POST.get("shown_cents", "")
    return int(typed) if CENTS.fullmatch(typed) else 0


def _read_ticks(request: HttpRequest) -> dict[int, int]:
    """By episode, the cents past due that were shown beside its tick."""
    ticks = filter(None, map(TICK.fullmatch, request.POST.getlist("episode")))
    return {int(tick["episode"]): int(tick["cents"]) for tick in ticks}
