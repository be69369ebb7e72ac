"""Stories of a first bill paid in parts, by two people, twice, or too much: what covers it, and what is left."""

from datetime import date, time

import pytest

from billing import invoices
from billing.models import Allocation
from members.models import Notice
from payments.bank_accounts import approve
from payments.models import PaymentStatus
from tests.diary import Diary, eastern
from tests.journeys.living import (
    CLOSED_ACCOUNT,
    NO_MONEY,
    PREMIUM,
    cancel,
    enroll,
    go_to,
    pay,
    read_coverage,
    read_payment,
    see,
)

FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
pytestmark = [pytest.mark.django_db, pytest.mark.starts(eastern(2027, 1, 10))]


@pytest.mark.parametrize(
    ("second", "start"),
    [
        (eastern(2027, 1, 20), FEBRUARY),
        (eastern(2027, 1, 23, 23, 59, 59), FEBRUARY),
        (eastern(2027, 1, 24, 0, 0, 3), MARCH),
        (eastern(2027, 1, 24, 0, 20), MARCH),
    ],
)
def test_a_guest_and_the_member_pay_a_part_each_and_the_second_decides(diary: Diary, second, start) -> None:
    account = enroll(diary)
    first = pay(diary, account, 100_00, guest=True)
    assert "after $184.17 more is received" in first.coverage_sentence
    diary.go_to(second)
    last = pay(diary, account, PREMIUM - 100_00)
    assert f"starts {start:%B} 1, 2027" in last.coverage_sentence
    go_to(diary, date(2027, 2, 3))
    assert read_coverage(account) == ("active", start)
    assert see(diary, account).credit_cents == 0


@pytest.mark.parametrize("number", [NO_MONEY, CLOSED_ACCOUNT])
def test_of_two_parts_one_comes_back_and_the_other_holds_nothing(diary: Diary, number: str) -> None:
    account = enroll(diary)
    kept = pay(diary, account, 100_00, guest=True)
    back = pay(diary, account, PREMIUM - 100_00, number=number)
    go_to(diary, date(2027, 1, 20))
    assert (read_payment(kept)[0], read_payment(back)[0]) == (PaymentStatus.POSTED, PaymentStatus.RETURNED)
    assert see(diary, account).due_cents == PREMIUM - 100_00
    assert read_coverage(account) == ("waiting", FEBRUARY)
    go_to(diary, date(2027, 1, 24))
    assert read_coverage(account) == ("waiting", MARCH)
    assert see(diary, account).due_cents == PREMIUM - 100_00


def test_paid_twice_and_the_first_comes_back_the_second_pays_the_bill(diary: Diary) -> None:
    account = enroll(diary)
    back = pay(diary, account, number=NO_MONEY)
    go_to(diary, date(2027, 1, 11))
    pay(diary, account)
    assert see(diary, account).credit_cents == PREMIUM
    go_to(diary, date(2027, 1, 20))
    assert read_payment(back)[0] == PaymentStatus.RETURNED
    assert read_coverage(account) == ("active", FEBRUARY)
    assert see(diary, account).credit_cents == 0


def test_the_second_has_posted_when_the_first_is_canceled_and_coverage_is_active(
    diary: Diary, settings
) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = enroll(diary)
    first = pay(diary, account, guest=True)
    second = pay(diary, account)
    approve(bank_account=second.bank_account, at=diary.moment)
    go_to(diary, date(2027, 1, 20))
    assert read_payment(second)[0] == PaymentStatus.POSTED
    cancel(diary, first)
    assert read_coverage(account) == ("active", FEBRUARY)


def test_a_part_canceled_after_the_push_leaves_the_new_bill_whole(diary: Diary, settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = enroll(diary)
    payment = pay(diary, account, 100_00)
    go_to(diary, date(2027, 1, 25))
    assert (read_coverage(account), see(diary, account).due_cents) == (("waiting", MARCH), PREMIUM - 100_00)
    cancel(diary, payment)
    assert (read_coverage(account), see(diary, account).due_cents) == (("waiting", MARCH), PREMIUM)


def test_the_whole_paid_after_the_push_and_canceled_the_same_day_keeps_the_new_start(diary: Diary) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 24), time(9))
    payment = pay(diary, account)
    cancel(diary, payment)
    assert (read_coverage(account), see(diary, account).due_cents) == (("waiting", MARCH), PREMIUM)
    go_to(diary, date(2027, 1, 26))
    assert read_coverage(account) == ("waiting", MARCH)


def test_too_much_is_credit_that_the_next_bill_spends(diary: Diary) -> None:
    account = enroll(diary)
    payment = pay(diary, account, PREMIUM + 50_00)
    go_to(diary, date(2027, 1, 31))
    assert see(diary, account).credit_cents == 50_00
    go_to(diary, date(2027, 2, 1))
    standing = see(diary, account)
    assert (standing.credit_cents, standing.due_cents) == (0, PREMIUM - 50_00)
    assert (standing.due_date, standing.open_invoices[0].coverage_month) == (date(2027, 2, 23), MARCH)
    assert read_payment(payment)[0] == PaymentStatus.POSTED


def test_what_lay_partly_on_the_bill_and_partly_as_credit_comes_back_whole(diary: Diary) -> None:
    account = enroll(diary)
    pay(diary, account, PREMIUM + 50_00, number=NO_MONEY)
    assert see(diary, account).credit_cents == 50_00
    go_to(diary, date(2027, 1, 20))
    standing = see(diary, account)
    assert (standing.credit_cents, standing.due_cents, standing.in_progress_cents) == (0, PREMIUM, 0)


def test_credit_that_two_bills_have_spent_comes_back_and_both_are_open(diary: Diary) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 22))
    pay(diary, account, 2 * PREMIUM, number="1000000010")
    go_to(diary, date(2027, 2, 1))
    assert (see(diary, account).due_cents, see(diary, account).credit_cents) == (0, 0)
    go_to(diary, date(2027, 2, 10))
    standing = see(diary, account)
    assert [invoice.remaining_cents for invoice in standing.open_invoices] == [PREMIUM, PREMIUM]
    assert (standing.past_due_cents, standing.this_month_cents) == (PREMIUM, PREMIUM)
    assert read_coverage(account) == ("active", FEBRUARY)


def test_idle_credit_of_another_payment_takes_the_place_of_what_came_back(diary: Diary) -> None:
    account = enroll(diary)
    pay(diary, account, 100_00, number=NO_MONEY)
    pay(diary, account, PREMIUM - 50_00)
    assert see(diary, account).credit_cents == 50_00
    go_to(diary, date(2027, 1, 20))
    standing = see(diary, account)
    assert (standing.credit_cents, standing.due_cents) == (0, 50_00)
    assert len(set(Allocation.objects.values_list("reference", flat=True))) == Allocation.objects.count()


def test_health_that_comes_back_leaves_dental_paid(diary: Diary) -> None:
    health = enroll(diary)
    member = health.enrollment.member
    dental = enroll(diary, member=member, product="dental", premium_cents=31_50)
    pay(diary, health, number=NO_MONEY)
    pay(diary, dental, 31_50)
    go_to(diary, date(2027, 1, 24))
    assert read_coverage(health) == ("waiting", MARCH)
    assert read_coverage(dental) == ("active", FEBRUARY)
    invoices.issue_missing(today=diary.today, at=diary.moment)
    assert Notice.objects.filter(event="payment_returned", channel="letter").count() == 1
