"""Home: one card per account, health and dental apart, the latest payments, and the dates to come as a calendar file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.accounts import list_accounts_of_member
from billing.balances import Standing, read_standings
from connector_pay.lib import clock
from payments.autopay.states import read_states
from payments.behind_sentences import describe_each_behind
from payments.calendar_file import read_entries, write_calendar
from payments.mailed_checks import describe_each_expected
from payments.payables import can_be_paid
from payments.paying_again import list_returned
from payments.receipts import PaymentFilter, list_payments
from payments.statements import describe_status
from payments.views.access import require_member

RECENT_PAYMENTS = 5


@never_cache
@login_required
@require_member
def home(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """What is due, by when, what it does to coverage, and the button."""
    at = clock.now()
    today = clock.business_date(moment=at)
    standings = read_standings(account_ids=list_accounts_of_member(member_pk=member_pk), today=today)
    cards = sorted(standings.values(), key=_find_place)
    recent = list_payments(member_pk=member_pk, wanted=PaymentFilter())[:RECENT_PAYMENTS]
    context = {
        "cards": cards,
        "autopay": read_states(standings=standings, at=at),
        "behind": describe_each_behind(standings=cards, today=today),
        "returned": list_returned(standings=standings),
        "expected": describe_each_expected(standings=standings, today=today),
        "recent": [(payment, describe_status(payment=payment, today=today)) for payment in recent],
        "today": today,
        "at": at,
        "can_pay": any(can_be_paid(standing=card) for card in cards),
        "total_due_cents": sum(c.due_cents for c in cards),
    }
    return render(request, "payments/home.html", context)


@never_cache
@login_required
@require_member
@require_safe
def calendar(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """The coming due dates and AutoPay days, for the member's own calendar."""
    at = clock.now()
    today = clock.business_date(moment=at)
    standings = read_standings(account_ids=list_accounts_of_member(member_pk=member_pk), today=today)
    entries = read_entries(states=read_states(standings=standings, at=at), today=today)
    headers = {"Content-Disposition": 'attachment; filename="premium-dates.ics"'}
    file = write_calendar(entries=entries, whose=member_pk, at=at)
    return HttpResponse(file, content_type="text/calendar; charset=utf-8", headers=headers)


def _find_place(card: Standing) -> tuple[bool, bool, int]:
    """Health before dental; of each, what is owed before what is not."""
    return card.product != "health", not card.due_cents, card.account_id
