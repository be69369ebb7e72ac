"""Ends: the bills of months after the last day of coverage are void, whoever named that day, and however late."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, QuerySet

from billing.accounts import CHUNK, lock_accounts
from billing.invoices import void_months_after
from billing.models import Account, EpisodeStatus
from connector_pay.lib.jobs import Counts

AFTER_END = "coverage ends before this month"


def void_after_ends(*, today: date, at: datetime) -> Counts:
    """No bill is owed for a month after the last day of coverage; money on it pays what is still owed, or is credit.

    An end before the start leaves nothing owed at all. Works in chunks, each a transaction; safe to run at any time,
    twice, or after a crash. Bills of a reinstatement that was asked for stay.
    """
    voided = 0
    for chunk in _chunk_billed():
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            last_days = _read_last_days(chunk)
            voided += len(void_months_after(last_days=last_days, why=AFTER_END, today=today, at=at))
    return {"voided": voided}


def _read_last_days(account_ids: list[int]) -> dict[int, date]:
    """The last day of coverage of those that still have such a bill, now that they are locked."""
    rows = _find_billed().filter(pk__among=account_ids).values_list("pk", "enrollment__ends_on").distinct()
    return {key: last_day for key, last_day in rows if last_day}


def _find_billed() -> QuerySet[Account]:
    """The accounts with a live bill for a month after the end of their coverage."""
    billed = Account.objects.filter(
        invoices__voided_at=None, invoices__coverage_month__gt=F("enrollment__ends_on")
    )
    return billed.exclude(episodes__status=EpisodeStatus.ASKED)


def _chunk_billed() -> Iterator[list[int]]:
    """Their ids in chunks, read anew after each."""
    after = 0
    accounts = _find_billed().order_by("pk").values_list("pk", flat=True).distinct()
    while chunk := list(accounts.filter(pk__gt=after)[:CHUNK]):
        yield chunk
        after = chunk[-1]
