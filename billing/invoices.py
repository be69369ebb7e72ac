"""Invoices: issued once for each coverage month, the binder first; voided and issued anew when a start moves.

The invoices of an account are issued in the order of their months. A waiting enrollment has its binder only;
an active one has every month up to the next, as far as its coverage goes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from billing import credit
from billing.accounts import CHUNK, lock_accounts, open_accounts
from billing.binders import effectuate_paid
from billing.due_date_overrides import read_due_dates
from billing.due_dates import first_of_month, next_month
from billing.ledger import Posting, post
from billing.models import Account, Chart, Invoice
from billing.premiums import find_rate
from billing.rates import read_rates
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts
from members.models import EnrollmentStatus
from members.outbox import Telling, tell

COLUMNS = (
    "account",
    "coverage_month",
    "due_date",
    "premium_cents",
    "subsidy_cents",
    "amount_cents",
    "is_binder",
)
RUNS = ("issued_on", "issued_at", "void_reason")


@dataclass(frozen=True, slots=True)
class BinderMove:
    """A binder to be voided in one month and issued in another."""

    account_id: int
    from_month: date
    to_month: date


@dataclass(frozen=True, slots=True)
class MonthToBill:
    """A coverage month of an account that needs its invoice."""

    account_id: int
    enrollment_id: int
    month: date
    is_binder: bool


class UnableToReissue(Exception):
    """The binder does not lie where the move says, or another process billed the month meanwhile."""


def issue_missing(*, today: date, at: datetime, account_ids: Iterable[int] | None = None) -> Counts:
    """Every invoice that should exist by now and does not: binders, and each month up to the next if active.

    Opens the accounts that are missing, unless `account_ids` names some. Works in chunks, each a transaction;
    safe to run at any time, twice, or after a crash. Credit is spent on the new invoices, members are told.
    """
    counts = Counter(accounts=0, invoices=0)
    if account_ids is None:
        counts["accounts"] = open_accounts(at=at)
    for chunk in _chunk_lacking(account_ids=account_ids, today=today):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            months = [
                month for row in _read_lacking(account_ids=chunk, today=today) for month in row.list_months()
            ]
            counts["invoices"] += len(_issue(months=months, today=today, at=at))
    return counts


def reissue_binders(*, moves: Sequence[BinderMove], why: str, today: date, at: datetime) -> None:
    """Void the invoices of each account, issue its binder in another month, and move the money to it.

    Works inside the transaction of a caller that has locked the accounts. Raises UnableToReissue.
    """
    voided = void_invoices(account_ids=[move.account_id for move in moves], why=why, today=today, at=at)
    astray = [move for move in moves if (move.account_id, move.from_month) not in voided]
    if astray:
        raise UnableToReissue(
            f"Account {astray[0].account_id} has no open binder for {astray[0].from_month}."
        )
    enrollments = dict(
        Account.objects.filter(pk__in=[move.account_id for move in moves]).values_list("pk", "enrollment")
    )
    months = [
        MonthToBill(move.account_id, enrollments[move.account_id], move.to_month, True) for move in moves
    ]
    _issue(months=months, today=today, at=at)


def issue_months(*, months: Sequence[MonthToBill], today: date, at: datetime) -> None:
    """Issue these months again, which were void. Inside the transaction of a caller that holds the locks.

    Raises UnableToReissue.
    """
    _issue(months=months, today=today, at=at)


def void_invoices(
    *, account_ids: Iterable[int], why: str, today: date, at: datetime
) -> set[tuple[int, date]]:
    """Void every live invoice of the accounts; money on them becomes credit.

    Returns the accounts and months voided. Works inside the transaction of a caller that holds the locks.
    """
    return _void(_read_live(account_ids), why=why, today=today, at=at)


def void_months_after(
    *, last_days: Mapping[int, date], why: str, today: date, at: datetime
) -> set[tuple[int, date]]:
    """Void each account's live invoices of months after its last day of coverage; their money pays what is still owed.

    The rest becomes credit. Returns the accounts and months voided, inside the transaction of a caller that holds the
    locks.
    """
    later = [item for item in _read_live(last_days) if item.coverage_month > last_days[item.account_id]]
    voided = _void(later, why=why, today=today, at=at)
    credit.spend_credit(account_ids={account_id for account_id, _ in voided}, at=at)
    return voided


@dataclass(frozen=True, slots=True)
class _Live:
    id: int
    account_id: int
    coverage_month: date
    amount_cents: int


def _read_live(account_ids: Iterable[int]) -> list[_Live]:
    live = Invoice.objects.filter(account__among=list(account_ids), voided_at=None).order_by("pk")
    return [_Live(*row) for row in live.values_list("pk", "account_id", "coverage_month", "amount_cents")]


def _void(live: Sequence[_Live], *, why: str, today: date, at: datetime) -> set[tuple[int, date]]:
    invoice_ids = [item.id for item in live]
    Invoice.objects.filter(pk__among=invoice_ids, voided_at=None).update(voided_at=at, void_reason=why)
    credit.take_off_invoices(invoice_ids=invoice_ids, at=at)
    post(postings=[_post_voided(item, today) for item in live if item.amount_cents], at=at)
    return {(item.account_id, item.coverage_month) for item in live}


@dataclass(frozen=True, slots=True)
class _Lacking:
    """An account without the latest invoice it should have; `billed` is the last month that has one."""

    account_id: int
    enrollment_id: int
    coverage_start: date
    billed: date | None
    needed: date

    def list_months(self) -> Iterator[MonthToBill]:
        """The months after the last one billed, up to the one needed."""
        month = next_month(self.billed) if self.billed else self.coverage_start
        while month <= self.needed:
            yield MonthToBill(self.account_id, self.enrollment_id, month, month == self.coverage_start)
            month = next_month(month)


# A waiting enrollment needs its binder, an active one the last month up to `last` that its coverage reaches.
# LEAST passes over a missing end.
LACKING = """
    SELECT * FROM (
        SELECT account.id AS account_id, enrollment.id, enrollment.coverage_start, (
            SELECT invoice.coverage_month FROM billing_invoice AS invoice
            WHERE invoice.account_id = account.id AND invoice.voided_at IS NULL
            ORDER BY invoice.coverage_month DESC LIMIT 1
        ) AS billed, CASE WHEN enrollment.status = %(waiting)s THEN enrollment.coverage_start ELSE GREATEST(
            enrollment.coverage_start, LEAST(%(last)s, date_trunc('month', enrollment.ends_on)::date)
        ) END AS needed
        FROM billing_account AS account
        JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
        WHERE enrollment.status IN (%(waiting)s, %(active)s)
            AND (enrollment.ends_on IS NULL OR enrollment.ends_on >= enrollment.coverage_start)
            AND account.id > %(after)s
            AND (%(account_ids)s::bigint[] IS NULL OR account.id = ANY(%(account_ids)s))
    ) AS candidate WHERE coalesce(billed, '-infinity') < needed ORDER BY account_id LIMIT %(limit)s
"""


def _read_lacking(*, account_ids: Sequence[int] | None, today: date, after: int = 0) -> list[_Lacking]:
    facts: dict[str, str | date | list[int] | int | None] = {
        "waiting": EnrollmentStatus.WAITING.value,
        "active": EnrollmentStatus.ACTIVE.value,
        "last": next_month(first_of_month(today)),
        "account_ids": None if account_ids is None else list(account_ids),
        "after": after,
        "limit": CHUNK,
    }
    with connection.cursor() as cursor:
        cursor.execute(LACKING, facts)
        return [_Lacking(*row) for row in cursor.fetchall()]


def _chunk_lacking(*, account_ids: Iterable[int] | None, today: date) -> Iterator[list[int]]:
    """The accounts that lack an invoice, in chunks by their ids; read anew after each chunk."""
    asked = None if account_ids is None else list(account_ids)
    after = 0
    while rows := _read_lacking(account_ids=asked, today=today, after=after):
        chunk = [row.account_id for row in rows]
        yield chunk
        after = chunk[-1]


@dataclass(frozen=True, slots=True)
class _Issued:
    id: int
    account_id: int
    coverage_month: date
    due_date: date
    amount_cents: int


def _issue(*, months: Sequence[MonthToBill], today: date, at: datetime) -> list[_Issued]:
    """Write and post the invoices, spend credit on them, make active what owes nothing, tell the members."""
    if not months:
        return []
    issued = _write(months=months, today=today, at=at)
    account_ids = {invoice.account_id for invoice in issued}
    post(postings=[_post_issued(invoice, today) for invoice in issued if invoice.amount_cents], at=at)
    credit.spend_credit(account_ids=account_ids, at=at)
    effectuate_paid(account_ids=account_ids, today=today, at=at)
    accounts = Account.objects.select_related("enrollment__member", "enrollment__plan").in_bulk(account_ids)
    owed = [invoice for invoice in issued if invoice.amount_cents]
    # Told after credit was spent: a bill asks for what is still to be paid.
    remaining = credit.read_remaining(invoice_ids=[invoice.id for invoice in owed])
    tellings = [_tell_bill(invoice, accounts, cents=remaining[invoice.id]) for invoice in owed]
    tell(tellings=tellings, at=at, today=today)
    return issued


def _write(*, months: Sequence[MonthToBill], today: date, at: datetime) -> list[_Issued]:
    due_dates = read_due_dates(account_ids={item.account_id for item in months})
    rates = read_rates(enrollment_ids={item.enrollment_id for item in months})
    rows = []
    for item in months:
        rate = find_rate(rates=rates[item.enrollment_id], month=item.month)
        due_date = due_dates[item.account_id](item.month)
        money = (rate.premium_cents, rate.subsidy_cents, rate.net_cents)
        rows.append((item.account_id, item.month, due_date, *money, item.is_binder, today, at, ""))
    returning = ["id", "account", "coverage_month", "due_date", "amount_cents"]
    issued = insert_missing(model=Invoice, columns=COLUMNS + RUNS, rows=rows, returning=returning)
    if len(issued) < len(rows):
        raise UnableToReissue("Another process billed one of these months meanwhile.")
    return [_Issued(*row) for row in issued]


def _post_issued(invoice: _Issued, today: date) -> Posting:
    reference = f"invoice:{invoice.id}:issued"
    return Posting(
        Chart.RECEIVABLE, Chart.PREMIUMS, invoice.amount_cents, invoice.account_id, reference, today
    )


def _post_voided(invoice: _Live, today: date) -> Posting:
    reference = f"invoice:{invoice.id}:voided"
    return Posting(
        Chart.PREMIUMS, Chart.RECEIVABLE, invoice.amount_cents, invoice.account_id, reference, today
    )


def _tell_bill(invoice: _Issued, accounts: Mapping[int, Account], *, cents: int) -> Telling:
    enrollment = accounts[invoice.account_id].enrollment
    return Telling(
        event="bill_ready",
        subject=f"invoice:{invoice.id}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "invoice_number": f"{invoice.id:010d}",
            "coverage_month": invoice.coverage_month,
            "amount_cents": cents,
            "due_date": invoice.due_date,
        },
    )
