"""Limits on looking for bills: they slow down, then withhold, in Redis and without it, and never close paying by Member ID."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from redis import ConnectionPool, Redis

from payments.channels.limits import CacheStore, DatabaseStore, Verdict, count_lookup
from payments.models import LookupCount
from tests.diary import Diary, eastern
from tests.payments.payers import find_as_guest, make_household, read

AT = eastern(2027, 1, 20)
HOME, LIBRARY = "192.0.2.1", "192.0.2.2"
GO = Verdict(wait_seconds=0, withhold=False)


@pytest.fixture(params=["Redis", "database"])
def _counted_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """The same limits whether Redis answers or not."""
    if request.param == "database":
        break_redis(monkeypatch)


def break_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the cache at a port where nobody listens: every answer is a refused connection."""
    nobody = Redis(connection_pool=ConnectionPool.from_url("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(cache._cache, "get_client", lambda *args, **options: nobody)


def look(identifier: str = "003400000001", address: str = HOME, minutes: int = 0) -> Verdict:
    """One look-up."""
    return count_lookup(address=address, identifier=identifier, at=AT + timedelta(minutes=minutes))


@pytest.mark.usefixtures("_counted_in")
def test_a_few_look_ups_are_answered_at_once() -> None:
    assert [look() for _ in range(5)] == [GO] * 5


@pytest.mark.usefixtures("_counted_in")
def test_one_identifier_slows_down_and_is_withheld_after_the_tenth_look_up() -> None:
    verdicts = [look(address=f"192.0.2.{number}") for number in range(11)]
    assert [round(verdict.wait_seconds, 1) for verdict in verdicts] == [
        0,
        0,
        0,
        0,
        0,
        0.2,
        0.4,
        0.6,
        0.8,
        1,
        1,
    ]
    assert [verdict.withhold for verdict in verdicts] == [False] * 10 + [True]


@pytest.mark.usefixtures("_counted_in")
def test_one_address_is_counted_by_distinct_identifiers() -> None:
    for number in range(10):
        assert not look(identifier=f"00340000{number:04d}").withhold
        assert not look(identifier=f"00340000{number:04d}").withhold
    assert look(identifier="003400009999").withhold
    assert not look(identifier="003400009998", address=LIBRARY).withhold


@pytest.mark.usefixtures("_counted_in")
def test_everyone_together_is_counted(settings) -> None:
    settings.PREMIUM_POLICY = {"guest_find_overall": 4}
    verdicts = [look(identifier=str(number), address=f"192.0.2.{number}") for number in range(5)]
    assert [verdict.withhold for verdict in verdicts] == [False] * 4 + [True]


@pytest.mark.usefixtures("_counted_in")
def test_a_new_window_begins_anew() -> None:
    for _ in range(11):
        look()
    assert look(minutes=14).withhold
    assert look(minutes=15) == GO


@pytest.mark.django_db
def test_without_redis_it_is_the_database_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    look()
    assert not LookupCount.objects.exists()
    break_redis(monkeypatch)
    look()
    assert LookupCount.objects.count() == 4


@pytest.mark.django_db
def test_counts_of_earlier_windows_are_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    break_redis(monkeypatch)
    look()
    look(minutes=15)
    assert set(LookupCount.objects.values_list("window_starts_at", flat=True)) == {AT + timedelta(minutes=15)}


@pytest.mark.django_db
def test_neither_store_holds_a_number_or_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    look()
    kept = [name.decode() for name in cache._cache.get_client().keys(f"{cache.key_prefix}:*")]
    assert len(kept) == 4
    break_redis(monkeypatch)
    look()
    kept += LookupCount.objects.values_list("key", flat=True)
    assert len(kept) == 8
    kept = "".join(kept)
    assert "003400000001" not in kept
    assert HOME not in kept


@pytest.mark.django_db
def test_marks_and_counts_are_told_apart() -> None:
    for store in (CacheStore(AT, 15), DatabaseStore(AT)):
        assert store.mark("once")
        assert not store.mark("once")
        assert [store.add("sum", 1), store.add("sum", 0), store.add("sum", 2)] == [1, 1, 3]


@pytest.mark.starts(AT)
def test_above_the_limit_what_is_due_is_withheld_and_paying_by_member_id_goes_on(
    diary: Diary, monkeypatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("payments.channels.guest.machine.sleep", waited.append)
    member = make_household()
    client = Client()
    for _ in range(10):
        answer = find_as_guest(client, member.member_id, member.date_of_birth)
        assert "$284.17" in read(client.get(answer["Location"]))
    answer = find_as_guest(client, member.member_id, member.date_of_birth)
    page = read(client.get(answer["Location"]))
    assert "284.17" not in page.replace("like 284.17", "")
    assert "Alice" not in page
    assert "We cannot show what is due right now" in page
    assert "sign in, scan the code on the bill, or call" in page.replace(" ,", ",")
    answer = client.post(answer["Location"], {"product": "health", "amount": "284.17"})
    assert answer["Location"].endswith("/bank/")
    assert max(waited) <= 1


@pytest.mark.starts(AT)
def test_above_the_limit_a_wrong_date_of_birth_looks_like_a_right_one(diary: Diary, monkeypatch) -> None:
    monkeypatch.setattr("payments.channels.guest.machine.sleep", lambda seconds: None)
    member = make_household()
    for _ in range(10):
        find_as_guest(Client(), member.member_id)
    wrong = find_as_guest(Client(), member.member_id, member.date_of_birth + timedelta(days=1))
    assert wrong["Location"].endswith("/amount/")


@pytest.mark.starts(AT)
def test_above_the_limit_phone_numbers_wait(diary: Diary, monkeypatch) -> None:
    monkeypatch.setattr("payments.channels.guest.machine.sleep", lambda seconds: None)
    member = make_household()
    for _ in range(10):
        find_as_guest(Client(), str(member.phone))
    answer = find_as_guest(Client(), str(member.phone))
    assert read(answer).count("Use the 12-digit Member ID") == 2
    assert find_as_guest(Client(), member.member_id).status_code == 303
