"""Coverage ends from a list that staff confirm: on which day, what stays owed, what is void, and who hears of it."""

from datetime import date

import pytest

from billing import terminations
from billing.balances import read_standing
from billing.models import Account, Episode, EpisodeMove, Invoice
from billing.start_reviews import NewReview, open_reviews
from billing.terminations import UnableToEndCoverage
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
    night,
    pay,
    read_status,
)
from tests.billing.books import noon, take_back
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
TODAY = date(2025, 12, 2)
FOUND = date(2025, 12, 24)
LISTED, LISTED_LONG = date(2026, 1, 30), date(2026, 3, 30)


def make_listed(*, subsidized: bool = False) -> Account:
    """January unpaid, and everything after it, up to the list."""
    account = cover(today=TODAY, subsidized=subsidized)
    live(FOUND, LISTED_LONG if subsidized else LISTED)
    assert read_status(account) == ["listed"]
    return account


def make_listed_late() -> Account:
    """January's and February's payment came back in February: staff choose the end."""
    account = cover(today=TODAY)
    reference = pay(account, 2 * PREMIUM, on=date(2025, 12, 20))
    live(FOUND, date(2026, 2, 6))
    take_back(reference, on=date(2026, 2, 6), settled=True)
    live(date(2026, 2, 7), LISTED_LONG)
    assert read_status(account) == ["listed"]
    return account


def read_enrollment(account: Account) -> tuple[str, date | None]:
    enrollment = Enrollment.objects.get(account=account)
    return enrollment.status, enrollment.ends_on


def see(account: Account, today: date):
    return read_standing(account_id=account.pk, today=today)


class TestConfirming:
    def test_without_a_subsidy_it_ends_with_the_last_month_paid_in_full_and_nothing_is_owed(self) -> None:
        account = make_listed()
        confirm(account, on=LISTED)
        assert read_enrollment(account) == ("ended", date(2025, 12, 31))
        assert list_live_months(account) == [DECEMBER]
        assert see(account, LISTED).due_cents == 0

    def test_with_a_subsidy_it_ends_with_the_first_month_which_stays_owed(self) -> None:
        account = make_listed(subsidized=True)
        confirm(account, on=LISTED_LONG)
        assert read_enrollment(account) == ("ended", date(2026, 1, 31))
        assert list_live_months(account) == [DECEMBER, JANUARY]
        assert see(account, LISTED_LONG).due_cents == PREMIUM
        reasons = Invoice.objects.exclude(voided_at=None).values_list("void_reason", flat=True)
        assert set(reasons) == {terminations.NOT_PAID}

    def test_the_member_hears_the_last_day_what_is_owed_and_until_when_to_ask_for_it_back(self) -> None:
        account = make_listed(subsidized=True)
        confirm(account, on=LISTED_LONG)
        told = Notice.objects.get(event="termination")
        assert told.facts == {
            "product": "health",
            "plan_name": "Harborlight Silver 2000",
            "end_date": "2026-01-31",
            "amount_cents": PREMIUM,
            "ask_by_date": "2026-05-04",
        }
        assert list_told(account)[-1] == ("termination", LISTED_LONG)

    def test_who_confirmed_it_and_when_is_kept(self) -> None:
        account, staff = make_listed(), make_staff()
        confirm(account, on=LISTED, by=staff)
        episode = Episode.objects.get()
        assert (episode.status, episode.decided_by, episode.decided_on) == ("ended", staff, LISTED)
        assert episode.ended_on == date(2025, 12, 31)
        assert EpisodeMove.objects.latest("pk").why == f"confirmed by {staff.username}"

    def test_confirmed_twice_it_is_done_once(self) -> None:
        account = make_listed()
        ids = [Episode.objects.get().pk]
        facts = {"episode_ids": ids, "by": make_staff(), "today": LISTED, "at": noon(LISTED)}
        assert terminations.confirm_terminations(**facts) == ids
        assert terminations.confirm_terminations(**facts) == []
        assert Notice.objects.filter(event="termination").count() == 1
        assert read_status(account) == ["ended"]

    def test_only_what_is_on_the_list_can_be_ended(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 29))
        (key,) = Episode.objects.values_list("pk", flat=True)
        facts = {"by": make_staff(), "today": LISTED, "at": noon(LISTED)}
        assert terminations.confirm_terminations(episode_ids=[key], **facts) == []
        with pytest.raises(UnableToEndCoverage, match="not on the list"):
            terminations.end_coverage(episode_id=key, **facts)
        assert read_enrollment(account) == ("active", None)

    def test_money_paid_too_late_becomes_credit_but_for_what_is_owed(self) -> None:
        account = make_listed(subsidized=True)
        pay(account, 4 * PREMIUM, on=date(2026, 3, 31))
        confirm(account, on=date(2026, 4, 1))
        standing = see(account, date(2026, 4, 1))
        assert (standing.due_cents, standing.credit_cents) == (0, 3 * PREMIUM)

    def test_money_that_was_in_time_after_all_and_not_yet_reviewed_is_not_passed_over(self) -> None:
        account = make_listed()
        pay(account, 2 * PREMIUM, on=date(2026, 1, 23), today=LISTED)
        assert confirm(account, on=LISTED) == []
        assert read_enrollment(account) == ("active", None)
        night(date(2026, 1, 31))
        assert read_status(account) == ["cured"]

    def test_the_nights_after_it_open_nothing_and_bill_nothing(self) -> None:
        account = make_listed(subsidized=True)
        confirm(account, on=LISTED_LONG)
        live(date(2026, 3, 31), date(2026, 5, 2))
        assert read_status(account) == ["ended"]
        assert list_live_months(account) == [DECEMBER, JANUARY]

    def test_many_take_as_many_statements_as_one(self, django_assert_max_num_queries) -> None:
        staff = make_staff()
        for _ in range(5):
            cover(today=TODAY)
        live(FOUND, LISTED)
        keys = list(Episode.objects.values_list("pk", flat=True))
        facts = {"by": staff, "today": LISTED, "at": noon(LISTED)}
        with django_assert_max_num_queries(60) as few:
            terminations.confirm_terminations(episode_ids=keys[:1], **facts)
        with django_assert_max_num_queries(len(few.captured_queries)):
            assert terminations.confirm_terminations(episode_ids=keys[1:], **facts) == keys[1:]


class TestAnEndThatStaffChoose:
    def test_it_must_be_chosen(self) -> None:
        account = make_listed_late()
        with pytest.raises(UnableToEndCoverage, match="Choose the last day"):
            confirm(account, on=LISTED_LONG)
        assert read_enrollment(account) == ("active", None)

    @pytest.mark.parametrize(
        ("chosen", "taken"),
        [
            (date(2025, 11, 30), False),
            (date(2025, 12, 30), False),
            (date(2025, 12, 31), True),
            (date(2026, 1, 31), True),
            (date(2026, 3, 31), True),
            (date(2026, 4, 30), False),
        ],
    )
    def test_it_is_the_last_day_of_a_month_from_the_last_one_paid_on(self, chosen: date, taken: bool) -> None:
        account = make_listed_late()
        if taken:
            confirm(account, on=LISTED_LONG, ends_on=chosen)
            assert read_enrollment(account) == ("ended", chosen)
        else:
            with pytest.raises(UnableToEndCoverage):
                confirm(account, on=LISTED_LONG, ends_on=chosen)
            assert read_enrollment(account) == ("active", None)

    def test_where_the_ladder_names_the_day_no_other_is_taken(self) -> None:
        account = make_listed()
        with pytest.raises(UnableToEndCoverage, match="No other day"):
            confirm(account, on=LISTED, ends_on=date(2026, 1, 31))
        confirm(account, on=LISTED, ends_on=date(2025, 12, 31))
        assert read_enrollment(account) == ("ended", date(2025, 12, 31))


class TestAnotherEnd:
    def test_an_end_planned_for_later_gives_way_and_is_remembered(self) -> None:
        account = make_listed(subsidized=True)
        Enrollment.objects.filter(account=account).update(ends_on=date(2026, 6, 30))
        confirm(account, on=LISTED_LONG)
        assert read_enrollment(account) == ("ended", date(2026, 1, 31))
        assert Episode.objects.get().planned_end == date(2026, 6, 30)

    def test_an_earlier_end_stays(self) -> None:
        account = make_listed(subsidized=True)
        Enrollment.objects.filter(account=account).update(ends_on=date(2025, 12, 31))
        confirm(account, on=LISTED_LONG)
        assert read_enrollment(account) == ("ended", date(2025, 12, 31))
        assert see(account, LISTED_LONG).due_cents == 0


class TestKeeping:
    def keep(self, account: Account, why: str = "the bank lost the check") -> None:
        (key,) = Episode.objects.filter(account=account).values_list("pk", flat=True)
        terminations.keep_coverage(episode_id=key, by=make_staff(), why=why, today=LISTED, at=noon(LISTED))

    def test_coverage_that_staff_keep_is_off_the_list_with_their_reason(self) -> None:
        account = make_listed()
        self.keep(account)
        assert read_status(account) == ["canceled"]
        assert "the bank lost the check" in EpisodeMove.objects.latest("pk").why
        assert terminations.list_terminations(today=LISTED) == []
        assert read_enrollment(account) == ("active", None)

    def test_what_stays_unpaid_begins_anew_from_the_next_1st(self) -> None:
        account = make_listed()
        self.keep(account)
        night(date(2026, 1, 31))
        assert read_status(account) == ["canceled", "open"]
        assert Episode.objects.latest("pk").ladder.last_day_to_pay == date(2026, 2, 23)

    def test_without_a_reason_nothing_is_kept(self) -> None:
        account = make_listed()
        with pytest.raises(UnableToEndCoverage, match="Say why"):
            self.keep(account, why="  ")
        assert read_status(account) == ["listed"]


def test_coverage_whose_start_staff_are_looking_at_is_not_ended() -> None:
    account = make_listed()
    enrollment = account.enrollment
    start = enrollment.coverage_start
    new = NewReview(enrollment.pk, stands_at=start, rules_give=start, why="the first payment came back")
    open_reviews(reviews=[new], today=LISTED, at=noon(LISTED))
    episode = Episode.objects.get(account=account)
    ended = terminations.confirm_terminations(
        episode_ids=[episode.pk], by=make_staff(), today=LISTED, at=noon(LISTED)
    )
    assert (ended, read_status(account)) == ([], ["listed"])


def test_the_list_shows_how_each_account_stands_now() -> None:
    account = make_listed()
    (item,) = terminations.list_terminations(today=LISTED)
    assert (item.episode.account, item.ends_on) == (account, date(2025, 12, 31))
    assert item.standing.past_due_cents == 2 * PREMIUM
    pay(account, 2 * PREMIUM, on=LISTED)
    (item,) = terminations.list_terminations(today=LISTED)
    assert item.standing.past_due_cents == 0
