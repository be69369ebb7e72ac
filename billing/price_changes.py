"""Price changes of months that were billed: a decrease is given back at once, an increase waits for the next bill.

What a month comes to by its rate and adjustments, less what its bills have charged, is found anew each time: nothing says
what was done before, so asking twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from billing.binders import BinderOf, read_binders, read_first_payments
from billing.models import Account, Invoice, InvoiceLine
from billing.premiums import CHANGE, Line, Terms
from billing.rates import read_terms
from members.models import EnrollmentStatus

COMMITTED_WITHIN_DAYS = 2  # what is recorded at a moment may be committed later, behind a run's back


@dataclass(frozen=True, slots=True)
class Billed:
    """A bill that is not void: what it charges for its own month, and what it carries of earlier ones."""

    invoice_id: int
    month: date
    binder_start: date | None
    own_cents: int
    carried: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Corrected:
    """A bill to be voided and issued anew: what it charges for its own month, and what it carries."""

    bill: Billed
    own_cents: int
    carried: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done about an account: bills to issue anew now, and the increases that its next bill carries."""

    account_id: int
    enrollment_id: int
    corrected: tuple[Corrected, ...] = ()
    carried: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstBill:
    """How far a binder that is not paid yet by cleared money may be corrected: `asks` once it is covered, else freely."""

    asks: int | None = None


def find_changes(
    *, account_id: int, enrollment_id: int, bills: Sequence[Billed], terms: Terms, first: FirstBill | None
) -> Changes:
    """What the bills of an account, oldest month first, charge too much, and what is still to be charged.

    A bill never charges more for its month than it did: what is above goes on the next one. `first` is given while coverage
    waits for its first payment: a bill that is not covered follows its price both ways.
    """
    own = {bill.month: _find_own(bill, terms, first) for bill in bills}
    owed = {month: terms.find_cents(month=month) - cents for month, cents in own.items()}
    carried: dict[date, tuple[Line, ...]] = {}
    for bill in bills:
        kept = []
        for line in bill.carried:
            cents = min(line.cents, owed.get(line.for_month, line.cents))
            if line.for_month in owed:
                owed[line.for_month] -= cents
            kept += [Line(line.for_month, cents, line.why)] if cents else []
        carried[bill.month] = tuple(kept)
    corrected = [
        Corrected(bill, own[bill.month], carried[bill.month])
        for bill in bills
        if (own[bill.month], carried[bill.month]) != (bill.own_cents, bill.carried)
    ]
    rest = [Line(month, cents, CHANGE) for month, cents in owed.items() if cents]
    return Changes(account_id, enrollment_id, tuple(corrected), tuple(rest))


def read_changes(*, account_ids: Iterable[int]) -> list[Changes]:
    """What is to be done about those of the accounts whose price was spoken of since their last bill."""
    keys = find_changed(account_ids=account_ids)
    if not keys:
        return []
    accounts = dict(Account.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "enrollment_id"))
    terms = read_terms(enrollments=accounts)
    bills = _read_billed(keys)
    waiting = read_binders(account_ids=keys, statuses=[EnrollmentStatus.WAITING])
    first = _read_first_bills(waiting)
    return [
        find_changes(
            account_id=key,
            enrollment_id=enrollment_id,
            bills=bills.get(key, ()),
            terms=terms[key],
            first=first.get(key),
        )
        for key, enrollment_id in accounts.items()
    ]


# A rate said after the first one, or an adjustment, that is newer than the latest bill and about a month billed by it.
CHANGED = """
    WITH words AS (
        SELECT account.id AS account_id, rate.from_month AS month, rate.recorded_at
        FROM members_premiumrate AS rate JOIN billing_account AS account ON account.enrollment_id = rate.enrollment_id
        WHERE (%(account_ids)s::bigint[] IS NULL OR account.id = ANY(%(account_ids)s)) AND EXISTS (
            SELECT FROM members_premiumrate AS earlier
            WHERE earlier.enrollment_id = rate.enrollment_id AND earlier.id < rate.id
        )
        UNION ALL
        SELECT account_id, coverage_month, recorded_at FROM billing_adjustment
        WHERE %(account_ids)s::bigint[] IS NULL OR account_id = ANY(%(account_ids)s)
    )
    SELECT DISTINCT words.account_id FROM words CROSS JOIN LATERAL (
        SELECT invoice.coverage_month, invoice.issued_at FROM billing_invoice AS invoice
        WHERE invoice.account_id = words.account_id AND invoice.voided_at IS NULL
        ORDER BY invoice.coverage_month DESC LIMIT 1
    ) AS latest
    WHERE words.month <= latest.coverage_month AND words.recorded_at >= latest.issued_at - %(days)s * interval '1 day'
    ORDER BY words.account_id
"""


def find_changed(*, account_ids: Iterable[int] | None = None) -> list[int]:
    """The accounts of whose billed months a new price or an adjustment was recorded since their latest bill."""
    facts: dict[str, list[int] | int | None] = {
        "account_ids": None if account_ids is None else list(account_ids),
        "days": COMMITTED_WITHIN_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, facts)
        return [row[0] for row in cursor.fetchall()]


def _find_own(bill: Billed, terms: Terms, first: FirstBill | None) -> int:
    """What a bill should charge for its own month."""
    cents = terms.find_cents(month=bill.month)
    if first is None or bill.binder_start is None:
        return min(bill.own_cents, cents)
    return cents if first.asks is None else min(first.asks, cents)


def _read_first_bills(binders: Sequence[BinderOf]) -> dict[int, FirstBill]:
    """Of each account that waits for its first payment, what the binder asks for once it is covered."""
    payments = read_first_payments(binders=binders) if binders else {}
    found: dict[int, FirstBill] = {}
    for binder in binders:
        payment, start = payments[binder.account_id], binder.coverage_start
        held = payment.find_held(start=start)
        # Covered, each bill of several keeps what it asks for, as any other bill does.
        if held is None or len(payment.bills.get(start, ())) == 1:
            found[binder.account_id] = FirstBill(asks=held.cents if held else None)
    return found


def _read_billed(account_ids: Sequence[int]) -> Mapping[int, Sequence[Billed]]:
    """The bills of each account that are not void, oldest month first."""
    invoices = Invoice.objects.filter(account__in=account_ids, voided_at=None)
    lines: defaultdict[int, list[Line]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(invoice__account__in=account_ids, invoice__voided_at=None)
    for key, month, cents, why in rows.order_by("pk").values_list("invoice_id", "for_month", "cents", "why"):
        lines[key].append(Line(month, cents, why))
    bills: defaultdict[int, list[Billed]] = defaultdict(list)
    columns = ("account_id", "pk", "coverage_month", "binder_start", "amount_cents")
    for account_id, key, month, start, cents in invoices.order_by("account", "coverage_month").values_list(
        *columns
    ):
        carried = tuple(line for line in lines.get(key, ()) if line.for_month != month)
        own = cents - sum(line.cents for line in carried)
        bills[account_id].append(Billed(key, month, start, own, carried))
    return bills
