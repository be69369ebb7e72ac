"""Refunds in pairs: approved twice, against a return, against each other's credit. Unguarded the race is real."""

from datetime import date
from uuid import uuid4

import pytest

from billing import withdrawals
from billing.balances import read_standing
from billing.ledger import AlreadyPosted
from connector_pay.lib import states
from payments import refunds, settlement
from payments.models import Payment, Refund, RefundStatus
from payments.refunds import UnableToRefund
from payments.returns import PaymentReturn, return_payments
from tests import people
from tests.payments.paying import noon
from tests.payments.refunding import CLEARED, CREDIT, approve, ask, find_receipt, overpay, print_check
from tests.races.test_money_in_pairs import list_broken, lock_nothing, swap_unguarded
from tests.races.together import run_inside, run_together

FRIDAY = date(2027, 1, 22)
pytestmark = pytest.mark.usefixtures("committed_db")


def take_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """From everything that a refund and a return lock."""
    for module in (refunds, settlement, withdrawals):
        monkeypatch.setattr(module, "lock_accounts", lock_nothing)
    monkeypatch.setattr("billing.allocation.lock_accounts", lock_nothing)
    monkeypatch.setattr("billing.accounts.lock_accounts", lock_nothing)


def read_credit(payment: Payment) -> int:
    return read_standing(account_id=payment.account_id, today=CLEARED).credit_cents


class TestTwoApprovalsAtOnce:
    def test_one_approves_and_the_other_hears_that_it_was_decided(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment), 20_00)
        approved, refusal = run_inside(lambda: approve(refund), lambda: approve(refund), waits=True)
        assert approved.status == RefundStatus.APPROVED
        assert isinstance(refusal, UnableToRefund)
        assert (read_credit(payment), list_broken()) == (CREDIT - 20_00, set())

    def test_eight_at_once_approve_it_once(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment), 5_00)
        answers = run_together(*[lambda: approve(refund)] * 8)
        assert sum(isinstance(answer, Refund) for answer in answers) == 1
        assert (read_credit(payment), list_broken()) == (CREDIT - 5_00, set())

    def test_without_lock_and_compare_and_swap_only_the_ledger_s_own_key_stops_the_second(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment), 20_00)
        take_locks_away(monkeypatch)
        monkeypatch.setattr(states, "_swap", swap_unguarded)
        _, refusal = run_inside(lambda: approve(refund), lambda: approve(refund), waits=True)
        assert isinstance(refusal, AlreadyPosted)
        assert list_broken() == set()


class TestTwoRefundsForMoreThanTheCredit:
    def test_the_second_is_refused(self) -> None:
        payment = overpay()
        first, second = (ask(find_receipt(payment), 30_00) for _ in range(2))
        _, refusal = run_inside(lambda: approve(first), lambda: approve(second), waits=True)
        assert isinstance(refusal, UnableToRefund)
        assert (read_credit(payment), list_broken()) == (20_00, set())

    def test_without_the_lock_both_would_be_approved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = overpay()
        first, second = (ask(find_receipt(payment), 30_00) for _ in range(2))
        take_locks_away(monkeypatch)
        run_inside(lambda: approve(first), lambda: approve(second), waits=False)
        assert "I1 spent" in list_broken()


class TestARefundWhileItsPaymentIsReturned:
    @staticmethod
    def give_back(payment: Payment) -> list[int]:
        returned = PaymentReturn(payment_id=payment.pk, code="R10", why="not authorized")
        return return_payments(returns=[returned], today=CLEARED, at=noon(CLEARED))

    @staticmethod
    def find_broken() -> set[str]:
        """The returns of these tests have no line of a file behind them."""
        return list_broken() - {"I10 returned once"}

    def test_returned_first_it_is_not_approved(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        returned, refusal = run_inside(lambda: self.give_back(payment), lambda: approve(refund), waits=True)
        assert returned == [payment.pk]
        assert isinstance(refusal, UnableToRefund)
        assert self.find_broken() == set()

    def test_approved_first_the_return_stops_it(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        run_inside(lambda: approve(refund), lambda: self.give_back(payment), waits=True)
        refund.refresh_from_db()
        assert refund.status == RefundStatus.DECLINED
        assert read_standing(account_id=payment.account_id, today=CLEARED).owed_back_cents == 0
        assert self.find_broken() == set()

    def test_without_the_lock_a_returned_payment_would_be_refunded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        take_locks_away(monkeypatch)
        run_inside(lambda: self.give_back(payment), lambda: approve(refund), waits=False)
        refund.refresh_from_db()
        assert refund.status == RefundStatus.APPROVED
        assert read_standing(account_id=payment.account_id, today=CLEARED).owed_back_cents == CREDIT


class TestStoppingWhileItIsPrinted:
    @staticmethod
    def stop(refund: Refund) -> Refund:
        return refunds.stop_refund(
            refund_id=refund.pk, by=refund.asked_by, why="a mistake", today=CLEARED, at=noon(CLEARED)
        )

    def test_printed_first_it_is_not_stopped(self) -> None:
        refund = approve(ask(find_receipt(overpay()), method="check"))
        _, refusal = run_inside(lambda: print_check(refund, "1042"), lambda: self.stop(refund), waits=True)
        assert isinstance(refusal, UnableToRefund)
        assert list_broken() == set()

    def test_stopped_first_it_is_not_printed(self) -> None:
        refund = approve(ask(find_receipt(overpay()), method="check"))
        _, refusal = run_inside(lambda: self.stop(refund), lambda: print_check(refund, "1042"), waits=True)
        assert isinstance(refusal, UnableToRefund)
        assert list_broken() == set()


class TestAskingTwiceAtOnce:
    def test_the_same_form_asks_once(self) -> None:
        receipt, form_key, staff = find_receipt(overpay()), uuid4(), people.make_staff()
        answers = run_together(*[lambda: ask(receipt, 1_00, form_key=form_key, by=staff)] * 8)
        assert len({answer.pk for answer in answers}) == 1
        assert Refund.objects.count() == 1
