"""What staff do with money in pairs: hold against the cut-off, release against cancel, move against return, match twice."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from billing.balances import read_standing
from billing.ledger import read_balance
from billing.models import Account, Chart, Receipt, ReceiptChange
from billing.receipt_changes import Decision
from payments.canceling import UnableToCancel
from payments.check_batches import UnableToBatch
from payments.checks import Share
from payments.holding import UnableToHold, hold_payment, release_payment
from payments.models import Payment, PaymentHold, PaymentStatus, ReceivedCheck
from payments.moving import UnableToMoveMoney, move_money
from payments.returns import PaymentReturn, return_payments
from payments.unmatched import UnableToMatch, match_check
from tests import people
from tests.payments import batching
from tests.payments.checking import bank, receive
from tests.payments.paying import PREMIUM, TUESDAY, make_account, noon, pay
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


class TestMovingWhileThePaymentIsReturned:
    @staticmethod
    def move(payment: Payment, account: Account) -> ReceiptChange:
        return move_money(
            receipt_id=Receipt.objects.get(reference=payment.reference).pk,
            account_id=account.pk,
            decision=Decision(by=people.make_staff(), why="two names alike", form_key=uuid4()),
            today=TUESDAY,
            at=noon(TUESDAY),
        )

    @staticmethod
    def give_back(payment: Payment) -> list[int]:
        returned = PaymentReturn(payment_id=payment.pk, code="", why="not validated")
        return return_payments(returns=[returned], today=TUESDAY, at=noon(TUESDAY))

    @staticmethod
    def read_due(account: Account) -> int:
        return read_standing(account_id=account.pk, today=TUESDAY).due_cents

    @pytest.mark.parametrize("is_later", [False, True])
    def test_moved_first_it_comes_back_off_the_account_where_it_is_now(self, is_later: bool) -> None:
        accounts = [make_account(), make_account()]
        wrong, right = accounts if is_later else reversed(accounts)
        payment = pay(wrong)
        _, returned = run_inside(
            lambda: self.move(payment, right), lambda: self.give_back(payment), waits=True
        )
        assert returned == [payment.pk]
        assert (self.read_due(wrong), self.read_due(right)) == (PREMIUM, PREMIUM)
        assert list_broken() == set()

    def test_returned_first_it_is_not_moved(self) -> None:
        wrong, right = make_account(), make_account()
        payment = pay(wrong)
        _, refusal = run_inside(
            lambda: self.give_back(payment), lambda: self.move(payment, right), waits=True
        )
        assert isinstance(refusal, UnableToMoveMoney)
        assert (self.read_due(wrong), self.read_due(right)) == (PREMIUM, PREMIUM)
        assert list_broken() == set()

    def test_moved_to_two_accounts_at_once_it_is_on_one(self) -> None:
        wrong, first, second = make_account(), make_account(), make_account()
        payment = pay(wrong)
        run_together(lambda: self.move(payment, first), lambda: self.move(payment, second))
        assert sorted(map(self.read_due, (wrong, first, second))) == [0, PREMIUM, PREMIUM]
        assert list_broken() == set()


class TestPlacingUnmatchedMoneyTwiceAtOnce:
    def test_it_lies_on_one_account(self) -> None:
        first, second = make_account(), make_account()
        check, staff = receive(cents=PREMIUM), people.make_staff()

        def match(account: Account) -> object:
            shares = [Share(account.pk, PREMIUM)]
            return match_check(
                check_id=check.pk, shares=shares, by=staff, why="hers", today=TUESDAY, at=noon(TUESDAY)
            )

        answers = run_together(lambda: match(first), lambda: match(second))
        assert sum(isinstance(answer, UnableToMatch) for answer in answers) == 1
        assert Receipt.objects.count() == 1
        assert list_broken() == set()


class TestClosingABatchTwiceAtOnce:
    def test_two_cashiers_record_each_check_once(self) -> None:
        account, batch = make_account(), batching.begin(cents=2 * PREMIUM, count=2)
        batching.put(batch, (account, PREMIUM))
        batching.put(batch, number="77", cents=PREMIUM)
        cashiers = [people.make_staff(), people.make_staff()]
        answers = run_together(*[partial(batching.close, batch, by=by, version=2) for by in cashiers])
        assert answers[0] == answers[1]
        assert ReceivedCheck.objects.count() == 2
        assert Receipt.objects.get().cents == PREMIUM
        assert list_broken() == set()

    def test_one_typed_in_while_it_is_closed_is_refused(self) -> None:
        batch = batching.begin()
        batching.put(batch, cents=PREMIUM)
        _, refusal = run_inside(
            lambda: batching.close(batch), lambda: batching.put(batch, number="78", cents=1_00), waits=True
        )
        assert isinstance(refusal, UnableToBatch)
        assert ReceivedCheck.objects.count() == 1
        assert list_broken() == set()


class TestPlacingMoneyWhileItIsDeposited:
    def test_the_deposit_waits_and_lands_on_the_account(self) -> None:
        account, check = make_account(), receive(cents=PREMIUM, deposit_on=TUESDAY + timedelta(1))

        def match() -> object:
            shares, staff = [Share(account.pk, PREMIUM)], people.make_staff()
            return match_check(
                check_id=check.pk, shares=shares, by=staff, why="hers", today=TUESDAY, at=noon(TUESDAY)
            )

        _, counts = run_inside(match, lambda: bank(TUESDAY + timedelta(1)), waits=True)
        assert counts == {"checks_banked": 1}
        assert (read_balance(chart=Chart.BANK), read_balance(chart=Chart.SUSPENSE)) == (PREMIUM, 0)
        assert list_broken() == set()
