"""Checks and money orders: recorded with the day we received them, deposited, cleared, and sometimes returned by the bank.

What names its account counts at once; what names none is in suspense. Each function takes a set.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing import allocation, suspense
from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from billing.due_date_overrides import read_due_dates
from billing.models import Receipt
from billing.policy import read_policy
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts
from members.models import User
from payments.banking_calendar import read_calendar
from payments.check_limits import is_above_limit, is_dated_back
from payments.check_notices import tell_checks_received, tell_checks_returned
from payments.models import CHECK_MOVES, CheckMove, CheckShare, CheckStatus, ReceivedCheck
from payments.refunds import follow_returned_receipts

CHUNK = 2_000  # checks a transaction
WAITING = (CheckStatus.UNMATCHED, CheckStatus.BACK_ASKED)
STANDING = (*WAITING, CheckStatus.RECEIVED, CheckStatus.CLEARED)
COLUMNS = (
    *("number", "payer", "remitter_key", "cents", "received_on", "deposit_on", "kind", "source"),
    *("status", "form_key", "recorded_by", "recorded_at"),
)


class UnableToRecordCheck(ValueError):
    """The check cannot be recorded so; the text says why, for staff. Nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Share:
    """Cents of a check for one account."""

    account_id: int
    cents: int


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check as it came in. Without shares it names no account."""

    number: str
    payer: str
    cents: int
    received_on: date
    deposit_on: date
    kind: str
    source: str
    form_key: UUID
    shares: tuple[Share, ...] = ()
    remitter_key: str = ""


def record_checks(
    *, checks: Sequence[NewCheck], by: User | None, today: date, at: datetime
) -> list[ReceivedCheck]:
    """Record checks: what names its account counts as of the day it was received, the rest is in suspense.

    What a person says came in by a due date that has passed, or is above the limit for one, is in suspense too, until another
    puts it on its account.
    One whose form key was used before is left as it was recorded then. In the order given. Raises UnableToRecordCheck.
    """
    for check in checks:
        refuse_wrong(check=check, today=today)
    checks = checks if by is None else _keep_what_one_may(checks, today=today)
    with transaction.atomic():
        lock_accounts(account_ids={share.account_id for check in checks for share in check.shares})
        keys = _insert(checks, by=by, at=at)
        new = [check for check in checks if check.form_key in keys]
        shares = {keys[check.form_key]: check.shares for check in new if check.shares}
        _hold([check for check in new if not check.shares], keys, today=today, at=at)
        put_on_accounts(shares=shares, why="it names its account", today=today, at=at)
        _bank(list(keys.values()), today=today, at=at)
    found = {
        item.form_key: item
        for item in ReceivedCheck.objects.filter(form_key__in=[c.form_key for c in checks])
    }
    return [found[check.form_key] for check in checks]


def refuse_wrong(*, check: NewCheck, today: date) -> None:
    """Raises UnableToRecordCheck for a check of nothing, from the future, without number or payer, or not wholly shared out."""
    if not check.number.strip() or not check.payer.strip():
        raise UnableToRecordCheck("Enter the number and who wrote it.")
    if check.cents <= 0:
        raise UnableToRecordCheck("Enter an amount of more than nothing.")
    if check.received_on > today:
        raise UnableToRecordCheck("It cannot be received on a day to come.")
    if check.deposit_on < check.received_on:
        raise UnableToRecordCheck("It cannot be deposited before it was received.")
    refuse_wrong_shares(cents=check.cents, shares=check.shares)


def refuse_wrong_shares(*, cents: int, shares: Sequence[Share]) -> None:
    """Raises UnableToRecordCheck for parts that do not add up, or an account named twice."""
    if not shares:
        return
    if len({share.account_id for share in shares}) < len(shares):
        raise UnableToRecordCheck("Name each account once.")
    if any(share.cents <= 0 for share in shares) or sum(share.cents for share in shares) != cents:
        raise UnableToRecordCheck("The parts must add up to the whole amount, each more than nothing.")


def put_on_accounts(
    *, shares: Mapping[int, Sequence[Share]], why: str, today: date, at: datetime
) -> list[int]:
    """Put checks that are in no account's books on accounts, under their locks: received, counted, told. Returns which."""
    moved = move_checks(
        list(shares), before=CheckStatus.UNMATCHED, after=CheckStatus.RECEIVED, why=why, at=at
    )
    rows = [
        CheckShare(received_check_id=key, number=number, account_id=share.account_id, cents=share.cents)
        for key in moved
        for number, share in enumerate(shares[key], start=1)
    ]
    if not rows:
        return []
    standings = _read_standings(rows, today)
    CheckShare.objects.bulk_create(rows)
    received = dict(ReceivedCheck.objects.filter(pk__in=moved).values_list("pk", "received_on"))
    allocation.apply_locked(
        receipts=[
            allocation.NewReceipt(row.account_id, row.reference, row.cents, received[row.received_check_id])
            for row in rows
        ],
        today=today,
        at=at,
    )
    tell_checks_received(share_ids=[row.pk for row in rows], standings=standings, today=today, at=at)
    return moved


def bank_due(*, today: date, at: datetime) -> Counts:
    """Checks whose day of deposit has come are at the bank; those that our books saw there long enough ago are final.

    Safe to run twice; each chunk is a transaction. Returns how many were banked and cleared, where there are any.
    """
    due = ReceivedCheck.objects.filter(status__in=STANDING, banked_on=None, deposit_on__lte=today)
    banked = sum(_bank(chunk, today=today, at=at) for chunk in _chunk(due))
    wait, calendar = read_policy().refund_check_banking_days, read_calendar()
    waiting = ReceivedCheck.objects.filter(status=CheckStatus.RECEIVED, banked_on__isnull=False)
    days = waiting.order_by("banked_on").values_list("banked_on", flat=True).distinct()
    old = [day for day in days if day and calendar.add(day, wait) <= today]
    cleared = sum(
        len(clear_checks(check_ids=chunk, today=today, at=at))
        for chunk in _chunk(waiting.filter(banked_on__in=old))
    )
    counts = {"checks_banked": banked, "checks_cleared": cleared}
    return {name: count for name, count in counts.items() if count}


def clear_checks(*, check_ids: Iterable[int], today: date, at: datetime) -> list[int]:
    """The money of checks on accounts is final; coverage whose first bill it pays becomes active. Returns which."""
    ids = list(check_ids)
    with transaction.atomic():
        lock_checks(check_ids=ids)
        moved = move_checks(ids, before=CheckStatus.RECEIVED, after=CheckStatus.CLEARED, at=at)
        allocation.clear(references=_list_references(moved), today=today, at=at)
    return moved


def return_checks(*, check_ids: Iterable[int], why: str, today: date, at: datetime) -> list[int]:
    """The bank returned checks: their money was never received, the bills are open again, the members told. Returns which.

    One returned, sent back or unknown is left as it is.
    """
    ids = list(check_ids)
    with transaction.atomic():
        lock_checks(check_ids=ids)
        moved: list[int] = []
        for before in STANDING:
            moved += move_checks(
                sorted(set(ids) - set(moved)), before=before, after=CheckStatus.RETURNED, why=why, at=at
            )
        for is_banked in (False, True):
            which = ReceivedCheck.objects.filter(pk__in=moved, banked_on__isnull=not is_banked)
            _take_back(list(which), is_banked=is_banked, today=today, at=at)
        shares = list(CheckShare.objects.filter(received_check__in=moved).values_list("pk", flat=True))
        follow_returned_receipts(references=_list_references(moved), today=today, at=at)
        tell_checks_returned(share_ids=shares, today=today, at=at)
    return sorted(moved)


def move_checks(
    check_ids: Sequence[int],
    *,
    before: CheckStatus,
    after: CheckStatus,
    at: datetime,
    why: str = "",
    changes: Mapping[str, object] | None = None,
) -> list[int]:
    """Along an arrow; those that stand elsewhere are left. Returns which moved."""
    return CHECK_MOVES.move(
        model=ReceivedCheck,
        history=CheckMove,
        ids=check_ids,
        before=before,
        after=after,
        at=at,
        why=why[:200],
        changes=changes,
    )


def describe_held(check: ReceivedCheck) -> suspense.HeldMoney:
    """A check as it lies in suspense."""
    return suspense.HeldMoney(check.held_reference, check.cents, is_banked=check.banked_on is not None)


def lock_checks(*, check_ids: Sequence[int]) -> list[ReceivedCheck]:
    """The accounts on which the money counts now, wherever it was put first, then the checks.

    What was put on an account meanwhile is seen once the checks are held: all is let go, and locked anew in that order.
    """
    papers = ReceivedCheck.objects.select_for_update(no_key=True).filter(pk__in=check_ids).order_by("pk")
    while True:
        with transaction.atomic():
            locked = find_accounts(check_ids=check_ids)
            lock_accounts(account_ids=locked)
            found = list(papers.all())
            if find_accounts(check_ids=check_ids) <= locked:
                return found
            transaction.set_rollback(True)


def find_accounts(*, check_ids: Sequence[int]) -> set[int]:
    """The accounts on which the money of checks counts now, wherever it was put first."""
    receipts = Receipt.objects.filter(reference__among=_list_references(check_ids))
    return set(receipts.values_list("account_id", flat=True))


def _insert(checks: Sequence[NewCheck], *, by: User | None, at: datetime) -> dict[UUID, int]:
    """The rows of those not recorded before; their ids by form key."""
    rows = [
        (
            *(check.number.strip(), " ".join(check.payer.split())[:80], check.remitter_key, check.cents),
            *(check.received_on, check.deposit_on, check.kind, check.source),
            *(CheckStatus.UNMATCHED.value, check.form_key, by.pk if by else None, at),
        )
        for check in checks
    ]
    return dict(insert_missing(model=ReceivedCheck, columns=COLUMNS, rows=rows, returning=["form_key", "id"]))


def _keep_what_one_may(checks: Sequence[NewCheck], *, today: date) -> list[NewCheck]:
    """The checks; without its shares each that takes two people."""
    due_dates = read_due_dates(account_ids={share.account_id for check in checks for share in check.shares})
    takes_two = [
        is_above_limit(cents=check.cents)
        or is_dated_back(
            received_on=check.received_on,
            recorded_on=today,
            account_ids=[share.account_id for share in check.shares],
            due_dates=due_dates,
        )
        for check in checks
    ]
    return [
        replace(check, shares=()) if is_held else check
        for check, is_held in zip(checks, takes_two, strict=True)
    ]


def _hold(checks: Sequence[NewCheck], keys: Mapping[UUID, int], *, today: date, at: datetime) -> None:
    held = [suspense.HeldMoney(f"unmatched:{keys[check.form_key]}", check.cents) for check in checks]
    suspense.hold_money(money=held, today=today, at=at)


def _bank(ids: list[int], *, today: date, at: datetime) -> int:
    """Those whose day has come are at the bank: on the books of their accounts, or in suspense."""
    with transaction.atomic():
        found = [check for check in lock_checks(check_ids=ids) if _is_due(check, today=today)]
        waiting = [describe_held(check) for check in found if check.status in WAITING]
        matched = [check.pk for check in found if check.status not in WAITING]
        suspense.bank_money(money=waiting, today=today, at=at)
        allocation.settle(references=_list_references(matched), today=today, at=at)
        ReceivedCheck.objects.filter(pk__in=[check.pk for check in found]).update(banked_on=today)
    return len(found)


def _is_due(check: ReceivedCheck, *, today: date) -> bool:
    """Whether its money is to be at the bank and is not yet."""
    return check.status in STANDING and check.banked_on is None and check.deposit_on <= today


def _take_back(checks: Sequence[ReceivedCheck], *, is_banked: bool, today: date, at: datetime) -> None:
    references = _list_references([check.pk for check in checks])
    allocation.take_back(
        references=references, settled=is_banked, why="the check was returned", today=today, at=at
    )
    shared = set(
        CheckShare.objects.filter(received_check__in=checks).values_list("received_check", flat=True)
    )
    held = [describe_held(check) for check in checks if check.pk not in shared]
    suspense.release_money(money=held, how=suspense.Left.RETURNED, today=today, at=at)


def _read_standings(rows: Sequence[CheckShare], today: date) -> dict[int, Standing]:
    return read_standings(account_ids={row.account_id for row in rows}, today=today)


def _list_references(check_ids: Sequence[int]) -> list[str]:
    if not check_ids:
        return []
    shares = CheckShare.objects.filter(received_check__in=check_ids).order_by("pk")
    return [share.reference for share in shares]


def _chunk(checks: QuerySet[ReceivedCheck]) -> Iterator[list[int]]:
    keys = list(checks.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
