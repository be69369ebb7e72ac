"""Stories of payments scheduled for a later day: until then they credit nothing, and no debit comes before it."""

from datetime import date, time
from pathlib import Path

import pytest
from django.core.management import call_command

from billing.models import Receipt
from members.models import Notice
from payments.canceling import UnableToCancel
from payments.models import PaymentStatus
from tests.diary import Diary, eastern
from tests.journeys.living import (
    JUST_AFTER_FIVE,
    JUST_BEFORE_FIVE,
    NO_MONEY,
    NOT_VALID,
    PREMIUM,
    cancel,
    enroll,
    go_to,
    pay,
    read_coverage,
    read_payment,
    see,
)

FEBRUARY, MARCH, APRIL = date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)
THE_22ND, THE_23RD = date(2027, 1, 22), date(2027, 1, 23)  # a Friday and a Saturday
pytestmark = [pytest.mark.django_db, pytest.mark.starts(eastern(2027, 1, 10))]


def test_scheduled_on_the_10th_for_the_23rd_it_counts_on_the_23rd_and_holds_the_start(diary: Diary) -> None:
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD)
    assert payment.coverage_sentence == "Received January 23, 2027, your coverage starts February 1, 2027."
    go_to(diary, THE_22ND, time(23, 59, 59))
    assert see(diary, account).due_cents == PREMIUM
    assert read_payment(payment) == (PaymentStatus.SENT, date(2027, 1, 25))

    go_to(diary, THE_23RD, time(0, 2))
    assert see(diary, account).binder_received
    assert Receipt.objects.get().received_date == THE_23RD
    go_to(diary, date(2027, 1, 28))
    assert read_coverage(account) == ("active", FEBRUARY)


@pytest.mark.parametrize("window_ends", [date(2027, 2, 10), date(2027, 4, 2)])
def test_an_import_before_the_23rds_money_is_counted_neither_pushes_nor_expires_its_start(
    diary: Diary, tmp_path: Path, window_ends: date
) -> None:
    account = enroll(diary, window_ends=window_ends)
    payment = pay(diary, account, on=THE_23RD)
    go_to(diary, THE_22ND, time(20))
    # No worker runs on the 23rd; an import is what comes first after midnight.
    diary.moment = eastern(2027, 1, 24, 0, 0, 20)
    diary.traveller.move_to(diary.moment)
    events = tmp_path / "events.jsonl"
    events.write_text("")
    call_command("import_enrollments", str(events))
    assert read_coverage(account) == ("waiting", FEBRUARY)

    go_to(diary, date(2027, 1, 28))
    assert read_payment(payment) == (PaymentStatus.POSTED, date(2027, 1, 25))
    assert read_coverage(account) == ("active", FEBRUARY)
    assert not Notice.objects.filter(event__in=["start_pushed", "enrollment_expired"]).exists()


@pytest.mark.parametrize(
    ("chosen", "filed", "debited"),
    [
        (date(2027, 1, 13), date(2027, 1, 12), date(2027, 1, 13)),
        (date(2027, 1, 16), date(2027, 1, 15), date(2027, 1, 19)),  # a Saturday before a Monday holiday
        (date(2027, 1, 18), date(2027, 1, 15), date(2027, 1, 19)),  # the holiday itself
        (date(2027, 1, 19), date(2027, 1, 15), date(2027, 1, 19)),
    ],
)
def test_it_goes_into_the_last_file_whose_debit_is_not_before_the_chosen_day(
    diary: Diary, chosen: date, filed: date, debited: date
) -> None:
    payment = pay(diary, enroll(diary), on=chosen)
    go_to(diary, filed, JUST_BEFORE_FIVE)
    assert read_payment(payment) == (PaymentStatus.RECORDED, None)
    go_to(diary, filed, JUST_AFTER_FIVE)
    assert read_payment(payment) == (PaymentStatus.SENT, debited)


def test_canceled_on_the_22nd_before_five_it_never_counts_and_the_unpaid_start_is_pushed(
    diary: Diary,
) -> None:
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD)
    go_to(diary, THE_22ND, JUST_BEFORE_FIVE)
    cancel(diary, payment)
    go_to(diary, date(2027, 1, 24))
    assert read_payment(payment) == (PaymentStatus.CANCELED, None)
    assert not Receipt.objects.exists()
    assert read_coverage(account) == ("waiting", MARCH)
    assert Notice.objects.filter(event="payment_canceled").exists()


def test_on_the_22nd_after_five_it_can_no_longer_be_canceled(diary: Diary) -> None:
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD)
    go_to(diary, THE_22ND, JUST_AFTER_FIVE)
    with pytest.raises(UnableToCancel):
        cancel(diary, payment)
    go_to(diary, date(2027, 1, 24))
    assert read_coverage(account) == ("waiting", FEBRUARY)
    assert see(diary, account).binder_received


def test_canceled_after_it_counted_and_before_its_file_it_was_never_received(diary: Diary, settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD)
    go_to(diary, date(2027, 1, 25), time(9))
    assert see(diary, account).binder_received
    cancel(diary, payment)
    assert read_coverage(account) == ("waiting", MARCH)
    assert see(diary, account).due_cents == PREMIUM


def test_returned_it_was_never_received_and_the_start_is_pushed_at_once(diary: Diary) -> None:
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD, number=NO_MONEY)
    go_to(diary, date(2027, 1, 28), time(6, 59))
    assert read_coverage(account) == ("waiting", FEBRUARY)
    go_to(diary, date(2027, 1, 28), time(7, 1))
    assert read_payment(payment)[0] == PaymentStatus.RETURNED
    assert read_coverage(account) == ("waiting", MARCH)
    told = Notice.objects.filter(event="payment_returned", channel="letter").get()
    assert told.facts["effect"] == "Pay today: coverage starts March 1, 2027."


def test_on_an_account_that_fails_validation_it_never_counts(diary: Diary) -> None:
    account = enroll(diary)
    payment = pay(diary, account, on=THE_23RD, number=NOT_VALID)
    go_to(diary, date(2027, 1, 24))
    assert read_payment(payment)[0] == PaymentStatus.RETURNED
    assert not Receipt.objects.exists()
    assert read_coverage(account) == ("waiting", MARCH)


def test_an_enrollment_that_expires_takes_its_scheduled_and_its_waiting_payments_with_it(
    diary: Diary, settings
) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = enroll(diary, window_ends=date(2027, 2, 28))
    part = pay(diary, account, 100_00)
    scheduled = pay(diary, account, 50_00, on=THE_23RD)
    go_to(diary, date(2027, 1, 24))
    assert read_coverage(account)[0] == "expired"
    assert see(diary, account).credit_cents == 150_00
    go_to(diary, date(2027, 1, 25), JUST_AFTER_FIVE)
    assert [read_payment(item)[0] for item in (part, scheduled)] == [PaymentStatus.CANCELED] * 2
    assert see(diary, account).credit_cents == 0


def test_part_now_and_the_rest_scheduled_for_the_23rd_hold_the_start(diary: Diary) -> None:
    account = enroll(diary)
    pay(diary, account, 100_00)
    pay(diary, account, PREMIUM - 100_00, on=THE_23RD)
    go_to(diary, date(2027, 1, 24))
    assert read_coverage(account) == ("waiting", FEBRUARY)
    go_to(diary, date(2027, 1, 28))
    assert read_coverage(account) == ("active", FEBRUARY)
