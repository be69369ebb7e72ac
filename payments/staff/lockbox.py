"""Lockbox files on the staff's side: what each did, and one imported from a page, after its totals and matches were shown."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, link_to, link_to_list, show_dollars
from connector_pay.lib.staff_pages import Done, Effect, Page, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.channels.lockbox.items import UnableToReadDeposit
from payments.channels.lockbox.posting import AlreadyImported, describe_outcome, import_file, preview_file
from payments.channels.lockbox.words import list_sentences, list_sums
from payments.models import LockboxFile, LockboxItem, LockboxReturn, ReceivedCheck
from payments.staff.lockbox_form import LockboxForm, Upload

MAY_IMPORT = "payments.import_lockbox"
REFUSALS = (UnableToReadDeposit, AlreadyImported)


@admin.register(LockboxFile)
class LockboxFileAdmin(ReadOnlyAdmin):
    """A lockbox file that was applied; its text stays sealed."""

    change_list_template = "admin/payments/lockboxfile/change_list.html"
    list_display = ("name", "deposit_on", "count", "amount", "imported_at", "imported_by")
    list_select_related = ("file", "imported_by")
    fields = (
        *("name", "deposit_on", "count", "amount", "outcome", "checks", "came_back"),
        *("imported_at", "imported_by", "bank_file"),
    )
    search_paths = {"text": "file__name"}
    search_help_text = "The file's name"
    amount = show_dollars("cents", "deposit")

    def get_urls(self) -> list[URLPattern]:
        """With the address at which one is imported."""
        address = path("import/", self.admin_site.admin_view(import_one), name="payments_lockboxfile_import")
        return [address, *super().get_urls()]

    @admin.display(description="name", ordering="file__name")
    def name(self, file: LockboxFile) -> str:
        """As the bank named it."""
        return file.file.name

    @admin.display(description="what came of it")
    def outcome(self, file: LockboxFile) -> str:
        """How many checks went where, one line each."""
        sums = list_sums(outcome=describe_outcome(file=file))
        return format_html_join("", "<div>{}</div>", ((words,) for words in sums))

    @admin.display(description="its checks")
    def checks(self, file: LockboxFile) -> str:
        """Leads to them."""
        return link_to_list(LockboxItem, "Its checks", file__id__exact=file.pk)

    @admin.display(description="its returned checks")
    def came_back(self, file: LockboxFile) -> str:
        """Leads to them."""
        return link_to_list(LockboxReturn, "Its returned checks", file__id__exact=file.pk)

    @admin.display(description="stored file")
    def bank_file(self, file: LockboxFile) -> str:
        """Leads to its bytes' record."""
        return link_to(file.file)


@admin.register(LockboxItem)
class LockboxItemAdmin(ReadOnlyAdmin):
    """A check of a lockbox file: what was written on it, and why it went where it went."""

    list_display = ("number", "check_link", "payer", "way", "why")
    list_filter = ("way",)
    ordering = ("-file", "number")
    fields = ("file_link", "number", "line", "check_link", "way", "why", "words")
    search_paths = {"text": "received_check__number", "last_four": "received_check__number"}
    search_help_text = "The check's number"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LockboxItem]:
        """With the check."""
        return super().get_queryset(request).select_related("received_check", "file__file")

    @admin.display(description="check")
    def check_link(self, item: LockboxItem) -> str:
        """Leads to the check."""
        return link_to(item.received_check)

    @admin.display(description="written by")
    def payer(self, item: LockboxItem) -> str:
        """Who wrote it."""
        return item.received_check.payer

    @admin.display(description="file")
    def file_link(self, item: LockboxItem) -> str:
        """Leads to its file."""
        return link_to(item.file)


@require_http_methods(["GET", "POST"])
@never_cache
def import_one(request: HttpRequest) -> HttpResponse:
    """Import the bank's lockbox file: its totals and matches first, then one button."""
    require(request, MAY_IMPORT)
    by, today, at = cast("User", request.user), clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> Done:
        upload = typed["upload"]
        file = import_file(name=upload.name, data=upload.data, by=by, today=today, at=at)
        return Done(f"Applied. {'. '.join(list_sums(outcome=describe_outcome(file=file)))}.", file)

    page = Page(
        title="Import a lockbox file",
        button="Apply this file",
        back=LockboxFile,
        words=[
            "Every check counts as of the day the lockbox received it. What names no account waits for you in unmatched money.",
            "A check that came back is returned as on its own page. What may be none or several of ours waits for a person.",
            "The whole file is applied, once, or nothing of it.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=REFUSALS,
        preview=lambda typed: _preview(typed["upload"]),
        form_class=LockboxForm,
        needs_preview=True,
        files=request.FILES or None,
    )


def describe_place(*, check: ReceivedCheck) -> str:
    """Where a check stands in a lockbox file, how it was matched, why it waits or waited, and which file says it came back."""
    places = []
    if item := LockboxItem.objects.filter(received_check=check).select_related("file__file").first():
        places.append((link_to(item), link_to(item.file), f"{item.get_way_display()}. {item.why}".strip()))
    if back := LockboxReturn.objects.filter(received_check=check).select_related("file__file").first():
        places.append((link_to(back), link_to(back.file), back.why))
    return format_html_join("", "<div>{} of {}: {}</div>", places) or "-"


def list_written(*, check: ReceivedCheck) -> list[tuple[str, str]]:
    """What came with a check in its envelope, and why it waits."""
    item = LockboxItem.objects.filter(received_check=check).first()
    found = [("Written on it", item.words), ("Why it waits", item.why)] if item else []
    return [(words, value) for words, value in found if value]


def _preview(upload: Upload) -> Effect:
    """What it would do, or where its faults are, or when it was applied."""
    try:
        outcome = preview_file(data=upload.data, today=clock.today())
    except AlreadyImported as refusal:
        return Effect(refusal=str(refusal), words=list_sentences(file=refusal.file))
    except UnableToReadDeposit as refusal:
        return Effect(refusal=f"Nothing can be posted of {upload.name}.", words=str(refusal).splitlines())
    day = f"The totals of {upload.name} are right. It is the deposit of {long_date(outcome.deposit_on)}."
    return Effect(words=[day, *list_sums(outcome=outcome)])
