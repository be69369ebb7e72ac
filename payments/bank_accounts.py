"""Bank accounts: what a payer types, checked and sealed; the one function that reads an account number in clear."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connector_pay.lib.masking import mask_number
from connector_pay.lib.models import SealedValue
from connector_pay.lib.sealed import blind_index
from members.models import User
from payments.ach.plain_letters import write_plainly
from payments.ach.routing_numbers import find_routing_fault
from payments.models import (
    BANK_ACCOUNT_MOVES,
    AccountKind,
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    Validation,
)
from payments.validation import Attempt, Result, try_methods

ACCOUNT_NUMBER = "account_number"  # what the sealed value is sealed for
CLOSED = (BankAccountStatus.FAILED, BankAccountStatus.BLOCKED)
NAME_COLUMNS = 22  # what a bank file holds of a name

_SEPARATORS = re.compile(r"[\s.\-‐‑–—/]")
_ACCOUNT_NUMBER = re.compile(r"[0-9A-Z]{4,17}", re.ASCII)
_CARD_PREFIX = re.compile(
    r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|30[0-5]|3[689]|35(2[89]|[3-8])|6011|64[4-9]|65|62"
)


class UnableToUseBankAccount(ValueError):
    """This bank account cannot be paid from; the text says what to do."""


class UnableToUseRoutingNumber(UnableToUseBankAccount):
    """What was typed is no bank's routing number."""


class UnableToUseAccountNumber(UnableToUseBankAccount):
    """What was typed cannot be an account number."""


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


def check_holder_name(text: str) -> str:
    """The name on the account with single spaces; a bank file must find letters in it. Raises UnableToUseBankAccount.

    A name that a file would write as blanks or zeros is refused here: there it would stop the file for everyone.
    """
    name = " ".join(text.split())
    if not name:
        raise UnableToUseBankAccount("Enter the name on the account, as your bank writes it")
    has_controls = any(unicodedata.category(character) == "Cc" for character in name)
    if has_controls or not write_plainly(text=name)[:NAME_COLUMNS].strip(" 0"):
        raise UnableToUseBankAccount("Enter the name as your bank writes it, in letters")
    return name


def check_routing_number(text: str) -> str:
    """The 9 digits of a routing number as typed, spaces and hyphens taken out. Raises UnableToUseRoutingNumber."""
    number = _SEPARATORS.sub("", text)
    if find_routing_fault(routing_number=number):
        raise UnableToUseRoutingNumber("Enter the 9-digit routing number from the bottom left of your check")
    return number


def check_account_number(text: str) -> str:
    """The account number as typed, separators taken out: 4 to 17 letters or digits, not all zeros.

    Raises UnableToUseAccountNumber.
    """
    number = _SEPARATORS.sub("", text).upper()
    if not _ACCOUNT_NUMBER.fullmatch(number) or not number.strip("0"):
        raise UnableToUseAccountNumber("Enter your account number, 4 to 17 letters or digits")
    return number


def looks_like_card(text: str) -> bool:
    """Whether a number is built like a debit or credit card's: 13 to 19 digits, a card's first digits, a card's check digit."""
    number = _SEPARATORS.sub("", text)
    if not (number.isascii() and number.isdigit() and 13 <= len(number) <= 19):
        return False
    return bool(_CARD_PREFIX.match(number)) and _passes_luhn(number)


def register(*, details: BankDetails, owner: User | None, at: datetime) -> BankAccount:
    """Keep a bank account, its number sealed; a member's own is kept once, a guest's is never used again.

    Raises UnableToUseBankAccount for numbers that cannot be, for a card's, and where this owner's account failed validation
    or was blocked after a return. The kind and the name are part of what is the same: a payer may mend them.
    """
    clean = _clean(details)
    index = index_number(routing_number=clean.routing_number, account_number=clean.account_number)
    known = list(BankAccount.objects.filter(owner=owner, blind_index=index, hidden_at=None).order_by("-pk"))
    if any(account.status in CLOSED for account in known):
        raise UnableToUseBankAccount(
            "This bank account could not be used before. Use another account or call us"
        )
    for account in known:
        if owner and account.kind == clean.kind and account.holder_name == clean.holder_name:
            return account
    return _keep(clean, owner=owner, index=index, at=at)


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
    return bank_account.sealed.open(purpose=ACCOUNT_NUMBER).decode()


def read_details(*, bank_account: BankAccount) -> BankDetails:
    """The account as its payer typed it, number in clear. Raises UnableToOpen."""
    return BankDetails(
        holder_name=bank_account.holder_name,
        kind=bank_account.kind,
        routing_number=bank_account.routing_number,
        account_number=open_account_number(bank_account=bank_account),
    )


def validate(*, bank_account: BankAccount, at: datetime) -> BankAccountStatus:
    """Ask the validation methods, outside any transaction, and keep what they said; returns where the account stands.

    An account that was answered for before is not asked about again.
    """
    if bank_account.status != BankAccountStatus.UNCHECKED:
        return BankAccountStatus(bank_account.status)
    attempts = try_methods(details=read_details(bank_account=bank_account))
    with transaction.atomic():
        _keep_attempts(bank_account, attempts, at=at)
        results = {attempt.outcome.result for attempt in attempts}
        if Result.PASSED in results:
            _move(bank_account, BankAccountStatus.VALID, at=at, why=attempts[-1].method)
        elif Result.FAILED in results:
            _move(bank_account, BankAccountStatus.FAILED, at=at, why=attempts[-1].method)
    bank_account.refresh_from_db(fields=["status"])
    return BankAccountStatus(bank_account.status)


def approve(*, bank_account: BankAccount, at: datetime) -> bool:
    """Staff have validated the account by hand; False if it no longer waits for that."""
    with transaction.atomic():
        moved = _move(bank_account, BankAccountStatus.VALID, at=at, why="manual")
        if moved:
            Validation.objects.create(
                bank_account=bank_account, method="manual", outcome=Result.PASSED, at=at
            )
    bank_account.refresh_from_db(fields=["status"])
    return moved


def block(*, bank_account_ids: set[int], at: datetime, why: str) -> list[int]:
    """No debit may be sent to these accounts any more; returns those that were open until now."""
    return [
        key
        for before in (BankAccountStatus.UNCHECKED, BankAccountStatus.VALID)
        for key in BANK_ACCOUNT_MOVES.move(
            model=BankAccount,
            history=BankAccountMove,
            ids=bank_account_ids,
            before=before,
            after=BankAccountStatus.BLOCKED,
            at=at,
            why=why,
        )
    ]


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


def _keep_attempts(bank_account: BankAccount, attempts: list[Attempt], *, at: datetime) -> None:
    """One row for each method and answer: a method that still waits is not written down again every day."""
    kept = set(bank_account.validations.values_list("method", "outcome"))
    Validation.objects.bulk_create(
        Validation(
            bank_account=bank_account,
            method=attempt.method,
            outcome=attempt.outcome.result,
            detail=attempt.outcome.detail,
            at=at,
        )
        for attempt in attempts
        if (attempt.method, attempt.outcome.result) not in kept
    )


def _move(bank_account: BankAccount, after: BankAccountStatus, *, at: datetime, why: str) -> bool:
    moved = BANK_ACCOUNT_MOVES.move(
        model=BankAccount,
        history=BankAccountMove,
        ids=[bank_account.pk],
        before=BankAccountStatus.UNCHECKED,
        after=after,
        at=at,
        why=why,
    )
    return bool(moved)


def _passes_luhn(number: str) -> bool:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
