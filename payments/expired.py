"""Expired enrollments: what was paid for them is asked back once it has cleared, once for each payment; staff approve."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import transaction

from billing.allocation import lock_accounts
from billing.balances import read_standings
from members.models import EnrollmentStatus
from payments.models import Refund, RefundStatus
from payments.refund_rules import read_sources
from payments.refunds import RefundableReceipt, describe_source, find_refundable

CHUNK = 500  # refunds a transaction
ONCE = UUID(
    "5b0c1c86-3d0f-4a59-9f0e-6d9a2f3f7f10"
)  # with a receipt's number, the key under which it is asked for
WHY = "the enrollment expired before its first payment"


def ask_refunds(*, today: date, at: datetime) -> int:
    """Ask back what is left of the cleared money of enrollments that expired; returns how many refunds were asked for.

    Nobody asks, so anyone of the staff may approve. Once for each payment, whatever is decided. Safe to run twice.
    """
    waiting = [item for item in find_refundable(today=today) if _may_be_asked(item)]
    asked = set(
        Refund.objects.filter(form_key__in=map(_find_key, waiting)).values_list("form_key", flat=True)
    )
    new = [item for item in waiting if _find_key(item) not in asked]
    return sum(_ask(new[start : start + CHUNK], today=today, at=at) for start in range(0, len(new), CHUNK))


def _may_be_asked(item: RefundableReceipt) -> bool:
    return item.receipt.account.enrollment.status == EnrollmentStatus.EXPIRED


def _find_key(item: RefundableReceipt) -> UUID:
    return uuid5(ONCE, str(item.receipt.pk))


def _ask(items: Sequence[RefundableReceipt], *, today: date, at: datetime) -> int:
    """Under the accounts' locks, what is still left; an account that owes us for a refund is left to staff."""
    account_ids = {item.receipt.account_id for item in items}
    with transaction.atomic():
        lock_accounts(account_ids=account_ids)
        still = {item.receipt.pk: item for item in find_refundable(today=today) if _may_be_asked(item)}
        owing = {
            key
            for key, standing in read_standings(account_ids=account_ids, today=today).items()
            if standing.owed_back_cents
        }
        kept = [
            still[item.receipt.pk]
            for item in items
            if item.receipt.pk in still and item.receipt.account_id not in owing
        ]
        sources = read_sources(receipts=[item.receipt for item in kept])
        made = Refund.objects.bulk_create(
            Refund(
                **describe_source(source=sources[item.receipt.pk], method=item.method),
                cents=item.idle_cents,
                why=WHY,
                status=RefundStatus.ASKED,
                form_key=_find_key(item),
                asked_at=at,
            )
            for item in kept
        )
    return len(made)
