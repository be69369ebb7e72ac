"""Two payments without funds in six months pause the bank account, whoever types it, never the member."""

from datetime import date
from uuid import uuid4

import pytest

from members.models import Notice
from payments.bank_accounts import approve, register
from payments.bank_numbers import UnableToUseBankAccount
from payments.mandates import Grant, grant_mandates
from payments.models import BankAccount, Payment, PaymentStatus
from payments.pausing import UnableToLiftPause, find_first_day, lift_pause
from payments.returns import PaymentReturn, return_payments
from tests.payments.paying import GOOD, TUESDAY, make_account, make_details, make_payer, noon, pay
from tests.payments.test_consequences import grant_autopay
from tests.people import make_user

pytestmark = pytest.mark.usefixtures("db")
FIRST = date(2027, 1, 15)


def come_back(payment: Payment, *, day: date, code: str = "R01") -> None:
    """As if it had gone out: the bank's file is another test's matter."""
    for status in ("sending", "sent"):
        Payment.objects.filter(pk=payment.pk).update(status=status, effective_date=TUESDAY)
    returned = PaymentReturn(payment_id=payment.pk, code=code, why="no money")
    assert return_payments(returns=[returned], today=day, at=noon(day)) == [payment.pk]


def pay_once(number: str = GOOD, **facts: object) -> Payment:
    return pay(make_account(), 10_00, number=number, **facts)


def read_statuses() -> list[str]:
    return sorted(BankAccount.objects.values_list("status", flat=True))


@pytest.mark.parametrize(
    ("second", "paused"),
    [
        (date(2027, 1, 15), True),
        (date(2027, 7, 14), True),
        (date(2027, 7, 15), True),
        (date(2027, 7, 16), False),
    ],
)
def test_the_second_within_six_months_pauses_every_row_of_the_account(second: date, paused: bool) -> None:
    payments = [pay_once(), pay_once(), pay_once("777888999")]
    come_back(payments[0], day=FIRST)
    assert "paused" not in read_statuses()
    come_back(payments[1], day=second, code="R09")
    assert read_statuses() == (["paused", "paused", "unchecked"] if paused else ["unchecked"] * 3)


def test_six_months_are_calendar_months() -> None:
    assert find_first_day(today=date(2027, 7, 15), months=6) == date(2027, 1, 15)
    assert find_first_day(today=date(2027, 8, 31), months=6) == date(2027, 2, 28)
    assert find_first_day(today=date(2028, 8, 31), months=6) == date(2028, 2, 29)
    assert find_first_day(today=date(2027, 6, 30), months=6) == date(2026, 12, 30)


@pytest.mark.parametrize("code", ["R02", "R08", "R10"])
def test_another_reason_does_not_count(code: str) -> None:
    payments = [pay_once(), pay_once()]
    come_back(payments[0], day=FIRST)
    come_back(payments[1], day=FIRST, code=code)
    assert "paused" not in read_statuses()


def test_a_retry_does_not_count_as_a_payment() -> None:
    payment = pay_once()
    come_back(payment, day=FIRST)
    retry = Payment.objects.create(
        confirmation_number="RETRY00001",
        account=payment.account,
        bank_account=payment.bank_account,
        authorization=payment.authorization,
        amount_cents=payment.amount_cents,
        received_date=FIRST,
        channel="guest",
        form_key="00000000-0000-0000-0000-000000000001",
        coverage_sentence="",
        recorded_at=noon(FIRST),
        retry_of=payment,
        retry_number=1,
    )
    come_back(retry, day=FIRST)
    assert "paused" not in read_statuses()


def test_a_paused_account_is_refused_whoever_types_it_and_another_is_taken() -> None:
    for payment in [pay_once(), pay_once()]:
        come_back(payment, day=FIRST)
    for owner in (None, make_user()):
        with pytest.raises(UnableToUseBankAccount, match=r"are paused\. Use another account or call us"):
            register(details=make_details(), owner=owner, at=noon(FIRST))
        assert register(details=make_details("777888999"), owner=owner, at=noon(FIRST))


def test_a_saved_account_that_is_paused_is_refused_for_payments_and_for_autopay() -> None:
    account = make_account()
    payer = make_payer(channel="web", user=make_user(member=account.enrollment.member))
    first, second, waiting = (pay(account, cents, payer=payer) for cents in (10_00, 11_00, 12_00))
    mandate = grant_autopay(first)
    come_back(first, day=FIRST)
    come_back(second, day=FIRST)
    from tests.payments.paying import make_item, pay_items

    waiting.refresh_from_db()
    mandate.refresh_from_db()
    assert (waiting.status, mandate.status) == (PaymentStatus.CANCELED, "stopped")
    facts = Notice.objects.get(event="bank_account_stopped", channel="letter").facts
    assert (facts["state"], facts["canceled"], facts["autopay"]) == ("paused", 1, True)
    saved = BankAccount.objects.get(pk=first.bank_account_id)
    with pytest.raises(UnableToUseBankAccount, match="paused"):
        pay_items([make_item(account, 10_00)], bank=saved, payer=payer)
    with pytest.raises(UnableToUseBankAccount, match="paused"):
        grant_mandates(
            grants=[Grant(mandate.authorization, drafts_from=mandate.drafts_from)],
            bank_account=saved,
            form_key=uuid4(),
            at=noon(FIRST),
        )
    assert pay(account, 10_00, number="777888999", payer=payer), "never the member"


def test_staff_lift_a_pause_with_a_reason_and_what_was_before_counts_no_more() -> None:
    payments = [pay_once() for _ in range(4)]
    for payment in payments[:2]:
        approve(bank_account=payment.bank_account, at=noon(TUESDAY))
        come_back(payment, day=FIRST)
    # what was waiting on the other rows is stopped by the next run; here the rows alone matter
    lifted_at = noon(date(2027, 1, 20))
    with pytest.raises(UnableToLiftPause, match="Say why"):
        lift_pause(bank_account_id=payments[0].bank_account_id, at=lifted_at, why=" ")
    rows = lift_pause(bank_account_id=payments[0].bank_account_id, at=lifted_at, why="wages came late")
    assert len(rows) == 4
    assert set(read_statuses()) == {"valid"}
    with pytest.raises(UnableToLiftPause, match="is not paused"):
        lift_pause(bank_account_id=payments[0].bank_account_id, at=lifted_at, why="again")

    third = pay_once(today=date(2027, 1, 21))
    come_back(third, day=date(2027, 1, 25))
    assert "paused" not in read_statuses()
    fourth = pay_once(today=date(2027, 1, 26))
    come_back(fourth, day=date(2027, 1, 28))
    assert "paused" in read_statuses()
