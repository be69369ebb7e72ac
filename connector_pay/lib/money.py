"""Money as whole cents: dollars exist only where people read or type them."""

import re

_DOLLARS = re.compile(r"\$?(?P<whole>\d{1,3}(?:,\d{3})*|\d+)?(?:\.(?P<cents>\d{2}))?")


class UnableToReadMoney(ValueError):
    """What was typed is not an amount of dollars and cents."""


def format_dollars(cents: int) -> str:
    """1284_17 cents as "$1,284.17"; a credit of 500 cents as "-$5.00"."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def read_dollars(text: str) -> int:
    """Whole cents from dollars as people type them: "284.17", "$1,284.17", "90". Raises UnableToReadMoney."""
    match = _DOLLARS.fullmatch(text.strip().replace(" ", ""))
    if not match or (match["whole"] is None and match["cents"] is None):
        raise UnableToReadMoney("Enter dollars and cents, like 284.17")
    whole = (match["whole"] or "0").replace(",", "")
    return int(whole) * 100 + int(match["cents"] or 0)
