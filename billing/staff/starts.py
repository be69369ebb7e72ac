"""Starts under review, on the staff's side: the list, and the page that keeps or moves one, with what either does."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import corrections
from billing.corrections import UnableToCorrect
from billing.models import StartReview
from billing.staff.accounts import list_facts
from billing.staff.correction_forms import StartForm
from billing.staff.previews import make_decision, preview_start
from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, link_to
from connector_pay.lib.staff_pages import Deed, Effect, Page, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User

MAY_DECIDE = "billing.decide_start"


class DecidedFilter(admin.SimpleListFilter):
    """Those that wait, or those that were decided."""

    title = "decision"
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two."""
        return [("no", "Waits for a decision"), ("yes", "Decided")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StartReview]) -> QuerySet[StartReview]:
        """The reviews of the choice."""
        if self.value() in ("yes", "no"):
            return queryset.filter(decided_at__isnull=self.value() == "no")
        return queryset


@admin.register(StartReview)
class StartReviewAdmin(ReadOnlyAdmin):
    """A start of coverage that waits for staff, or was decided by them."""

    change_form_template = "admin/deeds.html"
    list_display = ("id", "member", "plan", "stands_at", "rules_give", "why", "opened_on", "decision")
    list_filter = (DecidedFilter,)
    list_select_related = ("enrollment__member", "enrollment__plan", "enrollment__account")
    fields = (
        *("member", "account_link", "stands_at", "rules_give", "why", "opened_on"),
        *("decision", "decided_by", "decided_at", "reason"),
    )
    search_paths = {
        "member_id": "enrollment__member__member_id",
        "phone": "enrollment__member__phone",
        "name": "enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number or name"

    def get_urls(self) -> list[URLPattern]:
        """With the page that decides one."""
        wrap = self.admin_site.admin_view
        own = path("<int:review_id>/decide/", wrap(decide), name="billing_startreview_decide")
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the way to decide it, while it waits."""
        review = StartReview.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        may = review is not None and review.decided_at is None and request.user.has_perm(MAY_DECIDE)
        url = reverse("admin:billing_startreview_decide", args=[object_id]) if may else ""
        deeds = [Deed("Decide where coverage starts", url)] if may else []
        return super().change_view(request, object_id, form_url, (extra_context or {}) | {"deeds": deeds})

    @admin.display(description="member")
    def member(self, review: StartReview) -> str:
        """Leads to the member."""
        return link_to(review.enrollment.member)

    @admin.display(description="plan")
    def plan(self, review: StartReview) -> str:
        """Its plan's name."""
        return review.enrollment.plan.name

    @admin.display(description="account")
    def account_link(self, review: StartReview) -> str:
        """Leads to the billing account."""
        return link_to(review.enrollment.account)

    @admin.display(description="reason of the decision")
    def reason(self, review: StartReview) -> str:
        """Leads to who decided it, and why."""
        return link_to(review.corrections.order_by("pk").last())


@require_http_methods(["GET", "POST"])
@never_cache
def decide(request: HttpRequest, review_id: int) -> HttpResponse:
    """Keep a start where it stands, or move it where the rules put it."""
    require(request, MAY_DECIDE)
    people = ("enrollment__member", "enrollment__plan", "enrollment__account")
    review = get_object_or_404(StartReview.objects.select_related(*people), pk=review_id)
    by, today, at = cast("User", request.user), clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> str:
        new, why, key = (
            make_decision(review=review, decision=typed["decision"]),
            typed["why"],
            typed["form_key"],
        )
        corrections.ask(new=new, why=why, form_key=key, by=by, today=today, at=at)
        return "Decided. Nobody is asked about this start again."

    def preview(_typed: Mapping[str, Any]) -> Effect:
        return preview_start(review=review, by=by, today=today, at=at)

    page = Page(
        title="Decide where coverage starts",
        button="Decide this start",
        back=review,
        facts=[
            *list_facts(review.enrollment.account),
            ("By the rules it starts", long_date(review.rules_give)),
            ("Why you are asked", review.why),
            ("Asked since", long_date(review.opened_on)),
        ],
    )
    return show_act(
        request, page, act=act, refusals=(UnableToCorrect,), preview=preview, form_class=StartForm
    )
