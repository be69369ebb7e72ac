"""Stories of when coverage starts: extended due dates, late enrollments, hardship, closed windows, prices that change."""

from datetime import date, time

import pytest

from billing.models import Account, CorrectionKind, Invoice, StartReview
from members.models import Enrollment, Notice
from payments.models import Payment, PaymentStatus, Refund
from payments.statements import describe_effect
from tests.billing.correcting import correct, make_override, waive
from tests.diary import Diary, eastern
from tests.journeys.living import NOT_AUTHORIZED, PREMIUM, enroll, go_to, pay, read_coverage, see
from tests.people import make_plan, make_rate

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY, MARCH, APRIL = (date(2027, month, 1) for month in range(1, 5))
starts = pytest.mark.starts


def extend_january(diary: Diary) -> None:
    make_override(
        coverage_month=JANUARY, due_date=date(2026, 12, 31), reason="a storm", recorded_at=diary.moment
    )


def list_bills(account: Account) -> list[tuple[date, int]]:
    live = Invoice.objects.filter(account=account, voided_at=None).order_by("coverage_month")
    return list(live.values_list("coverage_month", "amount_cents"))


@starts(eastern(2026, 12, 20))
@pytest.mark.parametrize("recorded", [date(2026, 12, 29), date(2026, 12, 31)], ids=["waiting", "posted"])
def test_december_23_is_extended_after_the_push_and_the_payment_and_january_is_given_back(
    diary: Diary, recorded: date
) -> None:
    account = enroll(diary, requested_start=JANUARY)
    go_to(diary, date(2026, 12, 28))
    assert pay(diary, account).coverage_sentence == "Received today, your coverage starts February 1, 2027."
    go_to(diary, recorded, time(8))
    extend_january(diary)
    diary.check()
    if recorded.day == 31:
        # The next night is January: only staff may give it back.
        go_to(diary, date(2027, 1, 4))
        assert read_coverage(account) == ("active", FEBRUARY)
        assert StartReview.objects.get().rules_give == JANUARY
    else:
        go_to(diary, date(2027, 1, 4))
        assert read_coverage(account) == ("active", JANUARY)
        assert Notice.objects.filter(event="start_restored").exists()


@starts(eastern(2027, 2, 10))
def test_enrolled_in_february_for_january_both_months_are_the_first_bill(diary: Diary) -> None:
    account = enroll(
        diary, requested_start=JANUARY, binder_due_date=date(2027, 2, 23), window_ends=date(2027, 4, 30)
    )
    standing = see(diary, account)
    assert (standing.due_cents, standing.past_due_cents) == (2 * PREMIUM, 0)
    half = {"amount_cents": PREMIUM, "received_date": diary.today, "today": diary.today}
    assert "after $284.17 more is received" in describe_effect(standing=standing, **half)
    payment = pay(diary, account, 2 * PREMIUM)
    assert payment.coverage_sentence == "Received today, your coverage starts January 1, 2027."
    go_to(diary, date(2027, 2, 19))
    assert read_coverage(account) == ("active", JANUARY)
    assert list_bills(account) == [(JANUARY, PREMIUM), (FEBRUARY, PREMIUM), (MARCH, PREMIUM)]
    assert see(diary, account).due_cents == PREMIUM


@starts(eastern(2027, 2, 22))
def test_paid_on_its_last_day_the_month_that_is_billed_after_it_posts_is_due_on_the_next_23rd(
    diary: Diary,
) -> None:
    account = enroll(
        diary, requested_start=JANUARY, binder_due_date=date(2027, 2, 23), window_ends=date(2027, 4, 30)
    )
    go_to(diary, date(2027, 2, 23))
    pay(diary, account, 2 * PREMIUM)
    go_to(diary, date(2027, 3, 3))
    assert read_coverage(account) == ("active", JANUARY)
    march, april = see(diary, account).open_invoices
    assert (march.coverage_month, march.due_date) == (MARCH, date(2027, 3, 23))
    assert (april.coverage_month, april.due_date) == (APRIL, date(2027, 3, 23))
    assert see(diary, account).past_due_cents == 0


@starts(eastern(2027, 2, 20))
def test_missed_it_starts_in_april(diary: Diary) -> None:
    account = enroll(
        diary, requested_start=JANUARY, binder_due_date=date(2027, 2, 23), window_ends=date(2027, 4, 30)
    )
    go_to(diary, date(2027, 2, 24))
    assert read_coverage(account) == ("waiting", APRIL)
    assert pay(diary, account).coverage_sentence == "Received today, your coverage starts April 1, 2027."


@starts(eastern(2027, 1, 20))
def test_a_waiver_asked_for_in_time_and_granted_after_the_push_starts_coverage_without_payment(
    diary: Diary,
) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 27))
    assert read_coverage(account) == ("waiting", MARCH)
    waive(account, FEBRUARY, asked_on=date(2027, 1, 22), today=diary.today)
    assert read_coverage(account) == ("active", FEBRUARY)
    diary.check()
    go_to(diary, date(2027, 2, 2))
    assert list_bills(account) == [(FEBRUARY, 0), (MARCH, PREMIUM)]


@starts(eastern(2027, 1, 11))
def test_the_window_closes_and_what_was_paid_is_asked_back(diary: Diary) -> None:
    account = enroll(diary, window_ends=date(2027, 2, 28))
    pay(diary, account, 100_00)
    go_to(diary, date(2027, 1, 22))
    pay(diary, account, 50_00)
    go_to(diary, date(2027, 1, 25))
    assert read_coverage(account) == ("expired", FEBRUARY)
    assert Refund.objects.get().cents == 100_00
    go_to(diary, date(2027, 2, 2))
    assert sorted(Refund.objects.values_list("cents", flat=True)) == [50_00, 100_00]


@starts(eastern(2027, 1, 11))
def test_paid_just_after_midnight_what_was_scheduled_for_the_23rd_is_counted_first(diary: Diary) -> None:
    account = enroll(diary)
    pay(diary, account, PREMIUM, on=date(2027, 1, 23))
    go_to(diary, date(2027, 1, 22), time(20))
    # No worker runs on the 23rd; a payment is what comes first after midnight.
    diary.moment = eastern(2027, 1, 24, 0, 0, 20)
    diary.traveller.move_to(diary.moment)
    pay(diary, account, 10_00)
    assert read_coverage(account) == ("waiting", FEBRUARY)
    go_to(diary, date(2027, 1, 29))
    assert read_coverage(account) == ("active", FEBRUARY)
    assert not Notice.objects.filter(event__startswith="start_").exists()


@starts(eastern(2027, 1, 20))
def test_a_first_payment_taken_back_after_the_start_is_staffs_and_coverage_goes_on(diary: Diary) -> None:
    account = enroll(diary)
    pay(diary, account, number=NOT_AUTHORIZED)
    go_to(diary, date(2027, 2, 5))
    assert Payment.objects.get().status == PaymentStatus.RETURNED
    assert read_coverage(account) == ("active", FEBRUARY)
    row = StartReview.objects.get()
    assert (row.stands_at, row.rules_give, row.decided_at) == (FEBRUARY, MARCH, None)


@starts(eastern(2027, 1, 11))
def test_a_bill_of_90_paid_and_30_more_on_the_18th_go_on_the_next_bill(diary: Diary) -> None:
    account = enroll(diary, premium_cents=90_00)
    pay(diary, account, 90_00)
    go_to(diary, date(2027, 1, 18))
    correct(CorrectionKind.ADJUSTMENT, account, month=FEBRUARY, cents=30_00, today=diary.today)
    assert see(diary, account).due_cents == 0
    go_to(diary, date(2027, 2, 1))
    assert list_bills(account) == [(FEBRUARY, 90_00), (MARCH, 120_00)]
    assert read_coverage(account) == ("active", FEBRUARY)


@starts(eastern(2027, 2, 16))
def test_a_renewal_brings_its_plan_and_price_with_its_month_and_asks_for_no_first_payment(
    diary: Diary,
) -> None:
    account = enroll(diary, requested_start=MARCH)
    pay(diary, account)
    go_to(diary, date(2027, 2, 24))
    gold = make_plan(code="HL-GOLD", name="Harborlight Gold 500")
    rate = {"month": APRIL, "premium_cents": 310_00, "plan": gold, "subsidized": True}
    make_rate(enrollment=account.enrollment, at=diary.moment, **rate)
    go_to(diary, date(2027, 3, 31))
    enrollment = Enrollment.objects.select_related("plan").get()
    assert (enrollment.plan.name, enrollment.subsidized) == ("Harborlight Silver 2000", False)
    assert list_bills(account) == [(MARCH, PREMIUM), (APRIL, 310_00)]
    bill = Notice.objects.get(event="bill_ready", facts__coverage_month="2027-04-01")
    assert bill.facts["plan_name"] == "Harborlight Gold 500"
    go_to(diary, APRIL)
    enrollment = Enrollment.objects.select_related("plan").get()
    assert (enrollment.plan.name, enrollment.subsidized) == ("Harborlight Gold 500", True)
    assert read_coverage(account) == ("active", MARCH)
