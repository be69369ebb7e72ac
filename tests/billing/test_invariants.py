"""The self-check sees what is wrong with the books."""

from datetime import date

import pytest

from billing.models import Allocation, Chart, Invoice, Movement, Receipt
from members.models import Enrollment
from tests.billing.books import (
    ENROLLED,
    FEBRUARY,
    MARCH,
    PREMIUM,
    list_broken,
    make_account,
    noon,
    receive,
    review,
)

pytestmark = pytest.mark.usefixtures("db")
DAY = date(2027, 1, 10)
AT = noon(DAY)


def write_movement(reference: str, *, debit: str = Chart.IN_TRANSIT, credit: str = Chart.RECEIVABLE) -> None:
    Movement.objects.create(
        debit=debit, credit=credit, cents=100, reference=reference, business_date=DAY, at=AT
    )


def write_allocation(receipt: Receipt, invoice: Invoice, cents: int) -> None:
    Allocation.objects.create(receipt=receipt, invoice=invoice, cents=cents, reference="payment:0:1", at=AT)


def test_books_kept_by_the_rules_are_clean() -> None:
    receive(make_account(), PREMIUM, on=DAY)
    make_account()
    assert list_broken() == []


def test_money_on_the_ledger_that_nobody_received_is_found() -> None:
    write_movement("payment:1:received")
    assert {"I1 receipts", "I1 money in", "I3 receivable"} <= set(list_broken())


def test_a_movement_whose_reference_says_something_else_is_found() -> None:
    write_movement("payment:1:settled")
    assert "I3 references" in list_broken()


def test_a_receipt_taken_back_without_the_ledger_is_found() -> None:
    receive(make_account(), PREMIUM, on=DAY)
    Receipt.objects.update(taken_back_on=DAY)
    assert {"I1 receipts", "I11 returns", "I3 receivable"} <= set(list_broken())


def test_an_invoice_voided_without_the_ledger_is_found() -> None:
    receive(make_account(), PREMIUM, on=DAY)
    Invoice.objects.update(voided_at=AT)
    assert {"I3 invoices", "I11 invoices"} <= set(list_broken())


def test_an_invoice_that_holds_too_much_and_a_receipt_that_gave_too_much_are_found() -> None:
    receive(make_account(), PREMIUM, on=DAY)
    write_allocation(Receipt.objects.get(), Invoice.objects.get(), 1)
    assert {"I1 spent", "I11 invoices"} <= set(list_broken())


def test_money_on_another_households_invoice_is_found() -> None:
    alice, bob = make_account(), make_account()
    receive(alice, PREMIUM + 100, on=DAY)
    write_allocation(Receipt.objects.get(), Invoice.objects.get(account=bob), 100)
    assert "I11 accounts" in list_broken()


def test_idle_money_beside_an_open_invoice_is_found() -> None:
    receive(make_account(), PREMIUM, on=DAY)
    write_allocation(Receipt.objects.get(), Invoice.objects.get(), -1)
    assert "I1 idle" in list_broken()


@pytest.mark.parametrize(("paid", "wrong"), [(False, MARCH), (True, MARCH)])
def test_a_start_moved_without_reason_is_found(paid: bool, wrong: date) -> None:
    account = make_account()
    if paid:
        receive(account, PREMIUM, on=DAY)
    Enrollment.objects.update(coverage_start=wrong)
    assert {"I12 starts", "I5 binders"} <= set(list_broken())


def test_a_start_that_was_not_pushed_after_a_late_payment_is_found() -> None:
    account = make_account(today=ENROLLED)
    review(date(2027, 1, 24))
    receive(account, PREMIUM, on=date(2027, 1, 25))
    assert list_broken() == []
    Enrollment.objects.update(coverage_start=FEBRUARY)
    assert "I12 starts" in list_broken()
