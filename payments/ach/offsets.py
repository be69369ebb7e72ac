"""Balanced files: where the bank asks for it, one entry on the exchange's own account closes each batch, of the opposite sign."""

import re
from dataclasses import dataclass

from payments.ach.entries import Entry
from payments.ach.routing_numbers import find_routing_fault

LARGEST_OFFSET_CENTS = 9_999_999_999  # what the ten columns of an amount hold
INDIVIDUAL_ID = "OFFSET"
_CODES = {"checking": ("22", "27"), "savings": ("32", "37")}
_ACCOUNT_NUMBER = re.compile(r"(?!0+$)[0-9A-Z]{4,17}", re.ASCII)


class UnableToReadOffsetAccount(ValueError):
    """The setting is no ROUTING:ACCOUNT:checking or ROUTING:ACCOUNT:savings; the text says what is wrong, never the number."""


@dataclass(frozen=True, slots=True)
class OffsetAccount:
    """The exchange's own account at its bank; its number never shows."""

    routing_number: str
    account_number: str
    kind: str

    def __repr__(self) -> str:
        return f"OffsetAccount({self.kind})"


def read_offset_account(*, text: str) -> OffsetAccount | None:
    """The account that a setting names as ROUTING:ACCOUNT:KIND, None where it is empty. Raises UnableToReadOffsetAccount."""
    if not text:
        return None
    parts = text.split(":")
    if len(parts) != 3:
        raise UnableToReadOffsetAccount("must have three parts with colons between")
    routing_number, account_number, kind = parts
    if find_routing_fault(routing_number=routing_number):
        raise UnableToReadOffsetAccount("must begin with a bank's 9-digit routing number")
    if not _ACCOUNT_NUMBER.fullmatch(account_number):
        raise UnableToReadOffsetAccount("must have an account number of 4 to 17 digits or capitals")
    if kind not in _CODES:
        raise UnableToReadOffsetAccount("must end with checking or savings")
    return OffsetAccount(routing_number, account_number, kind)


def make_offset(
    *, account: OffsetAccount, cents: int, is_debit: bool, name: str, discretionary: str, trace_number: str
) -> Entry:
    """The entry that closes a batch: a credit of all that its debits bring, or a debit of all that its credits take."""
    return Entry(
        transaction_code=_CODES[account.kind][is_debit],
        routing_number=account.routing_number,
        account_number=account.account_number,
        amount_cents=cents,
        individual_id=INDIVIDUAL_ID,
        individual_name=name,
        trace_number=trace_number,
        discretionary=discretionary,
    )
