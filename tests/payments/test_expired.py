"""What was paid for an enrollment that expired is asked back once it has cleared, once, and somebody approves it."""

from datetime import date

import pytest

from billing import overdue
from billing.models import Account
from members.models import EnrollmentStatus
from payments import expired, refunds
from payments.bank_accounts import block
from payments.models import Payment, Refund, RefundStatus
from tests import people
from tests.payments.paying import TUESDAY, live, make_account, noon, pay, settle
from tests.payments.refunding import CLEARED, approve, find_receipt
from tests.payments.refunding import ask as ask_by_staff

pytestmark = pytest.mark.usefixtures("books")
CLOSED = date(2027, 1, 24)
LATER = date(2027, 1, 25)


def make_expired(*, until: date = date(2027, 1, 20)) -> Account:
    """Paid $100.00 of a first bill on Tuesday, January 12; the window closes with February."""
    account = make_account(window_ends=date(2027, 2, 28))
    pay(account, 100_00)
    live(TUESDAY, until)
    overdue.review(today=CLOSED, at=noon(CLOSED), run="review", account_ids=[account.pk])
    account.enrollment.refresh_from_db()
    assert account.enrollment.status == EnrollmentStatus.EXPIRED
    return account


def ask(day: date = LATER) -> int:
    return expired.ask_refunds(today=day, at=noon(day))


def test_it_is_asked_for_by_nobody_and_anyone_of_the_staff_may_approve() -> None:
    make_expired()
    assert ask() == 1
    refund = Refund.objects.get()
    assert (refund.cents, refund.method, refund.status) == (100_00, "ach", RefundStatus.ASKED)
    assert (refund.asked_by, refund.payee) == (None, refund.payment.authorization.payer_name)
    assert approve(refund, today=LATER, by=people.make_staff()).status == RefundStatus.APPROVED


@pytest.mark.parametrize(("day", "count"), [(date(2027, 1, 20), 0), (CLEARED, 1)])
def test_only_once_it_has_cleared(day: date, count: int) -> None:
    make_expired()
    assert ask(day) == count


def test_asked_once_whatever_is_decided() -> None:
    make_expired()
    assert [ask(), ask()] == [1, 0]
    refund = Refund.objects.get()
    refunds.decline_refund(
        refund_id=refund.pk, by=people.make_staff(), why="paid by check", today=LATER, at=noon(LATER)
    )
    assert ask(date(2027, 2, 1)) == 0


def test_what_staff_asked_for_before_is_not_asked_for_again() -> None:
    make_expired()
    ask_by_staff(find_receipt(Payment.objects.get()), 100_00, today=LATER)
    assert ask() == 0


def test_to_a_bank_account_that_is_blocked_it_goes_by_check() -> None:
    make_expired()
    block(bank_account_ids={Payment.objects.get().bank_account_id}, at=noon(CLEARED), why="R02")
    ask()
    refund = Refund.objects.get()
    assert (refund.method, refund.bank_account) == ("check", None)


def test_the_credit_of_who_is_covered_stays_where_it_is() -> None:
    pay(make_account(), 400_00)
    live(TUESDAY, date(2027, 1, 20))
    assert ask() == 0


def test_the_morning_asks() -> None:
    make_expired()
    assert settle(LATER)["refunds_asked"] == 1


def test_as_many_statements_for_one_as_for_five(django_assert_max_num_queries) -> None:
    for _ in range(5):
        make_expired()
    with django_assert_max_num_queries(30):
        assert ask() == 5
