"""What staff do with a payment in pairs: hold against the cut-off, release against cancel."""

from uuid import uuid4

import pytest

from payments.canceling import UnableToCancel
from payments.holding import UnableToHold, hold_payment, release_payment
from payments.models import Payment, PaymentHold, PaymentStatus
from tests import people
from tests.payments.paying import TUESDAY, noon
from tests.races.test_money_in_pairs import build, cancel, list_broken, prepare_valid_payment
from tests.races.together import run_inside, run_together

pytestmark = pytest.mark.usefixtures("committed_db")


def hold(payment: Payment, **facts: object) -> PaymentHold:
    return hold_payment(
        **{"payment_id": payment.pk, "by": people.make_staff(), "why": "a doubt", "form_key": uuid4()}
        | facts,
        today=TUESDAY,
        at=noon(TUESDAY),
    )


def release(payment: Payment) -> PaymentHold:
    return release_payment(payment_id=payment.pk, by=people.make_staff(), why="no doubt", at=noon(TUESDAY))


class TestHoldingWhileTheFileIsBuilt:
    def test_a_payment_being_held_is_passed_over_by_the_file(self) -> None:
        payment = prepare_valid_payment()
        _, files = run_inside(lambda: hold(payment), build, waits=False)
        payment.refresh_from_db()
        assert (files, payment.status, payment.is_held) == ([], PaymentStatus.RECORDED, True)
        assert list_broken() == set()

    def test_a_payment_in_the_file_can_no_longer_be_held(self) -> None:
        payment = prepare_valid_payment()
        (file,), refusal = run_inside(build, lambda: hold(payment), waits=True)
        payment.refresh_from_db()
        assert isinstance(refusal, UnableToHold)
        assert (file.entry_count, payment.is_held) == (1, False)
        assert list_broken() == set()

    def test_eight_presses_of_one_button_hold_it_once(self) -> None:
        payment, facts = prepare_valid_payment(), {"by": people.make_staff(), "form_key": uuid4()}
        answers = run_together(*[lambda: hold(payment, **facts)] * 8)
        assert len({answer.pk for answer in answers}) == 1


class TestReleasingWhileItIsCanceled:
    def test_canceled_first_it_is_not_released(self) -> None:
        payment = prepare_valid_payment()
        hold(payment)
        _, refusal = run_inside(lambda: cancel(payment), lambda: release(payment), waits=True)
        assert isinstance(refusal, UnableToHold)
        assert list_broken() == set()

    def test_released_first_it_is_canceled_all_the_same(self) -> None:
        payment = prepare_valid_payment()
        hold(payment)
        _, canceled = run_inside(lambda: release(payment), lambda: cancel(payment), waits=True)
        payment.refresh_from_db()
        assert not isinstance(canceled, UnableToCancel)
        assert (payment.status, payment.is_held) == (PaymentStatus.CANCELED, False)
        assert list_broken() == set()
