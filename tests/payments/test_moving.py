"""Money on the wrong account is moved to the right one: its received date kept, both starts worked out anew, both told."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import overdue
from billing.balances import read_standing
from billing.ledger import read_balance
from billing.models import Account, Chart, Receipt, ReceiptChange
from billing.receipt_changes import Decision, NewPlace, change_receipts
from members.models import EnrollmentStatus, Notice
from payments import moving
from payments.models import Payment, PaymentStatus
from payments.moving import UnableToMoveMoney, move_money
from payments.returns import PaymentReturn, return_payments
from tests import people
from tests.payments import refunding
from tests.payments.checking import bank, give_back, receive
from tests.payments.paying import PREMIUM, TUESDAY, live, make_account, make_payer, noon, pay

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY, POSTED = TUESDAY + timedelta(1), date(2027, 1, 19)
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)


@pytest.fixture
def wrong(books: None) -> Account:
    return make_account()


@pytest.fixture
def right(books: None) -> Account:
    return make_account()


def decide(**facts: object) -> Decision:
    return Decision(**{"by": people.make_staff(), "why": "two names alike", "form_key": uuid4()} | facts)


def move(reference: str, account: Account, *, today: date = WEDNESDAY, **facts: object) -> ReceiptChange:
    return move_money(
        receipt_id=Receipt.objects.get(reference=reference).pk,
        account_id=account.pk,
        decision=decide(**facts),
        today=today,
        at=noon(today),
    )


def read_status(account: Account) -> tuple[str, date]:
    account.enrollment.refresh_from_db()
    return account.enrollment.status, account.enrollment.coverage_start


def test_one_account_owes_again_the_other_is_paid_as_of_the_day_it_came(
    wrong: Account, right: Account
) -> None:
    payment = pay(wrong)
    change = move(payment.reference, right)
    receipt = Receipt.objects.get()
    assert (receipt.account, receipt.received_date, change.received_after) == (right, TUESDAY, TUESDAY)
    assert read_standing(account_id=wrong.pk, today=WEDNESDAY).due_cents == PREMIUM
    assert read_standing(account_id=right.pk, today=WEDNESDAY).binder_received
    assert read_balance(chart=Chart.SUSPENSE) == 0
    told = dict(Notice.objects.filter(subject__startswith="receipt_change:").values_list("event", "member"))
    assert told == {
        "money_moved_away": wrong.enrollment.member_id,
        "money_moved_here": right.enrollment.member_id,
    }


def test_after_the_due_date_the_right_start_is_given_back_and_the_wrong_one_pushed(
    wrong: Account, right: Account
) -> None:
    payment = pay(wrong)
    night = date(2027, 1, 24)
    overdue.review(today=night, at=noon(night), run="test")
    assert read_status(right)[1] == MARCH
    move(payment.reference, right, today=night)
    assert (read_status(right)[1], read_status(wrong)[1]) == (FEBRUARY, MARCH)


def test_it_goes_on_to_settle_and_post_where_it_counts_now(wrong: Account, right: Account) -> None:
    payment = pay(wrong)
    live(TUESDAY, TUESDAY)
    move(payment.reference, right)
    live(WEDNESDAY, POSTED)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.POSTED
    assert read_status(right)[0] == EnrollmentStatus.ACTIVE
    assert read_status(wrong)[0] == EnrollmentStatus.WAITING


def test_moved_once_final_coverage_becomes_active_here_and_awaits_payment_there(
    wrong: Account, right: Account
) -> None:
    payment = pay(wrong)
    live(TUESDAY, POSTED)
    assert read_status(wrong)[0] == EnrollmentStatus.ACTIVE
    move(payment.reference, right, today=POSTED)
    assert read_status(wrong)[0] == EnrollmentStatus.WAITING
    assert read_status(right)[0] == EnrollmentStatus.ACTIVE


def test_a_check_that_was_moved_comes_back_off_the_account_where_it_counts(
    wrong: Account, right: Account
) -> None:
    check = receive((wrong, PREMIUM))
    bank(WEDNESDAY)
    move(f"check:{check.pk}-1", right)
    give_back(check, WEDNESDAY)
    assert read_standing(account_id=right.pk, today=WEDNESDAY).due_cents == PREMIUM


def test_moved_there_and_back_it_counts_where_it_did(wrong: Account, right: Account) -> None:
    payment = pay(wrong)
    move(payment.reference, right)
    move(payment.reference, wrong)
    assert Receipt.objects.get().account == wrong
    assert ReceiptChange.objects.count() == 2


def test_the_same_form_moves_it_once(wrong: Account, right: Account) -> None:
    payment, key, by = pay(wrong), uuid4(), people.make_staff()
    first, again = (move(payment.reference, right, form_key=key, by=by) for _ in range(2))
    assert first == again


def test_dated_anew_while_somebody_moved_it_it_keeps_the_new_day(
    wrong: Account, right: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(wrong)
    asked, monday = Receipt.objects.get(), TUESDAY - timedelta(1)
    place = NewPlace(asked.pk, wrong.pk, monday)
    change_receipts(places=[place], decision=decide(), today=WEDNESDAY, at=noon(WEDNESDAY))
    monkeypatch.setattr(moving, "find_receipt", lambda *, receipt_id: asked)
    assert move(asked.reference, right).received_after == monday


def test_what_it_does_is_told_as_the_account_stood_once_it_was_locked(wrong: Account, right: Account) -> None:
    payment = pay(wrong)
    with CaptureQueriesContext(connection) as done:
        move(payment.reference, right)
    said = [query["sql"] for query in done]
    locked = [place for place, sql in enumerate(said) if "FOR NO KEY UPDATE" in sql]
    assert locked[0] < next(place for place, sql in enumerate(said) if "billing_invoice" in sql)


class TestWhenItComesBack:
    def pay_as_member(self, wrong: Account) -> Payment:
        user = people.make_user(member=wrong.enrollment.member)
        return pay(wrong, payer=make_payer(channel="web", user=user))

    def read_told(self, event: str, account: Account) -> Notice:
        return Notice.objects.filter(event=event, member=account.enrollment.member_id).earliest("pk")

    def test_the_bills_member_hears_what_is_owed_and_who_paid_only_what_became_of_it(
        self, books: None
    ) -> None:
        wrong, right = make_account(product="dental"), make_account()
        payment = self.pay_as_member(wrong)
        move(payment.reference, right)
        returned = PaymentReturn(payment_id=payment.pk, code="", why="x")
        return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY))
        billed, paid = (self.read_told("payment_returned", account) for account in (right, wrong))
        assert (billed.subject, paid.subject) == (payment.reference, f"{payment.reference}:payer")
        assert (billed.facts["due_cents"], billed.facts["product"], billed.facts["last_four"]) == (
            PREMIUM,
            "health",
            "",
        )
        assert billed.facts["effect"]
        assert "reason" not in billed.facts
        assert paid.facts["effect"] == ""
        assert "due_cents" not in paid.facts
        assert paid.facts["product"] == "dental"

    def test_a_check_is_told_to_the_member_whose_bill_is_open_again(
        self, wrong: Account, right: Account
    ) -> None:
        check = receive((wrong, PREMIUM))
        move(f"check:{check.pk}-1", right)
        give_back(check, WEDNESDAY)
        told = Notice.objects.filter(event="check_returned")
        assert {notice.member_id for notice in told} == {right.enrollment.member_id}
        assert {notice.facts["due_cents"] for notice in told} == {PREMIUM}


class TestWhatIsNotMoved:
    def check_refused(self, payment: Payment, right: Account, said: str, today: date = WEDNESDAY) -> None:
        before = Receipt.objects.get(reference=payment.reference).account
        with pytest.raises(UnableToMoveMoney, match=said):
            move(payment.reference, right, today=today)
        assert Receipt.objects.get(reference=payment.reference).account == before

    def test_to_where_it_is(self, wrong: Account) -> None:
        self.check_refused(pay(wrong), wrong, "already")

    def test_what_came_back(self, wrong: Account, right: Account) -> None:
        payment = pay(wrong)
        return_payments(
            returns=[PaymentReturn(payment_id=payment.pk, code="", why="x")], today=TUESDAY, at=noon(TUESDAY)
        )
        self.check_refused(payment, right, "came back")

    def test_what_was_refunded_or_is_asked_to_be(self, right: Account) -> None:
        payment = refunding.overpay()
        refund = refunding.ask(refunding.find_receipt(payment))
        self.check_refused(payment, right, "refund of it was asked", refunding.CLEARED)
        refunding.approve(refund)
        self.check_refused(payment, right, "refunded", refunding.CLEARED)
