"""A lockbox file applied: once, whatever its name, all of it or nothing; every check on its accounts or with staff.

The checks count as of the day the lockbox received them, however late the file is imported. After them come those that the bank
returned.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from billing.accounts import lock_accounts
from billing.held_letters import note_mail_read
from billing.owed import read_owed
from billing.rows import insert_all
from members.models import User
from payments.ach.stored_files import find_free_name, store_bytes, take_file_id
from payments.channels.lockbox.facts import (
    list_accounts,
    make_account_key,
    make_remitter_key,
    read_facts,
)
from payments.channels.lockbox.items import Deposit, Item
from payments.channels.lockbox.matching import Match, Matcher
from payments.channels.lockbox.reading import read_deposit
from payments.channels.lockbox.returned import (
    Returned,
    apply_returns,
    describe_returns,
    find_accounts_of_returns,
    foresee_returns,
)
from payments.checks import NewCheck, record_checks
from payments.models import (
    BankFile,
    CheckSource,
    FileStatus,
    LockboxFile,
    LockboxItem,
    LockboxWay,
    ReceivedCheck,
)

NO_NAME = "Nobody is named"
_LOCK_KEY = 7_336_017
_CHECKS = UUID("1f0c3a52-7f0e-4d0c-8f38-7b0a4f6f2d11")
_COLUMNS = ("file", "number", "line", "received_check", "way", "words", "why")


class AlreadyImported(Exception):
    """The file was applied before; says when, by whom and what came of it. Nothing was changed."""

    def __init__(self, file: LockboxFile) -> None:
        super().__init__(f"This deposit was applied before: {file}.")
        self.file = file


@dataclass(frozen=True, slots=True)
class Part:
    """How many checks of a file went one way, and their cents."""

    way: LockboxWay
    count: int
    cents: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file does, or did: the day of its deposit, each way that its checks went, and what the bank returned."""

    deposit_on: date
    parts: tuple[Part, ...]
    returned: Returned

    @property
    def count(self) -> int:
        """All its checks."""
        return sum(part.count for part in self.parts)

    @property
    def cents(self) -> int:
        """Their sum."""
        return sum(part.cents for part in self.parts)


def preview_file(*, data: bytes, today: date) -> Outcome:
    """What importing the file would do as the books stand. Raises UnableToReadDeposit, AlreadyImported."""
    deposit = read_deposit(data=data, today=today)
    keys = [make_remitter_key(item=item) for item in deposit.items]
    _refuse_applied(_digest(data), _make_items_key(deposit, keys))
    returned = foresee_returns(returns=deposit.returns, items=deposit.items, remitter_keys=keys)
    return _sum_up(deposit, _match(deposit.items, keys), returned)


def import_file(*, name: str, data: bytes, by: User | None, today: date, at: datetime) -> LockboxFile:
    """Apply the file: every check counts or waits for staff, and what came back is returned or waits; in one transaction.

    Raises UnableToReadDeposit, AlreadyImported.
    """
    deposit = read_deposit(data=data, today=today)
    keys = [make_remitter_key(item=item) for item in deposit.items]
    items_key = _make_items_key(deposit, keys)
    with transaction.atomic():
        _wait_for_others()
        _refuse_applied(_digest(data), items_key)
        others = find_accounts_of_returns(returns=deposit.returns)
        matches = _match(deposit.items, keys, locking=others)
        checks = [
            _make_check(
                *(item, match, key),
                deposit_on=deposit.deposit_on,
                form_key=uuid5(_CHECKS, f"{items_key}:{number}"),
            )
            for number, (item, match, key) in enumerate(
                zip(deposit.items, matches, keys, strict=True), start=1
            )
        ]
        recorded = record_checks(checks=checks, by=None, today=today, at=at)
        file = _store(name, data, deposit, items_key=items_key, by=by, at=at)
        _keep_items(file, deposit.items, matches, recorded)
        apply_returns(file=file, returns=deposit.returns, today=today, at=at)
        if deposit.says_mail:
            note_mail_read(until=deposit.deposit_on, why="a lockbox file", at=at)
    return file


def describe_outcome(*, file: LockboxFile) -> Outcome:
    """What came of a file when it was applied."""
    rows = LockboxItem.objects.filter(file=file).values_list("way").order_by("way")
    found = rows.annotate(count=Count("pk"), cents=Sum("received_check__cents"))
    parts = _sort_parts(Part(LockboxWay(way), *sums) for way, *sums in found)
    return Outcome(file.deposit_on, parts, describe_returns(file=file))


def find_applied(*, digest: str, items_key: str = "") -> LockboxFile | None:
    """The file that was applied with these bytes, or with these checks."""
    files = LockboxFile.objects.select_related("file", "imported_by")
    return files.filter(Q(file__sha256=digest) | Q(items_key=items_key)).order_by("pk").first()


def _refuse_applied(digest: str, items_key: str) -> None:
    if file := find_applied(digest=digest, items_key=items_key):
        raise AlreadyImported(file)


def _wait_for_others() -> None:
    """One import at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _make_items_key(deposit: Deposit, remitter_keys: Sequence[str]) -> str:
    """One for the same checks and returns of the same day, whatever bytes say them; account numbers go in as their keys."""
    digest = hashlib.sha256(deposit.deposit_on.isoformat().encode())
    for item, key in zip(deposit.items, remitter_keys, strict=True):
        said = (item.lockbox, item.batch, item.number, item.kind, item.cents, item.check_number)
        digest.update(repr((*said, item.received_on.isoformat(), item.words, key)).encode())
    for back in deposit.returns:
        account = make_account_key(routing_number=back.routing_number, account_number=back.account_number)
        told = ("return", back.lockbox, back.check_number, back.cents, str(back.received_on), back.why)
        digest.update(repr((*told, account)).encode())
    return digest.hexdigest()


def _match(
    items: Sequence[Item], remitter_keys: Sequence[str], *, locking: Collection[int] | None = None
) -> list[Match]:
    """Where each goes. What is owed is read again once the accounts are locked, with those given: it may be paid meanwhile."""
    facts = read_facts(items=items, remitter_keys=remitter_keys)
    if locking is not None:
        lock_accounts(account_ids=list_accounts(facts) | set(locking))
        facts = replace(facts, owed=read_owed(account_ids=list_accounts(facts)))
    matcher = Matcher(facts=facts)
    return [
        matcher.match(item=item, remitter_key=key) for item, key in zip(items, remitter_keys, strict=True)
    ]


def _make_check(item: Item, match: Match, remitter_key: str, *, deposit_on: date, form_key: UUID) -> NewCheck:
    return NewCheck(
        number=item.check_number,
        payer=item.remitter or NO_NAME,
        cents=item.cents,
        received_on=item.received_on,
        deposit_on=deposit_on,
        kind=item.kind,
        source=CheckSource.LOCKBOX,
        form_key=form_key,
        shares=match.shares,
        remitter_key=remitter_key,
    )


def _store(
    name: str, data: bytes, deposit: Deposit, *, items_key: str, by: User | None, at: datetime
) -> LockboxFile:
    file = BankFile.objects.create(
        id=take_file_id(),
        name=find_free_name(name=name),
        direction=BankFile.Direction.IN,
        kind=BankFile.Kind.LOCKBOX,
        status=FileStatus.READ,
        business_date=deposit.deposit_on,
        sha256=_digest(data),
        line_count=data.count(b"\n"),
        entry_count=len(deposit.items),
        credit_cents=deposit.cents,
        stored_at=at,
    )
    store_bytes(file_id=file.pk, data=data)
    return LockboxFile.objects.create(
        file=file,
        items_key=items_key,
        deposit_on=deposit.deposit_on,
        count=len(deposit.items),
        cents=deposit.cents,
        imported_at=at,
        imported_by=by,
    )


def _keep_items(
    file: LockboxFile, items: Sequence[Item], matches: Sequence[Match], checks: Sequence[ReceivedCheck]
) -> None:
    rows = [
        (file.pk, number, item.line, check.pk, match.way.value, item.words, match.why[:200])
        for number, (item, match, check) in enumerate(zip(items, matches, checks, strict=True), start=1)
    ]
    insert_all(model=LockboxItem, columns=_COLUMNS, rows=rows)


def _sum_up(deposit: Deposit, matches: Sequence[Match], returned: Returned) -> Outcome:
    counts, cents = Counter[LockboxWay](), Counter[LockboxWay]()
    for item, match in zip(deposit.items, matches, strict=True):
        counts[match.way] += 1
        cents[match.way] += item.cents
    parts = _sort_parts(Part(way, counts[way], cents[way]) for way in counts)
    return Outcome(deposit.deposit_on, parts, returned)


def _sort_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """In the order in which the ways are tried."""
    order = list(LockboxWay)
    return tuple(sorted(parts, key=lambda part: order.index(part.way)))
