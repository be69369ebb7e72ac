"""Print batches on the staff's side: made, watched while they are drawn, downloaded, closed; and the codes of bills, revoked."""

from typing import Any, cast

import structlog
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import print_batches
from billing.bill_links import revoke_links
from billing.models import BillLink, PrintBatch, PrintKind, PrintPart
from billing.print_batches import UnableToCloseBatch, UnableToMakeBatch
from billing.tasks import wake_printing
from connector_pay.lib import clock
from connector_pay.lib.access_log import record_access
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, ReadOnlyInline, link_to
from members.models import User

log = structlog.get_logger(__name__)
MAY_MAKE, MAY_CLOSE, MAY_REVOKE = (
    "billing.add_printbatch",
    "billing.change_printbatch",
    "billing.change_billlink",
)


class PrintPartInline(ReadOnlyInline):
    """The PDFs of a batch."""

    model = PrintPart
    verbose_name_plural = "parts"
    ordering = ("number",)
    fields = ("number", "letters", "drawn_at", "download")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrintPart]:
        """Without the documents themselves."""
        return super().get_queryset(request).defer("document").select_related("batch")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """The way to the PDFs, for those who make batches."""
        return self.fields if request.user.has_perm(MAY_MAKE) else self.fields[:-1]

    @admin.display(description="PDF")
    def download(self, part: PrintPart) -> str:
        """Leads to the PDF, once it is drawn."""
        if part.drawn_at is None:
            return "Being drawn"
        address = reverse("admin:billing_printbatch_part", args=[part.pk])
        return format_html('<a href="{}">Download part {}</a>', address, part.number)


@admin.register(PrintBatch)
class PrintBatchAdmin(ReadOnlyAdmin):
    """Letters that go to the printer together, with the buttons that make and close a batch."""

    change_list_template = "admin/billing/printbatch/change_list.html"
    change_form_template = "admin/billing/printbatch/change_form.html"
    list_display = ("id", "business_date", "kind", "letters", "progress", "made_by", "closed_at", "closed_by")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("made_by", "closed_by")
    fields = ("kind", "business_date", "letters", "progress", "made_at", "made_by", "closed_at", "closed_by")
    inlines = (PrintPartInline,)

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        return [
            path("make/<str:kind>/", wrap(make), name="billing_printbatch_make"),
            path("<int:batch_id>/close/", wrap(close), name="billing_printbatch_close"),
            path("<int:batch_id>/batch.zip", wrap(download_batch), name="billing_printbatch_download"),
            path("parts/<int:part_id>.pdf", wrap(download_part), name="billing_printbatch_part"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With how many letters of each kind wait for a batch."""
        more = {"may_make": request.user.has_perm(MAY_MAKE), "waiting": _list_waiting()}
        return super().changelist_view(request, (extra_context or {}) | more)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now."""
        batch = PrintBatch.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        more = _describe_actions(batch, request=request) if batch else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrintBatch]:
        """With how far each is drawn."""
        drawn = Sum("parts__letters", filter=Q(parts__drawn_at__isnull=False), default=0)
        return super().get_queryset(request).annotate(letters_drawn=drawn)

    @admin.display(description="drawn")
    def progress(self, batch: Any) -> str:
        """How far it is drawn."""
        return (
            f"{batch.letters_drawn:,} of {batch.letters:,} ({batch.letters_drawn * 100 // batch.letters} %)"
        )


@admin.register(BillLink)
class BillLinkAdmin(ReadOnlyAdmin):
    """The code in a bill's QR; whoever may change it revokes it."""

    change_form_template = "admin/billing/billlink/change_form.html"
    list_display = ("id", "invoice", "made_at", "expires_on", "revoked_at", "revoked_by")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("invoice", "revoked_by")
    fields = ("invoice_link", "made_at", "expires_on", "revoked_at", "revoked_by")
    search_paths = {
        "number": "invoice",
        "member_id": "invoice__account__enrollment__member__member_id",
        "name": "invoice__account__enrollment__member__last_name",
    }
    search_help_text = "Invoice number, Member ID or name"

    def get_urls(self) -> list[URLPattern]:
        """With the address that revokes."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:link_id>/revoke/", wrap(revoke), name="billing_billlink_revoke"),
            *super().get_urls(),
        ]

    @admin.display(description="invoice")
    def invoice_link(self, link: BillLink) -> str:
        """Leads to the bill."""
        return link_to(link.invoice)


@require_POST
def make(request: HttpRequest, kind: str) -> HttpResponse:
    """Gather what waits into a new batch."""
    _require(request, MAY_MAKE)
    if kind not in PrintKind.values:
        raise Http404("There is no such kind of batch.")
    at = clock.now()
    try:
        batch = print_batches.make_batch(
            kind=kind, today=clock.business_date(moment=at), at=at, by=cast(User, request.user)
        )
    except UnableToMakeBatch as refusal:
        messages.warning(request, str(refusal))
        return redirect("admin:billing_printbatch_changelist")
    wake_printing(batch=batch)
    messages.success(request, f"Batch {batch.pk} is being drawn. Load this page again to see how far it is.")
    return redirect("admin:billing_printbatch_change", batch.pk)


@require_POST
def close(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The batch is in the mail."""
    _require(request, MAY_CLOSE)
    batch = get_object_or_404(PrintBatch, pk=batch_id)
    try:
        print_batches.close_batch(batch_id=batch.pk, by=cast(User, request.user), at=clock.now())
    except UnableToCloseBatch as refusal:
        messages.error(request, str(refusal))
    else:
        log.info("print batch closed", batch=batch.pk, by=request.user.pk)
        messages.success(request, f"Closed. Its {batch.letters:,} letters count as sent.")
    return redirect("admin:billing_printbatch_change", batch.pk)


@require_safe
@never_cache
def download_part(request: HttpRequest, part_id: int) -> HttpResponse:
    """One PDF of a batch, for those who make batches; each look is written down."""
    _require(request, MAY_MAKE)
    part = get_object_or_404(PrintPart, pk=part_id, drawn_at__isnull=False)
    name = print_batches.name_part(batch_id=part.batch_id, number=part.number)
    _write_down(request, name, letters=part.letters)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(bytes(part.document), content_type="application/pdf", headers=headers)


@require_safe
@never_cache
def download_batch(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """Every PDF of a batch in one archive, for those who make batches; each look is written down."""
    _require(request, MAY_MAKE)
    batch = get_object_or_404(PrintBatch, pk=batch_id)
    if not print_batches.is_drawn(batch_id=batch.pk):
        messages.warning(request, "This batch is still being drawn.")
        return redirect("admin:billing_printbatch_change", batch.pk)
    name = f"batch-{batch.pk}.zip"
    _write_down(request, name, letters=batch.letters)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    archive = print_batches.pack_batch(batch_id=batch.pk)
    return StreamingHttpResponse(archive, content_type="application/zip", headers=headers)


@require_POST
def revoke(request: HttpRequest, link_id: int) -> HttpResponse:
    """The code opens nothing any more."""
    _require(request, MAY_REVOKE)
    link = get_object_or_404(BillLink, pk=link_id)
    by, at = cast(User, request.user), clock.now()
    if link.revoked_at is None and revoke_links(invoice_ids=[link.invoice_id], by=by, at=at):
        log.info("code of a bill revoked", invoice=link.invoice_id, by=request.user.pk)
        messages.success(request, "Revoked. The bill gets a new code when it is drawn again.")
    else:
        messages.warning(request, "This code was revoked before. Nothing was changed.")
    return redirect("admin:billing_billlink_change", link.pk)


def _list_waiting() -> list[dict[str, Any]]:
    return [
        {
            "kind": kind.value,
            "label": kind.label.lower(),
            "number": print_batches.find_waiting(kind=kind).count(),
        }
        for kind in PrintKind
    ]


def _describe_actions(batch: PrintBatch, *, request: HttpRequest) -> dict[str, Any]:
    drawn = print_batches.is_drawn(batch_id=batch.pk)
    may_download, may_close = request.user.has_perm(MAY_MAKE), request.user.has_perm(MAY_CLOSE)
    return {
        "is_drawn": drawn,
        "can_download": drawn and may_download,
        "can_close": drawn and batch.closed_at is None and may_close,
    }


def _write_down(request: HttpRequest, name: str, *, letters: int) -> None:
    """Names, addresses and codes leave the portal: who took them stands in the log of looks."""
    record_access(
        by=cast(User, request.user),
        what="Print batch",
        subject=name,
        why="for print and mail",
        rows=letters,
        at=clock.now(),
    )
    log.info("print batch downloaded", name=name, by=request.user.pk)


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied("You may not do this. Ask an administrator for the right to.")
