"""The households of a simulation: who enrolls when, what the exchange tells of them later, and how they pay."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from billing.due_dates import first_of_month, next_month
from connector_pay.simulation.chances import (
    CHANGES,
    ENDS,
    HABITS,
    JOINS_LATER,
    RETROACTIVE,
    WAYS,
    choose,
    happens,
    roll,
)
from members.exchange_generator import generate_household
from payments.ach.routing_numbers import compute_check_digit


@dataclass(frozen=True)
class Household:
    """One household: its member, what the exchange says of it on which days, and how it pays as a rule."""

    number: int
    seed: int
    member_id: str
    name: str
    language: str
    lines: tuple[tuple[date, str], ...]
    habit: str
    way: str

    @property
    def enrolls_on(self) -> date:
        """The day on which we first hear of it."""
        return self.lines[0][0]

    @property
    def account_number(self) -> str:
        """The bank account that it usually pays from."""
        return f"48{self.seed % 1000:03d}{self.number:07d}"

    @property
    def routing_number(self) -> str:
        """A bank of its own: what one household does to an account must not pause another's."""
        digits = f"01{self.number % 1_000_000:06d}"
        return digits + compute_check_digit(digits=digits)


def make_household(*, number: int, seed: int, first_day: date, last_day: date) -> Household:
    """The same for the same number, seed and days."""
    dice = roll(seed, "household", number)
    enrolls_on = _choose_day(dice, first_day=first_day, last_day=last_day)
    events = list(generate_household(number=number, seed=seed, today=enrolls_on))
    member = events[0]["member"]
    return Household(
        number=number,
        seed=seed,
        member_id=member["member_id"],
        name=f"{member['first_name']} {member['last_name']}",
        language=member["language"],
        lines=tuple(sorted(_date_events(events, dice=dice, enrolls_on=enrolls_on))),
        habit=choose(dice, HABITS),
        way=choose(dice, WAYS),
    )


def _choose_day(dice: Random, *, first_day: date, last_day: date) -> date:
    """Most enroll at the beginning, the others on any day of the year."""
    days = (last_day - first_day).days
    return first_day + timedelta(days=dice.randrange(days) if happens(dice, JOINS_LATER) else 0)


def _date_events(
    events: list[dict[str, Any]], *, dice: Random, enrolls_on: date
) -> Iterator[tuple[date, str]]:
    """Each event with the day on which the exchange sends it: never before the enrollment itself."""
    for event in events:
        day = max(_choose_sending_day(event, dice=dice, enrolls_on=enrolls_on), enrolls_on)
        yield day, json.dumps(_date_start(event, dice=dice, today=enrolls_on))


def _choose_sending_day(event: dict[str, Any], *, dice: Random, enrolls_on: date) -> date:
    """The bill of a month is issued on the first of the month before."""
    if event["kind"] == "member":
        return enrolls_on + timedelta(days=dice.randint(1, 200))
    if event["kind"] == "change":
        billed = next_month(date.fromisoformat(event["from_month"]), count=-1)
        early = choose(dice, CHANGES) == "before the bill"
    elif event["kind"] == "end":
        billed = first_of_month(date.fromisoformat(event["ends_on"]))
        early = choose(dice, ENDS) == "before the bill"
    else:
        return enrolls_on
    return billed + timedelta(days=-dice.randint(1, 20) if early else dice.randint(1, 20))


def _date_start(event: dict[str, Any], *, dice: Random, today: date) -> dict[str, Any]:
    """An enrollment into a month that has begun waits for the next month, unless such are played."""
    if "binder_due_date" not in event or choose(dice, RETROACTIVE) == "yes":
        return event
    later = {name: value for name, value in event.items() if name != "binder_due_date"}
    return later | {"requested_start": next_month(today, count=2).isoformat()}
