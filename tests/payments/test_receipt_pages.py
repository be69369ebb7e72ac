"""A receipt says how far its payment has come, what is still to come, and whom it paid."""

from datetime import date

import pytest
from django.conf import settings
from django.test import Client

from connector_pay.lib import clock
from payments.models import Payment
from payments.receipts import Step, list_steps
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.payers import (
    authorize,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = pytest.mark.starts(eastern(2027, 1, 20))


@pytest.fixture
def household(diary: Diary):
    """A member whose first bill is due."""
    return make_household()


def list_words(*, shows_coverage: bool = True) -> list[tuple[str, str]]:
    """The one payment's steps as they stand: their state and words."""
    steps: list[Step] = list_steps(
        payment=Payment.objects.get(), today=clock.today(), at=clock.now(), shows_coverage=shows_coverage
    )
    return [(step.state, step.words) for step in steps]


def pay(member) -> Client:
    """The member pays the first bill online."""
    client = sign_in(member)
    authorize(client, go_to_review(client, start(client), {}))
    return client


def test_steps_to_come_are_said_as_still_to_come(household) -> None:
    client = pay(household)
    assert list_words() == [
        ("done", "Received"),
        ("coming", "Will be sent to the bank"),
        ("coming", "Expected to be final, unless the bank sends it back"),
        ("coming", "Coverage will be confirmed once the whole first bill has cleared"),
    ]
    page = read(client.get(f"/receipts/{Payment.objects.get().confirmation_number}/"))
    assert "Received (done) January 20, 2027" in page
    assert "Will be sent to the bank (not yet)" in page
    assert "(not yet) January 26, 2027" in page
    assert f"Paid to {settings.EXCHANGE['name']}" in page


def test_a_first_payment_goes_on_to_the_coverage_it_starts(household, diary: Diary) -> None:
    pay(household)
    paying.send(date(2027, 1, 20))
    for day in (date(2027, 1, 21), date(2027, 1, 26)):
        paying.read(day)
        paying.settle(day)
    diary.go_to(eastern(2027, 1, 26))
    assert list_words() == [
        ("done", "Received"),
        ("done", "Sent to the bank"),
        ("done", "Cleared. The payment is final."),
        ("done", "Coverage confirmed"),
    ]


def test_nobody_but_the_member_reads_of_coverage_on_a_receipt(household) -> None:
    client = Client()
    amount = find_as_guest(client, household.member_id)["Location"]
    authorize(client, go_to_review(client, amount, {"product": "health", "amount": "284.17"}))
    address = f"/receipts/{Payment.objects.get().confirmation_number}/"
    assert "Coverage will be confirmed" not in read(client.get(address))
    assert "Coverage will be confirmed" in read(sign_in(household).get(address))


def test_a_scheduled_payment_is_not_yet_received(household) -> None:
    client = sign_in(household)
    authorize(client, go_to_review(client, start(client), {"when": "later", "later": "2027-01-23"}))
    assert list_words()[0] == ("coming", "Will count as received")
    assert list_words()[-1][1].startswith("Coverage will be confirmed")
