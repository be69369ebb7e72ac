"""Staff's review of the timetable: which jobs ran for which day; and, for auditors, of who looked at what."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from connector_pay.lib.jobs import describe_counts
from connector_pay.lib.models import AccessLog, JobRun
from connector_pay.lib.read_only_admin import ReadOnlyAdmin


class FailedFilter(admin.SimpleListFilter):
    """The runs that failed."""

    title = "failed"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "It failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        """Those, or all."""
        return queryset.exclude(error="") if self.value() == "yes" else queryset


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """One job for one business date, with its counts or its error."""

    list_display = ("business_date", "job", "outcome", "started_at", "finished_at")
    list_display_links = ("business_date", "job")
    list_filter = (FailedFilter, "job")
    date_hierarchy = None
    fields = ("job", "business_date", "outcome", "asked_at", "started_at", "finished_at", "counts", "error")
    search_paths = {"text": "job"}
    ordering = ("-business_date", "-pk")

    @admin.display(description="outcome")
    def outcome(self, run: JobRun) -> str:
        """Done, with its counts; failed; or waiting."""
        if run.error:
            return "Failed"
        return f"Done: {describe_counts(run.counts)}" if run.finished_at else "Waiting"


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Who saw a whole account number or took a list away, and why."""

    read_permission = "lib.read_access_log"
    list_display = ("at", "by", "what", "subject", "rows", "why")
    list_display_links = ("at",)
    list_filter = ("what", "at")
    list_select_related = ("by",)
    fields = ("at", "by", "what", "subject", "rows", "why")
    search_paths = {"text": "subject", "email": "by__email", "title": "by__username"}
    search_help_text = "Who looked, by username or email address, or at what"
