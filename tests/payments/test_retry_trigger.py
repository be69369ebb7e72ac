"""What the database holds against a retry, whatever our own code says: by raw SQL, as the application's role."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from payments.models import Payment
from tests.payments.paying import TUESDAY, make_account, noon, pay

pytestmark = pytest.mark.usefixtures("db")
SETTLED = date(2027, 1, 13)
NEXT = date(2027, 1, 20)
ROADS = {"settled": ("sending", "sent", "settled"), "posted": ("sending", "sent", "settled", "posted")}


def mark(payment_id: int, status: str, code: str) -> None:
    """Where the debit stands; how it got there is another test's matter."""
    for stop in ROADS.get(status, (status,)):
        Payment.objects.filter(pk=payment_id).update(status=stop, return_code=code, effective_date=SETTLED)


@pytest.fixture
def returned() -> Payment:
    payment = pay(make_account())
    mark(payment.pk, "returned", "R01")
    payment.refresh_from_db()
    return payment


def insert(original: Payment, **changes: Any) -> int:
    """A retry as somebody might write it past our code; its id."""
    facts = {
        "confirmation_number": uuid4().hex[:10].upper(),
        "account_id": original.account_id,
        "bank_account_id": original.bank_account_id,
        "authorization_id": original.authorization_id,
        "amount_cents": original.amount_cents,
        "received_date": NEXT,
        "status": "recorded",
        "channel": "guest",
        "form_key": uuid4(),
        "session_digest": "",
        "coverage_sentence": "",
        "receipt_email": "",
        "recorded_at": noon(NEXT),
        "return_code": "",
        "retry_of_id": original.pk,
        "retry_number": 1,
    } | changes
    names = ", ".join(facts)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO payments_payment ({names}) VALUES ({', '.join(['%s'] * len(facts))}) RETURNING id",
            list(facts.values()),
        )
        (key,) = cursor.fetchone()
    return int(key)


def test_these_tests_sign_in_as_the_application_and_not_as_the_owner(settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, %s, 'member'), tableowner = current_user "
            "FROM pg_tables WHERE tablename = 'payments_payment'",
            [settings.APPLICATION_ROLE],
        )
        assert cursor.fetchone() == (True, False)


def test_the_same_debit_may_be_sent_again_twice_each_after_the_one_before(returned: Payment) -> None:
    first = insert(returned)
    with pytest.raises(IntegrityError, match="follows the return of the one before it"):
        insert(returned, retry_number=2)
    mark(first, "returned", "R09")
    second = insert(returned, retry_number=2)
    mark(second, "returned", "R01")
    with pytest.raises(IntegrityError):
        insert(returned, retry_number=3)


@pytest.mark.parametrize(("status", "code"), [("returned", "R02"), ("canceled", ""), ("settled", "")])
def test_a_second_follows_only_a_first_that_lacked_funds_too(
    returned: Payment, status: str, code: str
) -> None:
    mark(insert(returned), status, code)
    with pytest.raises(IntegrityError, match="follows the return of the one before it"):
        insert(returned, retry_number=2)


@pytest.mark.parametrize("number", [0, 2, 3])
def test_retries_are_numbered_from_one(returned: Payment, number: int) -> None:
    with pytest.raises(IntegrityError):
        insert(returned, retry_number=number)


def test_one_retry_of_a_number(returned: Payment) -> None:
    insert(returned)
    with pytest.raises(IntegrityError):
        insert(returned)


def test_a_retry_of_a_retry_is_none(returned: Payment) -> None:
    first = insert(returned)
    mark(first, "returned", "R01")
    with pytest.raises(IntegrityError, match="names the original debit"):
        insert(Payment.objects.get(pk=first))


@pytest.mark.parametrize("column", ["account_id", "bank_account_id", "authorization_id", "amount_cents"])
def test_it_is_the_same_debit(returned: Payment, column: str) -> None:
    other = pay(make_account(), 10_00, number="777888999")
    with pytest.raises(IntegrityError, match="the same debit, unchanged"):
        insert(returned, **{column: getattr(other, column)})


@pytest.mark.parametrize(
    ("status", "code"),
    [("settled", ""), ("posted", ""), ("canceled", ""), ("returned", "R10"), ("returned", "")],
)
def test_only_what_came_back_for_want_of_funds(status: str, code: str) -> None:
    payment = pay(make_account())
    mark(payment.pk, status, code)
    payment.refresh_from_db()
    with pytest.raises(IntegrityError, match="only a debit returned for want of funds"):
        insert(payment)


@pytest.mark.parametrize(("days", "taken"), [(179, True), (180, True), (181, False)])
def test_within_180_days_of_settlement(returned: Payment, days: int, taken: bool) -> None:
    received = SETTLED + timedelta(days=days)
    if taken:
        assert insert(returned, received_date=received)
        return
    with pytest.raises(IntegrityError, match="within 180 days"):
        insert(returned, received_date=received)


def test_a_debit_that_never_had_a_day_has_no_180_days(returned: Payment) -> None:
    Payment.objects.filter(pk=returned.pk).update(effective_date=None)
    with pytest.raises(IntegrityError, match="within 180 days"):
        insert(returned, received_date=TUESDAY)
