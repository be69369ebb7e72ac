"""Invoices: issued once for each coverage month, the binder first; voided and issued anew when a start or a price moves.

The invoices of an account are issued in the order of their months. A waiting enrollment has its binder only, for every month to
date if it came late; an active one has every month up to the next, as far as its coverage goes. What a price change has not
charged yet is carried by the next one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice

from django.db import transaction

from billing import credit
from billing.accounts import CHUNK, EVERY_ACCOUNT, Span, lock_accounts, open_accounts, split_accounts
from billing.binders import effectuate_paid
from billing.due_date_overrides import read_due_dates
from billing.due_dates import find_next_due_day, next_month
from billing.lacking import Lacking, chunk_lacking, read_lacking
from billing.ledger import Posting, post
from billing.models import BILLED_LATE, Account, Chart, DueDateOverride, Invoice, InvoiceLine
from billing.plain_bills import issue_plain
from billing.policy import read_policy
from billing.premiums import Line, Price
from billing.price_changes import Changes, find_changed, read_changes
from billing.rates import Plans, read_plans, read_terms
from billing.rows import insert_missing
from billing.voiding import void_invoices, void_these
from connector_pay.lib.jobs import Counts
from connector_pay.lib.lanes import run_in_lanes
from members.models import Enrollment
from members.outbox import Telling, tell

COLUMNS = (
    "account",
    "coverage_month",
    "due_date",
    "premium_cents",
    "subsidy_cents",
    "adjustment_cents",
    "amount_cents",
    "is_binder",
    "binder_start",
)
RUNS = ("issued_on", "issued_at", "void_reason")
LINES = ("invoice", "for_month", "cents", "why")
MOVED = ("account", "coverage_month", "due_date", "reason", "recorded_at", "reviewed_at")
CORRECTED = "the price or an adjustment of this bill has changed"


@dataclass(frozen=True, slots=True)
class BinderMove:
    """A binder to be voided in one month, if it was issued, and issued in another; once it was covered it asks for no more."""

    account_id: int
    from_month: date | None
    to_month: date
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class MonthToBill:
    """A coverage month of an account that needs its invoice; `binder_start` says of which binder it is a part."""

    account_id: int
    enrollment_id: int
    month: date
    binder_start: date | None
    at_most: int | None = None
    carried: tuple[Line, ...] = ()


class UnableToReissue(Exception):
    """The binder does not lie where the move says, or another process billed the month meanwhile."""


def issue_missing(*, today: date, at: datetime, account_ids: Iterable[int] | None = None) -> Counts:
    """Every invoice that should exist by now and does not: binders, and each month up to the next if active.

    First the bills whose price has changed are issued anew. Opens the accounts that are missing, unless `account_ids` names
    some. Works in chunks, each a transaction, on a few spans of accounts at once; safe to run at any time, twice, or after a
    crash. Credit is spent on the new invoices, members are told.
    """
    counts = Counter(accounts=0, invoices=0)
    asked = None if account_ids is None else list(account_ids)
    if asked is None:
        counts["accounts"] = open_accounts(at=at)
    corrected = correct_bills(today=today, at=at, account_ids=asked)
    spans = split_accounts() if asked is None else [EVERY_ACCOUNT]
    issue = partial(_issue_span, account_ids=asked, today=today, at=at)
    counts["invoices"] = sum(run_in_lanes(work=issue, parts=spans))
    return counts | ({"corrected": corrected} if corrected else {})


def _issue_span(span: Span, *, account_ids: Sequence[int] | None, today: date, at: datetime) -> int:
    """The invoices that accounts of a span lack, or those of them that are asked for; returns how many."""
    issued = 0
    for chunk in chunk_lacking(account_ids=account_ids, span=span, today=today):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            issued += _issue_lacking(chunk, today=today, at=at)
    return issued


def _issue_lacking(account_ids: Sequence[int], *, today: date, at: datetime) -> int:
    """What accounts that are locked lack: the plain bills at once, then the others."""
    plain = issue_plain(account_ids=account_ids, today=today, at=at)
    others = [key for key in account_ids if key not in plain]
    months = _list_lacking(others, today=today) if others else []
    _give_time(months, today=today, at=at)
    return len(plain) + len(_issue(months=months, today=today, at=at))


def _give_time(months: Sequence[MonthToBill], *, today: date, at: datetime) -> None:
    """A month that is billed only after its due date is due on the next one: our own delay makes nobody late.

    So it is after a first payment for months that had begun, or one that took long to post.
    """
    due_dates = read_due_dates(account_ids={item.account_id for item in months})
    late = [
        item for item in months if not item.binder_start and due_dates[item.account_id](item.month) < today
    ]
    due_date = find_next_due_day(today, due_day=read_policy().due_day)
    rows = [(item.account_id, item.month, due_date, BILLED_LATE, at, at) for item in late]
    insert_missing(model=DueDateOverride, columns=MOVED, rows=rows, returning=["id"])


def correct_bills(*, today: date, at: datetime, account_ids: Iterable[int] | None = None) -> int:
    """Issue anew each bill that asks for too much, and each unpaid binder whose price has changed; returns how many.

    In chunks, each a transaction; safe to run twice.
    """
    changed = iter(find_changed(account_ids=account_ids))
    corrected = 0
    while chunk := list(islice(changed, CHUNK)):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            corrected += correct_locked(account_ids=chunk, today=today, at=at)
    return corrected


def correct_locked(*, account_ids: Iterable[int], today: date, at: datetime) -> int:
    """`correct_bills` of some accounts, inside the transaction of a caller that has locked them."""
    changes = [item for item in read_changes(account_ids=account_ids) if item.corrected]
    if not changes:
        return 0
    keys = [part.bill.invoice_id for item in changes for part in item.corrected]
    void_these(invoice_ids=keys, why=CORRECTED, today=today, at=at)
    months = [month for item in changes for month in _list_corrected(item)]
    return len(_issue(months=months, today=today, at=at, are_new=False))


def _list_corrected(changes: Changes) -> Iterator[MonthToBill]:
    for part in changes.corrected:
        yield MonthToBill(
            changes.account_id,
            changes.enrollment_id,
            part.bill.month,
            part.bill.binder_start,
            at_most=part.own_cents,
            carried=part.carried,
        )


def reissue_binders(*, moves: Sequence[BinderMove], why: str, today: date, at: datetime) -> None:
    """Void the invoices of each account, issue its binder in another month, and move the money to it.

    Works inside the transaction of a caller that has locked the accounts. Raises UnableToReissue.
    """
    voided = void_invoices(account_ids=[move.account_id for move in moves], why=why, today=today, at=at)
    astray = [move for move in moves if move.from_month and (move.account_id, move.from_month) not in voided]
    if astray:
        raise UnableToReissue(
            f"Account {astray[0].account_id} has no open binder for {astray[0].from_month}."
        )
    _issue(months=_list_moved(moves, today=today), today=today, at=at)


def issue_months(*, months: Sequence[MonthToBill], today: date, at: datetime) -> None:
    """Issue these months again, which were void. Inside the transaction of a caller that holds the locks.

    Raises UnableToReissue.
    """
    _issue(months=months, today=today, at=at)


def _list_moved(moves: Sequence[BinderMove], *, today: date) -> list[MonthToBill]:
    """The months of each binder in its new place: those it had there before, else every month to date."""
    keys = [move.account_id for move in moves]
    accounts = Account.objects.filter(pk__in=keys).values_list("pk", "enrollment_id", "enrollment__ends_on")
    facts = {key: (enrollment_id, ends_on) for key, enrollment_id, ends_on in accounts}
    before: defaultdict[tuple[int, date], set[date]] = defaultdict(set)
    billed = Invoice.objects.filter(account__in=keys, binder_start__isnull=False)
    for key, start, month in billed.values_list("account_id", "binder_start", "coverage_month").distinct():
        before[key, start or month].add(month)
    months = []
    for move in moves:
        enrollment_id, ends_on = facts[move.account_id]
        listed = sorted(before.get((move.account_id, move.to_month), ())) or list(
            list_binder_months(start=move.to_month, today=today, ends_on=ends_on)
        )
        at_most = move.at_most if len(listed) == 1 else None
        months += [
            MonthToBill(move.account_id, enrollment_id, month, move.to_month, at_most) for month in listed
        ]
    return months


def list_binder_months(*, start: date, today: date, ends_on: date | None) -> Iterator[date]:
    """The months of a binder: the one in which coverage starts, and each after it that has begun and is covered."""
    month = start
    while month == start or month <= min(today, ends_on or today):
        yield month
        month = next_month(month)


def _list_months(row: Lacking, *, today: date, carried: tuple[Line, ...]) -> Iterator[MonthToBill]:
    """The months of the binder first, then those after the last one billed, up to the one needed."""
    month = row.coverage_start
    if row.billed:
        month = next_month(row.billed)
    else:
        # While it waits, the binder is all that is needed.
        last = today if row.needed == row.coverage_start else row.coverage_start
        for month in list_binder_months(start=row.coverage_start, today=last, ends_on=row.ends_on):
            yield MonthToBill(row.account_id, row.enrollment_id, month, row.coverage_start)
        month = next_month(month)
    while month <= row.needed:
        yield MonthToBill(row.account_id, row.enrollment_id, month, None, carried=carried)
        month, carried = next_month(month), ()


def _list_lacking(account_ids: Sequence[int], *, today: date) -> list[MonthToBill]:
    """The months to be billed; the first that is no binder carries what price changes have left to charge."""
    carried = {item.account_id: item.carried for item in read_changes(account_ids=account_ids)}
    return [
        month
        for row in read_lacking(account_ids=account_ids, today=today)
        for month in _list_months(row, today=today, carried=carried.get(row.account_id, ()))
    ]


@dataclass(frozen=True, slots=True)
class _Issued:
    id: int
    account_id: int
    coverage_month: date
    due_date: date
    amount_cents: int


def _issue(
    *, months: Sequence[MonthToBill], today: date, at: datetime, are_new: bool = True
) -> list[_Issued]:
    """Write and post the invoices, spend credit on them, make active what owes nothing, tell the members.

    Of a new bill that asks for nothing nobody is told; of one that asked for more before (not `are_new`) the member is.
    """
    if not months:
        return []
    issued = _write(months=months, today=today, at=at)
    account_ids = {invoice.account_id for invoice in issued}
    post(postings=[_post_issued(invoice, today) for invoice in issued if invoice.amount_cents], at=at)
    credit.spend_credit(account_ids=account_ids, at=at)
    effectuate_paid(account_ids=account_ids, today=today, at=at)
    accounts = Account.objects.select_related("enrollment__member", "enrollment__plan").in_bulk(account_ids)
    owed = [invoice for invoice in issued if invoice.amount_cents or not are_new]
    # Told after credit was spent: a bill asks for what is still to be paid.
    remaining = credit.read_remaining(invoice_ids=[invoice.id for invoice in owed])
    plans = read_plans(enrollments=[account.enrollment for account in accounts.values()])
    tellings = [
        _tell_bill(invoice, accounts[invoice.account_id].enrollment, plans, cents=remaining[invoice.id])
        for invoice in owed
    ]
    tell(tellings=tellings, at=at, today=today)
    return issued


def _write(*, months: Sequence[MonthToBill], today: date, at: datetime) -> list[_Issued]:
    due_dates = read_due_dates(account_ids={item.account_id for item in months})
    terms = read_terms(enrollments={item.account_id: item.enrollment_id for item in months})
    rows, prices = [], {}
    for item in months:
        price = terms[item.account_id].find_price(
            month=item.month, at_most=item.at_most, carried=item.carried
        )
        prices[item.account_id, item.month] = price
        due_date = due_dates[item.account_id](item.binder_start or item.month)
        money = (price.premium_cents, price.subsidy_cents, price.adjustment_cents, price.amount_cents)
        binder = (item.binder_start is not None, item.binder_start)
        rows.append((item.account_id, item.month, due_date, *money, *binder, today, at, ""))
    returning = ["id", "account", "coverage_month", "due_date", "amount_cents"]
    written = insert_missing(model=Invoice, columns=COLUMNS + RUNS, rows=rows, returning=returning)
    if len(written) < len(rows):
        raise UnableToReissue("Another process billed one of these months meanwhile.")
    issued = [_Issued(*row) for row in written]
    _write_lines(issued, prices)
    return issued


def _write_lines(issued: Sequence[_Issued], prices: Mapping[tuple[int, date], Price]) -> None:
    rows = [
        (invoice.id, line.for_month, line.cents, line.why)
        for invoice in issued
        for line in prices[invoice.account_id, invoice.coverage_month].lines
    ]
    insert_missing(model=InvoiceLine, columns=LINES, rows=rows, returning=["id"])


def _post_issued(invoice: _Issued, today: date) -> Posting:
    reference = f"invoice:{invoice.id}:issued"
    return Posting(
        Chart.RECEIVABLE, Chart.PREMIUMS, invoice.amount_cents, invoice.account_id, reference, today
    )


def _tell_bill(
    invoice: _Issued, enrollment: Enrollment, plans: Mapping[int, Plans], *, cents: int
) -> Telling:
    """The bill of a month names the plan of that month."""
    return Telling(
        event="bill_ready",
        subject=f"invoice:{invoice.id}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": plans[enrollment.pk].find(month=invoice.coverage_month).name,
            "invoice_number": f"{invoice.id:010d}",
            "coverage_month": invoice.coverage_month,
            "amount_cents": cents,
            "due_date": invoice.due_date,
            "is_free": not invoice.amount_cents,
        },
    )
