"""Bills: the list, and one bill with what was paid on it, as a page and as a PDF to keep or to mail."""

from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.accounts import list_accounts_of_member
from billing.balances import Standing, read_standing
from billing.bill_pdf import draw_bills
from billing.bills import Bill, UnableToFindBill, find_bill, list_bills, list_money
from connector_pay.lib import clock
from payments.behind_sentences import describe_each_behind
from payments.mailed_checks import Expected, describe_each_expected
from payments.views.access import require_member


@never_cache
@login_required
@require_member
def bills(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Every bill, the latest month first."""
    today = clock.today()
    found = list_bills(account_ids=list_accounts_of_member(member_pk=member_pk))
    rows = [(bill, bill.describe_status(today=today)) for bill in found]
    context = {"rows": rows, "is_owed": any(bill.remaining_cents for bill in found)}
    return render(request, "billing/bills.html", context)


@never_cache
@login_required
@require_member
def bill(request: HttpRequest, number: str, *, member_pk: int) -> HttpResponse:
    """One bill."""
    found = _find_own(number, member_pk=member_pk)
    at = clock.now()
    today = clock.business_date(moment=at)
    standing = read_standing(account_id=found.invoice.account_id, today=today)
    older_cents = _sum_older(found, standing)
    context = {
        "bill": found,
        "older_cents": older_cents,
        "due_through_this_bill_cents": older_cents + found.remaining_cents,
        "behind": describe_each_behind(standings=[standing], today=today)[standing.account_id],
        "expected": _describe_expected(standing, today=today),
        "status": found.describe_status(today=today),
        "is_past_due": found.due_date < today,
        "at": at,
        "money": list_money(invoice_id=found.invoice.pk),
    }
    return render(request, "billing/bill.html", context)


@never_cache
@login_required
@require_member
@require_safe
def bill_document(request: HttpRequest, number: str, *, member_pk: int) -> HttpResponse:
    """The bill with its coupon, as it stands now."""
    found = _find_own(number, member_pk=member_pk)
    at = clock.now()
    document = draw_bills(invoice_ids=[found.invoice.pk], today=clock.business_date(moment=at), at=at)
    headers = {"Content-Disposition": f'attachment; filename="bill-{found.invoice.number}.pdf"'}
    return HttpResponse(document, content_type="application/pdf", headers=headers)


def _find_own(number: str, *, member_pk: int) -> Bill:
    try:
        return find_bill(number=number, account_ids=list_accounts_of_member(member_pk=member_pk))
    except UnableToFindBill as error:
        raise Http404("There is no bill of yours with that number.") from error


def _describe_expected(standing: Standing, *, today: date) -> Expected | None:
    """What is said of a check on its way to this bill's account."""
    standings = {standing.account_id: standing}
    return describe_each_expected(standings=standings, today=today).get(standing.account_id)


def _sum_older(found: Bill, standing: Standing) -> int:
    """What is still to pay on the account's older bills: money lands there first."""
    months = [bill for bill in standing.open_invoices if bill.coverage_month < found.invoice.coverage_month]
    return sum(bill.remaining_cents for bill in months)
