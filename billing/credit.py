"""Credit: money received that lies on no invoice yet, put on the oldest open month first and taken off again.

Every function works inside the transaction of a caller that has locked the accounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import Allocation, Invoice, Receipt, Withdrawal
from billing.rows import insert_missing
from connector_pay.lib.written_once import write_once


@dataclass(frozen=True, slots=True)
class IdleMoney:
    """What is left of a receipt; `moves` counts the allocations it has made so far."""

    receipt_id: int
    reference: str
    cents: int
    moves: int = 0


@dataclass(frozen=True, slots=True)
class Debt:
    """What is still to be received for an invoice."""

    invoice_id: int
    cents: int


@dataclass(frozen=True, slots=True)
class Landing:
    """Cents of a receipt put on an invoice, or taken off it (negative), under a reference used once."""

    receipt_id: int
    invoice_id: int
    cents: int
    reference: str


class UnableToAllocate(Exception):
    """An allocation was written before: two processes moved the same money."""


def spread(*, money: Sequence[IdleMoney], debts: Sequence[Debt]) -> list[Landing]:
    """Lay the money, in its order, on the debts, in theirs; the rest of the money stays idle."""
    landings = []
    waiting, owed = list(money), list(debts)
    while waiting and owed:
        first, debt = waiting[0], owed[0]
        cents = min(first.cents, debt.cents)
        landings.append(_land(first, debt.invoice_id, cents))
        waiting[0] = replace(first, cents=first.cents - cents, moves=first.moves + 1)
        owed[0] = replace(debt, cents=debt.cents - cents)
        waiting = waiting if waiting[0].cents else waiting[1:]
        owed = owed if owed[0].cents else owed[1:]
    return landings


def sum_withdrawn() -> Coalesce:
    """Of each receipt of a query, the cents that went back to who paid them and stayed there."""
    return _of_each_receipt(Withdrawal, Sum("cents"))


def find_idle_receipts() -> QuerySet[Any]:
    """The receipts that stand and have money left on no invoice, as `idle`; `moves` counts their allocations."""
    receipts = Receipt.objects.filter(taken_back_on=None).annotate(
        placed=_of_each_receipt(Allocation, Sum("cents")),
        moves=_of_each_receipt(Allocation, Count("pk")),
        withdrawn=sum_withdrawn(),
    )
    return receipts.annotate(idle=F("cents") - F("placed") - F("withdrawn")).filter(idle__gt=0)


def _of_each_receipt(model: type[Allocation | Withdrawal], total: Sum | Count) -> Coalesce:
    """Asked of each receipt by itself: joined and grouped, a few accounts would have PostgreSQL read the rows of all."""
    rows = model._default_manager.filter(receipt=OuterRef("pk")).order_by().values("receipt")
    return Coalesce(Subquery(rows.annotate(total=total).values("total")), 0)


def find_with_credit(*, account_ids: Iterable[int]) -> set[int]:
    """Those of the accounts that have idle money."""
    idle = find_idle_receipts().filter(account__among=list(account_ids))
    return set(idle.values_list("account_id", flat=True))


def read_idle_cents(*, receipt_id: int) -> int:
    """What is left of a receipt on no invoice: none of one that was taken back."""
    idle = find_idle_receipts().filter(pk=receipt_id).values_list("idle", flat=True)
    return next(iter(idle), 0)


def find_used_receipts(*, references: Iterable[str]) -> set[str]:
    """Those of the receipts whose money lies on an invoice, in part or in whole."""
    placed = Receipt.objects.filter(reference__among=list(references)).annotate(
        placed=Sum("allocations__cents")
    )
    return set(placed.filter(placed__gt=0).values_list("reference", flat=True))


def spend_credit(*, account_ids: Iterable[int], at: datetime) -> None:
    """Put each account's idle money, oldest first, on its open invoices, oldest month first."""
    money = _read_idle_money(account_ids)
    spend(money=money, debts=_read_debts(money), at=at)


def spend(
    *, money: Mapping[int, Sequence[IdleMoney]], debts: Mapping[int, Sequence[Debt]], at: datetime
) -> None:
    """The same of accounts of which all idle money and all open invoices are known, each in its order."""
    _write(
        (landing for key in debts for landing in spread(money=money[key], debts=debts[key])),
        at=at,
    )


def take_off_invoices(*, invoice_ids: Iterable[int], at: datetime) -> None:
    """Take all money off the invoices; it becomes credit."""
    _take_off(Q(invoice__among=list(invoice_ids)), at=at)


def take_off_receipts(*, receipt_ids: Iterable[int], at: datetime) -> None:
    """Take the receipts' money off every invoice it lies on."""
    _take_off(Q(receipt__among=list(receipt_ids)), at=at)


def read_remaining(*, invoice_ids: Iterable[int]) -> dict[int, int]:
    """What is still to be received for each invoice, in cents."""
    invoices = Invoice.objects.filter(pk__among=list(invoice_ids))
    placed = invoices.annotate(received=Coalesce(Sum("allocations__cents"), 0))
    rows = placed.values_list("pk", "amount_cents", "received")
    return {key: amount - received for key, amount, received in rows}


def _take_off(where: Q, *, at: datetime) -> None:
    """Undo what lies there now, however often it was put on and taken off before."""
    lying = Allocation.objects.filter(where).values("receipt", "receipt__reference", "invoice")
    lying = lying.annotate(net=Sum("cents")).exclude(net=0).order_by("receipt", "invoice")
    rows = list(lying.values_list("receipt", "receipt__reference", "invoice", "net"))
    moves = _count_moves(receipt_ids={row[0] for row in rows})
    landings = []
    for receipt_id, reference, invoice_id, net in rows:
        money = IdleMoney(receipt_id=receipt_id, reference=reference, cents=0, moves=moves[receipt_id])
        landings.append(_land(money, invoice_id, -net))
        moves[receipt_id] += 1
    _write(landings, at=at)


def _land(money: IdleMoney, invoice_id: int, cents: int) -> Landing:
    """A receipt's moves are numbered: the lock on the account keeps the numbers its own."""
    return Landing(money.receipt_id, invoice_id, cents, f"{money.reference}:{money.moves + 1}")


def _read_idle_money(account_ids: Iterable[int]) -> dict[int, list[IdleMoney]]:
    """The receipts of each account with money left, oldest received first."""
    money: defaultdict[int, list[IdleMoney]] = defaultdict(list)
    for account_id, *left in _read_idle_rows(account_ids):
        money[account_id].append(IdleMoney(*left))
    return money


@write_once
def _read_idle_rows(account_ids: list[int]) -> QuerySet[Receipt, Any]:
    receipts = find_idle_receipts().filter(account__among=account_ids)
    columns = ("account_id", "pk", "reference", "idle", "moves")
    return receipts.order_by("account", "received_date", "pk").values_list(*columns)


def _read_debts(account_ids: Iterable[int]) -> dict[int, list[Debt]]:
    """The open invoices of each account that has any, oldest coverage month first."""
    debts: defaultdict[int, list[Debt]] = defaultdict(list)
    for account_id, key, amount, received in _read_debt_rows(account_ids):
        debts[account_id].append(Debt(key, amount - received))
    return debts


@write_once
def _read_debt_rows(account_ids: list[int]) -> QuerySet[Invoice, Any]:
    invoices = Invoice.objects.filter(account__among=account_ids, voided_at=None)
    invoices = invoices.annotate(received=Coalesce(Sum("allocations__cents"), 0))
    opened = invoices.filter(amount_cents__gt=F("received")).order_by("account", "coverage_month")
    return opened.values_list("account_id", "pk", "amount_cents", "received")


def _count_moves(*, receipt_ids: set[int]) -> dict[int, int]:
    if not receipt_ids:
        return {}
    counted = (
        Allocation.objects.filter(receipt__among=receipt_ids).values("receipt").annotate(moves=Count("pk"))
    )
    return dict(counted.values_list("receipt", "moves"))


def _write(landings: Iterable[Landing], *, at: datetime) -> None:
    rows = [(item.receipt_id, item.invoice_id, item.cents, item.reference, at) for item in landings]
    columns = ("receipt", "invoice", "cents", "reference", "at")
    written = insert_missing(model=Allocation, columns=columns, rows=rows, returning=["id"])
    if len(written) < len(rows):
        raise UnableToAllocate("An allocation's reference was used before.")
