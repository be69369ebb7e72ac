"""The bank's own lines on the staff's side: that of a debit or refund in its file, and those of a return, masked; each look is
logged.
"""

from typing import Any

import structlog
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from payments.ach.masked_lines import read_entry_line, read_return_lines
from payments.models import FileEntry, ReturnLine

log = structlog.get_logger(__name__)


@require_safe
@never_cache
def show_entry_line(request: HttpRequest, entry_id: int) -> HttpResponse:
    """The line on which a debit, a refund or a prenote went out."""
    entries = FileEntry.objects.select_related("file", "payment", "refund")
    entry = get_object_or_404(entries, pk=entry_id)
    log.info("line of a bank file shown", entry=entry.pk, by=request.user.pk)
    about = entry.payment or entry.refund
    shown = {
        "file": entry.file,
        "number": entry.line,
        "lines": [read_entry_line(entry=entry)],
        "about": about,
    }
    return _render(request, shown | {"back": reverse("admin:payments_fileentry_change", args=[entry.pk])})


@require_safe
@never_cache
def show_return_lines(request: HttpRequest, line_id: int) -> HttpResponse:
    """The lines of a return or correction as they came."""
    lines = ReturnLine.objects.select_related("file", "sealed", "entry__payment", "entry__refund")
    line = get_object_or_404(lines, pk=line_id)
    log.info("line of a bank file shown", return_line=line.pk, by=request.user.pk)
    about = (line.entry.payment or line.entry.refund) if line.entry else None
    shown = {"file": line.file, "number": line.line, "lines": read_return_lines(line=line), "about": about}
    return _render(request, shown | {"back": reverse("admin:payments_returnline_change", args=[line.pk])})


def _render(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
    about = shown["about"]
    if about is not None:
        shown["about_url"] = reverse(f"admin:payments_{about._meta.model_name}_change", args=[about.pk])
        shown["about_words"] = f"{about._meta.verbose_name.capitalize()} {about}"
    context = {
        **admin.site.each_context(request),
        "title": f"Line {shown['number']} of {shown['file']}",
        **shown,
    }
    return render(request, "admin/payments/bank_line.html", context)
