"""Validation: the ways to find out whether a bank account can be debited, asked in the order of the settings.

Validation never delays receipt: the received date stands, the debit follows once the account has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from payments.bank.magic_accounts import find_magic_account

if TYPE_CHECKING:
    from payments.bank_accounts import BankDetails


class Result(StrEnum):
    """What a method says of an account."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True)
class Outcome:
    """A method's answer; the detail, if any, never holds the number."""

    result: Result
    detail: str = ""


@dataclass(frozen=True)
class Attempt:
    """One method asked, and its answer."""

    method: str
    outcome: Outcome


class Method(Protocol):
    """A way to validate a bank account. It may call over a network, so it is never asked inside a transaction."""

    name: str

    def validate(self, details: BankDetails) -> Outcome:
        """Whether the account can be debited."""


class SandboxInstant:
    """The sandbox's provider: it knows every account but the one that is there to fail."""

    name = "instant"

    def validate(self, details: BankDetails) -> Outcome:
        """Passes all but the magic number that fails."""
        magic = find_magic_account(details.account_number)
        if magic and magic.fails_validation:
            return Outcome(Result.FAILED, "no such account")
        return Outcome(Result.PASSED)


class Manual:
    """Staff look at the account and approve it."""

    name = "manual"

    def validate(self, details: BankDetails) -> Outcome:
        """Waits for staff."""
        return Outcome(Result.PENDING, "waits for staff")


def try_methods(*, details: BankDetails) -> list[Attempt]:
    """Ask each method of settings.BANK_VALIDATION_METHODS until one knows; the last attempt is the answer."""
    attempts = []
    for method in list_methods():
        attempts.append(Attempt(method=method.name, outcome=method.validate(details)))
        if attempts[-1].outcome.result != Result.PENDING:
            break
    return attempts


def answers_at_once() -> bool:
    """Whether a new account is answered for without waiting for a person."""
    return any(method.name != Manual.name for method in list_methods())


def list_methods() -> Sequence[Method]:
    """The methods of this installation, in order. Raises ImproperlyConfigured for one that it does not have."""
    methods: dict[str, Method] = {"manual": Manual()}
    if settings.BANK_DRIVER == "sandbox":
        methods["instant"] = SandboxInstant()
    unknown = [name for name in settings.BANK_VALIDATION_METHODS if name not in methods]
    if unknown:
        raise ImproperlyConfigured(
            f"BANK_VALIDATION_METHODS: {unknown[0]!r} is not available with this bank."
        )
    return [methods[name] for name in settings.BANK_VALIDATION_METHODS]
