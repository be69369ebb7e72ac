"""The self-check sees what is wrong with payments, and the application's role cannot do most of it."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError

from connector_pay.self_check import find_violations
from payments.autopay.drafting import draft_all
from payments.bank_accounts import approve
from payments.models import (
    Authorization,
    BankAccount,
    BankFile,
    DraftAnnouncement,
    FileChunk,
    FileEntry,
    FileMove,
    Payment,
    PaymentMove,
    PhoneCall,
    ReturnLine,
)
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import TUESDAY, live, make_account, noon, pay, read, send, settle

pytestmark = pytest.mark.usefixtures("db")
WEDNESDAY = date(2027, 1, 13)


def list_broken() -> set[str]:
    return {violation.name for violation in find_violations()}


def settle_one(number: str = "482001234567") -> Payment:
    payment = pay(make_account(), number=number)
    send(TUESDAY)
    read(WEDNESDAY)
    settle(WEDNESDAY)
    payment.refresh_from_db()
    return payment


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("status", "posted", {"I7 payments", "I17 receipts"}),
        ("status", "returned", {"I10 returned once", "I17 cash at the bank"}),
        ("effective_date", None, {"I9 one line in one file"}),
        ("effective_date", date(2027, 1, 11), {"I4 within the authorization"}),
    ],
)
def test_a_payment_changed_behind_the_rules_is_found(column: str, value: object, found: set[str]) -> None:
    payment = settle_one()
    assert list_broken() == set()
    Payment.objects.filter(pk=payment.pk).update(**{column: value})
    assert found <= list_broken()


def test_a_bank_file_and_a_bank_account_changed_behind_the_rules_are_found() -> None:
    settle_one()
    file = BankFile.objects.get(direction="out")
    FileMove.objects.create(file=file, before="accepted", after="rejected", at=noon(WEDNESDAY))
    BankAccount.objects.update(status="blocked")
    assert {"I7 bank files", "I7 bank accounts"} <= list_broken()


def test_a_move_that_no_arrow_allows_is_found() -> None:
    payment = settle_one()
    PaymentMove.objects.create(payment=payment, before="settled", after="canceled", at=noon(WEDNESDAY))
    PaymentMove.objects.create(payment=payment, before="canceled", after="settled", at=noon(WEDNESDAY))
    assert "I7 payments" in list_broken()


def test_a_gap_in_a_history_is_found() -> None:
    payment = settle_one()
    PaymentMove.objects.create(payment=payment, before="sent", after="settled", at=noon(WEDNESDAY))
    assert "I7 payments" in list_broken()


def test_a_part_added_to_a_stored_file_is_found() -> None:
    from payments.ach.stored_files import store_chunk

    settle_one()
    store_chunk(file_id=BankFile.objects.get(direction="out").pk, number=1, clear=b"more\n")
    assert "I2 stored files" in list_broken()


@pytest.mark.parametrize(
    "act",
    [
        lambda: Payment.objects.update(amount_cents=1),
        lambda: Payment.objects.all()._raw_delete("default"),
        lambda: Authorization.objects.update(text="something else"),
        lambda: PaymentMove.objects.update(after="posted"),
        lambda: FileEntry.objects.update(trace="0"),
        lambda: FileChunk.objects.all()._raw_delete("default"),
        lambda: BankFile.objects.update(sha256="0"),
        lambda: ReturnLine.objects.update(applied=False),
    ],
)
def test_the_application_cannot_rewrite_what_happened(act: Callable[[], object]) -> None:
    settle_one("1000000001")
    live(date(2027, 1, 14), date(2027, 1, 19))
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        act()


@pytest.fixture
def draft() -> Payment:
    """AutoPay's draft of January 22."""
    (mandate,) = turn_on(make_account(), at=noon(TUESDAY))
    approve(bank_account=mandate.bank_account, at=noon(TUESDAY))
    draft_all(today=date(2027, 1, 21), at=noon(date(2027, 1, 21)))
    assert list_broken() == set()
    return Payment.objects.get()


def add_like(draft: Payment, **changes: object) -> None:
    """Another draft behind the rules."""
    draft.pk, draft.confirmation_number, draft.form_key = None, "ABCDEFGHJK", uuid4()
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.save(force_insert=True)


def test_a_draft_above_what_was_announced_is_found(draft: Payment) -> None:
    day = date(2027, 2, 22)
    DraftAnnouncement.objects.create(
        account=draft.account,
        draft_date=day,
        amount_cents=draft.amount_cents,
        announced_on=TUESDAY,
        at=noon(TUESDAY),
    )
    with transaction.atomic():
        add_like(draft, received_date=day)
        assert list_broken() == set()
        transaction.set_rollback(True)
    add_like(draft, received_date=day, amount_cents=draft.amount_cents + 1)
    assert list_broken() == {"I4 drafted as announced"}


def test_a_draft_without_a_standing_permission_is_found(draft: Payment) -> None:
    other = pay(draft.account, 10_00)
    add_like(
        draft,
        authorization=other.authorization,
        bank_account=other.bank_account,
        amount_cents=1_00,
        received_date=date(2027, 1, 23),
    )
    assert "I4 drafted as announced" in list_broken()


def test_a_second_draft_in_a_month_is_found(draft: Payment) -> None:
    add_like(draft, received_date=date(2027, 1, 23))
    assert "I4 one draft a month" in list_broken()


def test_a_call_that_goes_on_after_its_payment_is_found() -> None:
    payment = settle_one()
    call = {"form_key": payment.form_key, "language": "en", "step": "review"}
    moments = dict.fromkeys(("started_at", "said_at", "expires_at"), noon(TUESDAY))
    PhoneCall.objects.create(call_id="CA1", **call, **moments)
    assert {"I4 paid by phone", "I16 calls"} <= list_broken()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        PhoneCall.objects.update(form_key=uuid4())
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        PhoneCall.objects.all()._raw_delete("default")
