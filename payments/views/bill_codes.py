"""Where the QR on a bill leads: that bill, or the one to pay instead, and from there into guest payment."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_network
from payments.channels.bill_code import CodedBill, UnableToFindCode, UnableToUseCode, open_bill
from payments.drafts import Contents, ensure_session, start_draft
from payments.views.journey import AMOUNT, FIND, describe_step, see_other


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, code: str) -> HttpResponse:
    """The bill of the code that was scanned; its button begins a guest's payment."""
    at = clock.now()
    today = clock.business_date(moment=at)
    try:
        found = open_bill(code=code, address=read_network(request) or "", today=today, at=at)
    except UnableToFindCode:
        return _show_none(request, status=404)
    except UnableToUseCode:
        return _show_none(request, status=410)
    if request.method == "POST" and found.can_be_paid:
        return _begin(request, found, at=at)
    context = {
        "found": found,
        "invoice": found.bill.invoice,
        "status": found.bill.describe_status(today=today),
        "today": today,
        "is_past_due": found.bill.due_date < today,
        **describe_step(FIND, is_guest=True),
    }
    return render(request, "payments/bill_code.html", context)


def _begin(request: HttpRequest, found: CodedBill, *, at: datetime) -> HttpResponse:
    """On to the amount page. Whoever holds the bill sees what is due on its account, and nobody's name."""
    number = found.current.number if found.current else found.bill.invoice.number
    contents = Contents(account_ids=(found.standing.account_id,), bill_number=number)
    draft = start_draft(user=None, session_digest=ensure_session(request), contents=contents, at=at)
    return see_other(reverse("guest_pay", args=[draft.pk, AMOUNT]))


def _show_none(request: HttpRequest, *, status: int) -> HttpResponse:
    context = {"is_too_old": status == 410, **describe_step(FIND, is_guest=True)}
    return render(request, "payments/bill_code_none.html", context, status=status)
