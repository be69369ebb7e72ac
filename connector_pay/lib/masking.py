"""Masking: what a log, an error or a page may show of a number that identifies a bank account."""

import re

# A run of 5 or more digits, perhaps broken by spaces or hyphens, whatever stands beside it: account numbers, routing numbers,
# card numbers, a line of a bank file. An identifier of our own is met first, whole, and stays.
_LONG_DIGITS = re.compile(
    r"(?P<identifier>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)|\d(?:[ -]?\d){4,}", re.IGNORECASE
)


def mask_number(number: str) -> str:
    """An account number as "ending 6789"."""
    return f"ending {number[-4:]}"


def redact_digits(text: str) -> str:
    """The text with every run of digits that could be an account number replaced."""
    return _LONG_DIGITS.sub(lambda found: found["identifier"] or "[number removed]", text)


def mask_digits(text: str) -> str:
    """The text with every run of digits that could be an account number as "ending 6789"."""
    return _LONG_DIGITS.sub(
        lambda found: found["identifier"] or mask_number(re.sub("[ -]", "", found[0])), text
    )
