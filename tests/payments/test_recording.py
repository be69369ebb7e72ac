"""Recording: all or none, once a form, within the limits, the proof kept; scheduled money waits for its day."""

import threading
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.balances import read_standing
from billing.models import Account, Receipt
from members.models import Notice
from payments import recording
from payments.bank_accounts import register
from payments.bank_numbers import UnableToUseBankAccount
from payments.canceling import UnableToCancel, cancel_payment
from payments.models import Authorization, BankAccount, Payment, PaymentChannel, PaymentStatus
from payments.recording import UnableToRecord, credit_due
from tests import people
from tests.payments.paying import (
    PREMIUM,
    TUESDAY,
    make_account,
    make_details,
    make_item,
    make_payer,
    noon,
    pay,
    pay_items,
    send,
)

WEDNESDAY = date(2027, 1, 13)
DUE = date(2027, 1, 23)


def make_member_payer(account: Account):
    user = people.make_user(member=account.enrollment.member)
    return make_payer(channel=PaymentChannel.WEB, user=user)


@pytest.mark.usefixtures("books")
def test_health_and_dental_in_one_visit_are_two_authorizations_two_payments_and_two_numbers() -> None:
    member = people.make_member()
    health = make_account(member=member)
    dental = make_account(member=member, product="dental", premium_cents=31_50)
    payments = pay_items([make_item(health), make_item(dental, 31_50)])
    assert [payment.amount_cents for payment in payments] == [PREMIUM, 31_50]
    assert len({payment.confirmation_number for payment in payments}) == 2
    assert len({payment.authorization_id for payment in payments}) == 2
    assert len({payment.bank_account_id for payment in payments}) == 1
    assert Receipt.objects.count() == 2
    assert Notice.objects.filter(event="payment_received").count() == 2


@pytest.mark.usefixtures("books")
def test_of_two_payments_one_out_of_bounds_leaves_none() -> None:
    member = people.make_member()
    health, dental = (
        make_account(member=member),
        make_account(member=member, product="dental", premium_cents=31_50),
    )
    with pytest.raises(UnableToRecord):
        pay_items([make_item(health), make_item(dental, 9_000_00)])
    assert (Payment.objects.count(), Authorization.objects.count(), BankAccount.objects.count()) == (0, 0, 0)


@pytest.mark.usefixtures("books")
def test_the_same_form_twice_is_one_payment() -> None:
    account, form_key = make_account(), uuid4()
    first = pay_items([make_item(account)], form_key=form_key)
    again = pay_items([make_item(account, 10_00)], form_key=form_key)
    assert [payment.pk for payment in again] == [payment.pk for payment in first]
    assert (Payment.objects.count(), BankAccount.objects.count()) == (1, 1)


@pytest.mark.usefixtures("books")
def test_another_form_is_another_payment() -> None:
    account = make_account()
    pay_items([make_item(account)])
    pay_items([make_item(account, 10_00)])
    assert Payment.objects.count() == 2


@pytest.mark.usefixtures("books")
def test_the_proof_keeps_what_was_agreed_how_and_from_where() -> None:
    account = make_account()
    payer = make_payer(address="192.0.2.7", browser="Firefox", language="es")
    item = make_item(account)
    (payment,) = pay_items([item], payer=payer)
    proof = payment.authorization
    assert (proof.text, proof.language, proof.given_at) == (item.authorization_text, "es", noon(TUESDAY))
    assert (proof.address, proof.browser, proof.account_last_four) == ("192.0.2.7", "Firefox", "4567")
    assert (proof.amount_cents, proof.debit_on_or_after, proof.recurring) == (PREMIUM, TUESDAY, False)


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("cents", "taken"), [(99, False), (1_00, True), (PREMIUM * 4, True), (PREMIUM * 4 + 1, False)]
)
def test_the_amount_is_at_least_a_dollar_and_at_most_what_is_due_and_three_premiums(
    cents: int, taken: bool
) -> None:
    account = make_account()
    if taken:
        assert pay(account, cents).amount_cents == cents
    else:
        with pytest.raises(UnableToRecord, match=r"Enter an amount of"):
            pay(account, cents)


@pytest.mark.usefixtures("books")
def test_a_premium_of_twenty_cents_can_be_paid() -> None:
    assert pay(make_account(premium_cents=20), 20).amount_cents == 20


@pytest.mark.usefixtures("books")
def test_a_guest_who_was_shown_nothing_has_the_flat_limit_alone() -> None:
    account = make_account()
    with pytest.raises(UnableToRecord):
        pay_items([make_item(account, 5_000_00)])
    (payment,) = pay_items([make_item(account, 5_000_00, due_was_shown=False)])
    assert payment.amount_cents == 5_000_00


@pytest.mark.usefixtures("books")
def test_a_day_that_has_passed_and_one_after_the_due_date_are_refused() -> None:
    account = make_account()
    payer = make_member_payer(account)
    with pytest.raises(UnableToRecord):
        pay_items([make_item(account, received=date(2027, 1, 11))], payer=payer)
    with pytest.raises(UnableToRecord):
        pay_items([make_item(account, received=date(2027, 1, 24))], payer=payer)
    assert pay_items([make_item(account, received=DUE)], payer=payer)


@pytest.mark.usefixtures("books")
def test_a_guest_pays_today_or_not_at_all() -> None:
    with pytest.raises(UnableToRecord, match="sign in"):
        pay(make_account(), received=DUE)


@pytest.mark.usefixtures("books")
def test_a_scheduled_payment_counts_on_its_day_and_not_before() -> None:
    account = make_account()
    pay(account, received=WEDNESDAY, payer=make_member_payer(account))
    assert Receipt.objects.count() == 0
    assert Notice.objects.filter(event="payment_scheduled").exists()
    assert credit_due(today=TUESDAY, at=noon(TUESDAY)) == 0
    assert credit_due(today=WEDNESDAY, at=noon(WEDNESDAY)) == 1
    assert credit_due(today=WEDNESDAY, at=noon(WEDNESDAY)) == 0
    assert read_standing(account_id=account.pk, today=WEDNESDAY).binder_received


@pytest.mark.usefixtures("books")
def test_a_scheduled_payment_goes_into_the_file_of_the_banking_day_before_and_counts_while_it_is_under_way() -> (
    None
):
    account = make_account()
    payment = pay(account, received=WEDNESDAY, payer=make_member_payer(account), today=date(2027, 1, 8))
    assert send(date(2027, 1, 11))["debits"] == 0
    assert send(TUESDAY)["debits"] == 1
    assert credit_due(today=WEDNESDAY, at=noon(WEDNESDAY)) == 1
    payment.refresh_from_db()
    assert payment.effective_date == WEDNESDAY


@pytest.mark.usefixtures("books")
def test_a_recorded_payment_can_be_canceled_and_was_never_received() -> None:
    account = make_account()
    payment = pay(account)
    cancel_payment(payment_id=payment.pk, today=TUESDAY, at=noon(TUESDAY), why="canceled by the payer")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELED
    assert read_standing(account_id=account.pk, today=TUESDAY).due_cents == PREMIUM
    assert Notice.objects.filter(event="payment_canceled").exists()
    assert send(TUESDAY)["debits"] == 0


@pytest.mark.usefixtures("books")
def test_a_payment_in_a_bank_file_can_no_longer_be_canceled() -> None:
    payment = pay(make_account())
    send(TUESDAY)
    with pytest.raises(UnableToCancel):
        cancel_payment(payment_id=payment.pk, today=TUESDAY, at=noon(TUESDAY), why="too late")


@pytest.mark.usefixtures("books")
def test_a_card_number_is_refused_unless_the_payer_says_that_it_is_none() -> None:
    account = make_account()
    card = "4242424242424242"
    with pytest.raises(UnableToUseBankAccount, match="card"):
        pay(account, number=card)
    assert BankAccount.objects.count() == 0
    (payment,) = pay_items([make_item(account)], bank=make_details(card, not_a_card=True))
    assert payment.bank_account.last_four == "4242"


@pytest.mark.usefixtures("books")
def test_an_account_that_failed_its_validation_is_not_taken_again() -> None:
    account = make_account()
    pay(account, number="1000000099")
    send(TUESDAY)
    with pytest.raises(UnableToUseBankAccount):
        pay(account, number="1000000099")


@pytest.mark.usefixtures("books")
def test_a_saved_account_is_used_by_its_owner_alone() -> None:
    account = make_account()
    payer = make_member_payer(account)
    saved = register(details=make_details(), owner=payer.user, at=noon(TUESDAY))
    with pytest.raises(UnableToRecord):
        pay_items([make_item(account)], bank=saved)
    (payment,) = pay_items([make_item(account)], bank=saved, payer=payer)
    assert payment.bank_account == saved


@pytest.mark.usefixtures("books")
def test_a_payment_takes_few_statements() -> None:
    account = make_account()
    items = [make_item(account)]
    with CaptureQueriesContext(connection) as statements:
        from payments.recording import record_payments

        record_payments(
            payer=make_payer(),
            bank=make_details(),
            items=items,
            form_key=uuid4(),
            today=TUESDAY,
            at=noon(TUESDAY),
        )
    real = [s["sql"] for s in statements.captured_queries if "SAVEPOINT" not in s["sql"]]
    assert len(real) <= 20, "\n".join(s[:90] for s in real)


def test_fifty_at_once_with_the_same_form_make_one_payment(committed_db) -> None:
    account, form_key = make_account(), uuid4()
    item = make_item(account)
    barrier, seen = threading.Barrier(50), []

    def press() -> None:
        barrier.wait()
        try:
            seen.append([payment.pk for payment in pay_items([item], form_key=form_key)])
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Payment.objects.count() == 1
    assert seen == [[Payment.objects.get().pk]] * 50


def test_even_without_the_lock_the_form_s_key_decides(committed_db, monkeypatch) -> None:
    from payments import recording

    monkeypatch.setattr(recording, "lock_accounts", lambda *, account_ids: [])
    account, form_key = make_account(), uuid4()
    item = make_item(account)
    barrier, seen = threading.Barrier(8), []

    def press() -> None:
        barrier.wait()
        try:
            seen.append([payment.pk for payment in pay_items([item], form_key=form_key)])
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[Payment.objects.get().pk]] * 8


@pytest.mark.usefixtures("books")
def test_two_halves_of_a_first_bill_count_together_however_late_the_run_and_small_its_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "CHUNK", 1)
    account = make_account()
    payer = make_member_payer(account)
    for cents in (140_00, PREMIUM - 140_00):
        pay(account, cents, received=WEDNESDAY, payer=payer)
    pay(make_account(), today=TUESDAY)
    late = date(2027, 2, 2)
    assert credit_due(today=late, at=noon(late)) == 2
    account.enrollment.refresh_from_db()
    assert account.enrollment.coverage_start == date(2027, 2, 1)
    assert not Notice.objects.filter(event="start_pushed").exists()
