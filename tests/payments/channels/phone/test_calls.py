"""Calls from the first word to the receipt, over the webhooks."""

import pytest

from payments.channels.phone.speech import spell_number
from payments.models import Payment
from tests.diary import Diary, eastern
from tests.payments.channels.phone.calling import key_in, list_bank, make_call, write
from tests.payments.payers import make_household


@pytest.fixture
def _noon_of_january_20(diary: Diary) -> None:
    """The day of these tests."""


pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("_noon_of_january_20")]


def test_both_bills_are_paid_in_one_call() -> None:
    member = make_household(products=("health", "dental"))
    call = make_call()
    heard = key_in(call, "1", member.member_id, "04091986", "3", "1", "2", "31*50", *list_bank(), "1")
    assert heard.is_over
    paid = Payment.objects.order_by("pk")
    assert [(payment.amount_cents, payment.channel) for payment in paid] == [
        (284_17, "phone"),
        (31_50, "phone"),
    ]
    for payment in paid:
        number = spell_number(payment.confirmation_number, language="en")
        assert write(heard).count(f"confirmation number is: {number}.") == 2
