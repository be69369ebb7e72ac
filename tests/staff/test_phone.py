"""A payment by phone: what is read aloud, the caller's yes, who heard it, a written confirmation; once, and by who may."""

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Account
from connector_pay.self_check import find_violations
from members.models import Notice
from payments.models import Payment
from payments.received_dates import may_be_corrected
from tests.diary import eastern
from tests.payments.payers import fill_bank, read, read_hidden
from tests.payments.paying import PREMIUM, TUESDAY, make_account
from tests.staff.acts import make_clerk

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """Tuesday at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12), tick=False) as traveller:
        yield traveller
        assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


@pytest.fixture
def clerk() -> Client:
    return make_clerk("take_phone_payment")


def ask(clerk: Client, account: Account, **typed: str) -> HttpResponse:
    """Fill in what the caller says; the page to read aloud, or the form again."""
    facts = fill_bank(**{f"amount_{account.pk}": "284.17", "language": "en", **typed})
    return clerk.post(reverse("admin:payments_payment_phone", args=[account.pk]), facts, follow=True)


def say_yes(clerk: Client, page: HttpResponse, **typed: str) -> HttpResponse:
    address = page.redirect_chain[-1][0]
    sent = {"token": read_hidden(page, "token"), "said_yes": "on", **typed}
    return clerk.post(address, {name: value for name, value in sent.items() if value}, follow=True)


def test_what_is_read_names_all_that_the_rule_asks_and_the_yes_makes_the_payment_once(
    clerk: Client, account: Account
) -> None:
    page = ask(clerk, account)
    words = read(page)
    assert "Received today, your coverage starts February 1, 2027." in words
    for named in (
        "Today is January 12, 2027",
        "$284.17, one time only",
        "ending in 6789",
        "January 12",
        "1-877",
    ):
        assert named in words
    assert "48200123456789" not in page.content.decode()
    assert not Payment.objects.exists()
    answer = say_yes(clerk, page)
    assert "Read the confirmation number to the caller" in read(answer)
    assert "Read the confirmation number" in read(say_yes(clerk, page))
    payment = Payment.objects.get()
    proof = payment.authorization
    assert (payment.channel, payment.received_date, payment.amount_cents) == ("phone", TUESDAY, PREMIUM)
    assert (proof.sec_code, proof.taken_by_id, proof.given_by) == ("TEL", _user(clerk), None)
    assert proof.text.endswith("Do you agree?")
    assert payment.bank_account.owner is None
    assert may_be_corrected(receipt=account.receipts.get())
    told = Notice.objects.get(event="payment_received")
    assert (told.member, told.facts["last_four"]) == (account.enrollment.member, "6789")


def test_without_the_yes_nothing_is_recorded(clerk: Client, account: Account) -> None:
    page = ask(clerk, account)
    assert "Tick “The caller said yes” once the caller has said so" in read(say_yes(clerk, page, said_yes=""))
    assert not Payment.objects.exists()


def test_what_is_no_longer_so_is_read_once_more(account: Account, books) -> None:
    books.move_to(eastern(2027, 1, 23, 23, 58))
    clerk = make_clerk("take_phone_payment")
    page = ask(clerk, account)
    books.move_to(eastern(2027, 1, 24, 0, 1))
    assert "Read the words once more" in read(say_yes(clerk, page))
    assert not Payment.objects.exists()


def test_a_caller_who_is_not_the_member_gets_the_confirmation_and_the_member_hears_no_account(
    clerk: Client, account: Account
) -> None:
    page = ask(clerk, account, receipt_email="aunt@example.org", holder_name="Rosa Delgado")
    assert "the member's coverage starts February 1" in read(page).replace("’", "'")
    say_yes(clerk, page)
    told = Notice.objects.filter(event="payment_received")
    assert told.get(address="aunt@example.org").facts["last_four"] == "6789"
    assert told.get(member=account.enrollment.member).facts["last_four"] == ""


def test_health_and_dental_are_both_paid_in_one_call(clerk: Client, account: Account) -> None:
    dental = make_account(member=account.enrollment.member, product="dental", premium_cents=31_50)
    page = ask(clerk, account, **{f"amount_{dental.pk}": "31.50"})
    say_yes(clerk, page)
    assert sorted(Payment.objects.values_list("amount_cents", flat=True)) == [31_50, PREMIUM]


def test_a_card_and_no_amount_are_refused_in_words(clerk: Client, account: Account) -> None:
    card = "4111111111111111"
    words = read(ask(clerk, account, account_number=card, **{f"amount_{account.pk}": ""}))
    assert "We cannot take cards" in words
    assert "Enter an amount for one bill or more" in words


def test_who_only_sees_takes_none_and_nobody_reads_another_s_call(clerk: Client, account: Account) -> None:
    reader = make_clerk("view_payment")
    assert reader.get(reverse("admin:payments_payment_phone", args=[account.pk])).status_code == 403
    page = ask(clerk, account)
    address = page.redirect_chain[-1][0]
    assert reader.get(address).status_code == 403
    assert "Begin again" in read(make_clerk("take_phone_payment").get(address, follow=True))


def _user(client: Client) -> int:
    return int(client.session["_auth_user_id"])
