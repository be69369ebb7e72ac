"""Receipt changes: money is found to be another account's, or to have come on another day; it counts so from then on.

What was decided by it is decided anew, on both accounts. Each change is kept, with who made it and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from billing import credit
from billing.accounts import lock_accounts
from billing.binders import await_payment_again, effectuate_paid, read_binders, read_first_payments
from billing.ledger import Posting, post
from billing.models import Chart, Receipt, ReceiptChange, Withdrawal
from billing.overdue import review_locked
from billing.start_reviews import NewReview, list_decided, open_reviews
from members.models import EnrollmentStatus, User

FOUND_LATE = "the first payment was found to have come after its due date"


class UnableToChangeReceipt(ValueError):
    """The money cannot count so; the text says why, for staff. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, who approved it where two must, why, and by which form."""

    by: User
    why: str
    form_key: UUID
    approved_by: User | None = None


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where a receipt counts from now on, and as of which day; None: as of the day it has."""

    receipt_id: int
    account_id: int
    received_date: date | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """A receipt as it was read under the lock, and how it counts from now on."""

    receipt: Receipt
    account_id: int
    received_date: date


def change_receipts(
    *, places: Sequence[NewPlace], decision: Decision, today: date, at: datetime
) -> list[ReceiptChange]:
    """Let money count for another account or as of another day; starts are worked out anew, bills open or paid.

    A form key used before returns what it changed then. Raises UnableToChangeReceipt.
    """
    if not decision.why.strip():
        raise UnableToChangeReceipt("Say why.")
    with transaction.atomic():
        receipts = lock_places(places=places)
        made = list(ReceiptChange.objects.filter(form_key=decision.form_key).order_by("pk"))
        if made:
            return made
        found = [_find(place, receipts[place.receipt_id]) for place in places]
        for item in found:
            _refuse(item, today=today)
        changes = _write(found, decision=decision, today=today, at=at)
        _work_out_anew(changes, today=today, at=at)
    return changes


def lock_places(*, places: Sequence[NewPlace]) -> dict[int, Receipt]:
    """Lock both accounts of each, and where one was moved meanwhile that account too; then read. In one order of ids.

    Raises UnableToChangeReceipt.
    """
    asked = Receipt.objects.filter(pk__in=[place.receipt_id for place in places])
    targets, locked = {place.account_id for place in places}, set[int]()
    while missing := (targets | set(asked.values_list("account_id", flat=True))) - locked:
        lock_accounts(account_ids=missing)
        locked |= missing
    receipts = {receipt.pk: receipt for receipt in asked.order_by("pk")}
    if len(receipts) < len(places):
        raise UnableToChangeReceipt("There is no such money.")
    return receipts


def _find(place: NewPlace, receipt: Receipt) -> _Change:
    """The day is kept as it was read under the lock: it may have been corrected meanwhile."""
    return _Change(receipt, place.account_id, place.received_date or receipt.received_date)


def _refuse(item: _Change, *, today: date) -> None:
    receipt = item.receipt
    if receipt.taken_back_on is not None:
        raise UnableToChangeReceipt("This money came back: it counts for nobody.")
    if Withdrawal.objects.filter(receipt=receipt).exists():
        raise UnableToChangeReceipt("Part of this money was refunded. It stays where it is.")
    if item.received_date > today:
        raise UnableToChangeReceipt("Money cannot be received on a day to come.")
    if (item.account_id, item.received_date) == (receipt.account_id, receipt.received_date):
        raise UnableToChangeReceipt("It counts so already.")


def _write(found: Sequence[_Change], *, decision: Decision, today: date, at: datetime) -> list[ReceiptChange]:
    """The rows, the receipts as they stand now, off every bill; and for what was moved, its way through the ledger."""
    credit.take_off_receipts(receipt_ids=[item.receipt.pk for item in found], at=at)
    changes = ReceiptChange.objects.bulk_create(
        ReceiptChange(
            receipt=item.receipt,
            account_before_id=item.receipt.account_id,
            account_after_id=item.account_id,
            received_before=item.receipt.received_date,
            received_after=item.received_date,
            why=decision.why.strip()[:200],
            by=decision.by,
            approved_by=decision.approved_by,
            business_date=today,
            at=at,
            form_key=decision.form_key,
        )
        for item in found
    )
    post(postings=[posting for change in changes for posting in _list_postings(change, today)], at=at)
    for item in found:
        item.receipt.account_id = item.account_id
        item.receipt.received_date = item.received_date
    Receipt.objects.bulk_update([item.receipt for item in found], ["account_id", "received_date"])
    return changes


def _list_postings(change: ReceiptChange, today: date) -> list[Posting]:
    if change.account_before_id == change.account_after_id:
        return []
    cents, name = change.receipt.cents, f"moved:{change.pk}"
    return [
        Posting(Chart.RECEIVABLE, Chart.SUSPENSE, cents, change.account_before_id, f"{name}:off", today),
        Posting(Chart.SUSPENSE, Chart.RECEIVABLE, cents, change.account_after_id, f"{name}:on", today),
    ]


def _work_out_anew(changes: Sequence[ReceiptChange], *, today: date, at: datetime) -> None:
    """Starts on all accounts, then what lies on which bill, then what is paid by final money."""
    left = {change.account_before_id for change in changes}
    touched = left | {change.account_after_id for change in changes}
    credit.spend_credit(account_ids=touched, at=at)
    why = "money was moved or dated anew"
    await_payment_again(account_ids=left, today=today, at=at, why=why)
    _ask_about_late(left, today=today, at=at)
    review_locked(account_ids=touched, today=today, at=at, run=why)
    credit.spend_credit(account_ids=touched, at=at)
    effectuate_paid(account_ids=touched, today=today, at=at)


def _ask_about_late(account_ids: Iterable[int], *, today: date, at: datetime) -> None:
    """Coverage that has started on money now found late stays, and staff decide; what they have decided stands."""
    binders = read_binders(account_ids=account_ids, statuses=[EnrollmentStatus.ACTIVE])
    decided = list_decided(enrollment_ids=[item.enrollment_id for item in binders])
    asked = [item for item in binders if (item.enrollment_id, item.coverage_start) not in decided]
    started = [item for item in asked if item.coverage_start <= today]
    payments = read_first_payments(binders=started)
    reviews = [
        NewReview(
            item.enrollment_id,
            item.coverage_start,
            payments[item.account_id].find_start(today=today),
            FOUND_LATE,
        )
        for item in started
        if not payments[item.account_id].is_covered_in_time(start=item.coverage_start)
    ]
    open_reviews(reviews=reviews, today=today, at=at)
