"""What a household means to do in a month follows from its habit, and from nothing but the seed."""

from dataclasses import replace
from datetime import date

import pytest

from connector_pay.simulation.chances import HABITS
from connector_pay.simulation.households import Household, make_household
from connector_pay.simulation.plans import Act, plan_month

MARCH = date(2027, 3, 1)
HOME = make_household(number=1, seed=1, first_day=date(2027, 1, 4), last_day=date(2027, 12, 31))


def plan(habit: str, *, since: date = MARCH) -> list[list[Act]]:
    """What forty households of a habit mean to do in March, those left out that for once do otherwise."""
    homes = [replace(HOME, number=number, habit=habit) for number in range(1, 60)]
    return [plan_month(home=home, month=MARCH, since=since) for home in homes if keeps_habit(home)]


def keeps_habit(home: Household) -> bool:
    """A household that does otherwise plans the same whatever its habit is."""
    plans = [plan_month(home=replace(home, habit=habit), month=MARCH, since=MARCH) for habit in HABITS]
    return any(other != plans[0] for other in plans)


@pytest.mark.parametrize(
    ("habit", "first", "last", "acts"),
    [
        ("on time", 2, 22, ["pay"]),
        ("on the last day", 23, 23, ["pay"]),
        ("late", 24, 28, ["pay"]),
        ("scheduled", 2, 15, ["schedule"]),
        ("in parts", 3, 23, ["pay", "pay"]),
        ("too little", 2, 23, ["pay"]),
        ("twice", 2, 23, ["pay", "pay again"]),
        ("second thoughts", 2, 23, ["pay", "cancel", "pay"]),
        ("never", 1, 31, []),
    ],
)
def test_each_habit_is_played_in_its_days(habit: str, first: int, last: int, acts: list[str]):
    plans = plan(habit)
    assert len(plans) > 20
    for planned in plans:
        assert [act.what for act in planned] == acts
        assert all(first <= act.day.day <= last and act.day.month == 3 for act in planned)


def test_autopay_is_turned_on_once_a_month_where_it_is_not_and_off_by_a_few():
    plans = plan("autopay")
    first = [planned[0].what for planned in plans]
    assert set(first) <= {"autopay on", "autopay off"}
    assert first.count("autopay on") > 0.8 * len(first)
    assert all(act.what == "pay" and act.share < 100 for planned in plans for act in planned[1:])


def test_too_little_is_less_than_what_is_due():
    assert all(act.share < 100 for planned in plan("too little") for act in planned)


def test_who_comes_in_the_middle_of_a_month_does_nothing_before():
    planned = [act for acts in plan("in parts", since=date(2027, 3, 10)) for act in acts]
    assert planned
    assert min(act.day for act in planned) >= date(2027, 3, 10)
