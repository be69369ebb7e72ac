"""Staff's review of members, enrollments and notices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to, show_dollars
from members import member_id
from members.models import (
    Carrier,
    Enrollment,
    EnrollmentMove,
    IntakeEvent,
    Member,
    MemberChoice,
    Notice,
    Plan,
    PremiumRate,
    StartMove,
)
from members.notices import KINDS


class EnrollmentInline(ReadOnlyInline):
    """A member's enrollments."""

    model = Enrollment
    fields = ("review", "status", "requested_start", "coverage_start", "ends_on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        """With their plans."""
        return super().get_queryset(request).select_related("plan")

    @admin.display(description="enrollment")
    def review(self, enrollment: Enrollment) -> str:
        """Leads to the enrollment."""
        return link_to(enrollment)


@admin.display(description="notice", ordering="event")
def name_notice(notice: Notice) -> str:
    """Its subject line, which is what the member saw of it first."""
    kind = KINDS.get(notice.event)
    return kind.subjects["en"] if kind else notice.event


@admin.display(description="about", ordering="subject")
def name_subject(notice: Notice) -> str:
    """What it is about: "payment:12" is payment 12."""
    return notice.subject.replace(":", " ").capitalize()


class NoticeInline(ReadOnlyInline):
    """What a member was told."""

    model = Notice
    fields = ("notice", "about", "channel", "business_date", "sent_at")

    @admin.display(description="notice")
    def notice(self, notice: Notice) -> str:
        """In words."""
        return name_notice(notice)

    @admin.display(description="about")
    def about(self, notice: Notice) -> str:
        """In words."""
        return name_subject(notice)


class ChoiceInline(ReadOnlyInline):
    """What a member chose here, and what they agreed to."""

    model = MemberChoice
    fields = ("what", "before", "after", "at", "by", "address", "browser", "language", "text_version", "text")
    verbose_name_plural = "choices of the member"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemberChoice]:
        """With who chose."""
        return super().get_queryset(request).select_related("by")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """A household's primary subscriber."""

    list_display = ("number", "full_name", "phone", "email", "city", "language")
    fields = (
        "overview",
        "number",
        "first_name",
        "last_name",
        "date_of_birth",
        "email",
        "phone",
        "language",
        "street",
        "city",
        "state",
        "zip_code",
        "paperless_bills",
        "paperless_notices",
    )
    inlines = (EnrollmentInline, ChoiceInline, NoticeInline)
    search_paths = {"member_id": "member_id", "phone": "phone", "name": "last_name", "email": "email"}
    search_help_text = "Member ID, phone number, name or email address"

    @admin.display(description="at a glance")
    def overview(self, member: Member) -> str:
        """Leads to the member's accounts and what they owe."""
        address = reverse("admin:member_overview", args=[member.pk])
        return format_html('<a href="{}">Accounts, bank accounts and notices</a>', address)

    @admin.display(description="Member ID", ordering="member_id")
    def number(self, member: Member) -> str:
        """In groups, as on the card."""
        return member_id.format(member.member_id)


class EnrollmentMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = EnrollmentMove
    fields = ("before", "after", "at", "why")


class StartMoveInline(ReadOnlyInline):
    """How the day coverage starts changed."""

    model = StartMove
    fields = ("start_before", "start_after", "business_date", "why", "run")


class PremiumRateInline(ReadOnlyInline):
    """What a month costs, from when on."""

    model = PremiumRate
    fields = ("from_month", "premium", "subsidy", "recorded_at")
    premium = show_dollars("premium_cents", "premium")
    subsidy = show_dollars("subsidy_cents", "subsidy")


class IntakeEventInline(ReadOnlyInline):
    """What the exchange sent about it."""

    model = IntakeEvent
    fields = ("event_id", "kind", "applied_at")


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnlyAdmin):
    """One member in one plan."""

    list_display = ("external_id", "person", "plan", "status", "coverage_start", "requested_start")
    list_filter = ("status", "plan__product", "subsidized")
    list_select_related = ("member", "plan")
    fields = (
        "external_id",
        "person",
        "account_link",
        "plan",
        "status",
        "requested_start",
        "coverage_start",
        "window_ends",
        "binder_due_date",
        "ends_on",
        "subsidized",
        "enrolled_at",
    )
    inlines = (StartMoveInline, EnrollmentMoveInline, PremiumRateInline, IntakeEventInline)
    search_paths = {
        "member_id": "member__member_id",
        "phone": "member__phone",
        "name": "member__last_name",
        "text": "external_id",
    }
    search_help_text = "Member ID, phone number, name or enrollment ID"

    @admin.display(description="member")
    def person(self, enrollment: Enrollment) -> str:
        """Leads to the member."""
        return link_to(enrollment.member)

    @admin.display(description="account")
    def account_link(self, enrollment: Any) -> str:
        """Leads to what it owes and has paid."""
        return link_to(getattr(enrollment, "account", None))


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What we told whom, and whether it has gone out: the outbox."""

    list_display = (
        "business_date",
        name_notice,
        name_subject,
        "channel",
        "member",
        "address",
        "language",
        "sent_at",
        "failed_tries",
        "next_try_at",
    )
    list_display_links = ("business_date", name_notice)
    list_filter = (
        "channel",
        "event",
        ("sent_at", admin.EmptyFieldListFilter),
        ("next_try_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("member",)
    fields = (
        "event",
        "subject",
        "channel",
        "person",
        "address",
        "language",
        "facts",
        "business_date",
        "at",
        "sent_at",
        "failed_tries",
        "next_try_at",
    )
    search_paths = {
        "member_id": "member__member_id",
        "phone": "member__phone",
        "name": "member__last_name",
        "text": "subject",
        "email": "address",
    }
    search_help_text = "Member ID, phone number, name, email address, or a subject such as payment:12"

    @admin.display(description="member")
    def person(self, notice: Notice) -> str:
        """Leads to the member."""
        return link_to(notice.member)


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """A plan, and where checks for it are mailed."""

    list_display = ("code", "name", "carrier", "product")
    list_filter = ("product", "carrier")
    list_select_related = ("carrier",)
    fields = ("code", "carrier", "name", "product", "remittance_name", "remittance_address")
    search_paths = {"text": "code", "title": "name"}


@admin.register(Carrier)
class CarrierAdmin(ReadOnlyAdmin):
    """An insurance company."""

    list_display = ("code", "name")
    fields = ("code", "name")
    search_paths = {"text": "code", "title": "name"}
