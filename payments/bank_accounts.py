"""Bank accounts: what a payer types, checked and sealed; the one function that reads an account number in clear."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from connector_pay.lib.masking import mask_number
from connector_pay.lib.models import SealedValue
from connector_pay.lib.sealed import blind_index, open_sealed
from connector_pay.lib.written_once import write_once
from members.models import User
from payments.ach.return_codes import BLOCKS_ROUTING
from payments.bank_numbers import (
    UnableToUseAccountNumber,
    UnableToUseBankAccount,
    UnableToUseRoutingNumber,
    check_account_number,
    check_holder_name,
    check_routing_number,
    looks_like_card,
)
from payments.models import (
    BANK_ACCOUNT_MOVES,
    AccountKind,
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    Mandate,
    MandateStatus,
    Payment,
    PaymentStatus,
    ReturnLine,
    RoutingNumber,
    Validation,
)
from payments.validation import MANUAL, Attempt, Question, Result, ask_methods, list_methods

ACCOUNT_NUMBER = "account_number"  # what the sealed value is sealed for
CLOSED = (BankAccountStatus.FAILED, BankAccountStatus.BLOCKED)
MAY_BE_BLOCKED = (BankAccountStatus.UNCHECKED, BankAccountStatus.VALID, BankAccountStatus.PAUSED)
AFTER = {Result.PASSED: BankAccountStatus.VALID, Result.FAILED: BankAccountStatus.FAILED}
LONGEST_DETAIL = 200
VALIDATED_AT_ONCE = 200  # accounts asked about before what was said is kept


@dataclass(frozen=True)
class BankDetails:
    """A bank account as a payer typed it; its number never shows.

    `not_a_card`: the payer says so of a number that looks like a card's.
    """

    holder_name: str
    kind: str
    routing_number: str
    account_number: str
    not_a_card: bool = False

    def __repr__(self) -> str:
        return f"BankDetails({self.kind}, {mask_number(self.account_number)})"

    @property
    def last_four(self) -> str:
        """What may be shown of the number."""
        return self.account_number[-4:]


def register(*, details: BankDetails, owner: User | None, at: datetime) -> BankAccount:
    """Keep a bank account, its number sealed; a member's own is kept once, a guest's is never used again.

    Raises UnableToUseBankAccount for numbers that cannot be, for a card's, where this owner's account failed validation or was
    blocked after a return, and for a paused account, whoever types it. The kind and the name are part of what is the same: a
    payer may mend them.
    """
    clean = _clean(details)
    index = index_number(routing_number=clean.routing_number, account_number=clean.account_number)
    found = _list_kept(blind_index=index, routing_number=clean.routing_number)
    equal = [account for account in found if account.blind_index == index]
    known = [account for account in equal if _is_own(account, owner) and account.hidden_at is None]
    for account in equal:
        if account.status == BankAccountStatus.PAUSED or (account in known and account.status in CLOSED):
            _refuse_status(account.status)
    _refuse_blocked_routing([account for account in found if account not in equal])
    for account in known:
        if owner and account.kind == clean.kind and account.holder_name == clean.holder_name:
            return BankAccount.objects.get(pk=account.pk)
    return _keep(clean, owner=owner, index=index, at=at)


def refuse_unusable(*, bank_account: BankAccount) -> None:
    """Raises UnableToUseBankAccount for an account that may not be debited now: failed, blocked or paused."""
    _refuse_status(bank_account.status)


def _refuse_status(status: str) -> None:
    if status in CLOSED:
        raise UnableToUseBankAccount(
            "This bank account could not be used before. Use another account or call us"
        )
    if status == BankAccountStatus.PAUSED:
        raise UnableToUseBankAccount(
            "Payments from this bank account are paused. Use another account or call us"
        )


def seal_number(*, account_number: str) -> SealedValue:
    """The account number sealed, not yet saved."""
    return SealedValue.make(clear=account_number.encode(), purpose=ACCOUNT_NUMBER)


def index_number(*, routing_number: str, account_number: str) -> str:
    """What tells equal routing and account numbers without telling them."""
    return blind_index(value=f"{routing_number}:{account_number}")


def fingerprint(*, bank: BankDetails | BankAccount) -> str:
    """What tells that the holder, the kind and both numbers are the same, without telling any of them."""
    if isinstance(bank, BankAccount):
        index = bank.blind_index
    else:
        index = index_number(routing_number=bank.routing_number, account_number=bank.account_number)
    return blind_index(value=f"{bank.holder_name}\n{bank.kind}\n{index}")


def open_account_number(*, bank_account: BankAccount) -> str:
    """The account number in clear: for the bank file, for validation, and for nothing else. Raises UnableToOpen."""
    return open_number(token=bank_account.sealed.token, row=bank_account.sealed_id)


def open_number(*, token: bytes | memoryview, row: UUID) -> str:
    """The same of a sealed value that is read without its account: `row` is its id. Raises UnableToOpen."""
    return open_sealed(token=bytes(token), purpose=ACCOUNT_NUMBER, row=row).decode()


def read_details(*, bank_account: BankAccount) -> BankDetails:
    """The account as its payer typed it, number in clear. Raises UnableToOpen."""
    return BankDetails(
        holder_name=bank_account.holder_name,
        kind=bank_account.kind,
        routing_number=bank_account.routing_number,
        account_number=open_account_number(bank_account=bank_account),
    )


def list_waiting() -> QuerySet[BankAccount]:
    """The accounts not yet validated for which a recorded payment or AutoPay waits."""
    recorded = Payment.objects.filter(bank_account=OuterRef("pk"), status=PaymentStatus.RECORDED)
    drafted = Mandate.objects.filter(bank_account=OuterRef("pk"), status=MandateStatus.ON)
    unchecked = BankAccount.objects.filter(status=BankAccountStatus.UNCHECKED)
    return unchecked.filter(Exists(recorded) | Exists(drafted)).order_by("pk")


def validate(*, bank_account: BankAccount, at: datetime) -> BankAccountStatus:
    """Ask the validation methods about one account, outside any transaction; returns where it stands."""
    validate_all(bank_accounts=[bank_account], at=at)
    bank_account.refresh_from_db(fields=["status"])
    return BankAccountStatus(bank_account.status)


def validate_all(*, bank_accounts: Iterable[BankAccount], at: datetime) -> Counter[str]:
    """Ask the validation methods, outside any transaction, and keep what they said; returns how many passed and failed.

    An account that was answered for before is not asked about again. The accounts come with their sealed numbers, and some at
    a time, so that a crash forgets little.
    """
    methods, counts = list_methods(), Counter(passed=0, failed=0)
    unchecked = [account for account in bank_accounts if account.status == BankAccountStatus.UNCHECKED]
    for start in range(0, len(unchecked), VALIDATED_AT_ONCE):
        questions = [
            Question(account, partial(read_details, bank_account=account))
            for account in unchecked[start : start + VALIDATED_AT_ONCE]
        ]
        counts.update(_keep_answers(ask_methods(methods=methods, questions=questions, at=at), at=at))
    return counts


def approve(*, bank_account: BankAccount, at: datetime, by: str = "") -> bool:
    """Staff have validated the account by hand; False if it no longer waits for that."""
    return _decide(bank_account, Result.PASSED, detail=_say_who(by), at=at)


def refuse(*, bank_account: BankAccount, at: datetime, why: str, by: str = "") -> bool:
    """Staff say that the account cannot be debited; False if it no longer waits. What waits on it is for `stop_unusable`."""
    return _decide(bank_account, Result.FAILED, detail=f"{_say_who(by)}: {why}".lstrip(": "), at=at)


def block(*, bank_account_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """No debit may be sent to these accounts any more; returns those that were open until now."""
    ids = list(bank_account_ids)
    return sorted(
        key
        for before in MAY_BE_BLOCKED
        for key in BANK_ACCOUNT_MOVES.move(
            model=BankAccount,
            history=BankAccountMove,
            ids=ids,
            before=before,
            after=BankAccountStatus.BLOCKED,
            at=at,
            why=why,
        )
    )


def fail(*, bank_account_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """The accounts did not validate; returns those that waited to be."""
    return BANK_ACCOUNT_MOVES.move(
        model=BankAccount,
        history=BankAccountMove,
        ids=bank_account_ids,
        before=BankAccountStatus.UNCHECKED,
        after=BankAccountStatus.FAILED,
        at=at,
        why=why,
    )


def list_own_rows(*, bank_account_ids: Iterable[int]) -> dict[int, set[int]]:
    """For each account the rows that are the same account of the same owner, itself among them; a guest's stands alone."""
    asked = BankAccount.objects.filter(pk__in=list(bank_account_ids)).values_list(
        "pk", "owner", "blind_index"
    )
    rows = list(asked)
    equal = BankAccount.objects.filter(
        owner__in={owner for _key, owner, _index in rows if owner},
        blind_index__in={index for _key, _owner, index in rows},
    )
    same: defaultdict[tuple[int | None, str], set[int]] = defaultdict(set)
    for key, owner, index in equal.values_list("pk", "owner", "blind_index"):
        same[owner, index].add(key)
    return {key: {key, *same.get((owner, index), ())} for key, owner, index in rows}


@dataclass(frozen=True, slots=True)
class _Kept:
    """As much of an account that was typed before as decides on one typed now."""

    pk: int
    owner_id: int | None
    holder_name: str
    kind: str
    routing_number: str
    blind_index: str
    status: str
    hidden_at: datetime | None


def _is_own(account: _Kept, owner: User | None) -> bool:
    return account.owner_id == (owner.pk if owner else None)


def _list_kept(*, blind_index: str, routing_number: str) -> list[_Kept]:
    """Every row of one account, whoever typed it, and those whose routing number came back as invalid; newest first."""
    rows = _read_kept([blind_index], [routing_number])
    return sorted((_Kept(*row) for row in rows), key=lambda kept: -kept.pk)


@write_once
def _read_kept(blind_indexes: list[str], routing_numbers: list[str]) -> QuerySet[BankAccount, Any]:
    columns = [item.name for item in fields(_Kept)]
    blocked = ReturnLine.objects.filter(applied=True, code__in=BLOCKS_ROUTING)
    equal = BankAccount.objects.filter(blind_index__among=blind_indexes)
    on_routing = BankAccount.objects.filter(routing_number__among=routing_numbers)
    paid = on_routing.filter(payments__entry__return_lines__in=blocked)
    asked = on_routing.filter(prenotes__entry__return_lines__in=blocked)
    return equal.values_list(*columns).union(paid.values_list(*columns), asked.values_list(*columns))


def _refuse_blocked_routing(others: Collection[_Kept]) -> None:
    """No bank answers to a routing number that came back as invalid, until a later directory names it again.

    Raises UnableToUseRoutingNumber.
    """
    if not others:
        return
    keys = [account.pk for account in others]
    of_others = Q(entry__payment__bank_account__in=keys) | Q(entry__prenote__bank_account__in=keys)
    since = ReturnLine.objects.filter(of_others, applied=True, code__in=BLOCKS_ROUTING).latest("at").at
    number = next(iter(others)).routing_number
    if not RoutingNumber.objects.filter(number=number, imported_at__gt=since).exists():
        raise UnableToUseRoutingNumber(
            "No bank takes electronic payments under this routing number. Check it with your bank"
        )


def _clean(details: BankDetails) -> BankDetails:
    """What was typed, as it is kept. Raises UnableToUseBankAccount."""
    number = check_account_number(details.account_number)
    if looks_like_card(number) and not details.not_a_card:
        raise UnableToUseAccountNumber(
            "That looks like a card number. We cannot take cards. Enter a bank account number"
        )
    if details.kind not in AccountKind.values:
        raise UnableToUseBankAccount("Choose checking or savings")
    name = check_holder_name(details.holder_name)[:80]
    return BankDetails(
        name, details.kind, check_routing_number(details.routing_number), number, details.not_a_card
    )


def _keep(details: BankDetails, *, owner: User | None, index: str, at: datetime) -> BankAccount:
    sealed = seal_number(account_number=details.account_number)
    sealed.save(force_insert=True)
    return BankAccount.objects.create(
        owner=owner,
        holder_name=details.holder_name,
        kind=details.kind,
        routing_number=details.routing_number,
        last_four=details.last_four,
        blind_index=index,
        sealed=sealed,
        added_at=at,
    )


@transaction.atomic
def _keep_answers(attempts: Sequence[Attempt], *, at: datetime) -> Counter[str]:
    """Keep the attempts and move the accounts decided on, but for those that somebody has decided on meanwhile."""
    ids = {attempt.bank_account_id for attempt in attempts}
    # Locked in one order: another process may have asked about some of the same accounts.
    locked = BankAccount.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    list(locked.values_list("pk", flat=True))
    _keep_attempts(attempts, ids, at=at)
    decided: defaultdict[tuple[str, Result], list[int]] = defaultdict(list)
    for attempt in attempts:
        if attempt.outcome.result in AFTER:
            decided[attempt.method, attempt.outcome.result].append(attempt.bank_account_id)
    counts: Counter[str] = Counter()
    for (method, result), decided_ids in decided.items():
        counts[result] += len(_move(decided_ids, AFTER[result], at=at, why=method))
    return counts


def _keep_attempts(attempts: Sequence[Attempt], ids: Iterable[int], *, at: datetime) -> None:
    """One row for each answer, but a method that merely waits is not written down again every day."""
    known = Validation.objects.filter(bank_account__in=ids, outcome=Result.PENDING)
    waiting = set(known.values_list("bank_account_id", "method", "detail"))
    Validation.objects.bulk_create(
        Validation(
            bank_account_id=attempt.bank_account_id,
            method=attempt.method,
            outcome=attempt.outcome.result,
            detail=attempt.outcome.detail,
            at=at,
        )
        for attempt in attempts
        if attempt.outcome.is_from_outside
        or attempt.outcome.result != Result.PENDING
        or (attempt.bank_account_id, attempt.method, attempt.outcome.detail) not in waiting
    )


@transaction.atomic
def _decide(bank_account: BankAccount, result: Result, *, detail: str, at: datetime) -> bool:
    moved = _move([bank_account.pk], AFTER[result], at=at, why=f"{MANUAL} {detail}".strip())
    if moved:
        Validation.objects.create(
            bank_account=bank_account, method=MANUAL, outcome=result, detail=detail[:LONGEST_DETAIL], at=at
        )
    bank_account.refresh_from_db(fields=["status"])
    return bool(moved)


def _say_who(by: str) -> str:
    return f"by {by}" if by else ""


def _move(ids: Iterable[int], after: BankAccountStatus, *, at: datetime, why: str) -> list[int]:
    return BANK_ACCOUNT_MOVES.move(
        model=BankAccount,
        history=BankAccountMove,
        ids=ids,
        before=BankAccountStatus.UNCHECKED,
        after=after,
        at=at,
        why=why[:LONGEST_DETAIL],
    )
