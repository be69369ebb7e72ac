"""The coverage sentence: what a payment does to coverage and to the bills, said before the payer authorizes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext_lazy as _

from billing.balances import OpenInvoice, Standing
from billing.due_dates import DueDate, find_due_date, find_start, next_month
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import EnrollmentStatus

Whose = Literal["your", "the"]


@dataclass(frozen=True)
class _Words:
    """The sentences about one's own coverage, or about someone else's."""

    starts: Promise
    part_of_first_bill: Promise
    on_time: Promise
    late: Promise
    still_to_pay: Promise
    still_past_due: Promise
    credit: Promise


_WORDS: dict[str, _Words] = {
    "your": _Words(
        starts=_("%(received)s, your coverage starts %(date)s."),
        part_of_first_bill=_(
            "This does not pay your whole first bill. Your coverage starts after %(amount)s more is received."
        ),
        on_time=_("your bill for %(month)s is paid on time."),
        late=_("your bill for %(month)s is paid. It was due %(date)s."),
        still_to_pay=_("%(amount)s of your bill for %(month)s is still to pay by %(date)s."),
        still_past_due=_("%(amount)s of your bill for %(month)s is still to pay. It was due %(date)s."),
        credit=_("%(amount)s is credit for your next bill."),
    ),
    "the": _Words(
        starts=_("%(received)s, the member's coverage starts %(date)s."),
        part_of_first_bill=_(
            "This does not pay the member's whole first bill. The coverage starts after %(amount)s more is received."
        ),
        on_time=_("the member's bill for %(month)s is paid on time."),
        late=_("the member's bill for %(month)s is paid. It was due %(date)s."),
        still_to_pay=_("%(amount)s of the member's bill for %(month)s is still to pay by %(date)s."),
        still_past_due=_(
            "%(amount)s of the member's bill for %(month)s is still to pay. It was due %(date)s."
        ),
        credit=_("%(amount)s is credit for the member's next bill."),
    ),
}
_UNSEEN = _(
    "If this is a first payment, it must cover the whole bill. %(received)s, coverage can start no earlier than %(date)s."
)
_TODAY = _("Received today")
_PAY_TODAY = _("Pay today: coverage starts %(date)s.")
_STILL_COVERED = _("You are still covered. Pay %(amount)s by %(date)s.")
_STILL_COVERED_LATE = _("You are still covered. Pay %(amount)s now. It was due %(date)s.")
_COVERAGE_OVER = _("Your coverage has ended. What you owe is for months when you were covered.")
_UNPAID_LATER = _("If it is not paid by %(due)s, your coverage starts %(after)s, not %(before)s.")
_UNPAID_COVERED = _("If it is not paid by %(due)s, it is past due and your coverage can end.")
_UNPAID_PAST_DUE = _("It was due %(due)s. If it stays unpaid, your coverage can end.")
_ON_A_DAY = _("Received %(date)s")
_IF_PAID_BY = _("%(start)s, if paid by %(due)s")
_MOVED = _("The first bill was not paid by its due date, so coverage does not start on %(date)s.")


def describe_effect(
    *,
    standing: Standing | None,
    amount_cents: int,
    received_date: date,
    today: date,
    due_date_rule: DueDate = find_due_date,
    whose: Whose = "your",
) -> str:
    """What a payment received on a day does: when coverage starts, which bills it pays and which are still to pay.

    `due_date_rule` gives the account's due date of a month, overrides included. Without a standing the payer is shown
    nothing of the account, and hears what holds for anyone.
    """
    if standing is None:
        received = _describe_received(received_date, today)
        earliest = find_start(
            requested=next_month(received_date), received=received_date, due_date=due_date_rule
        )
        return str(_UNSEEN % {"received": received, "date": long_date(earliest)})
    if waits_for_first_payment(standing=standing):
        return _describe_first_payment(standing, amount_cents, received_date, today, whose)
    return _describe_bills(standing, amount_cents, received_date, today, whose)


def waits_for_first_payment(*, standing: Standing) -> bool:
    """Whether the first bill is issued and not covered by money received."""
    waiting = standing.enrollment_status == EnrollmentStatus.WAITING
    return waiting and standing.binder is not None and not standing.binder_received


def find_start_if_paid(*, standing: Standing, received_date: date, today: date) -> date:
    """The first of the month in which coverage starts if the whole first bill is received on a day.

    An earlier month is given back, as the nightly review does, unless it has begun.
    """
    if standing.first_payment is None:
        return standing.coverage_start
    start = standing.first_payment.find_start(today=received_date)
    return max(start, standing.coverage_start) if start <= today else start


def find_missing_cents(*, standing: Standing, received_date: date, today: date) -> int:
    """What must be received on a day for coverage to start where `find_start_if_paid` says: that month's price decides."""
    if standing.first_payment is None:
        return 0
    start = find_start_if_paid(standing=standing, received_date=received_date, today=today)
    asked = standing.first_payment.find_cents(start=start, on=received_date)
    return max(asked - standing.first_payment.find_received(on=received_date), 0)


def describe_first_bill(*, standing: Standing, today: date) -> str:
    """While the first bill waits for money: when coverage starts, and by when to pay; past that day, what paying today does."""
    binder = standing.binder
    if binder is None or not waits_for_first_payment(standing=standing):
        return ""
    start = find_start_if_paid(standing=standing, received_date=today, today=today)
    if binder.due_date < today or start != standing.coverage_start:
        return str(_PAY_TODAY % {"date": long_date(start)})
    return str(_IF_PAID_BY % {"start": long_date(standing.coverage_start), "due": long_date(binder.due_date)})


def describe_moved_start(*, standing: Standing, today: date) -> str:
    """That coverage starts later than asked for, by the nightly review or by what it will find; empty where it does not."""
    if standing.enrollment_status != EnrollmentStatus.WAITING or not standing.binder:
        return ""
    start = standing.coverage_start
    if not standing.binder_received:
        start = find_start_if_paid(standing=standing, received_date=today, today=today)
    return (
        str(_MOVED % {"date": long_date(standing.requested_start)})
        if start > standing.requested_start
        else ""
    )


def describe_not_paying(*, standing: Standing, bill: OpenInvoice, paid_on: date, today: date) -> str:
    """What leaving a bill until a later day does to coverage; of a first bill past its due date, what paying today does."""
    if standing.enrollment_status == EnrollmentStatus.WAITING:
        starts = [
            find_start_if_paid(standing=standing, received_date=day, today=today) for day in (today, paid_on)
        ]
        if starts[0] == starts[1] or bill.due_date < today:
            return describe_first_bill(standing=standing, today=today)
        facts = {"due": bill.due_date, "before": starts[0], "after": starts[1]}
        return str(_UNPAID_LATER % {name: long_date(day) for name, day in facts.items()})
    words = _UNPAID_PAST_DUE if bill.due_date < today else _UNPAID_COVERED
    return str(words % {"due": long_date(bill.due_date)})


def describe_after_return(*, standing: Standing, today: date) -> str:
    """After a payment came back: what paying again today does, or that coverage goes on or is over; empty if nothing is owed."""
    if not standing.due_cents or standing.due_date is None:
        return ""
    if standing.enrollment_status == EnrollmentStatus.WAITING:
        start = find_start_if_paid(standing=standing, received_date=today, today=today)
        return str(_PAY_TODAY % {"date": long_date(start)})
    if standing.enrollment_status != EnrollmentStatus.ACTIVE:
        return str(_COVERAGE_OVER)
    words = _STILL_COVERED_LATE if standing.due_date < today else _STILL_COVERED
    return str(words % {"amount": format_dollars(standing.due_cents), "date": long_date(standing.due_date)})


def list_what_decides(*, standing: Standing, today: date) -> tuple[object, ...]:
    """All that `describe_after_return` says: accounts that are alike in it hear the same."""
    if standing.due_cents and standing.enrollment_status == EnrollmentStatus.WAITING:
        return (find_start_if_paid(standing=standing, received_date=today, today=today),)
    return (standing.enrollment_status, standing.due_cents, standing.due_date)


def _describe_first_payment(
    standing: Standing, amount_cents: int, received_date: date, today: date, whose: Whose
) -> str:
    words = _WORDS[whose]
    when = {"received_date": received_date, "today": today}
    missing = find_missing_cents(standing=standing, **when) - amount_cents
    if missing > 0:
        return str(words.part_of_first_bill % {"amount": format_dollars(missing)})
    start = find_start_if_paid(standing=standing, **when)
    return str(words.starts % {"received": _describe_received(**when), "date": long_date(start)})


def _describe_bills(
    standing: Standing, amount_cents: int, received_date: date, today: date, whose: Whose
) -> str:
    """Oldest bill first, as the money lands; the first sentence says when it is received."""
    landed = []
    for invoice in standing.open_invoices:
        missing = max(invoice.remaining_cents - amount_cents, 0)
        amount_cents = max(amount_cents - invoice.remaining_cents, 0)
        landed.append((invoice.coverage_month, invoice.due_date, missing))
    return _say_bills(tuple(landed), amount_cents, received_date, today, whose, get_language() or "en")


# A run of hundreds of thousands says the same few sentences: whoever pays a bill in full hears of its month and its day.
@lru_cache(maxsize=1_000)
def _say_bills(
    landed: tuple[tuple[date, date, int], ...],
    credit_cents: int,
    received_date: date,
    today: date,
    whose: Whose,
    _language: str,
) -> str:
    clauses = list(_list_clauses(landed, credit_cents, received_date, _WORDS[whose]))
    if not clauses:
        return ""
    first, *others = clauses
    received = _describe_received(received_date, today)
    return " ".join([f"{received}, {first}", *(clause[:1].upper() + clause[1:] for clause in others)])


def _list_clauses(
    landed: tuple[tuple[date, date, int], ...], credit_cents: int, received_date: date, words: _Words
) -> Iterator[str]:
    for month, due_date, missing in landed:
        if due_date < received_date:
            paid, unpaid = words.late, words.still_past_due
        else:
            paid, unpaid = words.on_time, words.still_to_pay
        phrase = unpaid if missing else paid
        yield str(phrase % _name_bill(month, due_date, missing))
    if credit_cents:
        yield str(words.credit % {"amount": format_dollars(credit_cents)})


def _name_bill(coverage_month: date, due_date: date, missing: int) -> dict[str, Any]:
    month = dateformat.format(coverage_month, pgettext("a month, in Django's date format", "F Y"))
    return {"month": month, "date": long_date(due_date), "amount": format_dollars(missing)}


def _describe_received(received_date: date, today: date) -> str:
    if received_date == today:
        return str(_TODAY)
    return str(_ON_A_DAY % {"date": long_date(received_date)})
