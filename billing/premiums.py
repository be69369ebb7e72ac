"""What a month of coverage costs, from the rates that intake said, corrections and waivers: pure, no database and no clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

WAIVER, CORRECTION, CHANGE = "waiver", "correction", "change"


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


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What staff took off a month (cents < 0) or put on it: a waiver or a correction, and from which day it counts."""

    month: date
    cents: int
    kind: str
    counts_from: date


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill beside the premium and the subsidy of its month."""

    for_month: date
    cents: int
    why: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a bill asks for: the premium, less the subsidy, and what its lines add or take off."""

    premium_cents: int
    subsidy_cents: int
    lines: tuple[Line, ...]

    @property
    def adjustment_cents(self) -> int:
        """What the lines add, or take off."""
        return sum(line.cents for line in self.lines)

    @property
    def amount_cents(self) -> int:
        """What this bill adds to what is owed."""
        return self.premium_cents - self.subsidy_cents + self.adjustment_cents


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides the price of an enrollment's months: its rates, and what staff adjusted."""

    rates: Sequence[Rate]
    adjustments: Sequence[Adjusted] = ()

    def find_price(self, *, month: date, at_most: int | None = None, carried: Sequence[Line] = ()) -> Price:
        """What the bill of a month asks for. Raises UnableToPriceMonth.

        The month itself comes to `at_most`, where that is given: what is above waits for the next bill. `carried` are the
        lines that earlier months bring.
        """
        rate = find_rate(rates=self.rates, month=month)
        own = tuple(_list_own_lines(self, month=month, net_cents=rate.net_cents, at_most=at_most))
        return Price(rate.premium_cents, rate.subsidy_cents, own + tuple(carried))

    def find_cents(self, *, month: date) -> int:
        """What a month comes to in all, never less than nothing. Raises UnableToPriceMonth."""
        return self.find_price(month=month).amount_cents

    def find_gross_cents(self, *, month: date) -> int:
        """What a month comes to before anything is waived. Raises UnableToPriceMonth."""
        lines = self.find_price(month=month).lines
        return self.find_cents(month=month) - sum(line.cents for line in lines if line.why == WAIVER)

    def find_waived_cents(self, *, month: date, on: date) -> int:
        """What was waived of a month by requests made up to a day."""
        return -self._sum(WAIVER, month, on)

    def list_waiver_days(self, *, months: Iterable[date]) -> list[date]:
        """The days on which a waiver of these months was asked for."""
        asked = set(months)
        return [item.counts_from for item in self.adjustments if item.kind == WAIVER and item.month in asked]

    def _sum(self, kind: str, month: date, on: date = date.max) -> int:
        return sum(
            item.cents
            for item in self.adjustments
            if item.kind == kind and item.month == month and item.counts_from <= on
        )


def _list_own_lines(terms: Terms, *, month: date, net_cents: int, at_most: int | None) -> Iterator[Line]:
    """The month's corrections, then its waivers, as far as they go: no month is below nothing. Then what must wait."""
    left = net_cents
    for kind in (CORRECTION, WAIVER):
        cents = max(terms._sum(kind, month), -left)
        if cents:
            yield Line(month, cents, kind)
        left += cents
    if at_most is not None and at_most < left:
        yield Line(month, at_most - left, CHANGE)
