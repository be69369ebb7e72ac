"""Validation: the ways to find out whether a bank account can be debited, asked in the order of the settings.

Validation never delays receipt: the received date stands, the debit follows once the account has passed. A payer's new number
is a new bank account, so it is asked about. A number that the payer's own bank corrects is warranted by that bank: an account
that has passed stays valid, and a prenote that was corrected is asked anew (`ach.prenote_answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from payments.bank_accounts import BankDetails
    from payments.models import BankAccount

HISTORY, INSTANT, PRENOTE, MANUAL = METHODS = ("history", "instant", "prenote", "manual")
# Banking days until an answer: staff's; and a prenote's, which goes out in the next file and passes 3 days after it settles.
MANUAL_DAYS, PRENOTE_DAYS = 2, 4


class Result(StrEnum):
    """What a method says of an account."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True)
class Question:
    """An account asked about; its number is opened only by a method that must tell it."""

    bank_account: BankAccount
    open_details: Callable[[], BankDetails]


@dataclass(frozen=True)
class Outcome:
    """A method's answer; the detail, if any, never holds the number. `is_from_outside`: somebody else was asked for it."""

    result: Result
    detail: str = ""
    is_from_outside: bool = False


@dataclass(frozen=True)
class Attempt:
    """One method asked about one account, and its answer."""

    bank_account_id: int
    method: str
    outcome: Outcome


class Method(Protocol):
    """A way to validate bank accounts. It may call over a network, so it is never asked inside a transaction."""

    name: str

    def ask(self, questions: Sequence[Question], *, at: datetime) -> Sequence[Outcome]:
        """Whether each of the accounts can be debited, in the order of the questions."""


def ask_methods(*, methods: Sequence[Method], questions: Sequence[Question], at: datetime) -> list[Attempt]:
    """Ask each method in order about the accounts that none before it has decided on."""
    attempts: list[Attempt] = []
    left = list(questions)
    for method in methods:
        outcomes = method.ask(left, at=at) if left else ()
        answered = list(zip(left, outcomes, strict=True))
        attempts += [
            Attempt(question.bank_account.pk, method.name, outcome) for question, outcome in answered
        ]
        left = [question for question, outcome in answered if outcome.result == Result.PENDING]
    return attempts


def count_waiting_days() -> int:
    """The banking days after which a new account is answered for, as far as can be said beforehand."""
    names = settings.BANK_VALIDATION_METHODS
    if INSTANT in names:
        return 0
    return PRENOTE_DAYS if PRENOTE in names else MANUAL_DAYS


def list_methods() -> Sequence[Method]:
    """The methods of this installation, in order. Raises ImproperlyConfigured for one that it does not have."""
    from payments.validation.history import History
    from payments.validation.instant import make_instant
    from payments.validation.manual import Manual
    from payments.validation.prenotes import AskByPrenote

    known: dict[str, Callable[[], Method]] = {
        HISTORY: History,
        INSTANT: make_instant,
        PRENOTE: AskByPrenote,
        MANUAL: Manual,
    }
    unknown = [name for name in settings.BANK_VALIDATION_METHODS if name not in known]
    if unknown:
        raise ImproperlyConfigured(f"BANK_VALIDATION_METHODS: there is no method {unknown[0]!r}.")
    return [known[name]() for name in settings.BANK_VALIDATION_METHODS]
