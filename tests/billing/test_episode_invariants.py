"""The self-check sees who fell out of the night's review, and what was ended against the rules."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from billing.models import (
    EPISODE_MOVES,
    Account,
    Episode,
    EpisodeMove,
    Invoice,
)
from connector_pay.lib.models import JobRun
from members.models import Enrollment, Notice
from tests.billing import correcting
from tests.billing.behind import confirm, cover, cover_two_months_late, keep_start, live, night, pay
from tests.billing.books import list_broken, noon, take_back
from tests.billing.correcting import make_override

pytestmark = pytest.mark.usefixtures("db")
FOUND, LISTED, LISTED_LONG = date(2025, 12, 24), date(2026, 1, 30), date(2026, 3, 30)


def finish(job: str, day: date) -> None:
    """The job ledger says that the job has run for a day."""
    JobRun.objects.create(job=job, business_date=day, asked_at=noon(day), finished_at=datetime.now(UTC))


def make_behind(until: date = LISTED, *, subsidized: bool = False) -> Account:
    account = cover(today=date(2025, 12, 2), subsidized=subsidized)
    live(FOUND, until)
    finish("review_behind", until)
    finish("void_ended", until)
    return account


def make_ended() -> Account:
    """Subsidized coverage that staff have ended with January; January is owed."""
    account = make_behind(LISTED_LONG, subsidized=True)
    confirm(account, on=LISTED_LONG)
    finish("void_ended", date(2026, 3, 31))
    return account


@pytest.mark.parametrize("make", [make_behind, make_ended])
def test_what_the_nights_leave_behind_is_clean(make: Callable[[], Account]) -> None:
    make()
    assert list_broken() == []


def test_a_bill_past_due_that_nobody_watches_is_found() -> None:
    make_behind(date(2026, 1, 2))
    Episode.objects.update(status="cured")
    assert {"behind unwatched", "I7 episodes"} <= set(list_broken())


def test_an_account_that_the_night_has_not_seen_is_not_held_against_it() -> None:
    cover(today=date(2025, 12, 2))
    finish("review_behind", date(2025, 12, 23))
    assert list_broken() == []
    finish("review_behind", FOUND)
    assert list_broken() == ["behind unwatched"]


def test_what_came_back_after_the_night_is_the_next_nights() -> None:
    account = cover(today=date(2025, 12, 2))
    reference = pay(account, on=date(2025, 12, 20))
    night(FOUND)
    finish("review_behind", FOUND)
    take_back(reference, on=FOUND, settled=True)
    assert list_broken() == []
    finish("review_behind", date(2025, 12, 25))
    assert list_broken() == ["behind unwatched"]


def test_a_month_of_a_first_payment_is_past_due_with_the_first_of_them() -> None:
    account, second = cover_two_months_late()
    make_override(
        account=account,
        coverage_month=date(2026, 2, 1),  # of which it takes no notice
        due_date=date(2026, 4, 23),
        reason="a storm",
        recorded_at=noon(date(2026, 2, 12)),
    )
    take_back(second, on=date(2026, 2, 12), settled=True)
    keep_start(on=date(2026, 2, 12))
    finish("review_behind", date(2026, 2, 23))
    assert list_broken() == []
    finish("review_behind", date(2026, 2, 24))
    assert list_broken() == ["behind unwatched"]


def test_an_episode_that_asks_for_nothing_any_more_is_found_after_the_night() -> None:
    account = make_behind(date(2026, 1, 2))
    pay(account, on=date(2026, 1, 3))
    assert list_broken() == []
    finish("review_behind", date(2026, 1, 4))
    assert list_broken() == ["behind needlessly"]
    night(date(2026, 1, 4))
    assert list_broken() == []


def extend(account: Account) -> None:
    """January may be paid for until the end of the month after all."""
    more = {"coverage_month": date(2026, 1, 1), "due_date": date(2026, 1, 31), "reason": "a storm"}
    make_override(recorded_at=noon(date(2026, 1, 2)), **more)


def waive(account: Account) -> None:
    """Nothing is left to pay for January and February."""
    correcting.waive(account, date(2026, 1, 1), last_month=date(2026, 2, 1), today=date(2026, 1, 2))


@pytest.mark.parametrize("relieve", [extend, waive])
def test_more_time_or_a_waiver_after_the_night_is_the_next_nights(relieve: Callable[[Account], None]) -> None:
    relieve(make_behind(date(2026, 1, 2)))
    assert list_broken() == []
    finish("review_behind", date(2026, 1, 3))
    assert list_broken() == ["behind needlessly"]
    night(date(2026, 1, 3))
    assert list_broken() == []


def test_an_episode_that_was_paid_too_late_may_stay() -> None:
    account = make_behind(date(2026, 1, 29))
    pay(account, 20_000, on=date(2026, 1, 29))
    finish("review_behind", date(2026, 1, 31))
    assert "behind needlessly" not in list_broken()


def test_coverage_listed_without_its_warning_is_found() -> None:
    cover(today=date(2025, 12, 2))
    night(FOUND)
    ids = list(Episode.objects.values_list("pk", flat=True))
    facts = {"model": Episode, "history": EpisodeMove, "ids": ids, "at": noon(LISTED)}
    EPISODE_MOVES.move(before="open", after="listed", **facts)
    assert list_broken() == ["behind told"]


@pytest.mark.parametrize(
    "unsent",
    [
        {"event": "termination_warning", "channel": "letter"},
        {"event": "termination_warning", "channel": "email"},
    ],
)
def test_coverage_listed_before_its_warning_was_mailed_is_found(unsent: dict[str, str]) -> None:
    make_behind()
    Notice.objects.filter(**unsent).update(sent_at=None)
    assert list_broken() == ["behind told"]


def test_coverage_listed_before_an_earlier_notice_was_mailed_is_found() -> None:
    make_behind(LISTED_LONG, subsidized=True)
    Notice.objects.filter(pk=Notice.objects.filter(event="past_due").earliest("pk").pk).update(sent_at=None)
    assert list_broken() == ["behind told"]


@pytest.mark.parametrize("changes", [{"ends_on": date(2026, 2, 28)}, {"status": "active", "ends_on": None}])
def test_coverage_that_goes_on_after_staff_have_ended_it_is_found(changes: dict[str, object]) -> None:
    make_ended()
    Enrollment.objects.update(**changes)
    assert "behind ended" in list_broken()


def test_a_bill_for_a_month_after_the_end_is_found() -> None:
    account = make_ended()
    month = {"coverage_month": date(2026, 2, 1), "due_date": date(2026, 1, 23), "issued_on": LISTED_LONG}
    Invoice.objects.create(
        account=account, premium_cents=0, amount_cents=0, issued_at=noon(LISTED_LONG), **month
    )
    assert list_broken() == ["behind ended", "billed after end"]


def test_a_history_against_the_arrows_is_found() -> None:
    make_behind()
    EpisodeMove.objects.create(episode=Episode.objects.get(), before="open", after="ended", at=noon(LISTED))
    assert "I7 episodes" in list_broken()
