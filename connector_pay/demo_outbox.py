"""The demo's outbox, for staff: every email and letter that went out or waits, as its reader gets it, newest first."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.bill_pdf import draw_bills
from billing.print_batches import read_invoice_id
from connector_pay.lib import clock
from members.letters import draw_letters
from members.member_id import compact
from members.models import Channel, Member, Notice
from members.notices import write

PER_PAGE = 10


@never_cache
@admin.site.admin_view
@require_safe
def demo_outbox(request: HttpRequest) -> HttpResponse:
    """Everything that was told, or what one member was told: `?member=` takes a Member ID."""
    _require_demo()
    asked = compact(request.GET.get("member", ""))
    member = Member.objects.filter(member_id=asked).first() if asked else None
    notices = Notice.objects.select_related("member").order_by("-at", "-pk")
    if asked:
        notices = notices.filter(member=member) if member else notices.none()
    page = Paginator(notices, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": "Demo outbox",
        "asked": asked,
        "member": member,
        "page": page,
        "messages_shown": [_describe(notice) for notice in page],
    }
    return render(request, "admin/demo_outbox.html", context)


@never_cache
@admin.site.admin_view
@require_safe
def demo_letter(request: HttpRequest, notice_id: int) -> HttpResponse:
    """One letter as it is printed: on letterhead, or the bill itself."""
    _require_demo()
    letters = Notice.objects.filter(channel=Channel.LETTER, member__isnull=False).select_related("member")
    notice = get_object_or_404(letters, pk=notice_id)
    invoice_id, at = read_invoice_id(notice=notice), clock.now()
    if invoice_id is None:
        document = draw_letters(notices=[notice], at=at)
    else:
        document = draw_bills(invoice_ids=[invoice_id], today=clock.business_date(moment=at), at=at)
    return HttpResponse(document, content_type="application/pdf")


def _require_demo() -> None:
    if not settings.DEMO_MODE:
        raise Http404


def _describe(notice: Notice) -> dict[str, Any]:
    """A message as its reader gets it."""
    name = notice.member.first_name if notice.member else ""
    words = write(event=notice.event, language=notice.language, facts=notice.facts, name=name)
    is_letter = notice.channel == Channel.LETTER
    return {
        "notice": notice,
        "subject": words.subject,
        "body": words.body,
        "to": notice.member.full_name if is_letter and notice.member else notice.address,
        "pdf": reverse("demo_letter", args=[notice.pk]) if is_letter else "",
    }
