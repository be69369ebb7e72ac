"""Households that call: what they mean to pay is paid, in one call or several, and what is refused is not."""

from collections.abc import Iterator

import pytest
import time_machine

from billing.models import Account
from connector_pay.lib import clock
from connector_pay.simulation import calling
from connector_pay.simulation.calling import pay_by_phone
from connector_pay.simulation.chances import roll
from payments.bank_accounts import BankDetails
from payments.drafts import Chosen
from payments.models import BankAccount, BankAccountStatus, Payment, PhoneCall
from payments.payables import list_payables
from payments.recording import UnableToRecord
from tests.diary import eastern
from tests.payments.channels.phone.calling import ACCOUNT, MEMBER_ID, ROUTING
from tests.payments.payers import make_household


@pytest.fixture(autouse=True)
def _noon_of_january_20(db: None) -> Iterator[None]:
    """The day of these tests."""
    with time_machine.travel(eastern(2027, 1, 20), tick=False):
        yield


def call(*amounts: int, language: str = "en", kind: str = "checking") -> list[Payment]:
    """The household pays so much of its health bill, and of its dental bill."""
    accounts = Account.objects.values_list("pk", flat=True)
    payables = list_payables(account_ids=accounts, today=clock.today())
    return pay_by_phone(
        member_id=MEMBER_ID,
        language=language,
        payables=payables,
        chosen=[Chosen(item.account_id, cents) for item, cents in zip(payables, amounts, strict=False)],
        bank=BankDetails("Alice Alvarez", kind, ROUTING, ACCOUNT),
        dice=roll("call", amounts, language),
        at=clock.now(),
    )


@pytest.mark.parametrize("knows", [0, 100])
def test_what_a_household_means_to_pay_is_paid(monkeypatch: pytest.MonkeyPatch, knows: int) -> None:
    monkeypatch.setattr(calling, "GIVES_DATE_OF_BIRTH", knows)
    monkeypatch.setattr(calling, "SENDS_FORM_TWICE", 100)
    make_household(products=("health", "dental"), member_id=MEMBER_ID)
    assert [payment.amount_cents for payment in call(284_17, 40_00, language="es")] == [284_17, 40_00]
    assert [payment.amount_cents for payment in call(5_00, kind="savings")] == [5_00]
    assert Payment.objects.count() == 3
    assert PhoneCall.objects.filter(step="over").count() == 2


def test_a_call_that_is_refused_makes_no_payment() -> None:
    make_household(member_id=MEMBER_ID)
    with pytest.raises(UnableToRecord):
        call(99_999_99)
    call(1_00)
    BankAccount.objects.update(status=BankAccountStatus.PAUSED)
    with pytest.raises(UnableToRecord):
        call(2_00)
    assert Payment.objects.count() == 1
    assert not PhoneCall.objects.exclude(step="over").exists()
