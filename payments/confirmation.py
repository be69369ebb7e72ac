"""Confirmation numbers: ten random characters that nobody mistakes for one another, shown in two groups of five."""

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 and O, no 1, I and L, no U
LENGTH = 10
GROUP = 5


def make_number() -> str:
    """A new confirmation number; one in 590 trillion, so it cannot be guessed."""
    number, letters = secrets.randbelow(len(ALPHABET) ** LENGTH), []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)


def format_number(number: str) -> str:
    """The number as it is read: "ABCDE-FGHJK"."""
    return f"{number[:GROUP]}-{number[GROUP:]}"


def compact_number(number: str) -> str:
    """The number as it is stored, from what a person typed: capitals, without spaces and hyphens."""
    return re.sub(r"[\s\-–—]", "", number).upper()
