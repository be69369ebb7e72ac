"""A payment on hold: out of every bank file, counted as before, found by staff once it has waited long."""

from datetime import timedelta
from uuid import uuid4

import pytest

from members.models import User
from payments.bank_accounts import approve
from payments.canceling import cancel_payment
from payments.holding import UnableToHold, find_old_holds, hold_payment, release_payment
from payments.models import Payment, PaymentStatus
from tests import people
from tests.payments.paying import TUESDAY, make_account, noon, pay, send

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def staff(books: None) -> User:
    return people.make_staff()


@pytest.fixture
def payment(books: None) -> Payment:
    payment = pay(make_account())
    approve(bank_account=payment.bank_account, at=noon(TUESDAY))
    return payment


def hold(payment: Payment, staff: User) -> None:
    hold_payment(
        payment_id=payment.pk, by=staff, why="a doubt", form_key=uuid4(), today=TUESDAY, at=noon(TUESDAY)
    )


def release(payment: Payment, staff: User) -> None:
    release_payment(payment_id=payment.pk, by=staff, why="no doubt", at=noon(TUESDAY))


def test_the_file_goes_without_it_and_after_the_release_with_it(payment: Payment, staff: User) -> None:
    hold(payment, staff)
    send(TUESDAY)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RECORDED
    release(payment, staff)
    send(TUESDAY + timedelta(1))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SENT


def test_what_is_in_a_file_or_on_hold_already_is_not_held(payment: Payment, staff: User) -> None:
    hold(payment, staff)
    with pytest.raises(UnableToHold, match="on hold already"):
        hold(payment, staff)
    release(payment, staff)
    with pytest.raises(UnableToHold, match="not on hold"):
        release(payment, staff)
    send(TUESDAY)
    with pytest.raises(UnableToHold, match="sent to the bank"):
        hold(payment, staff)


def test_a_canceled_payment_is_not_released(payment: Payment, staff: User) -> None:
    hold(payment, staff)
    cancel_payment(payment_id=payment.pk, today=TUESDAY, at=noon(TUESDAY), why="asked for")
    with pytest.raises(UnableToHold):
        release(payment, staff)


def test_held_longer_than_five_days_it_is_for_staff_to_look_at(payment: Payment, staff: User) -> None:
    hold(payment, staff)
    assert not find_old_holds(today=TUESDAY + timedelta(5)).exists()
    assert find_old_holds(today=TUESDAY + timedelta(6)).get().payment == payment
    cancel_payment(payment_id=payment.pk, today=TUESDAY, at=noon(TUESDAY), why="asked for")
    assert not find_old_holds(today=TUESDAY + timedelta(6)).exists()
