"""Withdrawals: credit leaves the account, is paid out, and comes back; the books hold at every step."""

from datetime import date

import pytest
from django.db import transaction

from billing import invoices, withdrawals
from billing.ledger import AlreadyPosted, Posting, post, read_balance
from billing.models import Account, Chart, Movement, Receipt
from billing.withdrawals import PaidOut, UnableToFindWithdrawal, UnableToWithdraw
from members.models import EnrollmentStatus
from tests.billing.books import (
    FEBRUARY,
    PREMIUM,
    list_broken,
    make_account,
    noon,
    read_enrollment,
    receive,
    see,
    settle_and_clear,
    take_back,
)

pytestmark = pytest.mark.usefixtures("books")
TUESDAY, FRIDAY = date(2027, 1, 12), date(2027, 1, 22)
CREDIT = 50_00


def pay_too_much(*, cents: int = PREMIUM + CREDIT) -> tuple[Account, Receipt]:
    """An account whose bill is paid, with $50.00 over; the money has cleared."""
    account = make_account()
    reference = receive(account, cents, on=TUESDAY)
    settle_and_clear(reference, on=date(2027, 1, 19))
    return account, Receipt.objects.get(reference=reference)


def withdraw(receipt: Receipt, cents: int, *, reference: str = "refund:1") -> None:
    withdrawals.withdraw(
        receipt_id=receipt.pk, cents=cents, reference=reference, today=FRIDAY, at=noon(FRIDAY)
    )


def withdraw_whole(receipt: Receipt, *, today: date = FRIDAY) -> None:
    withdrawals.withdraw_whole(
        receipt_id=receipt.pk, reference="refund:1", why="a wrong debit", today=today, at=noon(today)
    )


def pay_out(how: PaidOut = PaidOut.SETTLED) -> None:
    withdrawals.pay_out(references=["refund:1"], how=how, today=FRIDAY, at=noon(FRIDAY))


def undo_pay_out() -> None:
    withdrawals.undo_pay_out(references=["refund:1"], today=FRIDAY, at=noon(FRIDAY))


def put_back() -> None:
    withdrawals.put_back(references=["refund:1"], today=FRIDAY, at=noon(FRIDAY))


def list_references() -> list[str]:
    refunds = Movement.objects.filter(reference__startswith="refund:").order_by("pk")
    return list(refunds.values_list("reference", flat=True))


class TestTakingCreditOffAnAccount:
    @pytest.mark.parametrize(("cents", "left"), [(CREDIT - 1, 1), (CREDIT, 0)])
    def test_idle_credit_is_withdrawn_to_the_last_cent(self, cents: int, left: int) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, cents)
        assert see(account, today=FRIDAY).credit_cents == left
        assert read_balance(chart=Chart.REFUNDS) == -cents
        assert read_balance(chart=Chart.RECEIVABLE, account_id=account.pk) == -left

    @pytest.mark.parametrize("cents", [CREDIT + 1, 0, -1])
    def test_a_cent_more_than_the_credit_nothing_or_less_is_refused(self, cents: int) -> None:
        account, receipt = pay_too_much()
        with pytest.raises(UnableToWithdraw, match="5000 cents of idle credit"):
            withdraw(receipt, cents)
        assert see(account, today=FRIDAY).credit_cents == CREDIT

    def test_what_was_withdrawn_is_not_withdrawn_again(self) -> None:
        _, receipt = pay_too_much()
        withdraw(receipt, 30_00)
        with pytest.raises(UnableToWithdraw):
            withdraw(receipt, 20_01, reference="refund:2")
        withdraw(receipt, 20_00, reference="refund:2")

    def test_one_reference_withdraws_once(self) -> None:
        _, receipt = pay_too_much()
        withdraw(receipt, 10_00)
        with pytest.raises(AlreadyPosted):
            withdraw(receipt, 10_00)

    def test_credit_withdrawn_pays_no_later_bill(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, 20_00)
        receive(account, 1_00, on=FRIDAY)
        make_next_bill(account)
        assert see(account, today=date(2027, 2, 1)).due_cents == PREMIUM - (CREDIT - 20_00) - 1_00

    def test_a_receipt_that_was_taken_back_has_nothing_to_withdraw(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM + CREDIT, on=TUESDAY)
        take_back(reference, on=date(2027, 1, 13))
        with pytest.raises(UnableToWithdraw):
            withdraw(Receipt.objects.get(reference=reference), 1_00)


def make_next_bill(account: Account) -> None:
    day = date(2027, 2, 1)
    invoices.issue_missing(today=day, at=noon(day))


class TestPayingOut:
    def test_money_paid_out_leaves_the_bank(self) -> None:
        _, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out()
        assert read_balance(chart=Chart.BANK) == PREMIUM
        assert read_balance(chart=Chart.REFUNDS) == 0

    def test_a_check_is_paid_out_when_it_is_printed(self) -> None:
        _, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out(PaidOut.PRINTED)
        assert list_references() == ["refund:1:approved", "refund:1:printed"]

    def test_money_the_bank_returned_is_credit_again(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out()
        undo_pay_out()
        put_back()
        assert see(account, today=FRIDAY).credit_cents == CREDIT
        assert read_balance(chart=Chart.BANK) == PREMIUM + CREDIT
        assert list_references() == [
            f"refund:1:{what}" for what in ("approved", "settled", "returned", "put_back")
        ]

    def test_credit_put_back_pays_the_bill_that_came_meanwhile(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        make_next_bill(account)
        put_back()
        standing = see(account, today=FRIDAY)
        assert (standing.due_cents, standing.credit_cents) == (PREMIUM - CREDIT, 0)

    @pytest.mark.parametrize("act", [pay_out, undo_pay_out, put_back])
    def test_what_was_never_withdrawn_is_neither_paid_out_nor_put_back(self, act) -> None:
        with pytest.raises(UnableToFindWithdrawal, match="refund:1"):
            act()

    def test_nothing_is_put_back_twice(self) -> None:
        _, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        put_back()
        with pytest.raises(AlreadyPosted):
            put_back()


class TestUndoingAWholePayment:
    def test_the_bill_is_open_again_and_coverage_waits(self) -> None:
        account, receipt = pay_too_much()
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
        withdraw_whole(receipt)
        standing = see(account, today=FRIDAY)
        assert (standing.due_cents, standing.credit_cents) == (PREMIUM, 0)
        assert read_enrollment(account).status == EnrollmentStatus.WAITING

    def test_after_the_due_date_the_start_is_pushed_at_once(self) -> None:
        account, receipt = pay_too_much()
        withdraw_whole(receipt, today=date(2027, 1, 25))
        assert read_enrollment(account).coverage_start == date(2027, 3, 1)

    def test_once_coverage_has_started_it_stays_until_staff_have_looked(self) -> None:
        account, receipt = pay_too_much()
        withdraw_whole(receipt, today=date(2027, 2, 2))
        enrollment = read_enrollment(account)
        assert (enrollment.status, enrollment.coverage_start) == (EnrollmentStatus.ACTIVE, FEBRUARY)

    def test_other_credit_takes_its_place(self) -> None:
        account, receipt = pay_too_much()
        settle_and_clear(receive(account, PREMIUM, on=FRIDAY), on=date(2027, 1, 29))
        withdraw_whole(receipt)
        standing = see(account, today=FRIDAY)
        assert (standing.due_cents, standing.credit_cents) == (0, 0)
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE

    def test_put_back_it_pays_the_bill_as_before(self) -> None:
        account, receipt = pay_too_much()
        withdraw_whole(receipt)
        put_back()
        assert see(account, today=FRIDAY).due_cents == 0
        assert read_enrollment(account).status == EnrollmentStatus.ACTIVE


class TestAPaymentTakenBackAfterItWasRefunded:
    def test_the_account_owes_it_and_no_bill_asks_for_it(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out()
        take_back(receipt.reference, on=FRIDAY, settled=True)
        standing = see(account, today=FRIDAY)
        assert (standing.owed_back_cents, standing.due_cents, standing.credit_cents) == (CREDIT, PREMIUM, 0)
        assert read_balance(chart=Chart.RECEIVABLE, account_id=account.pk) == PREMIUM + CREDIT
        assert read_balance(chart=Chart.BANK) == -CREDIT

    def test_a_later_payment_pays_bills_and_not_what_is_owed_back(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out()
        take_back(receipt.reference, on=FRIDAY, settled=True)
        receive(account, PREMIUM, on=FRIDAY)
        standing = see(account, today=FRIDAY)
        assert (standing.due_cents, standing.owed_back_cents) == (0, CREDIT)

    def test_a_refund_that_comes_back_settles_what_is_owed(self) -> None:
        account, receipt = pay_too_much()
        withdraw(receipt, CREDIT)
        pay_out()
        take_back(receipt.reference, on=FRIDAY, settled=True)
        undo_pay_out()
        put_back()
        standing = see(account, today=FRIDAY)
        assert (standing.owed_back_cents, standing.credit_cents) == (0, 0)
        assert read_balance(chart=Chart.BANK) == 0


class TestTheBooksSayWhatIsWrong:
    @pytest.fixture
    def receipt(self) -> Receipt:
        return pay_too_much()[1]

    def test_a_withdrawal_without_its_movement(self, receipt: Receipt) -> None:
        with transaction.atomic():
            receipt.withdrawals.create(cents=CREDIT, reference="refund:1", at=noon(FRIDAY))
            broken = list_broken()
            transaction.set_rollback(True)
        assert {"I1 withdrawals", "I3 receivable"} <= set(broken)

    def test_more_withdrawn_than_the_receipt_had_left(self, receipt: Receipt) -> None:
        with transaction.atomic():
            receipt.withdrawals.create(cents=CREDIT + 1, reference="refund:1", at=noon(FRIDAY))
            broken = list_broken()
            transaction.set_rollback(True)
        assert "I1 spent" in broken

    def test_money_paid_out_that_was_never_withdrawn(self, receipt: Receipt) -> None:
        with transaction.atomic():
            posting = Posting(
                Chart.REFUNDS, Chart.BANK, CREDIT, receipt.account_id, "refund:1:settled", FRIDAY
            )
            post(postings=[posting], at=noon(FRIDAY))
            broken = list_broken()
            transaction.set_rollback(True)
        assert "I1 paid out" in broken
