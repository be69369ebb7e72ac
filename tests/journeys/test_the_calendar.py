"""Stories that the calendar tells: year ends, leap days, clock changes, weekends, holidays, five o'clock sharp."""

from datetime import date, datetime, time, timedelta

import pytest

from payments.models import Payment, PaymentStatus
from payments.recording import UnableToRecord
from payments.statements import expected_clearing_date
from tests.billing.correcting import make_override
from tests.diary import Diary, eastern
from tests.journeys.living import (
    JUST_AFTER_FIVE,
    NO_MONEY,
    PREMIUM,
    enroll,
    go_to,
    pay,
    read_coverage,
    read_payment,
    see,
)

pytestmark = pytest.mark.django_db


def first(year: int, month: int) -> date:
    return date(year, month, 1)


class TestTheDueDate:
    @pytest.mark.parametrize(
        ("month", "paid", "start"),
        [
            pytest.param(first(2027, 1), eastern(2026, 12, 23, 23, 59, 59), first(2027, 1), id="December 23"),
            pytest.param(first(2027, 1), eastern(2026, 12, 24), first(2027, 2), id="December 24"),
            pytest.param(first(2026, 12), eastern(2026, 11, 24, 0, 0, 1), first(2027, 1), id="over the year"),
            pytest.param(
                first(2028, 3), eastern(2028, 2, 23, 23, 59, 59), first(2028, 3), id="leap year, 23rd"
            ),
            pytest.param(first(2028, 3), eastern(2028, 2, 29), first(2028, 4), id="leap day"),
            pytest.param(
                first(2020, 3), eastern(2020, 2, 23, 23, 59, 59), first(2020, 3), id="Sunday the 23rd"
            ),
            pytest.param(first(2020, 3), eastern(2020, 2, 24, 0, 0, 0), first(2020, 4), id="Monday the 24th"),
            pytest.param(first(2027, 4), eastern(2027, 3, 23, 23, 59, 59), first(2027, 4), id="summer time"),
            pytest.param(
                first(2026, 12), eastern(2026, 11, 23, 23, 59, 59), first(2026, 12), id="winter time"
            ),
        ],
    )
    def test_the_23rd_decides_whatever_day_it_is(
        self, month: date, paid: datetime, start: date, request: pytest.FixtureRequest
    ) -> None:
        earlier = datetime(paid.year, paid.month, 19, 17, tzinfo=paid.tzinfo)
        request.node.add_marker(pytest.mark.starts(earlier))
        diary: Diary = request.getfixturevalue("diary")
        account = enroll(diary, requested_start=month)
        diary.go_to(paid)
        payment = pay(diary, account)
        assert f"coverage starts {start:%B} 1, {start.year}" in payment.coverage_sentence
        diary.go_to(paid + timedelta(days=9))
        assert read_coverage(account) == ("active", start)

    @pytest.mark.starts(eastern(2026, 12, 5))
    def test_december_23_extended_to_december_31_and_paid_december_28_starts_january_1(
        self, diary: Diary
    ) -> None:
        make_override(
            coverage_month=first(2027, 1),
            due_date=date(2026, 12, 31),
            reason="a storm",
            recorded_at=diary.moment,
        )
        account = enroll(diary, requested_start=first(2027, 1))
        go_to(diary, date(2026, 12, 28))
        payment = pay(diary, account)
        assert payment.coverage_sentence == "Received today, your coverage starts January 1, 2027."
        go_to(diary, date(2027, 1, 5))
        assert read_coverage(account) == ("active", first(2027, 1))

    @pytest.mark.starts(eastern(2027, 1, 10))
    def test_start_february_1_paid_march_10_with_the_window_open_starts_april_1(self, diary: Diary) -> None:
        account = enroll(diary)
        go_to(diary, date(2027, 3, 10))
        payment = pay(diary, account)
        assert payment.coverage_sentence == "Received today, your coverage starts April 1, 2027."
        go_to(diary, date(2027, 3, 18))
        assert read_coverage(account) == ("active", first(2027, 4))

    @pytest.mark.starts(eastern(2027, 1, 10))
    @pytest.mark.parametrize(
        ("paid", "taken"), [(eastern(2027, 1, 23, 23, 59, 59), True), (eastern(2027, 1, 24, 0, 0, 3), False)]
    )
    def test_a_moment_after_the_last_due_date_of_the_window_nothing_is_recorded(
        self, diary: Diary, paid: datetime, taken: bool
    ) -> None:
        account = enroll(diary, window_ends=date(2027, 2, 28))
        diary.go_to(paid)
        if taken:
            pay(diary, account)
        else:
            with pytest.raises(UnableToRecord, match="has ended"):
                pay(diary, account)
        go_to(diary, date(2027, 1, 29))
        assert read_coverage(account) == (("active" if taken else "expired"), first(2027, 2))
        assert Payment.objects.count() == taken

    @pytest.mark.parametrize("night", [date(2027, 3, 14), date(2026, 11, 1)])
    def test_on_the_nights_of_the_clock_changes_every_job_runs_once(
        self, night: date, request: pytest.FixtureRequest
    ) -> None:
        request.node.add_marker(pytest.mark.starts(eastern(night.year, night.month, night.day, 0, 0, 30)))
        diary: Diary = request.getfixturevalue("diary")
        account = enroll(diary, requested_start=first(night.year + (night.month == 11), night.month % 11 + 1))
        for hour in range(24):
            diary.go_to(eastern(night.year, night.month, night.day, hour, 59, 59))
        ran = [item.job for item in diary.ran if item.day == night]
        assert len(ran) == len(set(ran)) == 12  # a Sunday: neither settling nor sending
        assert read_coverage(account)[0] == "waiting"


class TestTheBankFile:
    @pytest.mark.starts(eastern(2027, 1, 12, 16, 59, 59))
    def test_paid_a_second_before_five_goes_today(self, diary: Diary) -> None:
        payment = pay(diary, enroll(diary))
        told = expected_clearing_date(today=diary.today, at=diary.moment, received_date=diary.today)
        assert told == date(2027, 1, 19)
        go_to(diary, date(2027, 1, 12), JUST_AFTER_FIVE)
        assert read_payment(payment) == (PaymentStatus.SENT, date(2027, 1, 13))
        go_to(diary, told)
        assert read_payment(payment)[0] == PaymentStatus.POSTED

    @pytest.mark.starts(eastern(2027, 1, 12, 17, 0, 0))
    def test_paid_at_five_sharp_goes_tomorrow_as_its_clearing_date_says(self, diary: Diary) -> None:
        payment = pay(diary, enroll(diary))
        told = expected_clearing_date(today=diary.today, at=diary.moment, received_date=diary.today)
        assert told == date(2027, 1, 20)
        go_to(diary, date(2027, 1, 12), JUST_AFTER_FIVE)
        assert read_payment(payment) == (PaymentStatus.RECORDED, None)
        go_to(diary, told)
        assert read_payment(payment) == (PaymentStatus.POSTED, date(2027, 1, 14))

    @pytest.mark.starts(eastern(2026, 5, 20))
    def test_authorized_on_the_saturday_of_memorial_day_weekend(self, diary: Diary) -> None:
        account = enroll(diary, requested_start=first(2026, 7))
        go_to(diary, date(2026, 5, 23))
        payment = pay(diary, account, number=NO_MONEY)
        go_to(diary, date(2026, 5, 26), time(18))
        assert read_payment(payment) == (PaymentStatus.SENT, date(2026, 5, 27))
        go_to(diary, date(2026, 6, 1))
        assert read_payment(payment)[0] == PaymentStatus.RETURNED
        assert read_coverage(account) == ("waiting", first(2026, 7))
        assert see(diary, account).due_cents == PREMIUM

    @pytest.mark.starts(eastern(2026, 6, 17))
    @pytest.mark.parametrize(
        ("paid", "filed", "debited"),
        [
            (eastern(2026, 6, 18, 16, 59, 59), date(2026, 6, 18), date(2026, 6, 22)),
            (eastern(2026, 6, 18, 17, 0, 1), date(2026, 6, 22), date(2026, 6, 23)),
            (eastern(2026, 6, 19), date(2026, 6, 22), date(2026, 6, 23)),
            (eastern(2026, 6, 20), date(2026, 6, 22), date(2026, 6, 23)),
        ],
    )
    def test_around_juneteenth_no_file_is_built_on_the_holiday(
        self, diary: Diary, paid: datetime, filed: date, debited: date
    ) -> None:
        account = enroll(diary, requested_start=first(2026, 7))
        diary.go_to(paid)
        payment = pay(diary, account)
        if filed > diary.today:
            go_to(diary, filed, time(16, 59))
            assert read_payment(payment) == (PaymentStatus.RECORDED, None)
        go_to(diary, filed, JUST_AFTER_FIVE)
        assert read_payment(payment) == (PaymentStatus.SENT, debited)

    @pytest.mark.starts(eastern(2026, 8, 20))
    def test_scheduled_for_saturday_august_22_it_is_filed_on_friday_debited_on_monday_and_on_time(
        self, diary: Diary
    ) -> None:
        account = enroll(diary, requested_start=first(2026, 9))
        payment = pay(diary, account, on=date(2026, 8, 22))
        go_to(diary, date(2026, 8, 21), JUST_AFTER_FIVE)
        assert read_payment(payment) == (PaymentStatus.SENT, date(2026, 8, 24))
        go_to(diary, date(2026, 8, 28))
        assert read_coverage(account) == ("active", first(2026, 9))


class TestSmallPremiums:
    @pytest.mark.starts(eastern(2027, 1, 10))
    def test_a_net_premium_of_twenty_cents_is_payable_and_decides_the_start(self, diary: Diary) -> None:
        account = enroll(diary, premium_cents=300_00, subsidy_cents=299_80)
        assert see(diary, account).due_cents == 20
        pay(diary, account, 20)
        go_to(diary, date(2027, 1, 24))
        assert read_coverage(account) == ("active", first(2027, 2))

    @pytest.mark.starts(eastern(2027, 1, 10))
    def test_twenty_cents_unpaid_are_pushed_like_any_other_bill(self, diary: Diary) -> None:
        account = enroll(diary, premium_cents=300_00, subsidy_cents=299_80)
        go_to(diary, date(2027, 1, 24))
        assert read_coverage(account) == ("waiting", first(2027, 3))

    @pytest.mark.starts(eastern(2027, 1, 10))
    def test_a_premium_of_nothing_is_active_at_once_and_stays_so(self, diary: Diary) -> None:
        account = enroll(diary, premium_cents=300_00, subsidy_cents=300_00)
        assert read_coverage(account) == ("active", first(2027, 2))
        go_to(diary, date(2027, 2, 25))
        assert read_coverage(account) == ("active", first(2027, 2))
        assert see(diary, account).due_cents == 0
