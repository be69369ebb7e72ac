"""The road of a payment: recorded, sent, accepted, settled, posted; and the ways in which it comes back."""

from datetime import date

import pytest

from billing.balances import read_standing
from billing.ledger import read_balance
from billing.models import Chart
from members.models import EnrollmentStatus, Notice
from payments.bank_accounts import open_account_number
from payments.models import BankFile, FileStatus, Payment, PaymentStatus, ReturnLine
from payments.returns import PaymentReturn, return_payments
from tests.payments.paying import (
    PREMIUM,
    TUESDAY,
    live,
    make_account,
    make_payer,
    noon,
    pay,
    read,
    send,
    settle,
)

pytestmark = pytest.mark.usefixtures("books")


def list_moves(payment: Payment) -> list[str]:
    return list(payment.moves.order_by("pk").values_list("after", flat=True))


def test_a_first_payment_is_sent_accepted_settled_and_posted_and_coverage_is_active() -> None:
    account = make_account()
    payment = pay(account)
    assert read_standing(account_id=account.pk, today=TUESDAY).binder_received

    assert send(TUESDAY)["debits"] == 1
    file = BankFile.objects.get(direction="out")
    assert (file.name, file.entry_count, file.debit_cents) == ("CP-20270112-1700-A.ach", 1, PREMIUM)
    payment.refresh_from_db()
    assert (payment.status, payment.effective_date) == (PaymentStatus.SENT, date(2027, 1, 13))

    assert read(date(2027, 1, 13))["accepted"] == 1
    file.refresh_from_db()
    assert file.status == FileStatus.ACCEPTED
    assert settle(date(2027, 1, 13)) == {"settled": 1, "posted": 0, "held": 0, "unaccepted": 0}
    assert read_balance(chart=Chart.BANK) == PREMIUM

    live(date(2027, 1, 14), date(2027, 1, 18))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SETTLED
    live(date(2027, 1, 19), date(2027, 1, 19))
    payment.refresh_from_db()
    assert (payment.status, payment.posted_on) == (PaymentStatus.POSTED, date(2027, 1, 19))
    assert list_moves(payment) == ["sending", "sent", "settled", "posted"]
    account.enrollment.refresh_from_db()
    assert account.enrollment.status == EnrollmentStatus.ACTIVE


def test_a_debit_does_not_settle_before_its_file_is_accepted() -> None:
    pay(make_account())
    send(TUESDAY)
    assert settle(date(2027, 1, 13))["settled"] == 0


def test_a_debit_does_not_settle_before_its_effective_date() -> None:
    pay(make_account())
    send(TUESDAY)
    read(date(2027, 1, 13))
    assert settle(TUESDAY)["settled"] == 0
    assert settle(date(2027, 1, 13))["settled"] == 1


def test_a_missing_return_file_holds_the_posting_until_it_is_read() -> None:
    pay(make_account())
    send(TUESDAY)
    live(date(2027, 1, 13), date(2027, 1, 18))
    assert settle(date(2027, 1, 19)) == {"settled": 0, "posted": 0, "held": 1, "unaccepted": 0}
    read(date(2027, 1, 19))
    assert settle(date(2027, 1, 19)) == {"settled": 0, "posted": 1, "held": 0, "unaccepted": 0}


def test_an_r01_authorized_on_memorial_day_weekend_is_read_on_june_1_and_never_posts() -> None:
    saturday = date(2026, 5, 23)
    account = make_account(today=date(2026, 5, 20), requested_start=date(2026, 7, 1))
    payment = pay(account, today=saturday, number="1000000001")
    live(saturday, date(2026, 5, 31))
    payment.refresh_from_db()
    assert (payment.status, payment.effective_date) == (PaymentStatus.SETTLED, date(2026, 5, 27))

    assert read(date(2026, 6, 1))["returned"] == 1
    assert settle(date(2026, 6, 1))["posted"] == 0
    payment.refresh_from_db()
    assert (payment.status, payment.return_code) == (PaymentStatus.RETURNED, "R01")
    standing = read_standing(account_id=account.pk, today=date(2026, 6, 1))
    assert (standing.due_cents, standing.enrollment_status) == (PREMIUM, EnrollmentStatus.WAITING)
    assert read_balance(chart=Chart.BANK) == 0
    told = Notice.objects.filter(event="payment_returned", member=account.enrollment.member)
    assert {notice.channel for notice in told} == {"email", "letter"}
    assert "Pay today: coverage starts July 1, 2026." in told[0].facts["effect"]


def test_only_the_payer_hears_the_bank_s_reason() -> None:
    account = make_account()
    pay(account, number="1000000001", payer=make_payer(receipt_email="bob@example.org"))
    live(TUESDAY, date(2027, 1, 19))
    told = Notice.objects.filter(event="payment_returned")
    assert all("reason" not in notice.facts for notice in told.filter(member=account.enrollment.member))
    to_payer = told.get(member=None)
    assert "not enough money" in to_payer.facts["reason"]
    assert "due_cents" not in to_payer.facts


def test_a_closed_account_is_blocked_and_what_still_waits_on_it_is_canceled() -> None:
    member_account = make_account()
    pay(member_account, 10_00, number="1000000002")
    send(TUESDAY)
    live(date(2027, 1, 13), date(2027, 1, 14))
    waiting = Payment.objects.get()
    read(date(2027, 1, 15))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.return_code) == (PaymentStatus.RETURNED, "R02")
    assert waiting.bank_account.status == "blocked"


def test_an_r10_after_posting_takes_the_money_back_from_the_bank() -> None:
    account = make_account()
    payment = pay(account, number="1000000010")
    live(TUESDAY, date(2027, 1, 25))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.POSTED
    assert read_balance(chart=Chart.BANK) == PREMIUM

    assert read(date(2027, 1, 26))["returned"] == 1
    payment.refresh_from_db()
    assert list_moves(payment) == ["sending", "sent", "settled", "posted", "returned"]
    assert read_balance(chart=Chart.BANK) == 0
    account.enrollment.refresh_from_db()
    assert account.enrollment.status == EnrollmentStatus.WAITING


def test_a_c01_keeps_the_new_number_and_the_payment_goes_on() -> None:
    payment = pay(make_account(), number="1000000098")
    live(TUESDAY, date(2027, 1, 19))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.POSTED
    assert (payment.bank_account.last_four, payment.bank_account.status) == ("0198", "valid")
    assert open_account_number(bank_account=payment.bank_account) == "2000000198"
    line = ReturnLine.objects.get()
    assert (line.code, line.applied, line.amount_cents) == ("C01", True, 0)


def test_an_account_that_fails_its_validation_returns_the_payment_before_it_is_sent() -> None:
    account = make_account()
    payment = pay(account, number="1000000099")
    assert send(TUESDAY)["debits"] == 0
    payment.refresh_from_db()
    assert (payment.status, payment.return_code, payment.bank_account.status) == ("returned", "", "failed")
    assert read_standing(account_id=account.pk, today=TUESDAY).due_cents == PREMIUM
    assert Notice.objects.filter(event="payment_returned").exists()


def test_a_payment_waits_for_staff_where_only_they_validate(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    from payments.bank_accounts import approve

    payment = pay(make_account())
    assert send(TUESDAY)["debits"] == 0
    assert send(date(2027, 1, 13))["debits"] == 0
    assert payment.bank_account.validations.count() == 1
    assert approve(bank_account=payment.bank_account, at=noon(date(2027, 1, 14)))
    assert send(date(2027, 1, 14))["debits"] == 1


def test_a_return_told_twice_takes_the_money_back_once() -> None:
    payment = pay(make_account())
    send(TUESDAY)
    returned = PaymentReturn(payment_id=payment.pk, code="R09", why="Uncollected funds")
    day = date(2027, 1, 13)
    first = return_payments(returns=[returned], today=day, at=noon(day))
    assert return_payments(returns=[returned], today=day, at=noon(day)) == []
    assert first == [payment.pk]
    # What staff will do by hand; the books of this test are those of a return without its line.
    ReturnLine.objects.create(
        file=payment.entry.file,
        line=1,
        code="R09",
        trace=payment.entry.trace,
        amount_cents=payment.amount_cents,
        entry=payment.entry,
        applied=True,
        sealed=payment.entry.file.chunks.get().sealed,
        at=noon(day),
    )
