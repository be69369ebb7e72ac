"""Consequences: what a return code does to the bank account, its mandates and its unsent payments, told in one notice."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from django.db.models import Q

from billing.balances import Standing, read_standings
from members.outbox import Telling, tell
from payments.ach.return_codes import LACK_OF_FUNDS, ReturnCode
from payments.bank_accounts import block, list_own_rows
from payments.canceling import cancel_unsent
from payments.mandates import find_live, stop_mandates, suspend_mandates
from payments.models import (
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    Mandate,
    MandateMove,
    MandateStatus,
    Payment,
    PaymentStatus,
)
from payments.pausing import pause_often_returned
from payments.recording import find_accounts

log = structlog.get_logger(__name__)
SHUT = (BankAccountStatus.FAILED, BankAccountStatus.BLOCKED, BankAccountStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Followed:
    """A payment that came back, and the row of the table that says what follows."""

    row: ReturnCode
    payment_id: int
    account_id: int
    authorization_id: int
    bank_account_id: int
    blind_index: str
    retry_of_id: int | None


def read_followed(*, rows: Mapping[int, ReturnCode]) -> list[Followed]:
    """The payments of these ids with what follows for each, in the order of their ids. One statement."""
    payments = Payment.objects.filter(pk__among=list(rows)).order_by("pk")
    columns = (
        "pk",
        "account_id",
        "authorization_id",
        "bank_account_id",
        "bank_account__blind_index",
        "retry_of_id",
    )
    return [Followed(rows[key], key, *facts) for key, *facts in payments.values_list(*columns)]


@dataclass(frozen=True)
class _Done:
    """What was done about some returns: bank account rows shut, mandates no longer on, payments canceled."""

    shut: Sequence[int]
    mandates: Sequence[Mandate]
    canceled: Sequence[Payment]


def list_touched_accounts(*, payment_ids: Iterable[int]) -> set[int]:
    """The accounts to lock before payments are returned: theirs, and all that pay from the same bank accounts."""
    payments = Payment.objects.filter(pk__among=list(payment_ids))
    indexes = payments.values_list("bank_account__blind_index", flat=True)
    rows = BankAccount.objects.filter(blind_index__among=set(indexes)).values("pk")
    unsent = Payment.objects.filter(bank_account__in=rows, status=PaymentStatus.RECORDED)
    return {
        *find_accounts(payment_ids=payments.values_list("pk", flat=True)),
        *unsent.values_list("account_id", flat=True),
        *find_live().filter(bank_account__in=rows).values_list("account_id", flat=True),
    }


def follow_codes(*, followed: Sequence[Followed], locked: Collection[int], today: date, at: datetime) -> None:
    """Do what the codes say, inside the transaction of the return; `locked` are the accounts that it holds.

    What uses a blocked or paused bank account stops with it. What another request has added meanwhile is stopped by the next
    `stop_uses`.
    """
    for item in followed:
        _call_staff(item)
    shut = _shut(followed, today=today, at=at)
    mandates = _stop_mandates(followed, shut, locked=locked, at=at)
    canceled = _cancel(shut, mandates, locked=locked, today=today, at=at)
    _tell(_Done(shut, mandates, canceled), because=followed, today=today, at=at)


def stop_uses(*, today: date, at: datetime) -> list[int]:
    """What still uses a bank account that failed validation, was blocked or paused is stopped; returns the canceled payments.

    Payments that wait on one that failed are not canceled: they are returned.
    """
    live = find_live().filter(bank_account__status__in=SHUT).values_list("pk", flat=True)
    stopped = stop_mandates(mandate_ids=live, at=at, why="the bank account may not be debited")
    mandates = list(Mandate.objects.filter(pk__in=stopped).order_by("pk")) if stopped else []
    recorded = Payment.objects.filter(status=PaymentStatus.RECORDED).order_by("pk")
    canceled: list[int] = []
    for status in (BankAccountStatus.BLOCKED, BankAccountStatus.PAUSED):
        ids = list(recorded.filter(bank_account__status=status).values_list("pk", flat=True))
        if ids:
            canceled += cancel_unsent(
                payment_ids=ids, today=today, at=at, why=f"the bank account was {status.value}"
            )
    if mandates:
        _tell(_Done((), mandates, ()), because=(), today=today, at=at)
    return canceled


def _call_staff(item: Followed) -> None:
    """An alarm for what staff must look at today; a warning for what they must look at."""
    row = item.row
    if row.alarm or not row.is_known:
        log.error("return needs staff", payment=item.payment_id, code=row.code, words=row.words_for_staff)
    elif row.needs_staff:
        log.warning("return needs staff", payment=item.payment_id, code=row.code, words=row.words_for_staff)


def _shut(followed: Sequence[Followed], *, today: date, at: datetime) -> list[int]:
    """Block and pause; returns the rows that could be debited until now."""
    reasons: defaultdict[str, set[int]] = defaultdict(set)
    for item in followed:
        if item.row.closes_account:
            reasons[f"{item.row.code} {item.row.title}"[:200]].add(item.bank_account_id)
    own = list_own_rows(bank_account_ids=set().union(*reasons.values()))
    shut = [
        key
        for why, ids in sorted(reasons.items())
        for key in block(bank_account_ids=set().union(*(own[key] for key in ids)), at=at, why=why)
    ]
    lacking = {
        item.blind_index for item in followed if item.row.code in LACK_OF_FUNDS and item.retry_of_id is None
    }
    return shut + pause_often_returned(blind_indexes=lacking, today=today, at=at)


def _stop_mandates(
    followed: Sequence[Followed], shut: Sequence[int], *, locked: Collection[int], at: datetime
) -> list[Mandate]:
    """Mandates on shut accounts, and those that the codes stop or suspend; a revoked authorization stops its own."""
    stopping = {item.bank_account_id for item in followed if item.row.stops_autopay}
    suspending = {item.bank_account_id for item in followed if item.row.suspends_autopay}
    revoked = {item.authorization_id for item in followed if item.row.revokes_authorization}
    own = list_own_rows(bank_account_ids=stopping | suspending)
    stop = Q(bank_account__in=set(shut).union(*(own[key] for key in stopping))) | Q(authorization__in=revoked)
    suspend = Q(bank_account__in=set().union(*(own[key] for key in suspending)))
    live = find_live().filter(account__among=locked)
    codes = ", ".join(sorted({item.row.code for item in followed}))
    stopped = stop_mandates(
        mandate_ids=live.filter(stop).values_list("pk", flat=True), at=at, why=f"after a return: {codes}"
    )
    suspended = suspend_mandates(
        mandate_ids=live.filter(suspend).values_list("pk", flat=True), at=at, why=f"after a return: {codes}"
    )
    return list(Mandate.objects.filter(pk__in=[*stopped, *suspended]).order_by("pk"))


def _cancel(
    shut: Sequence[int],
    mandates: Sequence[Mandate],
    *,
    locked: Collection[int],
    today: date,
    at: datetime,
) -> list[Payment]:
    """What waits on a shut account, or was drafted under a mandate that is no longer on, is not sent."""
    uses = Q(bank_account__in=shut) | Q(authorization__in=[mandate.authorization_id for mandate in mandates])
    unsent = Payment.objects.filter(uses, status=PaymentStatus.RECORDED, account__among=locked)
    owners = dict(unsent.order_by("pk").values_list("pk", "bank_account__owner__member"))
    if not owners:
        return []
    ours = {key for key, member in owners.items() if member}
    why = "the bank account may not be debited"
    moved = cancel_unsent(payment_ids=list(owners), today=today, at=at, why=why, told_by_caller=ours)
    return list(Payment.objects.filter(pk__in=ours.intersection(moved)).order_by("pk"))


def _tell(done: _Done, *, because: Sequence[Followed], today: date, at: datetime) -> None:
    """One notice to each owner of a bank account: what stopped, and each bill still to pay of the accounts that paid from it.

    A guest has no account with us to speak of, and hears of the payment alone.
    """
    uses: list[Mandate | Payment] = [*done.mandates, *done.canceled]
    rows = {*done.shut, *(item.bank_account_id for item in uses)}
    owned = BankAccount.objects.filter(pk__in=rows, owner__member__isnull=False).select_related(
        "owner__member"
    )
    groups: defaultdict[tuple[int | None, str], list[BankAccount]] = defaultdict(list)
    for account in owned.order_by("pk"):
        groups[account.owner_id, account.blind_index].append(account)
    told = {account.pk for group in groups.values() for account in group}
    paid_from = {
        (item.bank_account_id, item.account_id) for item in [*uses, *because] if item.bank_account_id in told
    }
    standings = read_standings(account_ids={key for _row, key in paid_from}, today=today)
    tellings = []
    for group in groups.values():
        keys = {account.pk for account in group}
        paying = {key for row, key in paid_from if row in keys}
        facts = {
            "last_four": group[0].last_four,
            "state": _name_state(group[0], keys, done),
            "autopay": any(mandate.bank_account_id in keys for mandate in done.mandates),
            "canceled": sum(payment.bank_account_id in keys for payment in done.canceled),
            "bills": [bill for key in sorted(paying) for bill in _list_bills(standings[key])],
        }
        member = group[0].owner.member if group[0].owner else None
        subject = _name_subject(keys, done)
        tellings.append(Telling(event="bank_account_stopped", subject=subject, member=member, facts=facts))
    tell(tellings=tellings, today=today, at=at)


def _name_state(account: BankAccount, keys: set[int], done: _Done) -> str:
    """What became of it: blocked, paused, or only AutoPay on it stopped or suspended."""
    if keys.intersection(done.shut) or account.status in SHUT:
        return "paused" if account.status == BankAccountStatus.PAUSED else "blocked"
    statuses = {mandate.status for mandate in done.mandates if mandate.bank_account_id in keys}
    return "suspended" if statuses == {MandateStatus.SUSPENDED} else "stopped"


def _name_subject(keys: set[int], done: _Done) -> str:
    """The move that the notice is about, so that each stop is told once and the next one again."""
    shut = keys.intersection(done.shut)
    if shut:
        move = BankAccountMove.objects.filter(bank_account__in=shut).latest("pk")
        return f"bank_account_move:{move.pk}"
    mandates = [mandate.pk for mandate in done.mandates if mandate.bank_account_id in keys]
    return f"mandate_move:{MandateMove.objects.filter(mandate__in=mandates).latest('pk').pk}"


def _list_bills(standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "product": standing.product,
            "coverage_month": bill.coverage_month,
            "remaining_cents": bill.remaining_cents,
            "due_date": bill.due_date,
        }
        for bill in standing.open_invoices
    ]
