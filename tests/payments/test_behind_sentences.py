"""The one sentence about falling behind, and the pages that say it."""

from dataclasses import replace
from datetime import date

import pytest
from django.test import Client

from billing.episodes import Behind
from billing.ladders import Kind, find_ladder
from billing.models import Invoice
from payments.behind_sentences import describe_behind
from payments.coverage_sentences import describe_after_return, list_what_decides
from tests.billing.behind import JANUARY, cover, live
from tests.diary import Diary, eastern
from tests.payments.payers import read, sign_in
from tests.payments.test_statements import make_invoice, make_standing

MONTH = date(2027, 2, 1)
LAST_DAY = date(2027, 2, 23)
STANDING = make_standing(make_invoice(MONTH, cents=284_17), past_due_cents=284_17)


def say(
    *, today: date, found_on: date = date(2027, 1, 24), standing=STANDING, kind: Kind = Kind.SHORT
) -> str:
    ladder = find_ladder(oldest_month=MONTH, kind=kind, found_on=found_on)
    behind = Behind(episode_id=1, ladder=ladder, is_listed=False)
    return describe_behind(standing=standing, behind=behind, today=today)


def test_up_to_the_last_day_it_says_what_to_pay_by_when_and_what_happens_otherwise() -> None:
    assert say(today=LAST_DAY) == (
        "Your coverage goes on only if you pay. Pay the past due $284.17 by February 23, 2027. If we do not receive it, "
        "we will end your coverage as of January 31, 2027. You may have to pay for all care you got after that day."
    )


def test_the_day_after_it_says_that_it_is_too_late_and_whom_to_call() -> None:
    assert say(today=date(2027, 2, 24)) == (
        "The last day to pay was February 23, 2027. We will end your coverage as of January 31, 2027. "
        "Call us now if you want to keep it."
    )


def test_where_staff_choose_the_end_no_day_is_named() -> None:
    late = date(2027, 2, 5)
    assert say(today=late, found_on=late) == (
        "You are still covered. Pay the past due $284.17 by March 23, 2027, or your coverage can end."
    )
    assert "Your coverage can end. Call us now" in say(today=date(2027, 3, 24), found_on=late)


@pytest.mark.parametrize(
    ("today", "opening"),
    [
        (
            date(2027, 1, 31),
            "You are still covered. Pay the past due $284.17 by February 23, 2027, or your coverage ends",
        ),
        (date(2027, 2, 1), "Your coverage goes on only if you pay."),
    ],
)
def test_an_end_that_has_passed_is_no_day_to_come(today: date, opening: str) -> None:
    assert say(today=today).startswith(opening)


def test_with_a_subsidy_there_is_longer_and_the_first_month_is_covered() -> None:
    said = say(today=LAST_DAY, kind=Kind.LONG)
    assert "by April 23, 2027, or your coverage ends on February 28, 2027." in said


def test_before_the_night_has_seen_it_no_day_is_promised() -> None:
    assert describe_behind(standing=STANDING, behind=None, today=date(2027, 1, 24)) == (
        "You are still covered. If this stays unpaid, your coverage can end."
    )


@pytest.mark.parametrize("status", ["waiting", "ended", "expired"])
def test_nothing_is_said_of_coverage_that_is_not_active(status: str) -> None:
    assert say(today=LAST_DAY, standing=replace(STANDING, enrollment_status=status)) == ""


def test_nothing_is_said_once_it_is_paid_in_time() -> None:
    assert say(today=LAST_DAY, standing=replace(STANDING, past_due_cents=0)) == ""
    paid = replace(STANDING, past_due_cents=0)
    assert describe_behind(standing=paid, behind=None, today=LAST_DAY) == ""


@pytest.mark.starts(eastern(2026, 1, 10))
def test_home_and_the_bill_say_it_and_the_next_bill_does_not(diary: Diary) -> None:
    account = cover(today=date(2025, 12, 2), subsidized=True)
    live(date(2025, 12, 24), date(2026, 1, 9))
    client: Client = sign_in(account.enrollment.member)
    sentence = "Pay the past due $100.00 by March 23, 2026, or your coverage ends on January 31, 2026."
    assert sentence in read(client.get("/home/"))
    january, february = Invoice.objects.filter(coverage_month__gte=JANUARY).order_by("coverage_month")
    assert sentence in read(client.get(f"/bills/{january.number}/"))
    assert "coverage ends on" not in read(client.get(f"/bills/{february.number}/"))


@pytest.mark.parametrize(
    ("status", "said"),
    [("active", "You are still covered. Pay "), ("ended", "Your coverage has ended. What you owe ")],
)
def test_after_a_return_only_those_hear_that_they_are_covered_who_are(status: str, said: str) -> None:
    standing = replace(STANDING, enrollment_status=status, due_cents=284_17, due_date=date(2027, 1, 23))
    assert describe_after_return(standing=standing, today=LAST_DAY).startswith(said)
    assert status in list_what_decides(standing=standing, today=LAST_DAY)
