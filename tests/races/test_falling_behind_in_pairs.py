"""Falling behind in pairs: two nights, two who confirm, and money that comes in between. Unguarded the race is real."""

from datetime import date

import pytest
from django.db import IntegrityError

from billing import episodes, terminations
from billing.models import Account, Episode
from members.models import Enrollment, Notice
from tests.billing.behind import PREMIUM, confirm, cover, live, night, pay, read_status
from tests.people import make_staff
from tests.races.test_money_in_pairs import list_broken, lock_nothing
from tests.races.together import run_inside, run_together

FOUND, JANUARY, LISTED = date(2025, 12, 24), date(2026, 1, 1), date(2026, 1, 30)
pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def account(committed_db) -> Account:
    """Without a subsidy, January unpaid."""
    return cover(today=date(2025, 12, 2))


def make_listed(account: Account) -> None:
    live(FOUND, LISTED)
    assert read_status(account) == ["listed"]


class TestTwoNightsAtOnce:
    def test_the_second_waits_and_finds_the_episode(self, account: Account) -> None:
        first, second = run_inside(lambda: night(FOUND), lambda: night(FOUND), waits=True)
        assert (first["opened"], second["opened"]) == (1, 0)
        assert (read_status(account), list_broken()) == (["open"], set())

    def test_without_the_lock_only_the_unique_key_stops_the_second(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(episodes, "lock_accounts", lock_nothing)
        _, refusal = run_inside(lambda: night(FOUND), lambda: night(FOUND), waits=True)
        assert isinstance(refusal, IntegrityError)
        assert read_status(account) == ["open"]

    def test_eight_at_once_open_one_and_tell_once(self, account: Account) -> None:
        night(FOUND)
        told = run_together(*[lambda: night(JANUARY)] * 8)
        assert sum(counts["told"] for counts in told) == 1
        assert Notice.objects.filter(event="termination_warning", channel="letter").count() == 1


class TestConfirming:
    def test_of_two_at_once_one_ends_it(self, account: Account) -> None:
        make_listed(account)
        by = make_staff()
        answers = run_together(*[lambda: confirm(account, on=LISTED, by=by)] * 4)
        assert sorted(map(len, answers)) == [0, 0, 0, 1]
        assert Notice.objects.filter(event="termination").count() == 1
        assert (read_status(account), list_broken()) == (["ended"], set())

    def test_money_received_in_time_that_is_counted_first_saves_the_coverage(self, account: Account) -> None:
        make_listed(account)
        by = make_staff()
        _, ended = run_inside(
            lambda: pay(account, 2 * PREMIUM, on=date(2026, 1, 23), today=LISTED),
            lambda: confirm(account, on=LISTED, by=by),
            waits=True,
        )
        assert ended == []
        assert Enrollment.objects.get(account=account).status == "active"

    def test_without_the_lock_it_would_be_ended(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_listed(account)
        by = make_staff()
        monkeypatch.setattr(terminations, "lock_accounts", lock_nothing)
        _, ended = run_inside(
            lambda: pay(account, PREMIUM // 2, on=date(2026, 1, 23), today=LISTED),
            lambda: confirm(account, on=LISTED, by=by),
            waits=False,
        )
        assert ended == [Episode.objects.get().pk]
