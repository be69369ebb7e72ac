"""A correction of a month: less is credit at once, more goes on the next bill."""

from datetime import date

import pytest

from billing.adjustments import UnableToAdjust, adjust
from billing.invoices import issue_missing
from billing.models import Account, Adjustment, Invoice, InvoiceLine
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
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 18)


def correct(account: Account, cents: int, *, reference: str = "C1") -> Adjustment:
    return adjust(
        account_id=account.pk,
        month=FEBRUARY,
        cents=cents,
        reason="the wrong rate was sent",
        asked_by=make_staff(),
        approved_by=make_staff(),
        reference=reference,
        today=DAY,
        at=noon(DAY),
    )


def make_paid() -> Account:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    return account


def test_thirty_dollars_more_on_the_18th_leave_the_month_paid_and_go_on_the_next_bill() -> None:
    account = make_paid()
    correct(account, 30_00)
    assert see(account, today=DAY).due_cents == 0
    issue_missing(today=FEBRUARY, at=noon(FEBRUARY))
    march = Invoice.objects.get(account=account, coverage_month=MARCH)
    assert (march.amount_cents, march.adjustment_cents) == (PREMIUM + 30_00, 30_00)
    line = InvoiceLine.objects.get(invoice=march)
    assert (line.for_month, line.cents) == (FEBRUARY, 30_00)


def test_less_is_credit_at_once() -> None:
    account = make_paid()
    correct(account, -30_00)
    standing = see(account, today=DAY)
    assert (standing.due_cents, standing.credit_cents) == (0, 30_00)


@pytest.mark.parametrize("cents", [30_00, -30_00])
def test_an_unpaid_first_bill_is_issued_anew(cents: int) -> None:
    account = make_account()
    correct(account, cents)
    assert see(account, today=DAY).due_cents == PREMIUM + cents


def test_a_reference_corrects_once_and_another_corrects_again() -> None:
    account = make_account()
    for reference in ("C1", "C1", "C2"):
        correct(account, -10_00, reference=reference)
    assert see(account, today=DAY).due_cents == PREMIUM - 20_00


@pytest.mark.parametrize("cents", [0, -PREMIUM - 1])
def test_no_month_comes_to_less_than_nothing(cents: int) -> None:
    account = make_account()
    with pytest.raises(UnableToAdjust):
        correct(account, cents)
    correct(account, -PREMIUM)
    assert see(account, today=DAY).due_cents == 0
