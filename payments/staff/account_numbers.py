"""A whole account number before the eyes of one of the staff: with a reason, and written down."""

from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.access_log import LONGEST_REASON, UnableToLook, record_access
from members.models import User
from payments.bank_accounts import open_account_number
from payments.models import BankAccount

MAY_REVEAL = "payments.reveal_account_number"
WHAT = "Account number"


@never_cache
@require_http_methods(["GET", "POST"])
def show_number(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks why, writes the look down, and shows the number on this one answer."""
    if not request.user.has_perm(MAY_REVEAL):
        raise PermissionDenied("You may not see whole account numbers.")
    account = get_object_or_404(BankAccount.objects.select_related("sealed"), pk=pk)
    number = _look(request, account) if request.method == "POST" else ""
    shown = {
        **admin.site.each_context(request),
        "title": "Whole account number",
        "account": account,
        "number": number,
        "longest_reason": LONGEST_REASON,
    }
    return render(request, "admin/payments/bankaccount/number.html", shown)


def _look(request: HttpRequest, account: BankAccount) -> str:
    try:
        record_access(
            by=cast("User", request.user),
            what=WHAT,
            subject=f"bank account {account.pk}, {account}",
            why=request.POST.get("why", ""),
            rows=1,
            at=clock.now(),
        )
    except UnableToLook as refusal:
        messages.error(request, str(refusal))
        return ""
    return open_account_number(bank_account=account)
