"""Races on a limit: many wrong tries at once are answered as few times as one after the other."""

import time

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from members import activation
from members.models import Member
from tests import people
from tests.races.together import run_together

TRIES = 24
pytestmark = pytest.mark.usefixtures("committed_db")


def guess_zip_code(member: Member) -> int:
    """One wrong try; what it is answered with."""
    born = member.date_of_birth
    typed = {
        "date_of_birth_month": born.month,
        "date_of_birth_day": born.day,
        "date_of_birth_year": born.year,
    }
    typed |= {"member_id": member.member_id, "zip_code": "99999"}
    return Client().post(reverse("activate"), typed).status_code


def guess_at_once(member: Member) -> list[int]:
    prefix = cache.key_prefix

    def guess() -> int:
        cache.key_prefix = prefix  # each thread has a cache of its own, and all count in one place
        return guess_zip_code(member)

    return run_together(*[guess] * TRIES)


def count_unguarded(key: str) -> int:
    """The count read, and written a moment later."""
    counted = cache.get(key, 0) + 1
    time.sleep(0.05)
    cache.set(key, counted, activation.WINDOW_SECONDS)
    return counted


class TestManyWrongTriesToActivate:
    def test_no_more_than_five_are_answered(self) -> None:
        member = people.make_member()
        answers = guess_at_once(member)
        assert set(answers) <= {200, 429}
        assert answers.count(200) <= activation.MISSES_PER_MEMBER_ID
        while guess_zip_code(member) == 200:
            answers.append(200)
        assert answers.count(200) == activation.MISSES_PER_MEMBER_ID

    def test_read_first_and_written_after_more_would_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(activation, "_count", count_unguarded)
        assert guess_at_once(people.make_member()).count(200) > activation.MISSES_PER_MEMBER_ID
