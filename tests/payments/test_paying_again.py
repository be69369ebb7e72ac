"""Paying again what came back: one link leads to the bank account, with the bill and the amount as before."""

import re
from datetime import date

import pytest
from django.test import Client

from billing.invoices import issue_missing
from members.models import EnrollmentStatus, Member, Notice
from members.notices import write
from payments.models import Payment, PaymentStatus
from payments.returns import PaymentReturn, return_payments
from tests import people
from tests.diary import eastern
from tests.payments import paying
from tests.payments.payers import (
    authorize,
    fill_bank,
    find_account,
    make_household,
    read,
    read_title,
    sign_in,
)

TODAY = date(2027, 1, 20)
pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]


def return_one(member: Member, *, cents: int = 284_17) -> Payment:
    """A payment of the member's health bill that came back today."""
    payment = paying.pay(find_account(member), cents, today=date(2027, 1, 12))
    return_payments(
        returns=[PaymentReturn(payment.pk, "", "not validated")], today=TODAY, at=eastern(2027, 1, 20)
    )
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RETURNED
    return payment


def test_the_notice_s_link_leads_to_the_bank_account_with_the_bill_and_the_amount() -> None:
    member = make_household(products=("health", "dental"))
    payment, client = return_one(member), sign_in(member)
    told = Notice.objects.filter(event="payment_returned", member=member, channel="letter").get()
    for language in ("en", "es"):
        body = write(event=told.event, language=language, facts=told.facts).body
        assert f"/pay/again/{told.facts['confirmation_number']}/ o" in body
    bank = client.get(f"/pay/again/{told.facts['confirmation_number']}/", follow=True)
    assert read_title(bank).startswith("Bank account")
    assert "Your bank sent back the last payment." in read(bank)
    assert "You are paying $284.17." in read(bank)
    review = client.post(bank.redirect_chain[-1][0], fill_bank(account_number="99887766"))["Location"]
    amount = client.get(review.replace("review", "amount")).content.decode()
    assert re.search(rf'name="pay_{payment.account_id}"[^>]*checked', amount)
    assert not re.search(rf'name="pay_{find_account(member, "dental").pk}"[^>]*checked', amount)
    assert authorize(client, review).status_code == 303
    again = Payment.objects.exclude(pk=payment.pk).get()
    assert (again.account_id, again.amount_cents) == (payment.account_id, 284_17)
    assert "sent back" not in read(client.get("/home/"))


def test_home_offers_it_while_something_is_owed() -> None:
    member = make_household()
    client = sign_in(member)
    assert "Fix and pay again" not in read(client.get("/home/"))
    payment = return_one(member)
    page = client.get("/home/")
    assert "The bank sent back the payment of $284.17 for your health bill. It does not count." in read(page)
    assert f"/pay/again/{payment.confirmation_number}/" in page.content.decode()


def test_of_a_first_bill_all_that_is_due_is_paid_again() -> None:
    member = make_household()
    payment = return_one(member, cents=100_00)
    page = sign_in(member).get(f"/pay/again/{payment.confirmation_number}/", follow=True)
    assert "You are paying $284.17." in read(page)


def test_of_a_later_bill_the_same_amount_and_change_shows_it() -> None:
    member = people.make_member()
    enrolled = date(2026, 12, 5)
    account = paying.make_account(
        member=member,
        status=EnrollmentStatus.ACTIVE,
        requested_start=date(2027, 1, 1),
        at=paying.noon(enrolled),
        today=enrolled,
    )
    paying.pay(account, today=enrolled)
    issue_missing(today=date(2027, 1, 1), at=paying.noon(date(2027, 1, 1)))
    payment, client = return_one(member, cents=100_00), sign_in(member)
    page = client.get(f"/pay/again/{payment.confirmation_number}/", follow=True)
    assert "You are paying $100.00." in read(page)
    amount = client.get(page.redirect_chain[-1][0].replace("bank", "amount")).content.decode()
    assert f'name="other_{account.pk}" value="100.00"' in amount


def test_what_did_not_come_back_or_is_paid_since_begins_as_any_payment() -> None:
    member = make_household()
    payment, client = return_one(member), sign_in(member)
    paying.pay(find_account(member), today=date(2027, 1, 19))
    for number in (payment.confirmation_number, Payment.objects.latest("pk").confirmation_number):
        assert client.get(f"/pay/again/{number}/")["Location"] == "/pay/"


def test_nobody_pays_again_for_another() -> None:
    payment = return_one(make_household())
    path = f"/pay/again/{payment.confirmation_number}/"
    assert sign_in(people.make_member()).get(path)["Location"] == "/home/"
    assert Client().get(path)["Location"].startswith("/accounts/login/?next=/pay/again/")
