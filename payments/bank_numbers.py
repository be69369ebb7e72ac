"""What a payer types of a bank account, checked: name, routing number, account number, and no card's number among them."""

import re
import unicodedata

from django.utils.translation import gettext as _

from payments.ach.plain_letters import write_plainly
from payments.ach.routing_numbers import find_routing_fault

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


def check_holder_name(text: str) -> str:
    """The name on the account with single spaces; a bank file must find letters in it. Raises UnableToUseBankAccount.

    A name that a file would write as blanks or zeros is refused here: there it would stop the file for everyone.
    """
    name = " ".join(text.split())
    if not name:
        raise UnableToUseBankAccount(_("Enter the name on the account, as your bank writes it"))
    has_controls = any(unicodedata.category(character) == "Cc" for character in name)
    if has_controls or not write_plainly(text=name)[:NAME_COLUMNS].strip(" 0"):
        raise UnableToUseBankAccount(_("Enter the name as your bank writes it, in letters"))
    return name


def check_routing_number(text: str) -> str:
    """The 9 digits of a routing number as typed, spaces and hyphens taken out. Raises UnableToUseRoutingNumber."""
    number = _SEPARATORS.sub("", text)
    if find_routing_fault(routing_number=number):
        raise UnableToUseRoutingNumber(
            _("Enter the 9-digit routing number from the bottom left of your check")
        )
    return number


def check_account_number(text: str) -> str:
    """The account number as typed, separators taken out: 4 to 17 letters or digits, not all zeros.

    Raises UnableToUseAccountNumber.
    """
    number = _SEPARATORS.sub("", text).upper()
    if not _ACCOUNT_NUMBER.fullmatch(number) or not number.strip("0"):
        raise UnableToUseAccountNumber(_("Enter your account number, 4 to 17 letters or digits"))
    return number


def looks_like_card(text: str) -> bool:
    """Whether a number is built like a debit or credit card's: 13 to 19 digits, a card's first digits, a card's check digit."""
    number = _SEPARATORS.sub("", text)
    if not (number.isascii() and number.isdigit() and 13 <= len(number) <= 19):
        return False
    return bool(_CARD_PREFIX.match(number)) and _passes_luhn(number)


def _passes_luhn(number: str) -> bool:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
