"""Credit left when coverage is over: asked back once, when it has cleared; and what was still to be taken is not."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from billing import ends
from billing.invoices import issue_missing
from billing.models import Account, Invoice
from members import coverage
from members.models import Enrollment, EnrollmentStatus, Notice
from members.notices import write
from payments import canceling, credit_left, refunds
from payments.models import Payment, PaymentStatus, Refund, RefundStatus
from payments.refund_rules import UnableToRefund
from tests import people
from tests.payments import checking, refunding
from tests.payments.paying import PREMIUM, TUESDAY, make_account, make_payer, noon, pay
from tests.payments.refunding import CLEARED, CREDIT
from tests.payments.test_moving import move

pytestmark = pytest.mark.django_db
OVER = date(2027, 3, 1)


def end_coverage(account: Account, *, last_day: date = date(2027, 2, 28), today: date = OVER) -> None:
    """The exchange ended it, and the night has passed."""
    Enrollment.objects.filter(account=account).update(ends_on=last_day)
    coverage.end_passed(today=today, at=noon(today))
    ends.void_after_ends(today=today, at=noon(today))


def ask(day: date = OVER) -> int:
    return credit_left.ask_refunds(today=day, at=noon(day))


def overpay_and_end() -> Payment:
    payment = refunding.overpay()
    end_coverage(payment.account)
    return payment


class TestAsking:
    def test_it_is_asked_for_once_and_waits_for_a_person(self) -> None:
        payment = overpay_and_end()
        assert ask() == 1
        assert ask() == ask(OVER + timedelta(days=1)) == 0
        refund = Refund.objects.get()
        assert (refund.cents, refund.method, refund.status) == (CREDIT, "ach", RefundStatus.ASKED)
        assert (refund.payment, refund.bank_account) == (payment, payment.bank_account)
        assert (refund.asked_by, refund.payee) == (None, "Alice Alvarez")

    def test_the_member_is_told_once(self) -> None:
        overpay_and_end()
        ask()
        ask()
        told = Notice.objects.get(event="refund_asked")
        assert (told.facts["amount_cents"], told.subject) == (CREDIT, f"refund:{Refund.objects.get().pk}")

    def test_anybody_with_the_right_may_approve_it_alone(self) -> None:
        overpay_and_end()
        ask()
        approved = refunding.approve(Refund.objects.get(), today=OVER)
        assert approved.status == RefundStatus.APPROVED

    def test_the_money_of_another_s_check_waits_until_their_address_is_known(self) -> None:
        account = make_account()
        checking.receive((account, PREMIUM + CREDIT), payer="Rosa Delgado")
        checking.bank(date(2027, 1, 13))
        checking.bank(date(2027, 1, 28))
        end_coverage(account)
        assert ask() == 1
        with pytest.raises(UnableToRefund, match="ask for it with their address"):
            refunding.approve(Refund.objects.get(), today=OVER)

    def test_declined_it_is_not_asked_for_again(self) -> None:
        overpay_and_end()
        ask()
        refunds.decline_refund(
            refund_id=Refund.objects.get().pk, by=people.make_staff(), why="moved", today=OVER, at=noon(OVER)
        )
        assert ask() == 0
        assert len(refunds.find_refundable(today=OVER)) == 1

    def test_money_goes_nowhere_before_it_has_cleared(self) -> None:
        payment = refunding.overpay()
        end_coverage(payment.account, last_day=date(2027, 1, 31), today=CLEARED)
        assert ask(CLEARED - timedelta(days=1)) == 0
        Enrollment.objects.filter(account=payment.account).update(status="ended")
        assert ask(CLEARED) == 1

    def test_coverage_that_goes_on_keeps_its_credit(self) -> None:
        refunding.overpay()
        assert ask() == 0

    def test_many_take_as_many_statements_as_one(self, django_assert_max_num_queries) -> None:
        def make(count: int) -> None:
            for _ in range(count):
                account = make_account()
                refunding.receive_check(account, PREMIUM + CREDIT, on=TUESDAY)
                end_coverage(account)

        make(1)
        with django_assert_max_num_queries(40) as few:
            assert ask() == 1
        make(4)
        with django_assert_max_num_queries(len(few.captured_queries)):
            assert ask() == 4


class TestUnsentPayments:
    def end(self, *, last_day: date) -> int:
        account = Account.objects.get()
        end_coverage(account, last_day=last_day, today=last_day + timedelta(days=1))
        day = last_day + timedelta(days=1)
        return canceling.cancel_ended(today=day, at=noon(day))

    def read_statuses(self) -> list[str]:
        return list(Payment.objects.order_by("pk").values_list("status", flat=True))

    def test_one_that_pays_nothing_is_canceled_and_told(self) -> None:
        account = make_account()
        refunding.receive_check(account, PREMIUM, on=TUESDAY)
        pay(account, PREMIUM, today=date(2027, 2, 27))
        assert self.end(last_day=date(2027, 2, 28)) == 1
        assert self.read_statuses() == [PaymentStatus.CANCELED]
        assert Notice.objects.filter(event="payment_canceled").exists()

    def test_one_is_left_whose_coverage_goes_on_once_its_account_is_locked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = make_account()
        refunding.receive_check(account, PREMIUM, on=TUESDAY)
        pay(account, PREMIUM, today=date(2027, 2, 27))
        lock = canceling.lock_accounts

        def go_on(*, account_ids: Iterable[int]) -> None:
            lock(account_ids=account_ids)
            Enrollment.objects.update(status=EnrollmentStatus.ACTIVE, ends_on=None)

        monkeypatch.setattr(canceling, "lock_accounts", go_on)
        assert self.end(last_day=date(2027, 2, 28)) == 0
        assert self.read_statuses() == [PaymentStatus.RECORDED]

    @pytest.mark.parametrize(("last_day", "canceled"), [(date(2027, 2, 28), 1), (date(2027, 4, 30), 0)])
    def test_one_scheduled_for_a_bill_that_an_end_has_voided_is_canceled_before_its_day(
        self, last_day: date, canceled: int
    ) -> None:
        """Where a bill is still to come it is left: it will be credit."""
        day = date(2027, 2, 10)
        account = make_account()
        refunding.receive_check(account, PREMIUM, on=TUESDAY)
        Enrollment.objects.update(status="active")
        issue_missing(today=date(2027, 2, 1), at=noon(date(2027, 2, 1)))
        payer = make_payer(channel="web", user=people.make_user(member=account.enrollment.member))
        pay(account, PREMIUM, today=date(2027, 2, 2), received=date(2027, 2, 20), payer=payer)
        assert canceling.cancel_ended(today=day, at=noon(day)) == 0
        Enrollment.objects.update(ends_on=last_day)
        if not canceled:
            refunding.receive_check(account, PREMIUM, on=date(2027, 2, 5))
        ends.void_after_ends(today=day, at=noon(day))
        assert canceling.cancel_ended(today=day, at=noon(day)) == canceled
        for told in Notice.objects.filter(event="payment_canceled"):
            words = write(event=told.event, language="en", facts=told.facts).body
            assert "nothing is left to pay" in words
            assert "still open" not in words

    def test_one_that_pays_a_bill_that_is_owed_goes_out(self) -> None:
        account = make_account()
        refunding.receive_check(account, PREMIUM - 10_00, on=TUESDAY)
        pay(account, 10_00, today=date(2027, 1, 23))
        Enrollment.objects.update(status="active")
        assert self.end(last_day=date(2027, 2, 28)) == 0
        assert self.read_statuses() == [PaymentStatus.RECORDED]


def test_two_of_the_staff_are_still_needed_for_what_staff_ask() -> None:
    by = people.make_staff()
    refund = refunding.ask(refunding.find_receipt(refunding.overpay()), by=by)
    with pytest.raises(UnableToRefund, match="Another person"):
        refunding.approve(refund, by=by)


@pytest.mark.parametrize("status", [EnrollmentStatus.EXPIRED, EnrollmentStatus.ENDED])
def test_a_payment_whose_money_was_moved_to_another_account_goes_out(status: EnrollmentStatus) -> None:
    wrong, right = make_account(), make_account()
    move(pay(wrong, 10_00).reference, right, today=TUESDAY)
    Enrollment.objects.filter(account=wrong).update(status=status)
    Invoice.objects.filter(account=wrong).update(voided_at=noon(TUESDAY), void_reason="over")
    for cancel in (canceling.cancel_expired, canceling.cancel_ended):
        assert cancel(today=TUESDAY, at=noon(TUESDAY)) == 0
    assert Payment.objects.get().status == PaymentStatus.RECORDED
