"""What moves a start back, and what waits for staff: overrides, first bills of several months, closed windows, late returns."""

from datetime import date, timedelta

import pytest

from billing.invoices import issue_missing
from billing.models import Account, DueDateOverride, Invoice, StartDecision, StartReview
from billing.start_decisions import UnableToDecide, decide_start
from billing.start_reviews import list_under_review
from members.models import EnrollmentStatus, Notice, StartMove
from tests.billing.books import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    PREMIUM,
    list_broken,
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
from tests.people import make_rate, make_staff

pytestmark = pytest.mark.usefixtures("books")
DECEMBER_5, DECEMBER_28, EXTENDED = date(2026, 12, 5), date(2026, 12, 28), date(2026, 12, 31)


def extend(month: date, day: date, *, recorded: date, account: Account | None = None) -> DueDateOverride:
    return make_override(
        coverage_month=month, account=account, due_date=day, reason="a storm", recorded_at=noon(recorded)
    )


def read_state(account: Account) -> tuple[str, date]:
    enrollment = read_enrollment(account)
    return enrollment.status, enrollment.coverage_start


def make_january(**facts) -> Account:
    return make_account(requested_start=JANUARY, today=DECEMBER_5, **facts)


class TestDecember23ExtendedToDecember31AndPaidDecember28:
    @pytest.mark.parametrize("own", [False, True], ids=["for everyone", "for one account"])
    def test_recorded_before_the_push(self, own: bool) -> None:
        account = make_january()
        extend(JANUARY, EXTENDED, recorded=DECEMBER_5, account=account if own else None)
        review(date(2026, 12, 24))
        receive(account, PREMIUM, on=DECEMBER_28)
        assert read_state(account) == (EnrollmentStatus.WAITING, JANUARY)

    @pytest.mark.parametrize("own", [False, True], ids=["for everyone", "for one account"])
    def test_recorded_after_the_push_and_the_payment(self, own: bool) -> None:
        account = make_january()
        review(date(2026, 12, 24))
        receive(account, PREMIUM, on=DECEMBER_28)
        extend(JANUARY, EXTENDED, recorded=date(2026, 12, 29), account=account if own else None)
        assert review(date(2026, 12, 30)) == {"pushed": 0, "restored": 1, "expired": 0}
        assert read_state(account) == (EnrollmentStatus.WAITING, JANUARY)
        assert see(account, today=date(2026, 12, 30)).binder_received

    def test_recorded_after_the_money_has_posted_active_coverage_moves_back(self) -> None:
        account = make_january()
        review(date(2026, 12, 24))
        settle_and_clear(receive(account, PREMIUM, on=DECEMBER_28), on=date(2026, 12, 30))
        assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)
        extend(JANUARY, EXTENDED, recorded=date(2026, 12, 30))
        assert review(EXTENDED)["restored"] == 1
        assert read_state(account) == (EnrollmentStatus.ACTIVE, JANUARY)
        assert see(account, today=EXTENDED).due_cents == 0
        assert Notice.objects.filter(event="start_restored").exists()

    def test_recorded_when_january_has_begun_staff_are_asked_and_nothing_moves(self) -> None:
        account = make_january()
        review(date(2026, 12, 24))
        settle_and_clear(receive(account, PREMIUM, on=DECEMBER_28), on=date(2026, 12, 30))
        extend(JANUARY, EXTENDED, recorded=date(2027, 1, 4))
        assert review(date(2027, 1, 5)) == {"pushed": 0, "restored": 0, "expired": 0, "for_staff": 1}
        assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)
        row = StartReview.objects.get()
        assert (row.stands_at, row.rules_give, row.opened_on) == (FEBRUARY, JANUARY, date(2027, 1, 5))
        assert list_under_review(enrollment_ids=[account.enrollment_id]) == {account.enrollment_id}

    def test_coverage_that_started_long_ago_is_found_too(self) -> None:
        account = make_january()
        review(date(2026, 12, 24))
        settle_and_clear(receive(account, PREMIUM, on=DECEMBER_28), on=date(2026, 12, 30))
        extend(JANUARY, EXTENDED, recorded=date(2027, 3, 4))
        assert review(date(2027, 3, 5))["for_staff"] == 1

    def test_paid_after_the_extension_too_it_changes_nothing(self) -> None:
        account = make_january()
        review(date(2026, 12, 24))
        settle_and_clear(receive(account, PREMIUM, on=DECEMBER_28), on=date(2026, 12, 30))
        extend(JANUARY, DECEMBER_28 - timedelta(days=1), recorded=date(2026, 12, 30))
        assert review(EXTENDED)["restored"] == 0
        assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)


class TestAnOverrideRecordedLate:
    def test_is_in_force_from_the_next_nightly_review_and_the_books_are_right_all_day(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        override = extend(FEBRUARY, date(2027, 1, 31), recorded=date(2027, 1, 25))
        assert list_broken() == []
        review(date(2027, 1, 26))
        assert read_state(account) == (EnrollmentStatus.WAITING, FEBRUARY)
        override.refresh_from_db()
        assert override.reviewed_at == noon(date(2027, 1, 26))

    def test_a_start_that_no_review_held_to_it_is_found(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        extend(FEBRUARY, date(2027, 1, 31), recorded=date(2027, 1, 25))
        DueDateOverride.objects.update(reviewed_at=noon(date(2027, 1, 26)))
        assert list_broken() == ["I12 starts"]
        review(date(2027, 1, 27))
        assert read_state(account) == (EnrollmentStatus.WAITING, FEBRUARY)

    def test_brings_an_enrollment_that_expired_to_life(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        review(date(2027, 1, 24))
        assert read_state(account) == (EnrollmentStatus.EXPIRED, FEBRUARY)
        extend(FEBRUARY, date(2027, 1, 31), recorded=date(2027, 1, 25))
        assert review(date(2027, 1, 26))["revived"] == 1
        standing = see(account, today=date(2027, 1, 26))
        assert (standing.enrollment_status, standing.due_cents) == (EnrollmentStatus.WAITING, PREMIUM)
        assert standing.due_date == date(2027, 1, 31)
        notice = Notice.objects.filter(event="enrollment_restored").latest("pk")
        assert notice.facts["amount_cents"] == PREMIUM


def test_a_review_of_the_23rd_that_runs_three_days_late_gives_nothing_back() -> None:
    account = make_account()
    receive(account, PREMIUM, on=date(2027, 1, 26))
    assert read_state(account) == (EnrollmentStatus.WAITING, MARCH)
    for day in (date(2027, 1, 23), date(2027, 1, 24), date(2027, 1, 25)):
        assert review(day) == {"pushed": 0, "restored": 0, "expired": 0}
    assert Notice.objects.filter(event="start_restored").count() == 0


class TestAClosedWindow:
    def test_money_received_in_time_but_found_later_revives_the_enrollment(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        review(date(2027, 1, 24))
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 1, 28))
        assert read_state(account) == (EnrollmentStatus.WAITING, FEBRUARY)
        standing = see(account, today=date(2027, 1, 28))
        assert (standing.binder_received, standing.credit_cents) == (True, 0)
        assert Notice.objects.filter(event="enrollment_restored").latest("pk").facts["amount_cents"] == 0

    def test_after_pushes_it_starts_in_the_month_that_the_money_was_in_time_for(self) -> None:
        account = make_account()
        for day in (date(2027, 1, 24), date(2027, 2, 24), date(2027, 3, 24)):
            review(day)
        assert read_state(account)[0] == EnrollmentStatus.EXPIRED
        receive(account, PREMIUM, on=date(2027, 3, 23), today=date(2027, 3, 29))
        assert read_state(account) == (EnrollmentStatus.WAITING, APRIL)

    def test_a_month_that_has_begun_waits_for_staff_and_stays_expired(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        review(date(2027, 1, 24))
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 2, 2))
        assert read_state(account) == (EnrollmentStatus.EXPIRED, FEBRUARY)
        assert StartReview.objects.get().rules_give == FEBRUARY

    def test_money_a_day_late_is_credit_and_revives_nothing(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        review(date(2027, 1, 24))
        receive(account, PREMIUM, on=date(2027, 1, 24), today=date(2027, 1, 28))
        assert read_state(account)[0] == EnrollmentStatus.EXPIRED
        assert see(account, today=date(2027, 1, 28)).credit_cents == PREMIUM


class TestARetroactiveEnrollment:
    """Enrolled on February 10 for January 1; the first bill is for January and February, due on February 23."""

    ENROLLED, DUE = date(2027, 2, 10), date(2027, 2, 23)

    def make(self, **facts) -> Account:
        return make_account(
            requested_start=JANUARY,
            binder_due_date=self.DUE,
            window_ends=date(2027, 5, 1),
            at=noon(self.ENROLLED),
            today=self.ENROLLED,
            **facts,
        )

    def test_its_first_bill_is_every_month_to_date_due_on_one_day(self) -> None:
        account = self.make()
        bills = Invoice.objects.filter(account=account).order_by("coverage_month")
        assert [(bill.coverage_month, bill.due_date, bill.binder_start) for bill in bills] == [
            (JANUARY, self.DUE, JANUARY),
            (FEBRUARY, self.DUE, JANUARY),
        ]
        standing = see(account, today=self.DUE)
        assert (standing.due_cents, standing.past_due_cents) == (2 * PREMIUM, 0)

    @pytest.mark.parametrize(
        ("cents", "day", "start"),
        [
            (2 * PREMIUM, date(2027, 2, 23), JANUARY),
            (2 * PREMIUM, date(2027, 2, 24), APRIL),
            (PREMIUM - 1, date(2027, 2, 23), APRIL),
            (2 * PREMIUM - 1, date(2027, 2, 23), MARCH),
        ],
        ids=["all in time", "a day late", "less than a month", "a cent short of both pays for March"],
    )
    def test_it_starts_when_asked_for_only_if_all_of_it_is_received_in_time(
        self, cents: int, day: date, start: date
    ) -> None:
        account = self.make()
        receive(account, cents, on=day)
        review(date(2027, 2, 24))
        assert read_state(account) == (EnrollmentStatus.WAITING, start)

    def test_it_is_active_once_all_of_it_has_posted(self) -> None:
        account = self.make()
        first = receive(account, PREMIUM, on=date(2027, 2, 12))
        second = receive(account, PREMIUM, on=date(2027, 2, 20))
        assert settle_and_clear(first, on=date(2027, 2, 18)) == []
        assert settle_and_clear(second, on=date(2027, 2, 25)) == [account.enrollment_id]
        assert read_state(account) == (EnrollmentStatus.ACTIVE, JANUARY)

    def test_missed_it_is_pushed_as_any_other(self) -> None:
        account = self.make()
        assert review(date(2027, 2, 24))["pushed"] == 1
        bill = Invoice.objects.get(account=account, voided_at=None)
        assert (bill.coverage_month, bill.due_date) == (APRIL, date(2027, 3, 23))
        told = Notice.objects.filter(event="start_pushed").latest("pk").facts
        assert (told["start_before"], told["start_after"]) == ("2027-01-01", "2027-04-01")

    def test_a_month_that_ends_before_today_is_the_last_of_it(self) -> None:
        account = self.make(ends_on=date(2027, 1, 31))
        assert Invoice.objects.get(account=account).coverage_month == JANUARY

    def test_a_price_that_falls_while_it_is_unpaid_lowers_both_bills(self) -> None:
        account = self.make()
        make_rate(
            enrollment=read_enrollment(account), month=JANUARY, premium_cents=100_00, at=noon(self.ENROLLED)
        )
        issue_missing(today=self.DUE, at=noon(self.DUE))
        assert see(account, today=self.DUE).due_cents == 200_00
        assert see(account, today=self.DUE).due_date == self.DUE


class TestAReturn:
    def make_active(self) -> tuple[Account, str]:
        account = make_account()
        reference = receive(account, PREMIUM, on=date(2027, 1, 10))
        settle_and_clear(reference, on=date(2027, 1, 15))
        return account, reference

    @pytest.mark.parametrize(("day", "asked"), [(date(2027, 1, 31), 0), (FEBRUARY, 1)])
    def test_of_a_posted_first_payment_is_staffs_once_coverage_has_started(
        self, day: date, asked: int
    ) -> None:
        account, reference = self.make_active()
        take_back(reference, on=day, settled=True)
        assert StartReview.objects.count() == asked
        status = EnrollmentStatus.ACTIVE if asked else EnrollmentStatus.WAITING
        assert read_state(account) == (status, FEBRUARY if asked else MARCH)

    def test_read_twice_asks_staff_once(self) -> None:
        account, reference = self.make_active()
        second = receive(account, 50_00, on=date(2027, 1, 20))
        take_back(reference, on=date(2027, 2, 3), settled=True)
        take_back(second, on=date(2027, 2, 4))
        row = StartReview.objects.get()
        assert (row.stands_at, row.rules_give) == (FEBRUARY, MARCH)

    def test_replaced_by_money_that_came_too_late_moves_a_start_that_has_not_come(self) -> None:
        account, reference = self.make_active()
        settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 25)), on=date(2027, 1, 28))
        take_back(reference, on=date(2027, 1, 29), settled=True)
        assert read_state(account) == (EnrollmentStatus.ACTIVE, MARCH)

    def test_after_the_start_but_before_posting_awaits_payment_again_and_is_pushed(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=date(2027, 1, 23))
        take_back(reference, on=date(2027, 2, 3))
        assert read_state(account) == (EnrollmentStatus.WAITING, MARCH)
        assert not StartReview.objects.exists()


class TestWhatStaffDecide:
    DAY = date(2027, 2, 10)

    def make(self) -> tuple[Account, StartReview]:
        """A check of January 22 is found on February 3: the rules give February, which has begun."""
        account = make_account()
        review(date(2027, 1, 24))
        reference = receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 2, 3))
        settle_and_clear(reference, on=date(2027, 2, 5))
        return account, StartReview.objects.get()

    def decide(self, row: StartReview, decision: StartDecision) -> StartReview:
        return decide_start(
            review_id=row.pk, decision=decision, by=make_staff(), today=self.DAY, at=noon(self.DAY)
        )

    def test_the_start_moved_back_is_billed_and_paid_and_the_next_month_too(self) -> None:
        account, row = self.make()
        assert self.decide(row, StartDecision.MOVE).decided_start == FEBRUARY
        assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)
        standing = see(account, today=self.DAY)
        assert (standing.due_cents, standing.due_date) == (PREMIUM, date(2027, 2, 23))
        assert StartMove.objects.latest("pk").run == f"start review {row.pk}"

    def test_kept_it_stays_and_no_later_review_asks_again(self) -> None:
        account, row = self.make()
        self.decide(row, StartDecision.KEEP)
        review(date(2027, 2, 11))
        assert read_state(account) == (EnrollmentStatus.ACTIVE, MARCH)
        assert StartReview.objects.count() == 1
        assert list_under_review(enrollment_ids=[account.enrollment_id]) == set()

    @pytest.mark.parametrize(
        ("day", "moved"), [(date(2027, 2, 28), True), (date(2027, 3, 1), False)], ids=["to come", "begun"]
    )
    def test_a_payment_taken_back_moves_a_start_only_to_a_month_to_come(self, day: date, moved: bool) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=date(2027, 1, 10))
        settle_and_clear(reference, on=date(2027, 1, 15))
        take_back(reference, on=date(2027, 2, 3), settled=True)
        row, facts = StartReview.objects.get(), {"by": make_staff(), "today": day, "at": noon(day)}
        if moved:
            decide_start(review_id=row.pk, decision=StartDecision.MOVE, **facts)
            assert read_state(account) == (EnrollmentStatus.WAITING, MARCH)
        else:
            with pytest.raises(UnableToDecide, match="not paid for in time"):
                decide_start(review_id=row.pk, decision=StartDecision.MOVE, **facts)
            assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)
            row.refresh_from_db()
            assert row.decided_at is None

    def test_a_review_is_decided_once(self) -> None:
        _account, row = self.make()
        self.decide(row, StartDecision.KEEP)
        with pytest.raises(UnableToDecide):
            self.decide(row, StartDecision.MOVE)

    def test_an_expired_enrollment_moved_to_its_month_waits_for_its_money_to_post(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        review(date(2027, 1, 24))
        receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 2, 2))
        self.decide(StartReview.objects.get(), StartDecision.MOVE)
        assert read_state(account) == (EnrollmentStatus.WAITING, FEBRUARY)
        assert see(account, today=self.DAY).binder_received


def test_a_start_moved_back_without_its_month_paid_for_is_found() -> None:
    account = make_account()
    review(date(2027, 1, 24))
    receive(account, PREMIUM, on=date(2027, 1, 25))
    StartReview.objects.create(
        enrollment=read_enrollment(account),
        stands_at=MARCH,
        rules_give=FEBRUARY,
        why="a test",
        opened_at=noon(date(2027, 1, 26)),
        opened_on=date(2027, 1, 26),
        decided_at=noon(date(2027, 1, 26)),
        decided_by=make_staff(),
        decision=StartDecision.KEEP,
    )
    enrollment = read_enrollment(account)
    enrollment.coverage_start = FEBRUARY
    enrollment.save()
    assert set(list_broken()) == {"I5 binders", "I12 starts"}
    enrollment.coverage_start = MARCH
    enrollment.save()
