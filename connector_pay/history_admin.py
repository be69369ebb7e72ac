"""The history of what people edit, for staff to read: when, what, by whom, from which page, and how it stood afterwards."""

from typing import Any

from django.apps import apps
from django.contrib import admin

from connector_pay.lib.read_only_admin import ReadOnlyAdmin

OURS = "pgh_"


class HistoryAdmin(ReadOnlyAdmin):
    """Each row is one change, as the database itself kept it."""

    list_filter = ("pgh_label", "pgh_created_at")
    list_display_links = ("when",)
    ordering = ("-pgh_id",)

    @admin.display(description="when", ordering="pgh_created_at")
    def when(self, event: Any) -> Any:
        """By the database's own clock."""
        return event.pgh_created_at

    @admin.display(description="of")
    def subject(self, event: Any) -> str:
        """What was changed."""
        return str(event.pgh_obj)

    @admin.display(description="by")
    def by(self, event: Any) -> str:
        """Who of the staff; nobody, where a run, a command or the person themselves did it."""
        return str((event.pgh_context or {}).get("by", "-"))

    @admin.display(description="page")
    def page(self, event: Any) -> str:
        """From which page."""
        return str((event.pgh_context or {}).get("url", "-"))


HISTORIES = {
    "members.MemberEvent": "history of members' choices",
    "members.RoleEvent": "history of roles",
    "members.SecondStepEvent": "history of second steps",
    "members.StaffEvent": "history of the staff",
    "billing.DueDateOverrideEvent": "history of due date overrides",
    "payments.BankingDayOverrideEvent": "history of banking days",
}


def review(model: Any) -> type[HistoryAdmin]:
    """The review of one history, with the columns that it keeps."""
    fields = [field for field in model._meta.fields if not field.name.startswith(OURS) and field.name != "id"]
    subject = ("subject",) if hasattr(model, "pgh_obj") else ()
    columns = ("when", "pgh_label", *subject, "by", "page", *(field.name for field in fields))
    related = tuple(field.name for field in fields if field.is_relation) + (("pgh_obj",) if subject else ())
    return type(
        "HistoryAdmin",
        (HistoryAdmin,),
        {"list_display": columns, "fields": columns, "list_select_related": related},
    )


for _name, _words in HISTORIES.items():
    _model = apps.get_model(_name)
    _model._meta.verbose_name = _model._meta.verbose_name_plural = _words
    _model._meta.get_field("pgh_label").verbose_name = "change"
    _model._meta.get_field("pgh_created_at").verbose_name = "when"
    admin.site.register(_model, review(_model))
