"""The nightly review of what is behind: just before, at and just after each of its days."""

from datetime import date, timedelta

import pytest

from billing import episodes
from billing.episodes import read_behind
from billing.ladders import Kind
from billing.models import Episode, EpisodeMove, StartDecision, StartReview
from billing.start_decisions import decide_start
from members import outbox
from members.models import Enrollment, Notice
from payments.ach.banking_days import FEDERAL_RESERVE
from tests.billing.behind import (
    DECEMBER,
    JANUARY,
    PREMIUM,
    cover,
    cover_two_months_late,
    issue,
    keep_start,
    list_told,
    live,
    night,
    pay,
    read_status,
    send_mail,
)
from tests.billing.books import noon, take_back
from tests.billing.correcting import make_override
from tests.billing.printing import LETTERS, close, draw, make
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
DUE = date(2025, 12, 23)
FOUND = date(2025, 12, 24)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
TODAY = date(2025, 12, 2)  # January's bill is out


def subsidize(account, *, on: bool = True) -> None:
    Enrollment.objects.filter(account=account).update(subsidized=on)


def move_february(account) -> None:
    """Who pays for February alone has until April; this account pays for it with January."""
    make_override(
        account=account,
        coverage_month=FEBRUARY,
        due_date=date(2026, 4, 23),
        reason="a storm",
        recorded_at=noon(date(2026, 2, 12)),
    )


class TestOpening:
    def test_a_bill_is_behind_the_day_after_its_due_date_not_on_it(self) -> None:
        account = cover(today=TODAY)
        assert night(DUE)["opened"] == 0
        assert night(FOUND)["opened"] == 1
        episode = Episode.objects.get()
        assert (episode.account, episode.oldest_month, episode.found_on) == (account, JANUARY, FOUND)
        assert episode.kind == Kind.SHORT

    def test_the_night_again_opens_nothing_more(self) -> None:
        cover(today=TODAY)
        night(FOUND)
        assert (
            night(FOUND) == night(FOUND) == {"opened": 0, "cured": 0, "told": 0, "listed": 0, "canceled": 0}
        )

    def test_one_cent_unpaid_is_behind_and_all_paid_is_not(self) -> None:
        pay(cover(today=TODAY), PREMIUM, on=DUE)
        pay(short := cover(today=TODAY), PREMIUM - 1, on=DUE)
        assert night(FOUND)["opened"] == 1
        assert Episode.objects.get().account == short

    def test_a_first_payment_that_is_waited_for_is_not_behind_but_pushed(self) -> None:
        from tests.people import make_enrollment

        make_enrollment(requested_start=JANUARY, premium_cents=PREMIUM, at=noon(TODAY))
        issue(TODAY)
        assert night(FOUND)["opened"] == 0

    def test_a_due_date_moved_for_one_account_is_its_own(self) -> None:
        account = cover(today=TODAY)
        make_override(
            account=account,
            coverage_month=JANUARY,
            due_date=date(2025, 12, 28),
            reason="a storm",
            recorded_at=noon(DUE),
        )
        assert night(date(2025, 12, 28))["opened"] == 0
        assert night(date(2025, 12, 29))["opened"] == 1

    @pytest.mark.parametrize(
        ("product", "subsidized", "kind"),
        [("health", True, Kind.LONG), ("health", False, Kind.SHORT), ("dental", True, Kind.SHORT)],
    )
    def test_the_ladder_follows_the_product_and_the_subsidy(
        self, product: str, subsidized: bool, kind: Kind
    ) -> None:
        cover(today=TODAY, product=product, subsidized=subsidized)
        night(FOUND)
        night(FOUND + timedelta(days=1))
        assert Episode.objects.get().kind == kind

    def test_many_accounts_take_as_many_statements_as_one(self, django_assert_max_num_queries) -> None:
        for _ in range(3):
            cover(today=TODAY)
        with django_assert_max_num_queries(45) as few:
            assert night(FOUND)["opened"] == 3
        for _ in range(9):
            cover(today=TODAY)
        with django_assert_max_num_queries(len(few.captured_queries)):
            assert night(FOUND)["opened"] == 9


class TestTheSubsidyIsFrozen:
    def test_one_lost_later_leaves_the_longer_ladder(self) -> None:
        account = cover(today=TODAY, subsidized=True)
        night(FOUND)
        subsidize(account, on=False)
        night(FOUND + timedelta(days=1))
        assert Episode.objects.get().kind == Kind.LONG

    def test_one_gained_later_gives_the_longer_ladder_and_the_member_hears_the_new_days(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, JANUARY)
        assert list_told(account) == [("termination_warning", JANUARY)]
        subsidize(account)
        night(date(2026, 1, 10))
        episode = Episode.objects.get()
        assert (episode.kind, episode.status) == (Kind.LONG, "open")
        assert EpisodeMove.objects.get().why == episodes.SUBSIDY_GAINED
        assert list_told(account)[-1] == ("past_due", date(2026, 1, 10))
        told = Notice.objects.get(event="past_due")
        assert (told.facts["pay_by_date"], told.facts["end_date"]) == ("2026-03-23", "2026-01-31")


class TestTelling:
    def test_without_a_subsidy_the_warning_goes_on_the_1st_by_email_and_letter(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2025, 12, 31))
        assert list_told(account) == []
        live(JANUARY, date(2026, 1, 23))
        assert list_told(account) == [("termination_warning", JANUARY)]
        told = Notice.objects.filter(event="termination_warning")
        assert sorted(told.values_list("channel", flat=True)) == ["email", "letter"]
        assert told[0].facts == {
            "product": "health",
            "plan_name": "Harborlight Silver 2000",
            "amount_cents": PREMIUM,
            "pay_by_date": "2026-01-23",
            "end_date": "2025-12-31",
            "end_is_past": True,
        }

    def test_with_a_subsidy_two_notices_and_the_warning_each_with_all_that_is_past_due(self) -> None:
        account = cover(today=TODAY, subsidized=True)
        live(FOUND, MARCH)
        assert list_told(account) == [
            ("past_due", JANUARY),
            ("past_due", FEBRUARY),
            ("termination_warning", MARCH),
        ]
        asked = Notice.objects.filter(channel="letter", subject__startswith="episode:").order_by("pk")
        assert [notice.facts["amount_cents"] for notice in asked] == [100_00, 200_00, 300_00]
        assert {notice.facts["pay_by_date"] for notice in asked} == {"2026-03-23"}
        # January's notice is written in January, the others once its last day has passed.
        assert [notice.facts["end_is_past"] for notice in asked] == [False, True, True]

    def test_a_notice_is_told_once_however_often_the_night_comes(self) -> None:
        cover(today=TODAY)
        night(FOUND)
        assert night(JANUARY)["told"] == 1
        assert night(JANUARY)["told"] == night(date(2026, 1, 2))["told"] == 0


class TestCure:
    @pytest.mark.parametrize(("paid", "status"), [(date(2026, 1, 23), "cured"), (date(2026, 1, 24), "open")])
    def test_all_past_due_by_the_23rd_cures_and_a_day_later_does_not(self, paid: date, status: str) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 2))
        pay(account, 200_00, on=paid)
        night(date(2026, 1, 25))
        assert read_status(account)[0] == status

    def test_our_own_delay_takes_nobodys_cure_away(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 2))
        pay(account, 200_00, on=date(2026, 1, 23), today=date(2026, 1, 28))
        night(date(2026, 1, 29))
        assert read_status(account) == ["cured"]

    def test_money_in_time_counts_though_late_money_lies_on_the_bill(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 2))
        pay(account, on=date(2026, 1, 24))
        night(date(2026, 1, 25))
        assert read_status(account) == ["open"]
        pay(account, on=date(2026, 1, 22), today=date(2026, 1, 26))
        night(date(2026, 1, 27))
        assert read_status(account) == ["cured"]

    def test_a_first_payment_for_two_months_is_one_due_date_whatever_moves_that_of_the_second(self) -> None:
        account, second = cover_two_months_late()
        move_february(account)
        take_back(second, on=date(2026, 2, 24), settled=True)
        keep_start(on=date(2026, 2, 24))
        live(date(2026, 2, 25), date(2026, 3, 2))
        assert read_status(account) == ["open"]
        pay(account, on=date(2026, 3, 24))
        night(date(2026, 3, 25))
        assert read_status(account) == ["open"]

    def test_january_paid_and_february_not_is_cured_and_february_opens_its_own(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 9))
        pay(account, on=date(2026, 1, 10))
        live(date(2026, 1, 11), date(2026, 1, 23))
        assert read_status(account) == ["cured"]
        live(date(2026, 1, 24), date(2026, 1, 24))
        assert read_status(account) == ["cured", "open"]
        assert Episode.objects.latest("pk").oldest_month == FEBRUARY

    def test_with_a_subsidy_a_part_lands_on_the_oldest_month_and_moves_nothing(self) -> None:
        account = cover(today=TODAY, subsidized=True)
        live(FOUND, date(2026, 2, 9))
        pay(account, on=date(2026, 2, 10))
        live(date(2026, 2, 11), date(2026, 2, 12))
        episode = Episode.objects.get()
        assert (episode.status, episode.oldest_month) == ("open", JANUARY)
        assert episode.ladder.last_day_to_pay == date(2026, 3, 23)

    def test_with_a_subsidy_everything_on_the_latest_notice_cures(self) -> None:
        account = cover(today=TODAY, subsidized=True)
        live(FOUND, date(2026, 2, 9))
        pay(account, 200_00, on=date(2026, 2, 10))
        night(date(2026, 2, 11))
        assert read_status(account) == ["cured"]

    @pytest.mark.parametrize(
        ("received", "known", "statuses"),
        [
            (date(2026, 1, 31), date(2026, 1, 31), ["cured", "open"]),
            (FEBRUARY, FEBRUARY, ["open"]),
            (date(2026, 1, 20), date(2026, 2, 3), ["cured", "open"]),
        ],
        ids=["on the last day before", "on the day of the next notice", "matched after the next notice"],
    )
    def test_what_a_notice_asks_for_cures_if_it_is_received_before_the_next_one(
        self, received: date, known: date, statuses: list[str]
    ) -> None:
        account = cover(today=TODAY, subsidized=True)
        live(FOUND, date(2026, 1, 30))
        if known > received:
            live(date(2026, 1, 31), known)
        pay(account, on=received, today=known)
        live(max(known, FEBRUARY), max(known, FEBRUARY) + timedelta(days=1))
        assert read_status(account) == statuses
        oldest = Episode.objects.latest("pk").oldest_month
        assert oldest == (JANUARY if statuses == ["open"] else FEBRUARY)

    def test_paid_before_the_first_notice_nobody_is_told_anything(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2025, 12, 30))
        pay(account, on=date(2025, 12, 31))
        live(date(2025, 12, 31), date(2026, 1, 2))
        assert (read_status(account), list_told(account)) == (["cured"], [])


class TestAHoleFoundLate:
    def test_money_that_comes_back_begins_an_episode_whose_days_count_from_the_next_1st(self) -> None:
        account = cover(today=TODAY)
        reference = pay(account, 200_00, on=DUE)
        live(FOUND, date(2026, 2, 6))
        assert read_status(account) == []
        take_back(reference, on=date(2026, 2, 6), settled=True)
        night(date(2026, 2, 7))
        ladder = Episode.objects.get().ladder
        assert (ladder.notice_dates, ladder.last_day_to_pay) == ((MARCH,), date(2026, 3, 23))
        assert ladder.ends_on is None
        live(date(2026, 2, 8), MARCH)
        assert list_told(account) == [("termination_warning", MARCH)]
        assert "end_date" not in Notice.objects.filter(event="termination_warning")[0].facts

    def test_an_older_month_that_is_unpaid_again_begins_anew_with_notices_and_days_of_its_own(self) -> None:
        account = cover(today=TODAY)
        january = pay(account, on=DUE)
        live(FOUND, date(2026, 2, 9))
        assert Episode.objects.get().oldest_month == FEBRUARY
        take_back(january, on=date(2026, 2, 10), settled=True)
        assert night(date(2026, 2, 11)) == {"opened": 1, "cured": 0, "told": 0, "listed": 0, "canceled": 1}
        assert EpisodeMove.objects.get().why == episodes.OLDER_UNPAID
        anew = Episode.objects.latest("pk")
        assert (anew.status, anew.oldest_month, anew.ladder.notice_dates) == ("open", JANUARY, (MARCH,))
        assert anew.ladder.ends_on is None
        live(date(2026, 2, 12), MARCH)
        assert read_status(account) == ["canceled", "open"]
        assert list_told(account)[-1] == ("termination_warning", MARCH)

    def test_returned_before_the_1st_it_is_as_if_it_had_never_been_paid(self) -> None:
        account = cover(today=TODAY)
        reference = pay(account, on=date(2025, 12, 20))
        live(FOUND, date(2025, 12, 26))
        take_back(reference, on=date(2025, 12, 26), settled=True)
        live(date(2025, 12, 27), JANUARY)
        assert Episode.objects.get().ladder.ends_on == date(2025, 12, 31)
        assert list_told(account) == [("termination_warning", JANUARY)]

    def test_a_first_payment_returned_after_coverage_began_is_held_for_staff(self) -> None:
        account = cover(start=DECEMBER, today=TODAY)
        first = account.receipts.get().reference
        night(FOUND)
        assert read_status(account) == ["open"]
        take_back(first, on=date(2025, 12, 28), settled=True)
        assert night(date(2025, 12, 29)) == {"opened": 0, "cured": 0, "told": 0, "listed": 0, "canceled": 1}
        live(date(2025, 12, 30), date(2026, 2, 10))
        assert (read_status(account), list_told(account)) == (["canceled"], [])
        decided = date(2026, 2, 10)
        review = StartReview.objects.get(enrollment=account.enrollment)
        decide_start(
            review_id=review.pk,
            decision=StartDecision.KEEP,
            by=make_staff(),
            today=decided,
            at=noon(decided),
        )
        night(date(2026, 2, 11))
        assert Episode.objects.latest("pk").ladder.notice_dates == (MARCH,)


class TestListing:
    def test_the_list_waits_five_banking_days_after_the_last_day_to_pay(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 29))
        assert read_status(account) == ["open"]
        assert night(date(2026, 1, 30))["listed"] == 1
        assert read_status(account) == ["listed"]
        assert night(date(2026, 1, 30))["listed"] == 0

    def test_coverage_is_not_listed_before_its_warning_has_gone_out(self) -> None:
        account = cover(today=TODAY)
        for day in (FOUND, JANUARY, date(2026, 1, 30)):
            night(day)
        assert read_status(account) == ["open"]
        send_mail(noon(date(2026, 1, 30)))
        night(date(2026, 1, 31))
        assert read_status(account) == ["listed"]

    def test_a_letter_has_gone_out_once_its_print_batch_is_closed_not_once_it_is_written_or_drawn(
        self,
    ) -> None:
        account = cover(today=TODAY)
        day = date(2026, 1, 30)
        for night_day in (FOUND, JANUARY):
            night(night_day)
        outbox.send_unsent(at=noon(JANUARY))
        assert night(day)["listed"] == 0
        batch = make(LETTERS, today=day)
        draw(batch, today=day)
        assert night(day)["listed"] == 0
        close(batch, today=day)
        assert night(day)["listed"] == 1
        assert read_status(account) == ["listed"]

    def test_money_found_later_that_was_received_in_time_takes_it_off_the_list(self) -> None:
        account = cover(today=TODAY)
        live(FOUND, date(2026, 1, 30))
        pay(account, 200_00, on=date(2026, 1, 22), today=date(2026, 2, 2))
        night(date(2026, 2, 3))
        assert read_status(account) == ["cured"]

    def test_coverage_that_ends_otherwise_in_time_is_not_ended_again(self) -> None:
        from members import coverage

        account = cover(today=TODAY, subsidized=True)
        live(FOUND, date(2026, 1, 31))
        Enrollment.objects.filter(account=account).update(ends_on=date(2026, 1, 31))
        coverage.end_passed(today=FEBRUARY, at=noon(FEBRUARY))
        night(FEBRUARY)
        assert read_status(account) == ["canceled"]
        assert list_told(account) == [("past_due", JANUARY)]


class TestLateRuns:
    @pytest.mark.parametrize("late", [1, 3])
    def test_a_review_some_days_late_gives_the_same_state(self, late: int) -> None:
        prompt, tardy = cover(today=TODAY), cover(today=TODAY, subsidized=True)
        for day in (FOUND, JANUARY, FEBRUARY, MARCH):
            issue(day)
            for repeat in (day, day + timedelta(days=late), day + timedelta(days=late)):
                night(repeat)
            send_mail(noon(day))
        night(date(2026, 3, 30) + timedelta(days=late))
        assert read_status(prompt) == read_status(tardy) == ["listed"]
        assert [event for event, _ in list_told(tardy)] == ["past_due", "past_due", "termination_warning"]
        assert [item.ladder.ends_on for item in Episode.objects.order_by("pk")] == [
            date(2025, 12, 31),
            date(2026, 1, 31),
        ]

    def test_three_days_late_from_the_first_night_on_the_days_are_the_same(self) -> None:
        account = cover(today=TODAY)
        night(FOUND + timedelta(days=3))
        issue(JANUARY)
        night(JANUARY + timedelta(days=3))
        send_mail(noon(JANUARY))
        night(date(2026, 1, 30) + timedelta(days=3))
        assert read_status(account) == ["listed"]
        ladder = Episode.objects.get().ladder
        assert (ladder.notice_dates, ladder.ends_on) == ((JANUARY,), date(2025, 12, 31))


def test_pages_read_where_an_account_stands() -> None:
    account, other = cover(today=TODAY), cover(today=TODAY)
    pay(other, on=DUE)
    live(FOUND, date(2026, 1, 30))
    behind = read_behind(account_ids=[account.pk, other.pk])
    assert behind[account.pk].is_listed
    assert behind[account.pk].ladder.last_day_to_pay == date(2026, 1, 23)
    assert other.pk in behind  # February's is unpaid, too
    assert not behind[other.pk].is_listed
    assert FEDERAL_RESERVE.add(date(2026, 1, 23), 5) == date(2026, 1, 30)
