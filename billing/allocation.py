"""Allocation: money received lands on an account's oldest open month first, becomes final, or is taken back.

A receipt is counted once under its reference, such as "payment:123". What does not fit on an open invoice
is credit for the next bill. Each function takes a set, in one transaction, with the same number of statements
for one or for many.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from django.db import transaction

from billing import credit
from billing.accounts import lock_accounts as lock_accounts
from billing.accounts import lock_accounts_of
from billing.balances import Standing
from billing.binders import await_payment_again, effectuate_paid
from billing.credit import Debt, IdleMoney
from billing.ledger import Posting, post
from billing.models import Chart, Receipt
from billing.overdue import review_locked
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts

NONE_KNOWN: Mapping[int, Standing] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """Money to count for an account: whole cents, as of the day it was received."""

    account_id: int
    reference: str
    cents: int
    received_date: date


@dataclass(frozen=True, slots=True)
class _Counted:
    """Money that was counted under a reference: what taking it back or making it final needs to know."""

    pk: int
    account_id: int
    reference: str
    cents: int
    taken_back_on: date | None


class UnableToApply(ValueError):
    """Money counts once it is received: more than nothing, not before its day."""


class UnableToFindReceipt(LookupError):
    """No money was counted under this reference."""


def apply(*, receipts: Sequence[NewReceipt], today: date, at: datetime) -> None:
    """Count money as received: on the oldest open month first, the rest as credit. A reference counts once.

    Before it lands the start of coverage is reviewed: a binder whose due date the money missed is pushed
    first, and one whose due date it met holds its start, however late we are. Raises UnableToApply.
    """
    with transaction.atomic():
        lock_accounts(account_ids={receipt.account_id for receipt in receipts})
        apply_locked(receipts=receipts, today=today, at=at)


def apply_locked(
    *,
    receipts: Sequence[NewReceipt],
    standings: Mapping[int, Standing] = NONE_KNOWN,
    today: date,
    at: datetime,
) -> Counts:
    """`apply` inside the transaction of a caller that has locked the accounts; returns what the review did.

    Of the accounts whose standings the caller has read under that lock, nothing is read again where they tell all: a start that
    stands still, and no credit from before. Raises UnableToApply.
    """
    for receipt in receipts:
        if receipt.cents <= 0 or receipt.received_date > today:
            raise UnableToApply(
                f"{receipt.reference}: {receipt.cents} cents received {receipt.received_date}."
            )
    money = _count(receipts, today=today, at=at)
    plain = {key for key in money if key in standings and _is_plain(standings[key], today=today)}
    others = money.keys() - plain
    reviewed = review_locked(account_ids=others, today=today, at=at, run="money received")
    credit.spend_credit(account_ids=others, at=at)
    debts = {
        key: [Debt(bill.id, bill.remaining_cents) for bill in standings[key].open_invoices] for key in plain
    }
    credit.spend(money=money, debts=debts, at=at)
    return reviewed


def _is_plain(standing: Standing, *, today: date) -> bool:
    return not standing.credit_cents and standing.stands_still(today=today)


def settle(*, references: Iterable[str], today: date, at: datetime) -> None:
    """The bank has the money. Raises UnableToFindReceipt, AlreadyPosted."""
    with transaction.atomic():
        receipts = _lock_receipts(references)
        post(
            postings=[_move(item, Chart.BANK, Chart.IN_TRANSIT, "settled", today) for item in receipts],
            at=at,
        )


def clear(*, references: Iterable[str], today: date, at: datetime) -> list[int]:
    """The money is final, it has posted: coverage whose binder it pays in full becomes active.

    The member is told. Money cleared or taken back before is left as it is. Returns the enrollments that
    became active. Raises UnableToFindReceipt.
    """
    with transaction.atomic():
        receipts = _lock_receipts(references)
        standing = Receipt.objects.filter(
            pk__among=[item.pk for item in receipts], cleared_on=None, taken_back_on=None
        )
        standing.update(cleared_on=today)
        return effectuate_paid(account_ids={item.account_id for item in receipts}, today=today, at=at)


def take_back(*, references: Iterable[str], settled: bool, why: str, today: date, at: datetime) -> None:
    """Money returned or canceled was never received: every invoice it touched is open again.

    The start is reviewed at once; coverage that has not started awaits payment again, and once started it
    stays until staff have looked. `settled` says whether the bank had the money. Money taken back before is
    left as it is. Raises UnableToFindReceipt.
    """
    with transaction.atomic():
        receipts = [item for item in _lock_receipts(references) if item.taken_back_on is None]
        account_ids = {item.account_id for item in receipts}
        Receipt.objects.filter(pk__among=[item.pk for item in receipts], taken_back_on=None).update(
            taken_back_on=today
        )
        credit.take_off_receipts(receipt_ids=[item.pk for item in receipts], at=at)
        source = Chart.BANK if settled else Chart.IN_TRANSIT
        post(postings=[_move(item, Chart.RECEIVABLE, source, "returned", today) for item in receipts], at=at)
        credit.spend_credit(account_ids=account_ids, at=at)
        await_payment_again(account_ids=account_ids, today=today, at=at, why=why)
        review_locked(account_ids=account_ids, today=today, at=at, run="money taken back")
        # Money of another payment, final by now, may have taken the place of what is gone.
        effectuate_paid(account_ids=account_ids, today=today, at=at)


def _count(receipts: Sequence[NewReceipt], *, today: date, at: datetime) -> dict[int, list[IdleMoney]]:
    """Write the receipts not yet counted and post them; returns them by the accounts they belong to, oldest received first."""
    columns = ("account", "reference", "cents", "received_date", "counted_at")
    rows = [(item.account_id, item.reference, item.cents, item.received_date, at) for item in receipts]
    new = insert_missing(
        model=Receipt,
        columns=columns,
        rows=rows,
        returning=["received_date", "id", "account", "reference", "cents"],
    )
    postings = [
        Posting(Chart.IN_TRANSIT, Chart.RECEIVABLE, cents, account_id, f"{reference}:received", today)
        for _day, _key, account_id, reference, cents in new
    ]
    post(postings=postings, at=at)
    money: defaultdict[int, list[IdleMoney]] = defaultdict(list)
    for _day, key, account_id, reference, cents in sorted(new):
        money[account_id].append(IdleMoney(key, reference, cents))
    return dict(money)


def _lock_receipts(references: Iterable[str]) -> list[_Counted]:
    """Lock the accounts of the receipts, then read the receipts. Raises UnableToFindReceipt."""
    asked = set(references)
    found = Receipt.objects.filter(reference__among=asked).order_by("pk")
    lock_accounts_of(receipts=found)
    columns = ("pk", "account_id", "reference", "cents", "taken_back_on")
    receipts = [_Counted(*row) for row in found.values_list(*columns)]
    missing = asked - {receipt.reference for receipt in receipts}
    if missing:
        raise UnableToFindReceipt(f"No money was counted under {min(missing)}.")
    return receipts


def _move(receipt: _Counted, debit: Chart, source: Chart, what: str, today: date) -> Posting:
    return Posting(debit, source, receipt.cents, receipt.account_id, f"{receipt.reference}:{what}", today)
