"""Bills: the list, and one bill with what was paid on it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from billing.accounts import list_accounts_of_member
from billing.bills import UnableToFindBill, find_bill, list_bills, list_money
from connector_pay.lib import clock
from payments.views.access import require_member


@never_cache
@login_required
@require_member
def bills(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Every bill, the latest month first."""
    today = clock.today()
    found = list_bills(account_ids=list_accounts_of_member(member_pk=member_pk))
    rows = [(bill, bill.describe_status(today=today)) for bill in found]
    return render(request, "billing/bills.html", {"rows": rows})


@never_cache
@login_required
@require_member
def bill(request: HttpRequest, number: str, *, member_pk: int) -> HttpResponse:
    """One bill."""
    try:
        found = find_bill(number=number, account_ids=list_accounts_of_member(member_pk=member_pk))
    except UnableToFindBill as error:
        raise Http404("There is no bill of yours with that number.") from error
    today = clock.today()
    context = {
        "bill": found,
        "status": found.describe_status(today=today),
        "is_past_due": found.due_date < today,
        "money": list_money(invoice_id=found.invoice.pk),
    }
    return render(request, "billing/bill.html", context)
