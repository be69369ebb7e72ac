"""Starts of coverage under review, on the staff's side: where each stands, and where the rules put it."""

from django.contrib import admin

from billing.models import StartReview
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, link_to


@admin.register(StartReview)
class StartReviewAdmin(ReadOnlyAdmin):
    """A start that only staff may decide about."""

    list_display = ("id", "member", "stands_at", "rules_give", "opened_on", "decision", "decided_by")
    list_filter = (("decided_at", admin.EmptyFieldListFilter),)
    list_select_related = ("enrollment__member", "decided_by")
    fields = (
        "member",
        "enrollment_link",
        "stands_at",
        "rules_give",
        "why",
        "opened_on",
        "decision",
        "decided_by",
        "decided_at",
    )
    search_paths = {
        "member_id": "enrollment__member__member_id",
        "phone": "enrollment__member__phone",
        "name": "enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number or name"

    @admin.display(description="member")
    def member(self, review: StartReview) -> str:
        """Leads to the member."""
        return link_to(review.enrollment.member)

    @admin.display(description="enrollment")
    def enrollment_link(self, review: StartReview) -> str:
        """Leads to the enrollment."""
        return link_to(review.enrollment)
