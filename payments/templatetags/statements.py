"""The public words for what is due, for a first bill, and for where coverage stands."""

from collections.abc import Mapping
from datetime import date, datetime

from django import template

from billing.balances import Standing
from payments.autopay.states import State
from payments.coverage_sentences import describe_first_bill, describe_moved_start
from payments.months import Month, Paying, list_months
from payments.review import ReviewItem
from payments.statements import describe_coverage, describe_due
from payments.time_left import TimeLeft, find_next_due_date, find_time_left

register = template.Library()


@register.filter
def coverage_words(standing: Standing, today: date) -> str:
    """Waiting for first payment; First payment received, starts ...; Active; Ended."""
    return describe_coverage(standing=standing, today=today)


@register.filter
def due_lines(standing: Standing, today: date) -> list[str]:
    """By when each part of what is owed is due, or was."""
    return describe_due(standing=standing, today=today)


@register.filter
def first_bill_words(standing: Standing, today: date) -> str:
    """When coverage starts and by when to pay for it, or what paying today does; empty once the first bill is paid."""
    return describe_first_bill(standing=standing, today=today)


@register.filter
def moved_start_words(standing: Standing, today: date) -> str:
    """That coverage starts later than asked for; empty where it does not."""
    return describe_moved_start(standing=standing, today=today)


@register.filter
def months(standing: Standing, today: date) -> list[Month]:
    """The months in a small picture, as they stand."""
    return list_months(standing=standing, today=today)


@register.filter
def months_if_paid(item: ReviewItem, today: date) -> list[Month]:
    """The same as the payment under review would leave them."""
    paying = Paying(item.amount_cents, item.received_date)
    return list_months(standing=item.payable.standing, today=today, paying=paying)


@register.filter
def next_due_date(standing: Standing, today: date) -> date | None:
    """The first due date of an open bill that has not passed."""
    return find_next_due_date(standing=standing, today=today)


@register.filter
def time_left(due_date: date | None, at: datetime) -> TimeLeft | None:
    """How long there still is to pay by a due date, in its last days."""
    return find_time_left(due_date=due_date, at=at)


@register.filter
def of_account(states: Mapping[int, State], account_id: int) -> State | None:
    """AutoPay of this account."""
    return states.get(account_id)


@register.filter
def behind_words(standing: Standing, sentences: Mapping[int, str]) -> str:
    """What an account that is behind is told, of the sentences by account; empty where it is not."""
    return sentences.get(standing.account_id, "")
