"""A bill in a word: what is received is never shown as owed, and only final money makes it paid."""

from datetime import date

import pytest

from billing.bills import Bill
from billing.models import Invoice
from members.models import Plan

DUE = date(2027, 1, 23)
DAY_AFTER = date(2027, 1, 24)


@pytest.mark.parametrize(
    ("received", "cleared", "today", "word"),
    [
        (0, 0, DUE, "Due"),
        (99_99, 99_99, DAY_AFTER, "Past due"),
        (100_00, 0, DAY_AFTER, "Payment processing"),
        (100_00, 100_00, DAY_AFTER, "Paid"),
    ],
)
def test_a_bill_in_a_word(received: int, cleared: int, today: date, word: str) -> None:
    bill = Bill(
        Invoice(amount_cents=100_00), Plan(), due_date=DUE, received_cents=received, cleared_cents=cleared
    )
    assert bill.describe_status(today=today) == word
