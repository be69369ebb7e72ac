"""The households of a simulation: the same from the same seed, and told of before a month is billed or after."""

import json
from datetime import date

import pytest

from billing.due_dates import next_month
from connector_pay.simulation.chances import HABITS
from connector_pay.simulation.households import make_household
from payments.ach.routing_numbers import compute_check_digit

FIRST, LAST = date(2027, 1, 4), date(2027, 12, 31)
HOMES = [make_household(number=number, seed=3, first_day=FIRST, last_day=LAST) for number in range(1, 301)]


def list_events():
    return [(home, day, json.loads(line)) for home in HOMES for day, line in home.lines]


def test_the_same_number_and_seed_give_the_same_household():
    again = [
        make_household(number=home.number, seed=3, first_day=FIRST, last_day=LAST) for home in HOMES[:20]
    ]
    assert again == HOMES[:20]


def test_most_enroll_at_the_beginning_and_some_on_every_part_of_the_year():
    days = [home.enrolls_on for home in HOMES]
    assert 180 < days.count(FIRST) < 240
    assert {day.month for day in days} == set(range(1, 13))
    assert FIRST <= min(days) <= max(days) <= LAST


def test_every_habit_is_somebodys():
    assert {home.habit for home in HOMES} == set(HABITS)


def list_told(kind: str) -> list[int]:
    """For each event of a kind, how many days before the month it touches is billed it is told."""
    days = []
    for home, day, event in list_events():
        if event["kind"] == kind:
            touched = event.get("from_month") or next_month(date.fromisoformat(event["ends_on"])).isoformat()
            assert home.enrolls_on <= day
            days.append((next_month(date.fromisoformat(touched), count=-1) - day).days)
    return days


@pytest.mark.parametrize("kind", ["change", "end"])
def test_a_change_and_an_end_are_told_before_the_month_they_touch_is_billed_or_after(kind: str):
    told = list_told(kind)
    assert len(told) > 5
    assert min(told) < 0 < max(told)


def test_a_few_enroll_into_a_month_that_has_begun_and_have_a_day_to_pay_by():
    began = [
        event
        for _home, day, event in list_events()
        if event["kind"] == "enroll" and date.fromisoformat(event["requested_start"]) <= day
    ]
    assert 2 < len(began) < 30
    assert all("binder_due_date" in event for event in began)


def test_every_bank_account_is_one_that_can_be():
    for home in HOMES:
        assert home.routing_number[8] == compute_check_digit(digits=home.routing_number[:8])
    assert len({home.routing_number + home.account_number for home in HOMES}) == len(HOMES)
