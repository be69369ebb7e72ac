"""Stories of a first payment: what the 23rd decides, said before authorizing and kept after."""

from datetime import date, time

import pytest
from django.core import mail
from django.test import Client

from billing import invoices
from members.models import Enrollment, EnrollmentStatus, Member, Notice
from members.outbox import send_unsent
from payments.models import Payment, PaymentStatus
from tests import people
from tests.diary import Diary, eastern
from tests.paying import open_review, press_pay, sign_in

FEBRUARY = date(2027, 2, 1)
MARCH = date(2027, 3, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(diary: Diary) -> Enrollment:
    """Alice chose a health plan starting February 1 and has her first bill."""
    enrollment = people.make_enrollment(requested_start=FEBRUARY, at=diary.moment)
    invoices.issue_missing(today=diary.today, at=diary.moment)
    people.make_user(member=enrollment.member)
    return enrollment


def test_paid_one_second_before_midnight_on_the_23rd_starts_on_the_1st(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    diary.go_to(eastern(2027, 1, 23, 23, 59, 59))
    sign_in(client, alice.member)
    page = open_review(client, enrollment=alice)
    assert "your coverage starts February 1, 2027" in page.text
    press_pay(page)

    diary.walk_to(date(2027, 2, 2))
    alice.refresh_from_db()
    assert alice.coverage_start == FEBRUARY
    payment = Payment.objects.get()
    assert payment.received_date == date(2027, 1, 23)

    diary.walk_to(date(2027, 2, 5))
    alice.refresh_from_db()
    assert alice.status == EnrollmentStatus.ACTIVE
    assert Payment.objects.get().status == PaymentStatus.POSTED
    assert Notice.objects.filter(event="coverage_confirmed", member=alice.member).exists()


def test_one_second_later_the_page_says_march_before_authorizing_and_march_it_is(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    diary.go_to(eastern(2027, 1, 23, 23, 50))
    sign_in(client, alice.member)
    diary.traveller.move_to(eastern(2027, 1, 24, 0, 0, 0))
    page = open_review(client, enrollment=alice)
    assert "your coverage starts March 1, 2027" in page.text
    assert "February 1" not in page.text
    press_pay(page)

    diary.walk_to(date(2027, 2, 10))
    alice.refresh_from_db()
    assert (alice.coverage_start, alice.status) == (MARCH, EnrollmentStatus.ACTIVE)


def test_review_at_23_58_and_pay_at_00_00_03_records_nothing_and_says_why(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    diary.go_to(eastern(2027, 1, 23, 23, 58))
    sign_in(client, alice.member)
    page = open_review(client, enrollment=alice)
    assert "your coverage starts February 1, 2027" in page.text

    diary.traveller.move_to(eastern(2027, 1, 24, 0, 0, 3))
    again = press_pay(page, expect_success=False)
    assert Payment.objects.count() == 0
    assert "It is now January 24. Paying now starts coverage March 1, not February 1" in again.text
    assert "checked" not in again.checkbox_html
    assert "Error: " in again.title

    press_pay(again)
    diary.walk_to(date(2027, 1, 24), at=time(12))
    alice.refresh_from_db()
    assert alice.coverage_start == MARCH
    assert Payment.objects.get().coverage_sentence == "Received today, your coverage starts March 1, 2027."


def test_pushed_between_the_review_page_and_pay_nothing_is_recorded_and_the_new_start_is_said(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    diary.go_to(eastern(2027, 1, 23, 23, 50))
    sign_in(client, alice.member)
    page = open_review(client, enrollment=alice)

    diary.go_to(eastern(2027, 1, 24, 0, 15))
    alice.refresh_from_db()
    assert alice.coverage_start == MARCH
    again = press_pay(page, expect_success=False)
    assert not Payment.objects.exists()
    assert "Paying now starts coverage March 1, not February 1" in again.text

    press_pay(again)
    diary.walk_to(date(2027, 2, 10))
    alice.refresh_from_db()
    assert (alice.coverage_start, alice.status) == (MARCH, EnrollmentStatus.ACTIVE)


def test_unpaid_on_the_24th_is_pushed_by_the_nightly_run_the_bill_reissued_and_the_member_told(
    diary: Diary, alice: Enrollment
) -> None:
    diary.go_to(eastern(2027, 1, 23, 23, 59, 59))
    alice.refresh_from_db()
    assert alice.coverage_start == FEBRUARY

    diary.go_to(eastern(2027, 1, 24, 0, 15))
    alice.refresh_from_db()
    assert alice.coverage_start == MARCH
    assert alice.start_moves.get().start_after == MARCH
    old, new = alice.account.invoices.order_by("id")
    assert (old.coverage_month, old.voided_at is None) == (FEBRUARY, False)
    assert (new.coverage_month, new.due_date, new.is_binder, new.voided_at) == (
        MARCH,
        date(2027, 2, 23),
        True,
        None,
    )
    told = Notice.objects.filter(event="start_pushed", member=alice.member)
    assert {notice.channel for notice in told} == {"email", "letter"}


def test_a_first_payment_returned_before_the_start_waits_for_payment_again_and_the_member_is_told(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    diary.walk_to(date(2027, 1, 14))
    sign_in(client, alice.member)
    press_pay(open_review(client, enrollment=alice, account="1000000001"))
    assert alice.account.invoices.get().allocations.exists()

    diary.walk_to(date(2027, 1, 22))
    payment = Payment.objects.get()
    assert (payment.status, payment.return_code) == (PaymentStatus.RETURNED, "R01")
    alice.refresh_from_db()
    assert (alice.status, alice.coverage_start) == (EnrollmentStatus.WAITING, FEBRUARY)
    told = Notice.objects.filter(event="payment_returned", member=alice.member)
    assert {notice.channel for notice in told} == {"email", "letter"}

    diary.walk_to(date(2027, 1, 25))
    alice.refresh_from_db()
    assert alice.coverage_start == MARCH


@pytest.mark.starts(eastern(2026, 5, 20))
def test_authorized_on_the_saturday_before_memorial_day_a_return_read_june_1_stops_the_posting(
    diary: Diary, client: Client
) -> None:
    bob = people.make_enrollment(requested_start=date(2026, 7, 1), at=diary.moment)
    invoices.issue_missing(today=diary.today, at=diary.moment)
    people.make_user(member=bob.member)
    diary.walk_to(date(2026, 5, 23))
    sign_in(client, bob.member)
    press_pay(open_review(client, enrollment=bob, account="1000000001"))

    diary.walk_to(date(2026, 5, 26), at=time(18))
    payment = Payment.objects.get()
    assert (payment.status, payment.effective_date) == (PaymentStatus.SENT, date(2026, 5, 27))

    diary.walk_to(date(2026, 6, 1), at=time(9))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RETURNED
    bob.refresh_from_db()
    assert bob.status == EnrollmentStatus.WAITING


def test_health_and_dental_paid_in_one_visit_are_two_payments_on_two_accounts(
    diary: Diary, client: Client
) -> None:
    member = people.make_member()
    health = people.make_enrollment(member=member, at=diary.moment)
    dental = people.make_enrollment(member=member, product="dental", premium_cents=31_50, at=diary.moment)
    invoices.issue_missing(today=diary.today, at=diary.moment)
    people.make_user(member=member)
    sign_in(client, member)
    press_pay(open_review(client, enrollment=None))

    diary.walk_to(date(2027, 1, 20))
    made = {payment.account.enrollment_id: payment.amount_cents for payment in Payment.objects.all()}
    assert made == {health.pk: 284_17, dental.pk: 31_50}
    for enrollment in (health, dental):
        enrollment.refresh_from_db()
        assert (enrollment.status, enrollment.coverage_start) == (EnrollmentStatus.ACTIVE, FEBRUARY)


def test_nothing_sensitive_stands_in_the_subject_of_a_mail(
    diary: Diary, alice: Enrollment, client: Client
) -> None:
    Member.objects.filter(pk=alice.member.pk).update(paperless_notices=True)
    sign_in(client, alice.member)
    press_pay(open_review(client, enrollment=alice))
    diary.walk_to(date(2027, 1, 20))
    send_unsent(at=diary.moment)
    assert mail.outbox
    for message in mail.outbox:
        assert "284" not in message.subject
        assert alice.member.member_id not in message.subject
        assert alice.member.last_name not in message.subject
