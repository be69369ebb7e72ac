"""Home: one card per account, health and dental apart, and the latest payments."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from billing.accounts import list_accounts_of_member
from billing.balances import read_standings
from connector_pay.lib import clock
from payments.autopay.states import read_states
from payments.behind_sentences import describe_each_behind
from payments.mailed_checks import describe_each_expected
from payments.payables import can_be_paid
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
    cards = sorted(standings.values(), key=lambda card: (card.product != "health", card.account_id))
    recent = list_payments(member_pk=member_pk, wanted=PaymentFilter())[:RECENT_PAYMENTS]
    context = {
        "cards": cards,
        "autopay": read_states(standings=standings, at=at),
        "behind": describe_each_behind(standings=cards, today=today),
        "expected": describe_each_expected(standings=standings, today=today),
        "recent": [(payment, describe_status(payment=payment, today=today)) for payment in recent],
        "today": today,
        "can_pay": any(can_be_paid(standing=card) for card in cards),
        "total_due_cents": sum(c.due_cents for c in cards),
    }
    return render(request, "payments/home.html", context)
