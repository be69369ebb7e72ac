"""Refunds: two people, cleared money, what is left and no more; by bank file, by check, or undone; and what comes back."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from billing.balances import Standing, read_standing
from billing.ledger import read_balance
from billing.models import Account, Chart, Receipt
from members.models import EnrollmentStatus, Notice
from members.notices import write
from payments import refunds
from payments.bank_accounts import block
from payments.models import BankingDayOverride, Payment, Refund, RefundStatus, ReturnLine
from payments.refund_checks import list_checks_to_print
from payments.refunds import UnableToRefund, print_check
from payments.returns import PaymentReturn, return_payments
from tests import people
from tests.payments import checking
from tests.payments.paying import (
    FEBRUARY,
    PREMIUM,
    TUESDAY,
    live,
    make_account,
    make_payer,
    noon,
    pay,
)
from tests.payments.refunding import (
    CLEARED,
    CREDIT,
    approve,
    ask,
    ask_and_approve,
    find_receipt,
    overpay,
    receive_check,
    return_refunds,
    send,
    settle,
)

pytestmark = pytest.mark.usefixtures("books")
SETTLED = date(2027, 1, 13)
DAY_BEFORE, FRIDAY, MONDAY = date(2027, 1, 20), date(2027, 1, 22), date(2027, 1, 25)


def see(payment: Payment, *, today: date = CLEARED) -> Standing:
    return read_standing(account_id=payment.account_id, today=today)


def list_moves(refund: Refund) -> list[str]:
    return list(refund.moves.order_by("pk").values_list("after", flat=True))


def take_back(payment: Payment, *, day: date) -> None:
    """The bank returns the payment; in the books of these tests with the line that says so."""
    returned = PaymentReturn(payment_id=payment.pk, code="R10", why="not authorized")
    assert return_payments(returns=[returned], today=day, at=noon(day)) == [payment.pk]
    file = payment.entry.file
    ReturnLine.objects.create(
        file=file,
        line=1,
        code="R10",
        trace=payment.entry.trace,
        amount_cents=payment.amount_cents,
        entry=payment.entry,
        applied=True,
        sealed=file.chunks.get().sealed,
        at=noon(day),
    )


class TestAskingAndApproving:
    def test_a_refund_asked_for_moves_no_money(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        assert (refund.status, refund.cents, refund.payee) == ("asked", CREDIT, "Alice Alvarez")
        assert refund.bank_account == payment.bank_account
        assert see(payment).credit_cents == CREDIT

    def test_approved_by_another_person_the_money_leaves_the_credit_at_once(self) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment))
        assert refund.status == RefundStatus.APPROVED
        assert see(payment).credit_cents == 0
        assert (read_balance(chart=Chart.REFUNDS), read_balance(chart=Chart.BANK)) == (
            -CREDIT,
            PREMIUM + CREDIT,
        )

    def test_nobody_approves_or_declines_their_own(self) -> None:
        staff = people.make_staff()
        refund = ask(find_receipt(overpay()), by=staff)
        with pytest.raises(UnableToRefund, match="Another person"):
            approve(refund, by=staff)
        with pytest.raises(UnableToRefund, match="Another person"):
            refunds.decline_refund(refund_id=refund.pk, by=staff, why="no", today=CLEARED, at=noon(CLEARED))

    def test_the_database_itself_refuses_one_person_for_both(self) -> None:
        refund = ask(find_receipt(overpay()))
        with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
            Refund.objects.filter(pk=refund.pk).update(
                decided_by=refund.asked_by, decided_at=noon(CLEARED), status="declined"
            )

    def test_the_same_form_sent_twice_asks_once(self) -> None:
        receipt, form_key = find_receipt(overpay()), uuid4()
        first = ask(receipt, 10_00, form_key=form_key)
        assert ask(receipt, 10_00, form_key=form_key) == first
        assert Refund.objects.count() == 1

    def test_a_refund_approved_before_is_not_approved_again(self) -> None:
        refund = ask_and_approve(find_receipt(overpay()))
        with pytest.raises(UnableToRefund, match="decided before: approved"):
            approve(refund)

    def test_declined_it_stays_as_credit_and_says_why(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        declined = refunds.decline_refund(
            refund_id=refund.pk,
            by=people.make_staff(),
            why="the bill is due",
            today=CLEARED,
            at=noon(CLEARED),
        )
        assert (declined.status, see(payment).credit_cents) == ("declined", CREDIT)
        assert refund.moves.get().why == "the bill is due"
        with pytest.raises(UnableToRefund, match="decided before: declined"):
            approve(refund)

    def test_why_must_be_said(self) -> None:
        receipt = find_receipt(overpay())
        with pytest.raises(UnableToRefund, match="Say why"):
            refunds.ask_refund(
                receipt_id=receipt.pk,
                cents=1,
                method="ach",
                why="  ",
                form_key=uuid4(),
                by=people.make_staff(),
                today=CLEARED,
                at=noon(CLEARED),
            )

    def test_a_preview_shows_the_credit_before_and_after_and_changes_nothing(self) -> None:
        payment = overpay()
        receipt = find_receipt(payment)
        preview = refunds.preview_refund(
            receipt_id=receipt.pk, cents=20_00, method="ach", today=CLEARED, at=noon(CLEARED)
        )
        assert (preview.before.credit_cents, preview.after.credit_cents) == (CREDIT, CREDIT - 20_00)
        assert see(payment).credit_cents == CREDIT
        assert not receipt.withdrawals.exists()


class TestHowMuch:
    @pytest.mark.parametrize("cents", [1, CREDIT])
    def test_any_part_of_the_credit_goes_back(self, cents: int) -> None:
        payment = overpay()
        ask_and_approve(find_receipt(payment), cents)
        assert see(payment).credit_cents == CREDIT - cents

    @pytest.mark.parametrize("cents", [CREDIT + 1, 0])
    def test_a_cent_more_or_nothing_is_refused(self, cents: int) -> None:
        receipt = find_receipt(overpay())
        with pytest.raises(UnableToRefund, match=r"between \$0.01 and \$50.00"):
            ask(receipt, cents)

    def test_credit_spent_on_a_bill_before_approval_is_not_refunded(self) -> None:
        from billing.invoices import issue_missing

        payment = overpay()
        refund = ask(find_receipt(payment))
        day = date(2027, 2, 1)
        issue_missing(today=day, at=noon(day))
        with pytest.raises(UnableToRefund, match="No credit is left"):
            approve(refund, today=day)

    def test_earlier_refunds_count(self) -> None:
        receipt = find_receipt(overpay())
        second = ask(receipt, 30_00)
        ask_and_approve(receipt, 30_00)
        with pytest.raises(UnableToRefund, match=r"between \$0.01 and \$20.00"):
            approve(second)
        ask_and_approve(receipt, 20_00)

    def test_money_that_lies_on_a_bill_is_not_refunded(self) -> None:
        payment = pay(make_account())
        live(TUESDAY, CLEARED)
        with pytest.raises(UnableToRefund, match="No credit is left"):
            ask(find_receipt(payment), 1)


class TestWhenMoneyHasCleared:
    def test_a_debit_is_refunded_from_the_5th_banking_day_after_settlement(self) -> None:
        receipt = find_receipt(overpay(until=DAY_BEFORE))
        with pytest.raises(UnableToRefund, match="from January 21, 2027"):
            ask(receipt, today=DAY_BEFORE)
        ask(receipt, today=CLEARED)

    def test_a_debit_whose_posting_is_held_is_not_refunded_even_then(self) -> None:
        receipt = find_receipt(overpay(until=date(2027, 1, 15)))
        with pytest.raises(UnableToRefund, match="has not cleared"):
            ask(receipt)

    def test_a_check_is_refunded_from_the_10th_banking_day_after_deposit(self) -> None:
        receipt = receive_check(make_account(), PREMIUM + CREDIT, on=date(2027, 1, 7))
        with pytest.raises(UnableToRefund, match="from January 22, 2027"):
            ask(receipt, method="check", today=CLEARED)
        assert ask_and_approve(receipt, method="check", today=FRIDAY).status == "approved"

    def test_a_check_not_cleared_is_not_refunded_even_then(self) -> None:
        receipt = receive_check(
            make_account(), PREMIUM + CREDIT, on=date(2027, 1, 7), cleared_on=date(2027, 1, 25)
        )
        with pytest.raises(UnableToRefund, match="has not cleared"):
            ask(receipt, method="check", today=FRIDAY)

    def test_a_day_on_which_staff_closed_the_banks_lengthens_the_wait(self) -> None:
        receipt = find_receipt(overpay())
        refund = ask_and_approve(receipt, 10_00)
        BankingDayOverride.objects.create(
            day=date(2027, 1, 20), is_open=False, reason="a storm", recorded_at=noon(FRIDAY)
        )
        with pytest.raises(UnableToRefund, match="from January 22, 2027"):
            ask(receipt, 10_00, today=CLEARED)
        assert refund.status == RefundStatus.APPROVED  # and the self-check finds no fault with it

    def test_a_payment_still_on_its_way_is_not_refunded(self) -> None:
        payment = pay(make_account(), PREMIUM + CREDIT)
        with pytest.raises(UnableToRefund, match="has not cleared"):
            ask(find_receipt(payment), today=TUESDAY)

    def test_a_payment_returned_before_approval_is_refused(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        take_back(payment, day=FRIDAY)
        with pytest.raises(UnableToRefund, match="took this payment back"):
            approve(refund, today=FRIDAY)


class TestByWhichWay:
    def test_a_bank_account_that_is_no_longer_valid_gets_no_refund_by_bank_file(self) -> None:
        payment = overpay()
        refund = ask(find_receipt(payment))
        block(bank_account_ids={payment.bank_account_id}, at=noon(CLEARED), why="R02")
        with pytest.raises(UnableToRefund, match="by check"):
            approve(refund)
        assert ask_and_approve(find_receipt(payment), method="check").bank_account is None

    def test_the_money_of_a_check_goes_back_by_check(self) -> None:
        receipt = receive_check(make_account(), PREMIUM + CREDIT, on=date(2027, 1, 6))
        with pytest.raises(UnableToRefund, match="by check"):
            ask(receipt, method="ach", today=FRIDAY)

    def test_the_money_of_another_s_check_goes_to_who_wrote_it_where_they_live(self) -> None:
        account, day = make_account(), date(2027, 1, 28)
        checking.receive((account, PREMIUM + CREDIT), payer="Rosa Delgado")
        checking.bank(SETTLED)
        checking.bank(day)
        receipt = Receipt.objects.get()
        with pytest.raises(UnableToRefund, match="Rosa Delgado wrote this check"):
            ask(receipt, method="check", today=day)
        home = "9 Elm Street\nSalem, MA 01970"
        refund = approve(ask(receipt, method="check", today=day, mail_to=home), today=day)
        assert refund.payee == "Rosa Delgado"
        assert list_checks_to_print()[0].lines == ["Rosa Delgado", "9 Elm Street", "Salem, MA 01970"]
        print_check(refund_id=refund.pk, check_number="20417", today=day, at=noon(day))
        told = Notice.objects.filter(event="refund").first()
        words = write(event="refund", language="en", facts=told.facts).body
        assert "A check is in the mail to the person who paid." in words

    def test_the_member_s_own_check_goes_back_to_the_member_s_address(self) -> None:
        account, day = make_account(), date(2027, 1, 28)
        checking.receive((account, PREMIUM + CREDIT), payer="ALICE alvarez")
        checking.bank(SETTLED)
        checking.bank(day)
        refund = ask_and_approve(Receipt.objects.get(), method="check", today=day)
        assert (refund.payee, refund.mail_to) == ("ALICE alvarez", "")
        assert list_checks_to_print()[0].lines[0] == "Alice Alvarez"

    def test_a_printed_check_has_a_number_is_out_of_the_bank_and_told(self) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment), method="check")
        assert [item.refund for item in list_checks_to_print()] == [refund]
        print_check(refund_id=refund.pk, check_number="1042", today=FRIDAY, at=noon(FRIDAY))
        refund.refresh_from_db()
        assert (refund.status, refund.check_number, refund.printed_on) == ("printed", "1042", FRIDAY)
        assert read_balance(chart=Chart.BANK) == PREMIUM
        assert list_checks_to_print() == []
        told = Notice.objects.get(event="refund", member=payment.account.enrollment.member)
        assert (told.facts["method"], told.facts["check_number"]) == ("check", "1042")

    def test_the_same_number_again_changes_nothing_and_another_is_refused(self) -> None:
        refund = ask_and_approve(find_receipt(overpay()), method="check")
        for _ in range(2):
            print_check(refund_id=refund.pk, check_number="1042", today=FRIDAY, at=noon(FRIDAY))
        with pytest.raises(UnableToRefund, match="check printed"):
            print_check(refund_id=refund.pk, check_number="1043", today=FRIDAY, at=noon(FRIDAY))
        assert Notice.objects.filter(event="refund").count() == 1

    def test_one_check_number_is_one_refund_s(self) -> None:
        receipt = find_receipt(overpay())
        first, second = (ask_and_approve(receipt, 10_00, method="check") for _ in range(2))
        print_check(refund_id=first.pk, check_number="1042", today=FRIDAY, at=noon(FRIDAY))
        with pytest.raises(UnableToRefund, match="another refund's"):
            print_check(refund_id=second.pk, check_number="1042", today=FRIDAY, at=noon(FRIDAY))

    @pytest.mark.parametrize("number", ["", "12a", "1" * 11, "١٢"])
    def test_a_check_number_is_digits(self, number: str) -> None:
        refund = ask_and_approve(find_receipt(overpay()), method="check")
        with pytest.raises(UnableToRefund, match="1 to 10 digits"):
            print_check(refund_id=refund.pk, check_number=number, today=FRIDAY, at=noon(FRIDAY))

    def test_a_refund_by_bank_file_has_no_check(self) -> None:
        refund = ask_and_approve(find_receipt(overpay()))
        with pytest.raises(UnableToRefund, match="No check"):
            print_check(refund_id=refund.pk, check_number="1", today=FRIDAY, at=noon(FRIDAY))


class TestAtTheBank:
    def test_it_settles_on_its_effective_date_once_its_file_is_accepted(self) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment))
        send(refund)
        assert settle(CLEARED) == 0
        assert (settle(FRIDAY), settle(FRIDAY)) == (1, 0)
        assert list_moves(refund) == ["approved", "sending", "sent", "settled"]
        assert (read_balance(chart=Chart.BANK), read_balance(chart=Chart.REFUNDS)) == (PREMIUM, 0)
        told = Notice.objects.get(event="refund", member=payment.account.enrollment.member)
        assert (told.facts["method"], told.facts["amount_cents"]) == ("ach", CREDIT)

    def test_a_refund_in_a_file_that_was_not_accepted_does_not_settle(self) -> None:
        refund = ask_and_approve(find_receipt(overpay()))
        send(refund, accepted=False)
        assert settle(MONDAY) == 0

    def test_the_day_s_settling_settles_refunds_after_the_debits(self) -> None:
        from tests.payments import paying

        refund = ask_and_approve(find_receipt(overpay()))
        send(refund)
        assert paying.settle(FRIDAY)["refunded"] == 1

    def test_a_guest_who_paid_is_told_and_the_member_not_of_the_guest_s_bank_account(self) -> None:
        payment = overpay(payer=make_payer(receipt_email="bob@example.org"))
        send(ask_and_approve(find_receipt(payment)))
        settle(FRIDAY)
        to_member = Notice.objects.get(event="refund", member__isnull=False)
        to_guest = Notice.objects.get(event="refund", member=None)
        assert to_member.facts["last_four"] == ""
        assert (to_guest.address, to_guest.facts["last_four"]) == ("bob@example.org", "4567")

    @pytest.mark.parametrize("settled", [True, False])
    def test_returned_it_is_credit_again_and_may_go_back_by_check(self, settled: bool) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment))
        send(refund)
        assert settle(FRIDAY if settled else CLEARED) == settled
        told = Notice.objects.filter(event="refund").count()
        assert return_refunds(refund, day=MONDAY) == [refund.pk]
        assert return_refunds(refund, day=MONDAY) == []
        refund.refresh_from_db()
        assert (refund.status, see(payment).credit_cents) == ("returned", CREDIT)
        assert read_balance(chart=Chart.BANK) == PREMIUM + CREDIT
        assert Notice.objects.filter(event="refund").count() == told
        assert ask_and_approve(find_receipt(payment), method="check", today=MONDAY).status == "approved"

    def test_an_approved_refund_that_is_stopped_is_credit_again(self) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment))
        stop = {"by": people.make_staff(), "why": "asked by mistake", "today": CLEARED, "at": noon(CLEARED)}
        assert refunds.stop_refund(refund_id=refund.pk, **stop).status == "declined"
        assert see(payment).credit_cents == CREDIT
        with pytest.raises(UnableToRefund, match="can no longer be stopped: declined"):
            refunds.stop_refund(refund_id=refund.pk, **stop)

    def test_a_refund_in_a_file_is_no_longer_stopped(self) -> None:
        refund = ask_and_approve(find_receipt(overpay()))
        send(refund)
        with pytest.raises(UnableToRefund, match="sent to the bank"):
            refunds.stop_refund(
                refund_id=refund.pk, by=people.make_staff(), why="x", today=CLEARED, at=noon(CLEARED)
            )


class TestAPaymentReturnedAfterItsRefund:
    def test_a_refund_that_has_not_gone_out_is_stopped(self) -> None:
        payment = overpay()
        refund = ask_and_approve(find_receipt(payment))
        take_back(payment, day=FRIDAY)
        refund.refresh_from_db()
        assert refund.status == RefundStatus.DECLINED
        standing = see(payment, today=FRIDAY)
        assert (standing.owed_back_cents, standing.due_cents) == (0, PREMIUM)
        assert read_balance(chart=Chart.BANK) == 0

    def test_one_that_is_out_is_owed_back_and_stops_further_refunds(self) -> None:
        payment = overpay()
        send(ask_and_approve(find_receipt(payment)))
        settle(FRIDAY)
        take_back(payment, day=FRIDAY)
        standing = see(payment, today=FRIDAY)
        assert (standing.owed_back_cents, standing.due_cents, standing.credit_cents) == (CREDIT, PREMIUM, 0)
        assert read_balance(chart=Chart.BANK) == -CREDIT
        receipt = receive_check(payment.account, PREMIUM + 20_00, on=FRIDAY)
        with pytest.raises(UnableToRefund, match=r"owes \$50.00"):
            ask(receipt, 20_00, method="check", today=date(2027, 2, 12))

    def test_one_on_its_way_to_the_bank_settles_and_is_owed_back(self) -> None:
        payment = overpay()
        send(ask_and_approve(find_receipt(payment)))
        take_back(payment, day=FRIDAY)
        assert settle(FRIDAY) == 1
        assert see(payment, today=FRIDAY).owed_back_cents == CREDIT


class TestUndoingAWrongDebit:
    def reverse(self, payment: Payment, *, today: date) -> Refund:
        return ask_and_approve(find_receipt(payment), payment.amount_cents, method="reversal", today=today)

    def test_the_whole_payment_leaves_its_bills_before_it_has_cleared_and_the_member_hears(self) -> None:
        payment = overpay(until=SETTLED)
        refund = self.reverse(payment, today=SETTLED)
        standing = see(payment, today=SETTLED)
        assert (standing.due_cents, standing.credit_cents) == (PREMIUM, 0)
        told = Notice.objects.filter(event="refund", member=payment.account.enrollment.member)[0]
        assert (told.facts["due_cents"], told.facts["method"]) == (PREMIUM, "reversal")
        assert "Pay today: coverage starts February 1, 2027." in told.facts["effect"]
        send(refund, day=SETTLED)
        assert settle(date(2027, 1, 14)) == 1
        assert Notice.objects.filter(event="refund", channel=told.channel).count() == 1
        live(date(2027, 1, 14), date(2027, 1, 20))
        payment.account.enrollment.refresh_from_db()
        assert payment.account.enrollment.status == EnrollmentStatus.WAITING
        assert read_balance(chart=Chart.BANK) == 0

    def test_it_must_reach_the_bank_by_the_5th_banking_day_after_settlement(self) -> None:
        # Settled on the 13th: the 5th banking day is the 21st, so the file of the 20th is the last.
        payment = overpay(until=DAY_BEFORE)
        receipt = find_receipt(payment)
        with pytest.raises(UnableToRefund, match=r"too late.*by January 20, 2027"):
            ask(receipt, payment.amount_cents, method="reversal", today=CLEARED)
        assert self.reverse(payment, today=DAY_BEFORE).status == "approved"

    def test_after_the_last_file_s_cut_off_it_is_too_late(self) -> None:
        from tests.diary import eastern

        payment = overpay(until=DAY_BEFORE)
        refund = ask(find_receipt(payment), payment.amount_cents, method="reversal", today=DAY_BEFORE)
        other = people.make_staff()
        with pytest.raises(UnableToRefund, match="too late"):
            refunds.approve_refund(
                refund_id=refund.pk, by=other, today=DAY_BEFORE, at=eastern(2027, 1, 20, 17)
            )
        refunds.approve_refund(
            refund_id=refund.pk, by=other, today=DAY_BEFORE, at=eastern(2027, 1, 20, 16, 59, 59)
        )

    def test_a_debit_that_has_not_settled_is_not_reversed(self) -> None:
        payment = pay(make_account())
        live(TUESDAY, TUESDAY)
        with pytest.raises(UnableToRefund, match="has settled"):
            ask(find_receipt(payment), PREMIUM, method="reversal", today=TUESDAY)

    @pytest.mark.parametrize("off", [-1, 1])
    def test_it_returns_the_whole_payment(self, off: int) -> None:
        payment = overpay(until=SETTLED)
        with pytest.raises(UnableToRefund, match="the whole payment of"):
            ask(find_receipt(payment), payment.amount_cents + off, method="reversal", today=SETTLED)

    def test_a_debit_is_reversed_once(self) -> None:
        payment = overpay(until=SETTLED)
        self.reverse(payment, today=SETTLED)
        with pytest.raises(UnableToRefund, match="asked for before"):
            ask(find_receipt(payment), payment.amount_cents, method="reversal", today=SETTLED)

    def test_the_money_of_a_check_is_not_reversed(self) -> None:
        receipt = receive_check(make_account(), PREMIUM, on=TUESDAY)
        with pytest.raises(UnableToRefund, match="Only a bank debit"):
            ask(receipt, PREMIUM, method="reversal", today=TUESDAY)

    def test_a_reversal_is_not_stopped_by_hand_but_by_the_return_of_its_payment(self) -> None:
        payment = overpay(until=SETTLED)
        refund = self.reverse(payment, today=SETTLED)
        with pytest.raises(UnableToRefund, match="cannot be stopped"):
            refunds.stop_refund(
                refund_id=refund.pk, by=people.make_staff(), why="x", today=SETTLED, at=noon(SETTLED)
            )
        take_back(payment, day=date(2027, 1, 14))
        refund.refresh_from_db()
        assert refund.status == RefundStatus.DECLINED
        assert see(payment, today=date(2027, 1, 14)).owed_back_cents == 0

    def test_returned_by_the_bank_its_money_pays_the_bill_again(self) -> None:
        payment = overpay(until=SETTLED)
        refund = self.reverse(payment, today=SETTLED)
        send(refund, day=SETTLED)
        settle(date(2027, 1, 14))
        return_refunds(refund, day=date(2027, 1, 15))
        standing = see(payment, today=date(2027, 1, 15))
        assert (standing.due_cents, standing.credit_cents) == (0, CREDIT)

    def test_once_coverage_has_started_it_stays_until_staff_have_looked(self) -> None:
        account = make_account(today=date(2027, 1, 5))
        pay(account, today=date(2027, 1, 20))
        live(date(2027, 1, 20), date(2027, 1, 27))
        second = pay(account, PREMIUM, today=date(2027, 1, 28))
        live(date(2027, 1, 28), date(2027, 2, 2))
        self.reverse(second, today=date(2027, 2, 2))
        account.enrollment.refresh_from_db()
        assert (account.enrollment.status, account.enrollment.coverage_start) == ("active", FEBRUARY)


class TestCreditOfAnEnrollmentThatIsOver:
    @pytest.fixture
    def expired(self) -> Account:
        """$100.00 came for a first bill of $284.17 that was never paid in full."""
        from billing import overdue

        account = make_account()
        pay(account, 100_00)
        live(TUESDAY, date(2027, 1, 20))
        for day in (date(2027, 1, 24), date(2027, 2, 24), date(2027, 3, 24), date(2027, 4, 24)):
            overdue.review(today=day, at=noon(day), run=f"review {day}", account_ids=[account.pk])
        account.enrollment.refresh_from_db()
        assert account.enrollment.status == EnrollmentStatus.EXPIRED
        return account

    def test_it_is_listed_for_staff_once_it_has_cleared_and_never_refunded_by_itself(
        self, expired: Account
    ) -> None:
        (found,) = refunds.find_refundable(today=date(2027, 4, 25))
        assert (found.receipt.account_id, found.idle_cents, found.method) == (expired.pk, 100_00, "ach")
        assert refunds.find_refundable(today=DAY_BEFORE) == []
        assert not Refund.objects.exists()

    def test_what_was_asked_for_or_refunded_is_not_listed_again(self, expired: Account) -> None:
        day = date(2027, 4, 26)
        refund = ask(Receipt.objects.get(), 100_00, today=day)
        assert refunds.find_refundable(today=day) == []
        approve(refund, today=day)
        assert refunds.find_refundable(today=day) == []

    def test_a_bank_account_that_is_blocked_means_a_check(self, expired: Account) -> None:
        bank = Payment.objects.get().bank_account_id
        block(bank_account_ids={bank}, at=noon(CLEARED), why="R02")
        assert [item.method for item in refunds.find_refundable(today=date(2027, 4, 25))] == ["check"]

    def test_credit_of_someone_who_is_covered_is_not_listed(self) -> None:
        overpay()
        assert refunds.find_refundable(today=CLEARED) == []
