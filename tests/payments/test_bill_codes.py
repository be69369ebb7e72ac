"""The QR on a bill: it opens that bill and names nobody, leads on where the bill is paid or replaced, and holds its limits."""

from datetime import date, timedelta

import pytest
from django.test import Client

from billing import invoices, overdue
from billing.bill_links import ensure_links, format_code, revoke_links
from billing.models import Invoice
from billing.policy import read_policy
from connector_pay.lib import clock
from members.models import Member
from payments.channels import bill_code, guest
from payments.channels.limits import count_lookup
from payments.models import LookupCount, Payment, PaymentDraft
from tests import people
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.payers import (
    authorize,
    fill_bank,
    find_account,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Misses answer at once, except where their time is what is tested."""
    if "slowed" not in request.node.name:
        monkeypatch.setattr(guest, "MISS_SECONDS", 0)


def find_invoice(member: Member, **facts) -> Invoice:
    return Invoice.objects.filter(account=find_account(member), **facts).latest("pk")


def find_address(invoice: Invoice) -> str:
    """Where the QR on this bill leads."""
    codes = ensure_links(invoice_ids=[invoice.pk], today=clock.today(), at=clock.now())
    return f"/b/{format_code(codes[invoice.pk])}/"


def test_it_names_the_plan_of_its_month_as_do_the_bill_and_the_list_of_bills() -> None:
    member = make_household()
    bill = find_invoice(member)
    gold = people.make_plan(code="HL-GOLD", name="Harborlight Gold 750")
    people.make_rate(
        enrollment=bill.account.enrollment, month=bill.coverage_month, premium_cents=284_17, plan=gold
    )
    signed_in = sign_in(member)
    for page in (find_address(bill), f"/bills/{bill.number}/", "/bills/"):
        assert "Harborlight Gold 750" in read(signed_in.get(page))


def test_it_shows_plan_month_amount_and_due_date_and_nobodys_name() -> None:
    member = make_household(first_name="Xanthippe", last_name="Quill")
    answer = Client().get(find_address(find_invoice(member)))
    page = read(answer)
    for words in (
        "Health bill for February 2027",
        "Harborlight Silver 2000",
        "$284.17",
        "Due by January 23, 2027",
    ):
        assert words in page
    number = member.member_id
    for hidden in (
        "Xanthippe",
        "Quill",
        number,
        f"{number[:4]} {number[4:8]}",
        "1986",
        member.email,
        member.street,
    ):
        assert hidden not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert not PaymentDraft.objects.exists()


def test_a_guest_pays_the_bill_without_typing_who_it_is_for() -> None:
    member = make_household(first_name="Xanthippe", last_name="Quill")
    client, invoice = Client(), find_invoice(member)
    amount = client.post(find_address(invoice))
    assert amount.status_code == 303
    assert "Total due: $284.17" in read(client.get(amount["Location"]))
    review = go_to_review(client, amount["Location"], {})
    page = client.get(review)
    assert f"Bill number {invoice.number}" in read(page)
    assert "Received today, the member's coverage starts February 1, 2027." in read(page)
    for hidden in ("Xanthippe", "Quill", member.member_id):
        assert hidden not in page.content.decode()
    done = client.get(authorize(client, review, page)["Location"])
    assert "Payment received" in read(done)
    payment = Payment.objects.get()
    assert (payment.channel, payment.account, payment.amount_cents) == ("guest", find_account(member), 284_17)


def test_a_paid_bill_says_so_and_has_no_button() -> None:
    member = make_household()
    address = find_address(find_invoice(member))
    client = sign_in(member)
    authorize(client, go_to_review(client, start(client), {}))
    page = read(Client().get(address))
    assert "Payment processing" in page
    assert "Nothing is left to pay on this bill." in page
    assert "Nothing is due now." in page
    assert "Pay this bill" not in page
    assert Client().post(address).status_code == 200
    assert PaymentDraft.objects.filter(user=None).count() == 0


def test_a_replaced_bill_leads_to_the_current_one(diary: Diary) -> None:
    member = people.make_member()
    early = date(2027, 1, 5)
    people.make_enrollment(member=member, at=paying.noon(early))
    invoices.issue_missing(today=early, at=paying.noon(early))
    address = find_address(find_invoice(member))
    diary.go_to(eastern(2027, 1, 24))
    overdue.review(today=clock.today(), at=clock.now(), run="a review")
    new = find_invoice(member, voided_at=None)
    page = read(client_page := Client().get(address))
    assert client_page.status_code == 200
    assert "Do not pay this bill. A new one has replaced it." in page
    assert "The bill to pay now" in page
    assert "Coverage month March 2027" in page
    assert new.number in page
    client = Client()
    amount = client.post(address)["Location"]
    client.post(amount, {})
    bank = amount.replace("amount", "bank")
    review = client.post(bank, fill_bank())["Location"]
    assert f"Bill number {new.number}" in read(client.get(review))


def make_behind() -> Member:
    """Covered since January, with January and February open."""
    member = people.make_member()
    begun = date(2026, 12, 1)
    people.make_enrollment(
        member=member, requested_start=date(2027, 1, 1), status="active", at=paying.noon(begun)
    )
    for day in (begun, date(2027, 1, 1)):
        invoices.issue_missing(today=day, at=paying.noon(day))
    return member


def test_an_older_open_bill_is_named_because_money_lands_there_first() -> None:
    member = make_behind()
    page = read(Client().get(find_address(find_invoice(member))))
    assert "An older bill is open too: $284.17" in page
    assert "All that is due comes to $568.34." in page
    older = read(Client().get(find_address(find_invoice(member, coverage_month=date(2027, 1, 1)))))
    assert "Was due December 23, 2026" in older
    assert "older bill" not in older


def test_an_expired_code_opens_nothing_but_other_ways(diary: Diary) -> None:
    address = find_address(find_invoice(make_household()))
    last = clock.today() + timedelta(days=read_policy().bill_link_days)
    diary.traveller.move_to(paying.noon(last))
    assert Client().get(address).status_code == 200
    diary.traveller.move_to(paying.noon(last + timedelta(days=1)))
    for ask in (Client().get, Client().post):
        answer = ask(address)
        assert answer.status_code == 410
        assert "This code can no longer be used" in read(answer)
        assert "Find the bill by Member ID" in read(answer)
        assert "$284.17" not in read(answer)
    diary.traveller.move_to(diary.moment)


def test_a_revoked_code_opens_nothing() -> None:
    invoice = find_invoice(make_household())
    address = find_address(invoice)
    revoke_links(invoice_ids=[invoice.pk], by=people.make_staff(), at=clock.now())
    assert Client().get(address).status_code == 410
    assert Client().get(find_address(invoice)).status_code == 200


@pytest.mark.parametrize("code", ["AAAAA-AAAAA-AAAAA-AAAAA", "x", "%00", "é", "<script>", "A" * 3000])
def test_a_code_of_no_bill_is_a_miss_with_ways_on(code: str) -> None:
    answer = Client().get(f"/b/{code}/")
    assert answer.status_code in (400, 404)
    assert "<script>alert" not in answer.content.decode()


def test_a_code_typed_in_small_letters_with_spaces_opens_the_bill() -> None:
    address = find_address(find_invoice(make_household()))
    assert Client().get(address.lower().replace("-", "%20")).status_code == 200


def test_tries_are_counted_and_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(bill_code.machine, "sleep", waited.append)
    client = Client(REMOTE_ADDR="192.0.2.9")
    for number in range(read_policy().guest_find_per_address + 2):
        assert client.get(f"/b/{'ABCDEFGHIJKLMNOPQRST'[number:] + 'A' * number}/").status_code == 404
    assert waited[0] <= guest.MISS_SECONDS
    assert waited[-1] > 1
    assert sorted(waited) == pytest.approx(waited, abs=0.1)
    verdict = count_lookup(address="192.0.2.9", identifier="003400000001", at=clock.now())
    assert verdict.withhold
    assert not LookupCount.objects.filter(key__contains="192").exists()


def test_a_right_code_opens_its_bill_whatever_was_tried_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        bill_code.machine, "sleep", lambda seconds: pytest.fail("slowed") if seconds > 1 else None
    )
    address = find_address(find_invoice(make_household()))
    for number in range(read_policy().guest_find_per_address * 2):
        count_lookup(address="127.0.0.1", identifier=str(number), at=clock.now())
    answer = Client().get(address)
    assert "$284.17" in read(answer)


def test_going_back_to_find_another_bill_forgets_the_code() -> None:
    member, other = make_household(), make_household()
    client = Client()
    amount = client.post(find_address(find_invoice(member)))["Location"]
    find = amount.replace("/amount/", "/find/")
    assert client.get(find).status_code == 200
    typed = {"identifier": other.member_id}
    assert client.post(find, typed).status_code == 303
    client.post(amount, {"product": "health", "amount": "50.00"})
    review = client.post(amount.replace("amount", "bank"), fill_bank())["Location"]
    page = read(client.get(review))
    assert other.member_id[:4] in page
    assert "Bill number" not in page
