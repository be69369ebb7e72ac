"""First payments: since when received money and waivers cover a binder as it stood, and the start that this gives: pure rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from billing.due_dates import DueDate, first_of_month, next_month
from billing.premiums import Terms

CoveredOn = Callable[[date], date | None]


@dataclass(frozen=True, slots=True)
class Money:
    """Cents received on a day, or gone back to who paid them (negative)."""

    day: date
    cents: int


@dataclass(frozen=True, slots=True)
class BinderBill:
    """What a month of a binder came to from the day on which it was billed, before anything was waived."""

    issued_on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Held:
    """Since which day a binder is covered, and what it asks for since then."""

    day: date
    cents: int


@dataclass(frozen=True)
class FirstPayment:
    """All that decides when the coverage of an account starts.

    `bills` tells of each start that was billed, of each month of its binder, every bill in the order they were issued.
    """

    requested_start: date
    due_date: DueDate
    terms: Terms
    money: tuple[Money, ...] = ()
    bills: Mapping[date, Mapping[date, Sequence[BinderBill]]] = field(default_factory=dict)

    def find_start(self, *, today: date) -> date:
        """The start that the rules give today; also what a whole first payment received today would make it."""
        return find_binder_start(
            requested=self.requested_start,
            today=today,
            due_date=self.due_date,
            covered_on=self.find_covered_on,
        )

    def find_earlier_start(self, *, than: date) -> date:
        """The first month before one whose binder was covered in time, else that one."""
        month = first_of_month(self.requested_start)
        while month < than and not self.is_covered_in_time(start=month):
            month = next_month(month)
        return min(month, than)

    def is_covered_in_time(self, *, start: date) -> bool:
        """Whether the binder of a start was covered by its due date."""
        return is_covered_in_time(month=start, due_date=self.due_date, covered_on=self.find_covered_on)

    def find_covered_on(self, start: date) -> date | None:
        """The day on which money and waivers first covered the binder of a start, or None."""
        held = self.find_held(start=start)
        return held.day if held else None

    def find_held(self, *, start: date) -> Held | None:
        """Since when the binder of a start is covered in full as it stood; partial payments hold nothing.

        An increase that comes later does not undo it, money that goes back without being idle does.
        """
        held: Held | None = None
        for day in self._list_days(start):
            cents, received = self.find_cents(start=start, on=day), self.find_received(on=day)
            needed = min(held.cents, cents) if held else cents
            held = Held(held.day if held else day, needed) if received >= needed else None
        return held

    def find_cents(self, *, start: date, on: date) -> int:
        """What the binder of a start asked for on a day: as last billed by then, less what was waived by then.

        Before its first bill it counts as in that one; a start that was never billed counts at its price.
        """
        bills = self.bills.get(start)
        if bills is None:
            gross = {start: self.terms.find_gross_cents(month=start)}
        else:
            gross = {month: _find_billed(versions, on) for month, versions in bills.items()}
        return sum(
            max(cents - self.terms.find_waived_cents(month=month, on=on), 0) for month, cents in gross.items()
        )

    def find_received(self, *, on: date) -> int:
        """The money received by a day that had not gone back by then."""
        return sum(item.cents for item in self.money if item.day <= on)

    def add(self, *, money: Iterable[Money]) -> "FirstPayment":
        """The same with more money received."""
        return replace(self, money=(*self.money, *money))

    def _list_days(self, start: date) -> list[date]:
        """The days on which it may become covered, or cease to be; what costs nothing is covered before them all."""
        bills = self.bills.get(start, {})
        days = {date.min, *(item.day for item in self.money)}
        days.update(bill.issued_on for versions in bills.values() for bill in versions)
        days.update(self.terms.list_waiver_days(months=bills or [start]))
        return sorted(days)


def find_binder_start(*, requested: date, today: date, due_date: DueDate, covered_on: CoveredOn) -> date:
    """The first month, from the requested one on, whose binder was covered by its due date or still can be.

    `covered_on` gives the day on which the binder of a month was first covered, or None. What decides is the day on which
    money was received or a waiver asked for, never the day on which we came to know of it.
    """
    month = first_of_month(requested)
    while due_date(month) < today and not is_covered_in_time(
        month=month, due_date=due_date, covered_on=covered_on
    ):
        month = next_month(month)
    return month


def is_covered_in_time(*, month: date, due_date: DueDate, covered_on: CoveredOn) -> bool:
    """Whether the month's binder was covered in full no later than its due date."""
    covered = covered_on(month)
    return covered is not None and covered <= due_date(month)


def _find_billed(versions: Sequence[BinderBill], on: date) -> int:
    issued = [bill.cents for bill in versions if bill.issued_on <= on]
    return issued[-1] if issued else versions[0].cents
