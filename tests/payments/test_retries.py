"""Retries: each rule just before, at and just after, by our own code and by the database against the application's role."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from billing.balances import read_standing
from connector_pay.celery import read_timetable
from members.models import Notice
from payments import retries, tasks
from payments.canceling import cancel_payment
from payments.mandates import end_mandates
from payments.models import BankAccount, Payment, PaymentStatus
from tests.payments.incoming_files import make_line, read_files, write_incoming
from tests.payments.paying import PREMIUM, TUESDAY, make_account, make_payer, noon, pay, send
from tests.payments.test_consequences import grant_autopay
from tests.payments.test_moving import move
from tests.people import make_user

BACK = date(2027, 1, 15)  # a Friday; the 18th is a holiday
NEXT = date(2027, 1, 20)  # the 2nd banking day after
pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture(autouse=True)
def _retries_on(settings) -> None:
    settings.PREMIUM_POLICY = {"retry_returns": True}


def make(day: date = NEXT) -> int:
    return retries.make_retries(today=day, at=noon(day))["retried"]


def return_by_file(payment: Payment, *, code: str = "R01", day: date = BACK) -> None:
    payment.refresh_from_db()
    data = write_incoming(make_line(payment.entry, code=code), modifier=str(Payment.objects.count()))
    assert read_files({f"{payment.pk}": data}, day=day)["returned"] == 1
    payment.refresh_from_db()


def pay_ahead() -> Payment:
    """A member's payment for a later day."""
    account = make_account()
    payer = make_payer(channel="web", user=make_user(member=account.enrollment.member))
    return pay(account, 10_00, received=date(2027, 1, 22), payer=payer)


@pytest.fixture
def returned() -> Payment:
    payment = pay(make_account())
    send(TUESDAY)
    return_by_file(payment)
    return payment


def test_it_is_the_same_debit_received_on_its_own_file_day_and_counts(returned: Payment) -> None:
    assert make() == 1
    retry = Payment.objects.get(retry_of=returned)
    for name in ("account_id", "bank_account_id", "authorization_id", "amount_cents", "channel"):
        assert getattr(retry, name) == getattr(returned, name)
    assert (retry.retry_number, retry.received_date, retry.status) == (1, NEXT, PaymentStatus.RECORDED)
    assert retry.confirmation_number != returned.confirmation_number
    assert retry.form_key != returned.form_key
    assert read_standing(account_id=retry.account_id, today=NEXT).binder_received
    assert retry.coverage_sentence == "Received today, your coverage starts February 1, 2027."
    assert Notice.objects.filter(event="payment_received", subject=retry.reference).exists()
    assert make() == 0
    assert send(NEXT)["debits"] == 1


@pytest.mark.parametrize(
    ("day", "made"),
    [
        (date(2027, 1, 18), 0),
        (date(2027, 1, 19), 0),
        (NEXT, 1),
        (date(2027, 1, 21), 1),
        (date(2027, 1, 23), 0),
    ],
)
def test_it_waits_the_policys_banking_days_and_is_made_on_banking_days_alone(
    returned: Payment, day: date, made: int
) -> None:
    assert make(day) == made


def test_it_is_off_unless_turned_on(returned: Payment, settings) -> None:
    settings.PREMIUM_POLICY = {}
    assert make() == 0


def test_the_timetable_makes_them_before_the_file_is_built(returned: Payment) -> None:
    names = [job.name for job in read_timetable()]
    assert names.index("make_retries") < names.index("send_files")
    assert tasks.make_retries(day=NEXT, at=noon(NEXT)) == {"retried": 1}


@pytest.mark.parametrize(("code", "made"), [("R01", 1), ("R09", 1), ("R02", 0), ("R08", 0), ("R10", 0)])
def test_only_a_lack_of_funds_is_sent_again(code: str, made: int) -> None:
    payment = pay(make_account())
    send(TUESDAY)
    return_by_file(payment, code=code)
    assert make() == made


def test_at_most_twice_and_only_while_each_comes_back_for_want_of_funds(returned: Payment) -> None:
    assert make() == 1
    send(NEXT)
    assert make(date(2027, 1, 21)) == 0, "the first is under way"
    return_by_file(Payment.objects.get(retry_number=1), day=date(2027, 1, 22))
    assert make(date(2027, 1, 25)) == 0
    assert make(date(2027, 1, 26)) == 1
    send(date(2027, 1, 26))
    return_by_file(Payment.objects.get(retry_number=2), code="R09", day=date(2027, 1, 28))
    assert make(date(2027, 2, 2)) == 0, "twice is all"
    assert Payment.objects.count() == 3


def test_a_debit_whose_money_was_moved_to_another_account_is_not_sent_again() -> None:
    payment, right = pay(make_account()), make_account()
    send(TUESDAY)
    move(payment.reference, right)
    return_by_file(payment)
    assert make() == 0


@pytest.mark.parametrize("end", ["another return code", "canceled"])
def test_a_retry_that_ended_otherwise_is_the_last(returned: Payment, end: str) -> None:
    make()
    retry = Payment.objects.get(retry_number=1)
    if end == "canceled":
        cancel_payment(payment_id=retry.pk, today=NEXT, at=noon(NEXT), why="by the payer")
    else:
        send(NEXT)
        return_by_file(retry, code="R02", day=date(2027, 1, 22))
    assert make(date(2027, 1, 26)) == 0


@pytest.mark.parametrize(("after", "made"), [(179, 1), (180, 1), (181, 0)])
def test_within_180_days_of_settlement(returned: Payment, after: int, made: int) -> None:
    day = date(2027, 9, 1)  # a Wednesday
    Payment.objects.filter(pk=returned.pk).update(effective_date=day - timedelta(days=after))
    try:
        assert make(day) == made
    finally:
        Payment.objects.filter(pk=returned.pk).update(effective_date=returned.effective_date)


def test_what_was_paid_in_another_way_since_is_not_taken_again(returned: Payment) -> None:
    pay(returned.account, PREMIUM, today=date(2027, 1, 19), number="777888999")
    assert make() == 0


def test_part_of_it_paid_since_leaves_less_than_the_same_amount(returned: Payment) -> None:
    pay(returned.account, 1_00, today=date(2027, 1, 19), number="777888999")
    assert make() == 0


@pytest.mark.parametrize("status", ["blocked", "paused"])
def test_an_account_that_may_not_be_debited_is_not(returned: Payment, status: str) -> None:
    BankAccount.objects.update(status=status)
    assert make() == 0
    BankAccount.objects.update(status="valid")


@pytest.mark.parametrize(("turned_off", "made"), [(False, 1), (True, 0)])
def test_autopay_that_was_turned_off_is_not_drafted_again(turned_off: bool, made: int) -> None:
    mandate = grant_autopay(pay_ahead())
    draft = Payment.objects.create(
        confirmation_number="DRAFT00001",
        account=mandate.account,
        bank_account=mandate.bank_account,
        authorization=mandate.authorization,
        amount_cents=20_00,
        received_date=TUESDAY,
        channel="web",
        form_key=uuid4(),
        coverage_sentence="",
        recorded_at=noon(TUESDAY),
    )
    send(TUESDAY)
    return_by_file(draft)
    if turned_off:
        end_mandates(mandate_ids=[mandate.pk], at=noon(NEXT), why="turned off")
    assert make() == made


def test_what_is_scheduled_since_is_not_taken_again(returned: Payment) -> None:
    payer = make_payer(channel="web", user=make_user(member=returned.account.enrollment.member))
    pay(returned.account, today=BACK, received=date(2027, 1, 22), payer=payer)
    assert make() == 0
