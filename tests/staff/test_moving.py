"""Received money is moved, and a check dated as it came, through the staff's pages: both sides shown before it is done."""

import pytest
import time_machine
from django.urls import reverse

from billing import corrections
from billing.corrections import UnableToCorrect
from billing.models import Account, Correction, Receipt, ReceiptChange
from connector_pay.self_check import find_violations
from tests import people
from tests.diary import eastern
from tests.payments.checking import receive
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, TUESDAY, make_account, noon, pay
from tests.staff.acts import check_refused, make_clerk, press, press_again

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """Tuesday at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def accounts(books: None) -> tuple[Account, Account]:
    return make_account(), make_account()


def test_a_payment_is_moved_once_with_both_sides_shown_before(accounts: tuple[Account, Account]) -> None:
    wrong, right = accounts
    payment, clerk = pay(wrong), make_clerk("move_payment")
    record = clerk.get(reverse("admin:payments_payment_change", args=[payment.pk]))
    assert "Move to another account" in read(record)
    receipt = Receipt.objects.get()
    address = reverse("admin:payments_payment_move", args=[receipt.pk])
    typed = {"account": str(right.pk), "why": "two names alike"}
    key = {"form_key": "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33", "preview": "yes"}
    shown = read(clerk.post(address, typed | key))
    assert shown.count("What this does: Harborlight Silver 2000 of") == 2
    assert "Owed in all $0.00 $284.17" in shown
    assert "Owed in all $284.17 $0.00" in shown
    assert not ReceiptChange.objects.exists()
    answer, sent = press(clerk, "payments_payment_move", receipt.pk, **typed)
    assert "Moved, its received date kept" in read(answer)
    press_again(clerk, "payments_payment_move", receipt.pk, sent=sent)
    assert (ReceiptChange.objects.get().account_after, Receipt.objects.get().account) == (right, right)


def test_another_account_than_was_shown_is_shown_first(accounts: tuple[Account, Account]) -> None:
    wrong, right = accounts
    receive((wrong, PREMIUM))
    receipt, clerk = Receipt.objects.get(), make_clerk("move_payment")
    other = make_account()
    _, sent = press(clerk, "payments_payment_move", receipt.pk, account=str(wrong.pk))
    press_again(clerk, "payments_payment_move", receipt.pk, sent=sent | {"account": str(other.pk)})
    assert not ReceiptChange.objects.exists()
    assert "No account has that number" in read(
        press_again(clerk, "payments_payment_move", receipt.pk, sent=sent | {"account": "987654"})
    )
    assert right.receipts.count() == 0


def test_a_check_is_dated_as_it_came(accounts: tuple[Account, Account]) -> None:
    receive((accounts[0], PREMIUM))
    receipt, clerk = Receipt.objects.get(), make_clerk("change_received_date")
    answer, sent = press(clerk, "payments_payment_received_date", receipt.pk, received_date="2027-01-11")
    assert "Corrected" in read(answer)
    press_again(clerk, "payments_payment_received_date", receipt.pk, sent=sent)
    assert str(ReceiptChange.objects.get().received_after) == "2027-01-11"


def test_back_across_a_23rd_it_is_asked_for_and_another_person_approves(
    accounts: tuple[Account, Account],
) -> None:
    receive((accounts[0], PREMIUM))
    receipt, clerk = Receipt.objects.get(), make_clerk("change_received_date", "view_correction")
    answer, _ = press(clerk, "payments_payment_received_date", receipt.pk, received_date="2026-12-23")
    assert "Another person must approve it" in read(answer)
    assert not ReceiptChange.objects.exists()
    correction, approver = Correction.objects.get(), people.make_staff()
    with pytest.raises(UnableToCorrect):
        corrections.approve(
            correction_id=correction.pk, by=correction.asked_by, today=TUESDAY, at=noon(TUESDAY)
        )
    corrections.approve(correction_id=correction.pk, by=approver, today=TUESDAY, at=noon(TUESDAY))
    change = ReceiptChange.objects.get()
    assert (change.by, change.approved_by) == (correction.asked_by, approver)


def test_who_only_sees_does_none_of_it(accounts: tuple[Account, Account]) -> None:
    receive((accounts[0], PREMIUM))
    key, reader = Receipt.objects.get().pk, make_clerk("view_payment")
    check_refused(reader, "payments_payment_move", key)
    check_refused(reader, "payments_payment_received_date", key)
