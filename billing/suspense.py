"""Suspense: money received that names no account, on the ledger and on nobody's bill until staff say whose it is.

Each goes by the reference of what brought it, such as "unmatched:12". Each function takes a set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from billing.ledger import Posting, post
from billing.models import Chart


class Left(StrEnum):
    """How money leaves suspense: put on accounts, returned by the bank, or sent back to who paid it."""

    MATCHED = "matched"
    RETURNED = "returned"
    SENT_BACK = "sent_back"


@dataclass(frozen=True, slots=True)
class HeldMoney:
    """Cents in suspense, and whether the bank has them."""

    reference: str
    cents: int
    is_banked: bool = False


def hold_money(*, money: Sequence[HeldMoney], today: date, at: datetime) -> None:
    """It is received, and in suspense. Raises AlreadyPosted."""
    post(postings=[_move(item, Chart.IN_TRANSIT, Chart.SUSPENSE, "received", today) for item in money], at=at)


def bank_money(*, money: Sequence[HeldMoney], today: date, at: datetime) -> None:
    """The bank has it. Raises AlreadyPosted."""
    post(postings=[_move(item, Chart.BANK, Chart.IN_TRANSIT, "settled", today) for item in money], at=at)


def release_money(*, money: Sequence[HeldMoney], how: Left, today: date, at: datetime) -> None:
    """It leaves suspense, from where it lies. Raises AlreadyPosted."""
    post(postings=[_move(item, Chart.SUSPENSE, _find_place(item), how.value, today) for item in money], at=at)


def _find_place(item: HeldMoney) -> Chart:
    return Chart.BANK if item.is_banked else Chart.IN_TRANSIT


def _move(item: HeldMoney, debit: Chart, source: Chart, what: str, today: date) -> Posting:
    return Posting(debit, source, item.cents, None, f"{item.reference}:{what}", today)
