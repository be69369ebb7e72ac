"""The time left until a due date: said in its last three days, right to the minute, in Eastern time."""

from datetime import date, timedelta

import pytest
from django.test import Client

from billing.models import Invoice
from payments.time_left import find_time_left
from tests.diary import Diary, eastern
from tests.payments.payers import make_household, read, sign_in, start

DUE = date(2027, 1, 23)
END = eastern(2027, 1, 24, 0)


def test_it_is_said_from_three_days_before_until_the_day_is_over() -> None:
    for moment, is_said in (
        (END - timedelta(days=3, seconds=1), False),
        (END - timedelta(days=3), True),
        (END - timedelta(seconds=1), True),
        (END, False),
    ):
        assert bool(find_time_left(due_date=DUE, at=moment)) == is_said
    assert find_time_left(due_date=None, at=END) is None


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=3), "3 days"),
        (timedelta(days=2, hours=1, minutes=59), "2 days 1 hour"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=23, minutes=59, seconds=59), "23 hours 59 minutes"),
        (timedelta(hours=3, minutes=12, seconds=59), "3 hours 12 minutes"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(seconds=59), "Less than a minute"),
    ],
)
def test_never_more_is_said_than_is_left(left: timedelta, words: str) -> None:
    said = find_time_left(due_date=DUE, at=END - left)
    assert said
    assert said.words == f"{words} left, until 11:59 p.m. Eastern on January 23, 2027."


def test_an_hour_that_the_clocks_skip_is_not_counted() -> None:
    # On March 14, 2027 the clocks go from 2 to 3 a.m.
    said = find_time_left(due_date=date(2027, 3, 14), at=eastern(2027, 3, 14, 0))
    assert said
    assert said.words.startswith("23 hours left")


@pytest.mark.starts(eastern(2027, 1, 23, 20, 47))
def test_every_page_that_leads_to_paying_says_it(diary: Diary) -> None:
    client = sign_in(make_household())
    words = "3 hours 13 minutes left, until 11:59 p.m. Eastern on January 23, 2027."
    bill = f"/bills/{Invoice.objects.get().number}/"
    for browser, path in ((client, "/home/"), (client, start(client)), (client, bill), (Client(), "/")):
        page = browser.get(path)
        assert words in read(page)
        assert 'data-seconds="11580"' in page.content.decode()
        assert "The time to pay by January 23, 2027 is over." in page.content.decode()


@pytest.mark.starts(eastern(2027, 1, 24, 0, 0))
def test_once_it_is_over_no_page_says_it(diary: Diary) -> None:
    make_household()
    assert "p.m. Eastern on January 23" not in read(Client().get("/"))
