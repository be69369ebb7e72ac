"""The first payment decides when coverage starts: just before, at and just after each due date."""

from datetime import date

import pytest

from billing import overdue
from billing.allocation import UnableToApply
from billing.models import Account, Allocation, Invoice
from members.models import EnrollmentStatus, Notice, StartMove
from tests.billing.books import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PREMIUM,
    make_account,
    noon,
    read_enrollment,
    receive,
    review,
    see,
    settle_and_clear,
    take_back,
)
from tests.billing.correcting import make_override
from tests.people import make_rate

pytestmark = pytest.mark.usefixtures("books")
DUE = date(2027, 1, 23)
DAY_AFTER = date(2027, 1, 24)


def read_start(account: Account) -> date:
    return read_enrollment(account).coverage_start


def list_events() -> list[str]:
    return sorted(set(Notice.objects.values_list("event", flat=True)))


class TestPayingInTime:
    def test_a_binder_received_on_the_due_date_holds_the_start(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DUE)
        review(DAY_AFTER)
        assert read_start(account) == FEBRUARY
        assert see(account, today=DAY_AFTER).binder_received

    def test_a_received_binder_is_not_yet_active_until_it_has_posted(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=DUE)
        assert read_enrollment(account).status == EnrollmentStatus.WAITING
        assert settle_and_clear(reference, on=date(2027, 1, 28)) == [account.enrollment_id]
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
        assert "coverage_confirmed" in list_events()

    def test_our_own_delay_never_moves_a_start(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DUE, today=date(2027, 2, 3))
        review(date(2027, 2, 4))
        assert read_start(account) == FEBRUARY

    def test_money_not_yet_cleared_holds_the_start_for_as_long_as_it_takes(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DUE)
        for day in (DAY_AFTER, date(2027, 2, 1), date(2027, 2, 24), date(2027, 3, 24)):
            assert review(day) == {"pushed": 0, "restored": 0, "expired": 0}
        assert read_start(account) == FEBRUARY

    def test_two_payments_that_together_cover_the_binder_by_the_due_date_hold_it(self) -> None:
        account = make_account()
        receive(account, 100_00, on=date(2027, 1, 10))
        receive(account, PREMIUM - 100_00, on=DUE)
        review(DAY_AFTER)
        assert read_start(account) == FEBRUARY


class TestPayingLate:
    def test_a_binder_received_the_day_after_starts_a_month_later(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DAY_AFTER)
        assert read_start(account) == MARCH
        standing = see(account, today=DAY_AFTER)
        assert (standing.binder.coverage_month, standing.binder_received) == (MARCH, True)

    def test_money_before_the_nightly_review_lands_on_the_pushed_binder(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DAY_AFTER)
        assert review(DAY_AFTER)["pushed"] == 0
        lying = Allocation.objects.filter(cents__gt=0).values_list("invoice__coverage_month", flat=True)
        assert list(lying) == [MARCH]

    def test_money_received_late_and_known_later_still_counts_from_its_day(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        receive(account, PREMIUM, on=date(2027, 2, 23), today=date(2027, 2, 24))
        review(date(2027, 2, 24))
        assert read_start(account) == MARCH

    def test_paid_on_march_10_with_the_window_open_starts_april_1(self) -> None:
        account = make_account()
        for day in (DAY_AFTER, date(2027, 2, 24)):
            assert review(day)["pushed"] == 1
        receive(account, PREMIUM, on=date(2027, 3, 10))
        assert read_start(account) == APRIL

    def test_a_partial_payment_holds_nothing_and_moves_to_the_new_binder(self) -> None:
        account = make_account()
        receive(account, PREMIUM - 1, on=DUE)
        review(DAY_AFTER)
        standing = see(account, today=DAY_AFTER)
        assert (read_start(account), standing.due_cents, standing.credit_cents) == (MARCH, 1, 0)

    def test_the_cent_that_was_missing_covers_the_new_binder(self) -> None:
        account = make_account()
        receive(account, PREMIUM - 1, on=DUE)
        receive(account, 1, on=DAY_AFTER)
        review(date(2027, 2, 24))
        assert read_start(account) == MARCH
        assert see(account, today=DAY_AFTER).binder_received


class TestTheNightlyReview:
    @pytest.mark.parametrize(
        ("day", "start"),
        [(date(2027, 1, 22), FEBRUARY), (DUE, FEBRUARY), (DAY_AFTER, MARCH), (date(2027, 2, 24), APRIL)],
    )
    def test_an_unpaid_start_is_pushed_once_its_due_date_has_passed(self, day: date, start: date) -> None:
        account = make_account()
        review(day)
        assert read_start(account) == start

    def test_the_bill_is_reissued_and_the_member_told(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        old, new = Invoice.objects.filter(account=account).order_by("pk")
        assert (old.coverage_month, old.voided_at is None) == (FEBRUARY, False)
        assert (new.coverage_month, new.due_date, new.voided_at) == (MARCH, date(2027, 2, 23), None)
        notices = Notice.objects.filter(event="start_pushed")
        assert sorted(notices.values_list("channel", flat=True)) == ["email", "letter"]
        assert notices[0].facts["start_before"] == "2027-02-01"
        assert notices[0].facts["start_after"] == "2027-03-01"

    def test_each_push_is_a_row_with_its_run(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        move = StartMove.objects.get(enrollment=account.enrollment_id)
        assert (move.start_before, move.start_after, move.business_date) == (FEBRUARY, MARCH, DAY_AFTER)
        assert move.run == f"review {DAY_AFTER}"

    def test_reviewing_twice_pushes_once(self) -> None:
        account = make_account()
        assert [review(DAY_AFTER)["pushed"], review(DAY_AFTER)["pushed"]] == [1, 0]
        assert Invoice.objects.filter(account=account).count() == 2
        assert Notice.objects.filter(event="start_pushed", channel="letter").count() == 1

    def test_the_new_bill_is_at_the_new_months_rate(self) -> None:
        account = make_account()
        make_rate(enrollment=read_enrollment(account), month=MARCH, premium_cents=300_00)
        review(DAY_AFTER)
        assert see(account, today=DAY_AFTER).due_cents == 300_00

    def test_money_that_covers_a_cheaper_month_in_time_holds_that_month(self) -> None:
        account = make_account()
        make_rate(enrollment=read_enrollment(account), month=MARCH, premium_cents=50_00)
        receive(account, 100_00, on=date(2027, 1, 10))
        review(DAY_AFTER)
        standing = see(account, today=DAY_AFTER)
        assert (standing.binder_received, standing.credit_cents) == (True, 50_00)
        assert read_start(account) == MARCH

    def test_a_binders_own_due_date_is_waited_for(self) -> None:
        account = make_account(binder_due_date=date(2027, 1, 29))
        review(date(2027, 1, 29))
        assert read_start(account) == FEBRUARY
        review(date(2027, 1, 30))
        assert read_start(account) == MARCH

    def test_a_review_that_dies_between_chunks_goes_on_where_it_stopped(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(overdue, "CHUNK", 2)
        accounts = [make_account() for _ in range(5)]
        runs = []

        def die_in_the_second(**facts) -> None:
            runs.append(facts)
            if len(runs) == 2:
                raise KeyboardInterrupt
            lock_accounts(**facts)

        lock_accounts = overdue.lock_accounts
        with monkeypatch.context() as patch:
            patch.setattr(overdue, "lock_accounts", die_in_the_second)
            with pytest.raises(KeyboardInterrupt):
                review(DAY_AFTER)
        assert [read_start(account).month for account in accounts] == [3, 3, 2, 2, 2]
        assert review(DAY_AFTER)["pushed"] == 3
        assert {read_start(account) for account in accounts} == {MARCH}

    def test_active_coverage_is_left_alone(self) -> None:
        account = make_account()
        settle_and_clear(receive(account, PREMIUM, on=DUE), on=date(2027, 1, 28))
        assert review(date(2027, 3, 24)) == {"pushed": 0, "restored": 0, "expired": 0}
        assert read_start(account) == FEBRUARY


class TestWhatAPushedStartAsksFor:
    """The letter asks for what remains to be paid, as the account shows it."""

    @pytest.mark.parametrize("received", [0, 100_00, PREMIUM - 1])
    def test_a_partly_paid_binder_asks_for_the_rest(self, received: int) -> None:
        account = make_account()
        if received:
            receive(account, received, on=DUE)
        review(DAY_AFTER)
        assert self.read_asked() == {PREMIUM - received}
        assert see(account, today=DAY_AFTER).due_cents == PREMIUM - received

    def test_a_binder_paid_in_full_a_day_late_asks_for_nothing(self) -> None:
        account = make_account()
        receive(account, PREMIUM, on=DAY_AFTER)
        assert self.read_asked() == {0}
        assert Notice.objects.filter(event="bill_ready").last().facts["amount_cents"] == 0

    def test_a_month_that_costs_nothing_asks_for_nothing(self) -> None:
        account = make_account()
        make_rate(enrollment=read_enrollment(account), month=MARCH, premium_cents=0)
        review(DAY_AFTER)
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
        assert self.read_asked() == {0}

    @staticmethod
    def read_asked() -> set[int]:
        """What the letter and the email of the push ask for."""
        return set(Notice.objects.filter(event="start_pushed").values_list("facts__amount_cents", flat=True))


class TestTheEnrollmentWindow:
    def test_a_start_past_the_window_expires_the_enrollment_and_voids_its_bill(self) -> None:
        account = make_account()
        for day in (DAY_AFTER, date(2027, 2, 24)):
            review(day)
        assert review(date(2027, 3, 23)) == {"pushed": 0, "restored": 0, "expired": 0}
        assert review(date(2027, 3, 24)) == {"pushed": 0, "restored": 0, "expired": 1}
        assert read_enrollment(account).status == EnrollmentStatus.EXPIRED
        assert see(account, today=date(2027, 3, 24)).due_cents == 0
        assert "enrollment_expired" in list_events()

    @pytest.mark.parametrize(
        ("window_ends", "status"),
        [(date(2027, 2, 28), EnrollmentStatus.EXPIRED), (MARCH, EnrollmentStatus.WAITING)],
    )
    def test_the_new_start_may_be_the_windows_last_day(self, window_ends: date, status: str) -> None:
        account = make_account(window_ends=window_ends)
        review(DAY_AFTER)
        assert read_enrollment(account).status == status

    def test_part_of_the_money_stays_as_credit(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        receive(account, 100_00, on=DUE)
        review(DAY_AFTER)
        standing = see(account, today=DAY_AFTER)
        assert (standing.credit_cents, standing.due_cents) == (100_00, 0)

    def test_coverage_that_would_end_before_it_starts_expires(self) -> None:
        account = make_account(ends_on=date(2027, 2, 28))
        review(DAY_AFTER)
        assert read_enrollment(account).status == EnrollmentStatus.EXPIRED


class TestOverrides:
    def test_december_23_extended_to_december_31_and_paid_december_28_starts_january_1(self) -> None:
        account = make_account(requested_start=JANUARY, today=date(2026, 12, 5))
        self.extend(JANUARY, date(2026, 12, 31))
        review(date(2026, 12, 24))
        receive(account, PREMIUM, on=date(2026, 12, 28))
        review(date(2027, 1, 1))
        assert read_start(account) == JANUARY
        assert see(account, today=date(2027, 1, 1)).binder.due_date == date(2026, 12, 31)

    def test_the_day_after_the_extension_is_late(self) -> None:
        account = make_account(requested_start=JANUARY, today=date(2026, 12, 5))
        self.extend(JANUARY, date(2026, 12, 31))
        review(date(2027, 1, 1))
        assert read_start(account) == FEBRUARY

    def test_an_extension_of_one_account_is_nobody_elses(self) -> None:
        alice, bob = make_account(), make_account()
        self.extend(FEBRUARY, date(2027, 1, 31), account=alice)
        review(DAY_AFTER)
        assert (read_start(alice), read_start(bob)) == (FEBRUARY, MARCH)

    def test_an_extension_after_the_push_restores_the_start_when_money_comes_in_time(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        self.extend(FEBRUARY, date(2027, 1, 31))
        receive(account, PREMIUM, on=date(2027, 1, 28))
        assert read_start(account) == FEBRUARY

    def test_a_start_restored_by_an_extension_alone_still_asks_for_the_money(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        self.extend(FEBRUARY, date(2027, 1, 31), account=account)
        review(date(2027, 1, 26))
        assert read_start(account) == FEBRUARY
        facts = Notice.objects.get(event="start_restored").facts
        assert (facts["amount_cents"], facts["due_date"]) == (PREMIUM, "2027-01-31")

    @staticmethod
    def extend(month: date, day: date, *, account: Account | None = None) -> None:
        make_override(
            coverage_month=month, account=account, due_date=day, reason="a storm", recorded_at=noon(day)
        )


class TestMoneyFoundLater:
    def test_a_check_received_on_the_22nd_and_matched_on_the_28th_restores_the_start(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 1, 28))
        assert read_start(account) == FEBRUARY
        last = StartMove.objects.order_by("pk").last()
        assert (last.start_before, last.start_after, "restored" in last.why) == (MARCH, FEBRUARY, True)
        standing = see(account, today=date(2027, 1, 28))
        assert (standing.binder.coverage_month, standing.binder_received) == (FEBRUARY, True)

    def test_the_member_is_told_that_the_start_is_restored(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 1, 28))
        review(date(2027, 1, 29))
        (notice,) = Notice.objects.filter(event="start_restored")
        move = StartMove.objects.latest("pk")
        assert (notice.channel, notice.member_id) == ("letter", read_enrollment(account).member_id)
        assert notice.subject == f"enrollment:{account.enrollment_id}:move:{move.pk}"
        facts = notice.facts
        assert (facts["start_before"], facts["start_after"]) == ("2027-03-01", "2027-02-01")
        assert (facts["amount_cents"], facts["due_date"]) == (0, "2027-01-23")

    def test_pushed_restored_and_pushed_again_on_one_day_each_is_told(self) -> None:
        account = make_account()
        review(DAY_AFTER)
        take_back(receive(account, PREMIUM, on=DUE, today=DAY_AFTER), on=DAY_AFTER)
        told = Notice.objects.filter(channel="letter", event__startswith="start_").order_by("pk")
        assert [notice.event for notice in told] == ["start_pushed", "start_restored", "start_pushed"]
        assert [notice.facts["amount_cents"] for notice in told] == [PREMIUM, 0, PREMIUM]

    @pytest.mark.parametrize(("day", "start"), [(date(2027, 1, 31), FEBRUARY), (date(2027, 2, 1), MARCH)])
    def test_a_month_that_has_begun_is_not_given_back_by_a_run(self, day: date, start: date) -> None:
        account = make_account()
        review(DAY_AFTER)
        receive(account, PREMIUM, on=date(2027, 1, 22), today=day)
        review(date(2027, 2, 24))
        assert read_start(account) == start

    def test_money_does_not_count_before_it_is_received(self) -> None:
        account = make_account()
        with pytest.raises(UnableToApply):
            receive(account, PREMIUM, on=DAY_AFTER, today=DUE)


class TestAReturn:
    def test_a_binder_returned_before_its_due_date_waits_again_for_the_same_start(self) -> None:
        account = make_account()
        take_back(receive(account, PREMIUM, on=date(2027, 1, 15)), on=date(2027, 1, 20))
        assert read_start(account) == FEBRUARY
        assert see(account, today=date(2027, 1, 20)).due_cents == PREMIUM

    def test_a_binder_returned_after_its_due_date_pushes_the_start_at_once(self) -> None:
        account = make_account()
        take_back(receive(account, PREMIUM, on=date(2027, 1, 20)), on=date(2027, 1, 26))
        assert read_start(account) == MARCH
        assert see(account, today=date(2027, 1, 26)).due_cents == PREMIUM

    def test_coverage_made_active_early_awaits_payment_again(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=date(2027, 1, 8))
        settle_and_clear(reference, on=date(2027, 1, 13))
        take_back(reference, on=date(2027, 1, 31), settled=True)
        assert read_enrollment(account).status == EnrollmentStatus.WAITING
        assert read_start(account) == MARCH

    def test_coverage_that_has_started_stays_active_for_staff_to_look_at(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=date(2027, 1, 8))
        settle_and_clear(reference, on=date(2027, 1, 13))
        take_back(reference, on=FEBRUARY, settled=True)
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
        assert read_start(account) == FEBRUARY
        assert see(account, today=FEBRUARY).past_due_cents == PREMIUM

    def test_a_second_payment_in_time_takes_the_place_of_the_returned_one(self) -> None:
        account = make_account()
        first = receive(account, PREMIUM, on=date(2027, 1, 10))
        receive(account, PREMIUM, on=date(2027, 1, 20))
        take_back(first, on=date(2027, 1, 26))
        standing = see(account, today=date(2027, 1, 26))
        assert (standing.binder_received, standing.credit_cents) == (True, 0)
        assert read_start(account) == FEBRUARY

    def test_paid_again_after_a_return_it_can_be_made_active_again_and_told_again(self) -> None:
        account = make_account()
        first = receive(account, PREMIUM, on=date(2027, 1, 8))
        settle_and_clear(first, on=date(2027, 1, 13))
        take_back(first, on=date(2027, 1, 15), settled=True)
        settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 16)), on=date(2027, 1, 21))
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
        confirmed = Notice.objects.filter(event="coverage_confirmed", channel="letter")
        assert confirmed.count() == 2
