"""Canceling: until a payment is in a bank file it can be canceled, never after; its money was never received."""

from collections.abc import Container, Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext as _

from billing.allocation import lock_accounts
from billing.balances import Standing, read_standings
from billing.credit import find_used_receipts
from billing.due_dates import first_of_month
from members.models import EnrollmentStatus
from payments.models import PAYMENT_MOVES, Payment, PaymentMove, PaymentStatus
from payments.moved import find_moved
from payments.payment_notices import read_about, tell_canceled
from payments.recording import CHUNK, find_accounts, take_back_counted


class UnableToCancel(Exception):
    """The payment has gone into a bank file, or has ended."""


def cancel_payment(*, payment_id: int, today: date, at: datetime, why: str) -> None:
    """Cancel a payment that is not yet in a bank file; its money was never received. Raises UnableToCancel."""
    if not cancel_unsent(payment_ids=[payment_id], today=today, at=at, why=why):
        raise UnableToCancel(
            _("This payment is already on its way to your bank and can no longer be canceled.")
        )


def cancel_unsent(
    *,
    payment_ids: Iterable[int],
    today: date,
    at: datetime,
    why: str,
    told_by_caller: Container[int] = (),
    is_over: bool = False,
) -> list[int]:
    """Cancel those of the payments that are not yet in a bank file, and tell the members; returns which.

    `told_by_caller`: payments of which the caller itself tells, in a notice about more than one. `is_over`: nothing is left to
    pay, so that nobody is asked to.
    """
    ids = list(payment_ids)
    with transaction.atomic():
        lock_accounts(account_ids=find_accounts(payment_ids=ids))
        moved = PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=PaymentStatus.RECORDED,
            after=PaymentStatus.CANCELED,
            at=at,
            why=why,
        )
        take_back_counted(payment_ids=moved, settled=False, why=why, today=today, at=at)
        to_tell = read_about(payment_ids=[key for key in moved if key not in told_by_caller])
        tell_canceled(payments=to_tell.values(), is_over=is_over, today=today, at=at)
    return moved


def cancel_expired(*, today: date, at: datetime) -> int:
    """An enrollment that expired unpaid is not charged: its payments not yet in a bank file are canceled."""
    ids = list(_find_unsent(EnrollmentStatus.EXPIRED).values_list("pk", flat=True))
    return len(cancel_unsent(payment_ids=ids, today=today, at=at, why="enrollment expired")) if ids else 0


def cancel_ended(*, today: date, at: datetime) -> int:
    """Coverage that has ended with nothing due is not charged: payments not yet in a bank file are canceled.

    So it is where coverage goes on to its last bill, and nothing is due on that. A payment whose money lies on a bill goes
    out: that bill is owed.
    """
    waiting = sorted(_find_ending().values_list("pk", "account_id"))
    canceled = 0
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        with transaction.atomic():
            lock_accounts(account_ids={account_id for _, account_id in chunk})
            canceled += _cancel_settled([key for key, _ in chunk], today=today, at=at)
    return canceled


def _find_ending() -> QuerySet[Payment]:
    ended, ending = _find_unsent(EnrollmentStatus.ENDED), _find_unsent(EnrollmentStatus.ACTIVE)
    return ended | ending.filter(account__enrollment__ends_on__isnull=False)


def _cancel_settled(payment_ids: Sequence[int], *, today: date, at: datetime) -> int:
    """Read again under the lock: coverage may go on, or money have been moved, meanwhile."""
    columns = ("pk", "account_id", "account__enrollment__ends_on")
    unsent = list(_find_ending().filter(pk__among=payment_ids).order_by("pk").values_list(*columns))
    if not unsent:
        return 0
    standings = read_standings(account_ids={account_id for _, account_id, _ in unsent}, today=today)
    settled = [key for key, account_id, ends_on in unsent if _is_paid_up(standings[account_id], ends_on)]
    used = find_used_receipts(references=[f"payment:{key}" for key in settled])
    ids = [key for key in settled if f"payment:{key}" not in used]
    why = "coverage ends, and nothing is left to pay"
    return len(cancel_unsent(payment_ids=ids, today=today, at=at, why=why, is_over=True)) if ids else 0


def _is_paid_up(standing: Standing, ends_on: date | None) -> bool:
    """Whether nothing is due, and no bill is to come before the last day of coverage."""
    latest = standing.latest_invoice
    is_over = standing.enrollment_status == EnrollmentStatus.ENDED
    is_last = bool(ends_on and latest and latest.coverage_month >= first_of_month(ends_on))
    return not standing.due_cents and (is_over or is_last)


def _find_unsent(status: EnrollmentStatus) -> QuerySet[Payment]:
    """The payments not yet in a bank file of the enrollments in this status; money moved away pays another's bill."""
    unsent = Payment.objects.filter(status=PaymentStatus.RECORDED, account__enrollment__status=status)
    return unsent.filter(~Exists(find_moved()))
