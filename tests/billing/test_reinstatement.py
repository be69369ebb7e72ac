"""Coverage that was ended comes back: asked for in time, every month paid, approved by staff."""

from datetime import date, timedelta

import pytest

from billing import ends, reinstatement
from billing.balances import read_standing
from billing.models import Account, Episode
from billing.reinstatement import UnableToReinstate
from members.models import Enrollment, Notice
from tests.billing.behind import (
    DECEMBER,
    JANUARY,
    PREMIUM,
    confirm,
    cover,
    list_live_months,
    list_told,
    live,
    pay,
    read_status,
)
from tests.billing.books import noon
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
LISTED = date(2026, 3, 30)
LAST_DAY = LISTED + timedelta(days=35)
FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in (2, 3, 4))


@pytest.fixture
def ended(db) -> Account:
    """Subsidized coverage that ended with January, confirmed on March 30."""
    account = cover(today=date(2025, 12, 2), subsidized=True)
    live(date(2025, 12, 24), LISTED)
    confirm(account, on=LISTED)
    return account


def ask(account: Account, *, on: date = LISTED) -> None:
    episode = Episode.objects.get(account=account)
    reinstatement.ask_reinstatement(episode_id=episode.pk, by=make_staff(), today=on, at=noon(on))


def approve(account: Account, *, on: date = LISTED) -> None:
    episode = Episode.objects.get(account=account)
    reinstatement.approve_reinstatement(episode_id=episode.pk, by=make_staff(), today=on, at=noon(on))


def decline(account: Account, *, why: str = "not paid", on: date = LISTED) -> None:
    episode = Episode.objects.get(account=account)
    reinstatement.decline_reinstatement(
        episode_id=episode.pk, by=make_staff(), why=why, today=on, at=noon(on)
    )


def read_enrollment(account: Account) -> tuple[str, date | None]:
    enrollment = Enrollment.objects.get(account=account)
    return enrollment.status, enrollment.ends_on


def see(account: Account, today: date = LISTED):
    return read_standing(account_id=account.pk, today=today)


class TestAsking:
    @pytest.mark.parametrize(("day", "taken"), [(LAST_DAY, True), (LAST_DAY + timedelta(days=1), False)])
    def test_it_can_be_asked_for_until_the_35th_day_after_the_notice(
        self, ended: Account, day: date, taken: bool
    ) -> None:
        if taken:
            ask(ended, on=day)
        else:
            with pytest.raises(UnableToReinstate, match="It is too late"):
                ask(ended, on=day)
        assert read_status(ended) == ["asked" if taken else "ended"]

    def test_every_month_since_the_end_and_the_next_one_is_billed_again(self, ended: Account) -> None:
        ask(ended)
        assert list_live_months(ended) == [DECEMBER, JANUARY, FEBRUARY, MARCH, APRIL]
        assert see(ended).due_cents == 4 * PREMIUM
        assert read_enrollment(ended) == ("ended", date(2026, 1, 31))

    def test_the_night_leaves_these_bills_alone(self, ended: Account) -> None:
        ask(ended)
        assert ends.void_after_ends(today=APRIL, at=noon(APRIL)) == {"voided": 0}
        live(date(2026, 3, 31), APRIL)
        assert read_status(ended) == ["asked"]

    def test_asked_for_twice_it_is_billed_once(self, ended: Account) -> None:
        ask(ended)
        with pytest.raises(UnableToReinstate, match="reinstatement asked for"):
            ask(ended)
        assert see(ended).due_cents == 4 * PREMIUM

    def test_coverage_that_was_to_end_anyway_is_billed_up_to_that_end(self, ended: Account) -> None:
        Episode.objects.update(planned_end=date(2026, 3, 31))
        ask(ended)
        assert list_live_months(ended)[-1] == MARCH


class TestApproving:
    def test_paid_in_full_it_goes_on_as_if_it_had_never_ended(self, ended: Account) -> None:
        ask(ended)
        pay(ended, 4 * PREMIUM, on=date(2026, 3, 31))
        approve(ended, on=APRIL)
        assert read_enrollment(ended) == ("active", None)
        assert read_status(ended) == ["reinstated"]
        assert list_live_months(ended)[-1] == date(2026, 5, 1)
        assert see(ended, APRIL).due_cents == PREMIUM  # May's bill alone
        assert list_told(ended)[-1] == ("reinstated", APRIL)
        assert Notice.objects.get(event="reinstated").facts["end_date"] == "2026-01-31"

    def test_a_cent_less_and_it_does_not(self, ended: Account) -> None:
        ask(ended)
        pay(ended, 4 * PREMIUM - 1, on=date(2026, 3, 31))
        with pytest.raises(UnableToReinstate, match=r"\$0.01 is still to be paid"):
            approve(ended, on=APRIL)
        assert read_enrollment(ended) == ("ended", date(2026, 1, 31))

    def test_a_month_that_began_before_it_was_approved_must_be_paid_too(self, ended: Account) -> None:
        ask(ended)
        pay(ended, 4 * PREMIUM, on=date(2026, 4, 20))
        with pytest.raises(UnableToReinstate, match=r"\$100.00 is still to be paid"):
            approve(ended, on=date(2026, 5, 5))
        pay(ended, PREMIUM, on=date(2026, 5, 6))
        approve(ended, on=date(2026, 5, 7))
        assert read_status(ended) == ["reinstated"]

    def test_the_end_that_was_planned_comes_back_with_it(self, ended: Account) -> None:
        Episode.objects.update(planned_end=date(2026, 6, 30))
        ask(ended)
        pay(ended, 4 * PREMIUM, on=LISTED)
        approve(ended)
        assert read_enrollment(ended) == ("active", date(2026, 6, 30))

    def test_nothing_is_approved_that_was_not_asked_for_or_twice(self, ended: Account) -> None:
        pay(ended, PREMIUM, on=LISTED)
        with pytest.raises(UnableToReinstate, match="cannot be done now: coverage ended"):
            approve(ended)
        ask(ended)
        pay(ended, 3 * PREMIUM, on=LISTED)
        approve(ended)
        with pytest.raises(UnableToReinstate, match="cannot be done now: reinstated"):
            approve(ended)

    def test_falling_behind_again_is_a_new_episode(self, ended: Account) -> None:
        ask(ended)
        pay(ended, 4 * PREMIUM, on=LISTED)
        approve(ended)
        live(date(2026, 4, 1), date(2026, 4, 24))
        assert read_status(ended) == ["reinstated", "open"]


class TestDeclining:
    def test_the_months_are_void_again_and_money_on_them_is_credit(self, ended: Account) -> None:
        ask(ended)
        pay(ended, 2 * PREMIUM, on=LISTED)
        decline(ended)
        assert list_live_months(ended) == [DECEMBER, JANUARY]
        standing = see(ended)
        assert (standing.due_cents, standing.credit_cents) == (0, PREMIUM)
        assert JANUARY in list_live_months(ended)

    def test_it_takes_a_reason_and_may_be_asked_for_again(self, ended: Account) -> None:
        ask(ended)
        with pytest.raises(UnableToReinstate, match="Say why"):
            decline(ended, why=" ")
        decline(ended)
        ask(ended, on=LAST_DAY)
        assert read_status(ended) == ["asked"]
