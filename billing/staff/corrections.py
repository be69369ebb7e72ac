"""Corrections, on the staff's side: what was asked for, by whom and why; another person approves it, having seen what it does."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from billing import corrections
from billing.corrections import UnableToCorrect
from billing.models import Adjustment, Correction, CorrectionMove, CorrectionStatus
from billing.staff import months
from billing.staff.previews import preview_asked
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to, show_dollars
from connector_pay.lib.staff_pages import LONGEST_WHY, press, read_why, require
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User

MAY_DECIDE = "billing.decide_correction"


class CorrectionMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = CorrectionMove
    fields = ("before", "after", "at", "why")


class AdjustmentInline(ReadOnlyInline):
    """What it adjusted or waived."""

    model = Adjustment
    fields = ("coverage_month", "amount", "kind", "counts_from")
    amount = show_dollars("cents", "amount")


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    """A change of money or dates that a person asked for, with the buttons that decide it."""

    list_display = ("id", "kind", "member", "what", "status", "asked_by", "asked_at", "decided_by")
    list_filter = ("status", "kind")
    list_select_related = ("account__enrollment__member", "asked_by", "decided_by")
    fields = (
        *("kind", "member", "account_link", "receipt_link", "review_link", "outage_link", "what", "why"),
        *("status", "asked_by", "asked_at", "asked_on", "takes_two", "decided_by", "decided_at"),
    )
    inlines = (CorrectionMoveInline, AdjustmentInline)
    search_paths = {
        "number": "pk",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Number of the correction, Member ID, phone number or name"

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:correction_id>/approve/", wrap(approve), name="billing_correction_approve"),
            path("<int:correction_id>/decline/", wrap(decline), name="billing_correction_decline"),
            path("<int:correction_id>/withdraw/", wrap(withdraw), name="billing_correction_withdraw"),
            *months.list_urls(wrap=wrap),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now, and what approving would do."""
        correction = Correction.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        more = describe_actions(correction, request=request) if correction else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what this kind of correction does not have."""
        has = {
            "account_link": "account_id",
            "receipt_link": "receipt_id",
            "review_link": "start_review_id",
            "outage_link": "outage_id",
        }
        return [name for name in self.fields if name not in has or getattr(obj, has[name], None)]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """What it adjusted, where it adjusted anything."""
        has_adjusted = obj is not None and obj.adjustments.exists()
        return self.inlines if has_adjusted else self.inlines[:1]

    @admin.display(description="member")
    def member(self, correction: Correction) -> str:
        """Leads to the member."""
        return link_to(correction.account.enrollment.member) if correction.account else "Everyone"

    @admin.display(description="account")
    def account_link(self, correction: Correction) -> str:
        """Leads to the account."""
        return link_to(correction.account)

    @admin.display(description="receipt")
    def receipt_link(self, correction: Correction) -> str:
        """Leads to the money."""
        return link_to(correction.receipt)

    @admin.display(description="start under review")
    def review_link(self, correction: Correction) -> str:
        """Leads to the start."""
        return link_to(correction.start_review)

    @admin.display(description="outage")
    def outage_link(self, correction: Correction) -> str:
        """Leads to the outage."""
        return link_to(correction.outage)

    @admin.display(description="what is asked for")
    def what(self, correction: Correction) -> str:
        """Its months, its money and its date, in words."""
        return describe(correction)


def describe(correction: Correction) -> str:
    """What is asked for, in words."""
    months_asked = [f"{month:%B %Y}" for month in correction.months]
    parts = [" to ".join(dict.fromkeys([*months_asked[:1], *months_asked[-1:]]))]
    if correction.is_whole:
        parts.append(f"all that is left, {format_dollars(correction.total_cents)} when asked for")
    elif correction.cents:
        put = "put on" if correction.cents > 0 else "taken off"
        parts.append(
            f"{format_dollars(abs(correction.cents))} {put} {'each month' if correction.months[1:] else ''}"
        )
    if correction.new_date:
        way = "received" if correction.receipt_id else "due"
        parts.append(f"{way} {long_date(correction.new_date)}")
    if correction.decision:
        parts.append(correction.get_decision_display())
    return ": ".join(part.strip() for part in parts if part)


def describe_actions(correction: Correction, *, request: HttpRequest) -> dict[str, Any]:
    """Which buttons this person gets, and for a correction that waits what approving it would do."""
    waits = correction.status == CorrectionStatus.ASKED
    is_own = correction.asked_by_id == request.user.pk
    more: dict[str, Any] = {
        "asked_by_you": waits and is_own,
        "can_decide": waits and not is_own and request.user.has_perm(MAY_DECIDE),
        "longest_why": LONGEST_WHY,
    }
    if waits:
        more["effect"] = preview_asked(correction=correction, today=clock.today(), at=clock.now())
    return more


@require_POST
def approve(request: HttpRequest, correction_id: int) -> HttpResponse:
    """Approve what another person asked for."""
    return _decide(request, correction_id, corrections.approve, said="Approved, and done.")


@require_POST
def decline(request: HttpRequest, correction_id: int) -> HttpResponse:
    """Decline what another person asked for."""
    said = "Declined. Nothing was changed."
    return _decide(request, correction_id, corrections.decline, said=said, why=read_why(request))


@require_POST
def withdraw(request: HttpRequest, correction_id: int) -> HttpResponse:
    """Withdraw what one asked for oneself; that takes no further right."""
    if not Correction.objects.filter(pk=correction_id, asked_by=cast(User, request.user)).exists():
        raise PermissionDenied("Only who asked for it may withdraw it.")
    said = "Withdrawn. Nothing was changed."
    act = partial(corrections.withdraw, why=read_why(request))
    return _press(request, correction_id, act, said=said)


def _decide(
    request: HttpRequest, correction_id: int, act: Callable[..., Correction], *, said: str, **more: str
) -> HttpResponse:
    require(request, MAY_DECIDE)
    return _press(request, correction_id, partial(act, **more), said=said)


def _press(
    request: HttpRequest, correction_id: int, act: Callable[..., Correction], *, said: str
) -> HttpResponse:
    get_object_or_404(Correction, pk=correction_id)
    facts = {"by": request.user, "today": clock.today(), "at": clock.now()}
    press(
        request,
        act=partial(act, correction_id=correction_id, **facts),
        refusals=(UnableToCorrect,),
        said=said,
    )
    return redirect("admin:billing_correction_change", correction_id)
