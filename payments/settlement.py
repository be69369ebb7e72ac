"""Settlement: debits settle on their day and post once the return window is over; bank accounts that wait are validated."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import structlog
from django.db import transaction

from billing.allocation import clear, lock_accounts, settle
from billing.policy import read_policy
from connector_pay.lib.jobs import Counts
from payments.bank_accounts import list_waiting, validate_all
from payments.banking_calendar import read_calendar
from payments.models import (
    PAYMENT_MOVES,
    BankFile,
    FileStatus,
    Payment,
    PaymentMove,
    PaymentStatus,
)
from payments.recording import CHUNK, credit_due, find_accounts
from payments.returns import stop_unusable

log = structlog.get_logger(__name__)


def settle_due(*, today: date, at: datetime) -> Counts:
    """Debits of an accepted file settle on their effective date, and post on the 3rd banking day after it.

    Posting waits until the bank's return file of every banking day from the one after the effective date through today has
    been read. Safe to run twice; each chunk is a transaction. Returns settled, posted, held, and unaccepted: the debits whose
    day has come, but whose file the bank has not accepted.
    """
    credit_due(today=today, at=at)
    settled = sum(_settle(chunk, today=today, at=at) for chunk in _chunk(_find_settling(today)))
    unaccepted = _count_unaccepted(today)
    posted, held = 0, 0
    for effective in _list_posting_days(today):
        waiting = Payment.objects.filter(status=PaymentStatus.SETTLED, effective_date=effective)
        if list_missing_return_files(effective_date=effective, today=today):
            held += waiting.count()
        else:
            ids = waiting.order_by("pk").values_list("pk", flat=True)
            posted += sum(_post(chunk, today=today, at=at) for chunk in _chunk(ids))
    return {"settled": settled, "posted": posted, "held": held, "unaccepted": unaccepted}


def list_missing_return_files(*, effective_date: date, today: date) -> list[date]:
    """The banking days after the effective date, through today, whose return file has not been read."""
    read = BankFile.objects.filter(
        direction=BankFile.Direction.IN, kind=BankFile.Kind.RETURNS, status=FileStatus.READ
    )
    days = set(read.filter(business_date__gt=effective_date).values_list("business_date", flat=True))
    return [day for day in read_calendar().list_days(after=effective_date, until=today) if day not in days]


def validate_waiting(*, today: date, at: datetime, bank_account_ids: Iterable[int] | None = None) -> Counts:
    """Validate the accounts that payments and AutoPay wait for, and stop the payments of those that cannot be used.

    Never inside a transaction: a method may call over a network. Without ids, every account that waits.
    """
    waiting = list_waiting()
    if bank_account_ids is not None:
        waiting = waiting.filter(pk__in=list(bank_account_ids))
    counts = validate_all(bank_accounts=waiting.select_related("sealed"), at=at)
    return {**counts, **stop_unusable(today=today, at=at)}


def _find_settling(today: date) -> Iterable[int]:
    due = Payment.objects.filter(
        status=PaymentStatus.SENT, effective_date__lte=today, entry__file__status=FileStatus.ACCEPTED
    )
    return due.order_by("pk").values_list("pk", flat=True)


def _count_unaccepted(today: date) -> int:
    count = Payment.objects.filter(status=PaymentStatus.SENT, effective_date__lte=today).count()
    if count:
        log.error("debits are due in files that the bank has not accepted", count=count)
    return count


def _list_posting_days(today: date) -> list[date]:
    """The effective dates of settled debits that are old enough to post."""
    effective = Payment.objects.filter(status=PaymentStatus.SETTLED).order_by("effective_date")
    days = effective.values_list("effective_date", flat=True).distinct()
    count, calendar = read_policy().posting_banking_days, read_calendar()
    return [day for day in days if day and calendar.add(day, count) <= today]


def _chunk(ids: Iterable[int]) -> Iterator[list[int]]:
    keys = list(ids)
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _settle(ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        lock_accounts(account_ids=find_accounts(payment_ids=ids))
        moved = PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=PaymentStatus.SENT,
            after=PaymentStatus.SETTLED,
            at=at,
        )
        settle(references=[f"payment:{key}" for key in moved], today=today, at=at)
    return len(moved)


def _post(ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        lock_accounts(account_ids=find_accounts(payment_ids=ids))
        moved = PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=PaymentStatus.SETTLED,
            after=PaymentStatus.POSTED,
            at=at,
            changes={"posted_on": today},
        )
        clear(references=[f"payment:{key}" for key in moved], today=today, at=at)
    return len(moved)
