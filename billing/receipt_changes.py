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
from billing.start_reviews import NewReview, open_reviews
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
    """Where a receipt counts from now on, and as of which day."""

    receipt_id: int
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
        receipts = _lock(places)
        made = list(ReceiptChange.objects.filter(form_key=decision.form_key).order_by("pk"))
        if made:
            return made
        for place in places:
            _refuse(receipts[place.receipt_id], place, today=today)
        changes = _write(places, receipts, decision=decision, today=today, at=at)
        _work_out_anew(changes, today=today, at=at)
    return changes


def _lock(places: Sequence[NewPlace]) -> dict[int, Receipt]:
    """Lock both accounts of each, and where one was moved meanwhile that account too; then read. In one order of ids."""
    asked = Receipt.objects.filter(pk__in=[place.receipt_id for place in places])
    targets, locked = {place.account_id for place in places}, set[int]()
    while missing := (targets | set(asked.values_list("account_id", flat=True))) - locked:
        lock_accounts(account_ids=missing)
        locked |= missing
    receipts = {receipt.pk: receipt for receipt in asked.order_by("pk")}
    if len(receipts) < len(places):
        raise UnableToChangeReceipt("There is no such money.")
    return receipts


def _refuse(receipt: Receipt, place: NewPlace, *, today: date) -> None:
    if receipt.taken_back_on is not None:
        raise UnableToChangeReceipt("This money came back: it counts for nobody.")
    if Withdrawal.objects.filter(receipt=receipt).exists():
        raise UnableToChangeReceipt("Part of this money was refunded. It stays where it is.")
    if place.received_date > today:
        raise UnableToChangeReceipt("Money cannot be received on a day to come.")
    if (place.account_id, place.received_date) == (receipt.account_id, receipt.received_date):
        raise UnableToChangeReceipt("It counts so already.")


def _write(
    places: Sequence[NewPlace],
    receipts: dict[int, Receipt],
    *,
    decision: Decision,
    today: date,
    at: datetime,
) -> list[ReceiptChange]:
    """The rows, the receipts as they stand now, off every bill; and for what was moved, its way through the ledger."""
    credit.take_off_receipts(receipt_ids=receipts, at=at)
    changes = ReceiptChange.objects.bulk_create(
        ReceiptChange(
            receipt=receipts[place.receipt_id],
            account_before_id=receipts[place.receipt_id].account_id,
            account_after_id=place.account_id,
            received_before=receipts[place.receipt_id].received_date,
            received_after=place.received_date,
            why=decision.why.strip()[:200],
            by=decision.by,
            approved_by=decision.approved_by,
            business_date=today,
            at=at,
            form_key=decision.form_key,
        )
        for place in places
    )
    post(postings=[item for change in changes for item in _list_postings(change, today)], at=at)
    for place in places:
        receipts[place.receipt_id].account_id = place.account_id
        receipts[place.receipt_id].received_date = place.received_date
    Receipt.objects.bulk_update(receipts.values(), ["account_id", "received_date"])
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
    """Coverage that has started on money now found late stays, and staff decide."""
    binders = read_binders(account_ids=account_ids, statuses=[EnrollmentStatus.ACTIVE])
    started = [item for item in binders if item.coverage_start <= today]
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
