"""A payment is canceled, held and released through its pages: by who may, once, with what it does and a reason."""

import pytest
import time_machine
from django.urls import reverse

from billing.models import Receipt
from connector_pay.self_check import find_violations
from members.models import Notice
from payments.models import Payment, PaymentHold
from tests.diary import eastern
from tests.payments.payers import read
from tests.payments.paying import TUESDAY, make_account, pay, send
from tests.staff.acts import check_refused, make_clerk, press, press_again

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """Tuesday at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def payment() -> Payment:
    return pay(make_account())


def test_canceling_shows_what_it_does_and_does_it_once(payment: Payment) -> None:
    clerk = make_clerk("cancel_payment")
    record = clerk.get(reverse("admin:payments_payment_change", args=[payment.pk]))
    assert "Cancel this payment" in read(record)
    assert "Hold this payment" not in read(record)
    page = read(clerk.get(reverse("admin:payments_payment_cancel", args=[payment.pk])))
    assert "Owed in all $0.00 $284.17" in page
    payment.refresh_from_db()
    assert payment.status == "recorded"
    answer, sent = press(clerk, "payments_payment_cancel", payment.pk)
    assert "Canceled. No money will be taken" in read(answer)
    assert "Canceled" in read(press_again(clerk, "payments_payment_cancel", payment.pk, sent=sent))
    payment.refresh_from_db()
    assert (payment.status, payment.moves.count()) == ("canceled", 1)
    assert payment.moves.get().why.endswith("the member asked for it")
    assert Receipt.objects.get().taken_back_on == TUESDAY
    assert Notice.objects.filter(event="payment_canceled").count() == 1


def test_without_a_reason_nothing_is_canceled(payment: Payment) -> None:
    clerk = make_clerk("cancel_payment")
    answer, _ = press(clerk, "payments_payment_cancel", payment.pk, why=" ")
    assert "Say why" in read(answer)
    payment.refresh_from_db()
    assert payment.status == "recorded"


def test_held_it_stays_out_of_the_file_and_counts_as_before_until_it_is_released(payment: Payment) -> None:
    clerk = make_clerk("hold_payment")
    answer, sent = press(clerk, "payments_payment_hold", payment.pk)
    assert "On hold" in read(answer)
    assert "On hold" in read(press_again(clerk, "payments_payment_hold", payment.pk, sent=sent))
    assert PaymentHold.objects.get().why == "the member asked for it"
    assert send(TUESDAY)["files"] == 0
    receipt = Receipt.objects.get()
    assert (receipt.received_date, receipt.taken_back_on) == (TUESDAY, None)
    answer, sent = press(clerk, "payments_payment_release", payment.pk)
    assert "Released" in read(answer)
    assert "Released" in read(press_again(clerk, "payments_payment_release", payment.pk, sent=sent))
    hold = PaymentHold.objects.get()
    assert (hold.released_by, hold.release_reason) == (hold.held_by, "the member asked for it")


@pytest.mark.parametrize("act", ["cancel", "hold", "release"])
def test_who_only_sees_does_none_of_it(payment: Payment, act: str) -> None:
    check_refused(make_clerk("view_payment"), f"payments_payment_{act}", payment.pk)
