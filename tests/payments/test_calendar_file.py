"""The calendar file: due dates and AutoPay days, in the form that calendars read, and nothing that others should not see."""

from datetime import date

import pytest
from django.test import Client

from payments.calendar_file import Entry, write_calendar
from tests import people
from tests.billing.books import FEBRUARY
from tests.billing.correcting import make_override
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.autopay.granting import turn_on
from tests.payments.payers import find_account, make_household, sign_in

NOON = eastern(2027, 1, 12)
PATH = "/home/premium-dates.ics"
pytestmark = [pytest.mark.starts(NOON), pytest.mark.usefixtures("diary")]


def read_file(client: Client) -> list[tuple[str, str]]:
    """Each entry's day and title."""
    lines = client.get(PATH).content.decode().split("\r\n")
    days = [line.partition(":")[2] for line in lines if line.startswith("DTSTART")]
    titles = [line.partition(":")[2] for line in lines if line.startswith("SUMMARY")]
    return list(zip(days, titles, strict=True))


def test_due_dates_stand_once_for_both_bills_and_go_on_for_half_a_year() -> None:
    client = sign_in(make_household(products=("health", "dental")))
    assert read_file(client) == [
        (day, "Premium due")
        for day in ("20270123", "20270223", "20270323", "20270423", "20270523", "20270623")
    ]
    answer = client.get(PATH)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode()
    assert not any(word in text.lower() for word in ("health", "dental", "284", "alice", "harborlight"))


def test_what_autopay_takes_is_no_due_date() -> None:
    member = make_household()
    client = sign_in(member)
    turn_on(find_account(member), at=NOON)
    assert read_file(client) == [(day, "AutoPay day") for day in ("20270122", "20270222", "20270322")]


@pytest.mark.starts(eastern(2027, 1, 23, 23, 59))
def test_a_bill_due_today_is_in_it_and_one_that_was_due_is_not(diary: Diary) -> None:
    member = make_household()
    client = sign_in(member)
    assert read_file(client)[0][0] == "20270123"
    diary.traveller.move_to(eastern(2027, 1, 24, 0, 0))
    assert read_file(client)[0][0] == "20270223"


def test_nothing_is_due_after_the_last_day_of_coverage() -> None:
    member = people.make_member()
    paying.make_account(member=member, ends_on=date(2027, 3, 31))
    assert [day for day, _title in read_file(sign_in(member))] == ["20270123", "20270223"]


def test_a_moved_due_date_keeps_its_name() -> None:
    member = make_household()
    client = sign_in(member)
    names = read_names(client)
    assert len(set(names)) == len(names) == 6
    make_override(coverage_month=FEBRUARY, due_date=date(2027, 1, 31), reason="a storm", recorded_at=NOON)
    assert read_file(client)[0][0] == "20270131"
    assert read_names(client) == names
    assert not set(read_names(sign_in(make_household()))) & set(names)


def read_names(client: Client) -> list[str]:
    text = client.get(PATH).content.decode()
    return [line for line in text.split("\r\n") if line.startswith("UID:")]


def test_lines_end_and_are_folded_as_the_form_asks(settings) -> None:
    settings.PORTAL_URL = "https://pay.example.org/" + "é,;\\" * 30
    file = write_calendar(entries=[Entry(date(2027, 1, 23), "due", "2027-02-0")], whose=1, at=NOON)
    assert file.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert file.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    lines = file.split(b"\r\n")
    assert max(map(len, lines)) == 75
    assert [line.decode() for line in lines]  # no letter is cut in two
    whole = file.decode().replace("\r\n ", "")
    assert "https://pay.example.org/" + "é\\,\\;\\\\" * 30 in whole
    assert "DTEND;VALUE=DATE:20270124\r\n" in whole
    assert "DTSTAMP:20270112T170000Z\r\n" in whole


def test_a_member_alone_has_it() -> None:
    assert Client().get(PATH)["Location"].startswith("/accounts/login/")
    assert read_file(sign_in(people.make_member())) == []
