"""Voiding: invoices that no longer stand are void, their money becomes credit, and the ledger takes back what they asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from billing import credit
from billing.ledger import Posting, post
from billing.models import Chart, Invoice


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


def void_these(*, invoice_ids: Iterable[int], why: str, today: date, at: datetime) -> set[tuple[int, date]]:
    """Void those of the invoices that are live; money on them becomes credit. The caller holds the locks."""
    return _void(_read(Invoice.objects.filter(pk__among=list(invoice_ids))), why=why, today=today, at=at)


@dataclass(frozen=True, slots=True)
class _Live:
    id: int
    account_id: int
    coverage_month: date
    amount_cents: int


def _read_live(account_ids: Iterable[int]) -> list[_Live]:
    return _read(Invoice.objects.filter(account__among=list(account_ids)))


def _read(invoices: QuerySet[Invoice]) -> list[_Live]:
    live = invoices.filter(voided_at=None).order_by("pk")
    return [_Live(*row) for row in live.values_list("pk", "account_id", "coverage_month", "amount_cents")]


def _void(live: Sequence[_Live], *, why: str, today: date, at: datetime) -> set[tuple[int, date]]:
    invoice_ids = [item.id for item in live]
    Invoice.objects.filter(pk__among=invoice_ids, voided_at=None).update(voided_at=at, void_reason=why)
    credit.take_off_invoices(invoice_ids=invoice_ids, at=at)
    post(postings=[_post_voided(item, today) for item in live if item.amount_cents], at=at)
    return {(item.account_id, item.coverage_month) for item in live}


def _post_voided(invoice: _Live, today: date) -> Posting:
    reference = f"invoice:{invoice.id}:voided"
    return Posting(
        Chart.PREMIUMS, Chart.RECEIVABLE, invoice.amount_cents, invoice.account_id, reference, today
    )
