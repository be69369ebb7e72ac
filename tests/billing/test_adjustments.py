"""A correction of a month: less is credit at once, more goes on the next bill."""

from datetime import date

import pytest

from billing.corrections import UnableToCorrect
from billing.invoices import issue_missing
from billing.models import Account, Correction, CorrectionKind, Invoice, InvoiceLine
from tests.billing.books import (
    FEBRUARY,
    MARCH,
    PREMIUM,
    make_account,
    noon,
    receive,
    see,
    settle_and_clear,
)
from tests.billing.correcting import correct

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 18)


def adjust(account: Account, cents: int, *, key: str = "C1") -> Correction:
    facts = {"month": FEBRUARY, "cents": cents, "key": key}
    return correct(CorrectionKind.ADJUSTMENT, account, today=DAY, **facts)


def make_paid() -> Account:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    return account


def test_thirty_dollars_more_on_the_18th_leave_the_month_paid_and_go_on_the_next_bill() -> None:
    account = make_paid()
    adjust(account, 30_00)
    assert see(account, today=DAY).due_cents == 0
    issue_missing(today=FEBRUARY, at=noon(FEBRUARY))
    march = Invoice.objects.get(account=account, coverage_month=MARCH)
    assert (march.amount_cents, march.adjustment_cents) == (PREMIUM + 30_00, 30_00)
    line = InvoiceLine.objects.get(invoice=march)
    assert (line.for_month, line.cents) == (FEBRUARY, 30_00)


def test_less_is_credit_at_once() -> None:
    account = make_paid()
    adjust(account, -30_00)
    standing = see(account, today=DAY)
    assert (standing.due_cents, standing.credit_cents) == (0, 30_00)


@pytest.mark.parametrize("cents", [30_00, -30_00])
def test_an_unpaid_first_bill_is_issued_anew(cents: int) -> None:
    account = make_account()
    adjust(account, cents)
    assert see(account, today=DAY).due_cents == PREMIUM + cents


def test_a_form_corrects_once_and_another_corrects_again() -> None:
    account = make_account()
    for key in ("C1", "C1", "C2"):
        adjust(account, -10_00, key=key)
    assert see(account, today=DAY).due_cents == PREMIUM - 20_00


@pytest.mark.parametrize("cents", [0, -PREMIUM - 1])
def test_no_month_comes_to_less_than_nothing(cents: int) -> None:
    account = make_account()
    with pytest.raises(UnableToCorrect):
        adjust(account, cents)
    adjust(account, -PREMIUM)
    assert see(account, today=DAY).due_cents == 0
