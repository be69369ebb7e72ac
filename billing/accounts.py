"""Accounts: opened one for each enrollment, found by member, and locked before any money is touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing.models import Account, Receipt
from connector_pay.lib.written_once import write_once
from members.models import EnrollmentStatus

CHUNK = 2_000  # accounts a transaction of a long run: as long as it lasts, a payment on one of them waits
SPAN = 20_000  # ids that a long run takes up at a time, a few spans at once
_NO_END = 2**63 - 1  # no id is higher


@dataclass(frozen=True, slots=True)
class Span:
    """A part of all accounts by their ids: those after the one, up to the other."""

    after: int = 0
    last: int = _NO_END


EVERY_ACCOUNT = Span()


class UnableToFindAccount(LookupError):
    """There is no account of this id."""


def lock_accounts(*, account_ids: Iterable[int]) -> None:
    """Lock the accounts until the transaction ends, in the order of their ids, before anything else.

    The lock leaves rows that point at them insertable by others. Raises UnableToFindAccount.
    """
    ids = set(account_ids)
    locked = {key for (key,) in _lock(ids)}
    if locked != ids:
        raise UnableToFindAccount(f"There is no account {min(ids - locked)}.")


@write_once
def _lock(account_ids: list[int]) -> QuerySet[Account, Any]:
    accounts = Account.objects.select_for_update(no_key=True).filter(pk__among=account_ids)
    return accounts.order_by("pk").values_list("pk")


def lock_accounts_of(*, receipts: QuerySet[Receipt]) -> None:
    """Lock the accounts for which the receipts count, and where one was moved meanwhile, the account it counts for now."""
    locked: set[int] = set()
    while missing := set(receipts.order_by().values_list("account_id", flat=True)) - locked:
        lock_accounts(account_ids=missing)
        locked |= missing


def list_accounts_of_member(*, member_pk: int) -> list[int]:
    """The ids of a member's accounts, newest first; `member_pk` is the row's key, not the Member ID."""
    accounts = Account.objects.filter(enrollment__member_id=member_pk)
    return list(accounts.order_by("-pk").values_list("pk", flat=True))


def split_accounts() -> list[Span]:
    """All accounts in spans of their ids, none left out and none twice; the last has no end, for those opened meanwhile."""
    latest = Account.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    bounds = [*range(0, max(latest, 1), SPAN), _NO_END]
    return [Span(after, last) for after, last in pairwise(bounds)]


def open_accounts(*, at: datetime) -> int:
    """Open an account for each waiting or active enrollment without one; returns how many were opened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_account (enrollment_id, opened_at) SELECT enrollment.id, %s "
            "FROM members_enrollment AS enrollment "
            "LEFT JOIN billing_account AS account ON account.enrollment_id = enrollment.id "
            "WHERE account.id IS NULL AND enrollment.status = ANY(%s) "
            "ORDER BY enrollment.id ON CONFLICT DO NOTHING",
            [at, [EnrollmentStatus.WAITING.value, EnrollmentStatus.ACTIVE.value]],
        )
        return cursor.rowcount
