"""The made-up exchange: the same for the same seed, and one that people believe."""

from collections import Counter
from datetime import date, timedelta

import phonenumbers
import pytest

from members import member_id
from members.exchange_generator import generate_events, generate_household
from members.models import Enrollment, Member
from tests.members.events import JANUARY_5, apply

TODAY = date(2027, 1, 5)


def generate(households=400, seed=1, today=TODAY):
    return list(generate_events(households=households, seed=seed, today=today))


def enrolls(events):
    return [event for event in events if event["kind"] == "enroll"]


def people_of(events):
    return list({event["member"]["member_id"]: event["member"] for event in enrolls(events)}.values())


def test_the_same_households_seed_and_date_give_the_same_events():
    assert generate() == generate()


def test_a_household_by_itself_is_the_one_of_the_exchange():
    alone = [list(generate_household(number=number, seed=1, today=TODAY)) for number in (1, 2, 3)]
    assert generate(households=3) == [event for events in alone for event in events]
    assert generate(seed=2) != generate()


def test_more_households_leave_the_first_ones_as_they_were():
    assert generate(households=30)[:20] == generate(households=300)[:20]


def test_another_seed_shares_no_event_enrollment_or_member_with_the_first():
    first, second = generate(), generate(seed=2)
    for name in ("event_id", "enrollment_id"):
        assert not {event[name] for event in first} & {event[name] for event in second}
    ids = [{person["member_id"] for person in people_of(events)} for events in (first, second)]
    assert not ids[0] & ids[1]


def test_it_has_what_a_real_exchange_has():
    events = generate()
    people = people_of(events)
    products = Counter(event["plan"]["product"] for event in enrolls(events))
    subsidized = [event for event in enrolls(events) if event["subsidy_cents"]]
    phones = Counter(person["phone"] for person in people)

    assert len(people) == 400
    assert products["health"] > products["dental"] > 150
    assert {event["plan"]["product"] for event in subsidized} == {"health"}
    assert 0.4 < len(subsidized) / products["health"] < 0.7
    assert len({event["plan"]["carrier"]["code"] for event in enrolls(events)}) == 5
    assert {person["language"] for person in people} == {"en", "es"}
    assert any("ñ" in person["last_name"] for person in people)
    assert max(phones.values()) == 2
    assert any(person["member_id"].startswith("000") for person in people)
    assert any("email" not in person for person in people)
    assert {event["kind"] for event in events} == {"enroll", "change", "member", "end"}


def test_every_number_and_address_is_of_the_kind_kept_for_made_up_people():
    for person in people_of(generate(households=1200)):
        assert member_id.is_valid(person["member_id"])
        assert phonenumbers.is_valid_number(phonenumbers.parse(person["phone"]))
        assert person["phone"][5:8] == "555"
        assert person.get("email", "x@example.org").endswith("@example.org")


def test_a_person_always_owes_something():
    assert all(event["premium_cents"] - event["subsidy_cents"] > 10_00 for event in enrolls(generate()))


@pytest.mark.parametrize(
    ("today", "soonest"),
    [
        (date(2027, 1, 23), date(2027, 2, 1)),
        (date(2027, 1, 24), date(2027, 3, 1)),
        (date(2026, 12, 31), date(2027, 2, 1)),
    ],
)
def test_most_starts_can_still_be_paid_for_in_time(today, soonest):
    starts = Counter(date.fromisoformat(event["requested_start"]) for event in enrolls(generate(today=today)))
    assert starts.most_common(1)[0][0] == soonest
    assert set(starts) == {today.replace(day=1), soonest, (soonest + timedelta(days=31)).replace(day=1)}


@pytest.mark.parametrize(
    "today", [date(2027, 1, 1), date(2027, 1, 16), date(2027, 1, 17), date(2027, 12, 31)]
)
def test_a_month_that_has_begun_comes_with_a_due_date_a_week_ahead_or_more(today):
    begun = [
        event for event in enrolls(generate(today=today)) if event["requested_start"] <= today.isoformat()
    ]
    assert begun
    for event in begun:
        assert date.fromisoformat(event["binder_due_date"]) >= today + timedelta(days=7)


@pytest.mark.parametrize("today", [date(2027, 1, 5), date(2028, 2, 29), date(2027, 12, 31)])
def test_everything_it_makes_goes_in(db, today):
    events = generate(households=250, today=today)
    moment = JANUARY_5 + (today - TODAY)

    result = apply(*events, at=moment)

    assert (result.applied, result.bad) == (len(events), [])
    assert Member.objects.count() == 250
    assert Enrollment.objects.count() == len(enrolls(events))
