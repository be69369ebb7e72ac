"""What a month of coverage costs, from the rates that intake said: pure, no database and no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Rate:
    """What one month costs from a month on, in cents: the premium, and the part of it that a subsidy pays."""

    id: int
    from_month: date
    premium_cents: int
    subsidy_cents: int

    @property
    def net_cents(self) -> int:
        """What the member owes for a month."""
        return self.premium_cents - self.subsidy_cents


class AnyRate(Protocol):
    """A rate, here or as `members.PremiumRate` keeps it."""

    @property
    def id(self) -> int: ...
    @property
    def from_month(self) -> date: ...


Found = TypeVar("Found", bound=AnyRate)


class UnableToPriceMonth(LookupError):
    """No rate covers the month."""


def find_rate(*, rates: Iterable[Found], month: date) -> Found:
    """The rate in force in a month: the latest to begin by then, and of those the last that intake said.

    Raises UnableToPriceMonth.
    """
    begun = [rate for rate in rates if rate.from_month <= month]
    if not begun:
        raise UnableToPriceMonth(f"No rate says what coverage costs in {month:%B %Y}.")
    return max(begun, key=lambda rate: (rate.from_month, rate.id))
