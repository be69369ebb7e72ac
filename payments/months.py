"""The months in a small picture: what is paid, due and covered, which month was moved, and what a payment would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing.balances import OpenInvoice, Standing
from billing.due_dates import first_of_month, next_month
from members.models import EnrollmentStatus
from payments.coverage_sentences import find_missing_cents, find_start_if_paid, waits_for_first_payment

MOST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """How a month is drawn: the look decides the icon and the color, the words say the same."""

    look: str
    words: str | Promise


COVERED = Mark("good", pgettext_lazy("of a month", "Covered"))
PAID = Mark("good", pgettext_lazy("of a month", "Paid"))
PROCESSING = Mark("waiting", pgettext_lazy("of a month", "Processing"))
DUE = Mark("due", pgettext_lazy("of a month", "Due"))
PAST_DUE = Mark("bad", pgettext_lazy("of a month", "Past due"))
MOVED = Mark("off", pgettext_lazy("of a month", "Not covered"))
THIS_PAYMENT = Mark("waiting", pgettext_lazy("of a month", "This pays it"))
PART = Mark("due", pgettext_lazy("of a month", "This pays a part"))


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the picture; `starts` where coverage is still to start with it."""

    month: date
    mark: Mark
    starts: bool


@dataclass(frozen=True, slots=True)
class Paying:
    """A payment that is about to be made."""

    cents: int
    received_date: date


def list_months(*, standing: Standing, today: date, paying: Paying | None = None) -> list[Month]:
    """The account's last months, as they stand or as a payment would leave them; the oldest first, six at most."""
    start = _find_start(standing, today=today, paying=paying)
    marks = {bill.coverage_month: _mark_bill(bill, standing, today=today) for bill in standing.invoices}
    if start is not None:
        marks |= {start: DUE} if waits_for_first_payment(standing=standing) and start not in marks else {}
        marks |= dict.fromkeys(_list_moved(standing.requested_start, start), MOVED)
    if paying:
        marks |= _mark_paid(standing, paying, start=start, today=today)
    shown = sorted(marks)[-MOST_MONTHS:]
    return [Month(month, marks[month], starts=today < month == start) for month in shown]


def _find_start(standing: Standing, *, today: date, paying: Paying | None) -> date | None:
    """The month in which coverage starts or started; while money is awaited, if it is received when it is paid, or today."""
    if standing.enrollment_status == EnrollmentStatus.EXPIRED:
        return None
    if not waits_for_first_payment(standing=standing):
        return standing.coverage_start
    received = paying.received_date if paying else today
    return find_start_if_paid(standing=standing, received_date=received, today=today)


def _list_moved(requested: date, start: date) -> Iterator[date]:
    month = first_of_month(requested)
    while month < start:
        yield month
        month = next_month(month)


def _mark_bill(bill: OpenInvoice, standing: Standing, *, today: date) -> Mark:
    if bill.remaining_cents:
        return PAST_DUE if bill.due_date < today else DUE
    if bill.cleared_cents < bill.amount_cents:
        return PROCESSING
    is_covered = standing.enrollment_status in (EnrollmentStatus.ACTIVE, EnrollmentStatus.ENDED)
    return COVERED if is_covered and bill.coverage_month <= today else PAID


def _mark_paid(standing: Standing, paying: Paying, *, start: date | None, today: date) -> dict[date, Mark]:
    """The months that the money reaches: of a first payment all or none, else the oldest first."""
    bills = standing.open_invoices
    if start is not None and waits_for_first_payment(standing=standing):
        when = {"received_date": paying.received_date, "today": today}
        missing = find_missing_cents(standing=standing, **when)
        mark = THIS_PAYMENT if paying.cents >= missing else PART
        return {max(bill.coverage_month, start): mark for bill in bills if bill.is_binder}
    marks, left = {}, paying.cents
    for bill in bills:
        if left > 0:
            marks[bill.coverage_month] = THIS_PAYMENT if left >= bill.remaining_cents else PART
        left -= bill.remaining_cents
    return marks
