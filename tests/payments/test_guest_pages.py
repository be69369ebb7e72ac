"""A guest pays: by Member ID or phone number, with and without the date of birth; every miss is the same."""

import re
from datetime import date

import pytest
from django.test import Client

from billing import invoices
from connector_pay.lib import clock
from members.models import Member, Notice
from payments.channels import guest
from payments.drafts import PURPOSE
from payments.models import Payment, PaymentDraft
from tests import people
from tests.diary import Diary, eastern
from tests.payments.payers import (
    NUMBER,
    authorize,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    read_title,
    sign_in,
)

MISS = "We could not find one bill with that. Check the number, or use the 12-digit Member ID"
ELSEWHERE = "002999999999"


@pytest.fixture
def _noon_of_january_20(diary: Diary) -> None:
    """The day of these tests."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Misses answer at once, except where their time is what is tested."""
    if "takes_the_same_time" not in request.node.name:
        monkeypatch.setattr(guest, "MISS_SECONDS", 0)


pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("_noon_of_january_20")]


def is_miss(answer) -> bool:
    """The one message, in the summary and beside the box."""
    return bool(
        answer.status_code == 200
        and read(answer).count(MISS) == 2
        and read_title(answer).startswith("Error: ")
    )


def test_a_bill_is_found_by_member_id_however_it_is_typed() -> None:
    number = make_household().member_id
    for typed in (number, f" {number[:4]} {number[4:8]}-{number[8:]} ", f"{number[:6]}–{number[6:]}"):
        assert find_as_guest(Client(), typed).status_code == 303


def test_a_bill_is_found_by_phone_number_however_it_is_typed() -> None:
    make_household(phone="+16175550123")
    for typed in ("617-555-0123", "(617) 555-0123", "1 617 555 0123", "+1 617.555.0123", "6175550123"):
        assert find_as_guest(Client(), typed).status_code == 303


def test_every_miss_is_the_same() -> None:
    member = make_household(phone="+16175550100")
    make_household(phone="+16175550111")
    people.make_member(phone="+16175550111")  # shares the number, has no bill
    nobody = people.make_member()
    wrong = date(1986, 4, 10)
    assert is_miss(find_as_guest(Client(), ELSEWHERE))
    assert is_miss(find_as_guest(Client(), ELSEWHERE, wrong))
    assert is_miss(find_as_guest(Client(), member.member_id, wrong))
    assert is_miss(find_as_guest(Client(), "617-555-0100", wrong))
    assert is_miss(find_as_guest(Client(), "617-555-0111"))
    assert is_miss(find_as_guest(Client(), "617-555-0199"))
    assert is_miss(find_as_guest(Client(), nobody.member_id, nobody.date_of_birth))
    assert is_miss(find_as_guest(Client(), "12345"))
    assert is_miss(find_as_guest(Client(), "my bill"))
    assert not PaymentDraft.objects.exists()


def test_every_miss_takes_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_household()
    waited: list[float] = []
    monkeypatch.setattr(guest.machine, "sleep", waited.append)
    for typed, born in ((ELSEWHERE, None), (member.member_id, date(1986, 4, 10)), ("12345", None)):
        assert is_miss(find_as_guest(Client(), typed, born))
    assert [wait <= guest.MISS_SECONDS for wait in waited] == [True] * 3
    assert min(waited) > 0


def test_what_was_typed_stays_after_a_miss() -> None:
    answer = find_as_guest(Client(), "0029 9999 9999", date(1986, 4, 10)).content.decode()
    assert 'value="0029 9999 9999"' in answer
    assert 'value="1986"' in answer


def test_an_empty_box_and_a_half_typed_date_are_asked_for() -> None:
    assert read(find_as_guest(Client(), "")).count("Enter the 12-digit Member ID, or the phone number") == 2
    answer = Client().post("/guest/", {"identifier": ELSEWHERE, "date_of_birth_month": "4"})
    assert "Enter the month, day and year, or leave all three empty" in read(answer)


def test_with_the_date_of_birth_only_what_is_needed_is_shown() -> None:
    member = make_household(products=("health", "dental"))
    client = Client()
    answer = client.get(find_as_guest(client, member.member_id, member.date_of_birth)["Location"])
    page = read(answer)
    for words in ("For Alice A.", "Health", "Dental", "$284.17", "$31.50", "Due by January 23, 2027"):
        assert words in page
    for hidden in ("Alvarez", member.street, member.email, "Harborlight", "1986", "credit", "when"):
        assert hidden not in page.replace(".", " ")
    assert "no-store" in answer["Cache-Control"]


def test_a_guest_pays_with_the_date_of_birth() -> None:
    member = make_household()
    client = Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    review = go_to_review(client, amount, {}, receipt_email="aunt@example.org")
    page = client.get(review)
    number = member.member_id
    assert f"Member ID {number[:4]} {number[4:8]} {number[8:]}" in read(page)
    assert "Received today, the member's coverage starts February 1, 2027." in read(page)
    assert "Double-check your numbers" in read(page)
    assert NUMBER not in page.content.decode()
    answer = client.get(authorize(client, review, page)["Location"])
    assert "Payment received" in read(answer)
    assert "Step 5 of 5: Confirmation" in read(answer)
    payment = Payment.objects.get()
    assert (payment.channel, payment.receipt_email, payment.account) == (
        "guest",
        "aunt@example.org",
        find_account(member),
    )
    assert payment.bank_account.owner is None
    assert payment.coverage_sentence == "Received today, the member's coverage starts February 1, 2027."
    assert payment.coverage_sentence in read(answer)
    told = Notice.objects.filter(event="payment_received").values_list("facts__effect", flat=True)
    assert set(told) == {payment.coverage_sentence}


def test_without_the_date_of_birth_nothing_of_the_account_is_shown() -> None:
    member = make_household()
    client = Client()
    amount = find_as_guest(client, str(member.phone))["Location"]
    page = client.get(amount)
    review = go_to_review(client, amount, {"product": "health", "amount": "$50"})
    shown = read(page) + read(client.get(review))
    for hidden in ("For Alice", "Alice A.", "$284.17", "January 23", "Harborlight"):
        assert hidden not in shown
    words = (
        "If this is a first payment, it must cover the whole bill. "
        "Received today, coverage can start no earlier than February 1, 2027."
    )
    assert words in shown
    assert "Phone number (617)" in shown
    assert authorize(client, review).status_code == 303
    assert Payment.objects.get().coverage_sentence == words


def test_without_the_date_of_birth_only_the_flat_limits_hold() -> None:
    client = Client()
    amount = find_as_guest(client, make_household().member_id)["Location"]
    over = client.post(amount, {"product": "health", "amount": "10000.01"})
    assert "Enter an amount of $10,000.00 or less" in read(over)
    assert client.post(amount, {"product": "health", "amount": "10000"}).status_code == 303


def test_a_product_that_is_missing_is_an_ordinary_miss() -> None:
    client = Client()
    amount = find_as_guest(client, make_household().member_id)["Location"]
    answer = client.post(amount, {"product": "dental", "amount": "31.50"})
    assert is_miss(answer)
    assert 'value="31.50"' in answer.content.decode()


def test_a_payment_made_by_others_is_not_told_to_a_guest_who_sees_nothing() -> None:
    member = make_household()
    theirs = sign_in(member)
    key = find_account(member).pk
    typed = {f"choice_{key}": "other", f"other_{key}": "50"}
    authorize(theirs, go_to_review(theirs, theirs.get("/pay/")["Location"], typed))
    client = Client()
    amount, blind = find_as_guest(client, member.member_id)["Location"], {"product": "health", "amount": "50"}
    authorize(client, go_to_review(client, amount, blind))
    again = find_as_guest(client, member.member_id)["Location"]
    assert "is already on its way" in read(client.post(again, blind))


def test_of_two_bills_of_one_product_the_coverage_year_is_asked() -> None:
    member = make_household()
    people.make_enrollment(member=member, requested_start=date(2028, 1, 1), premium_cents=300_00)
    invoices.issue_missing(today=clock.today(), at=clock.now())
    client = Client()
    amount, typed = find_as_guest(client, member.member_id)["Location"], {"product": "health", "amount": "50"}
    answer = client.post(amount, typed)
    assert read(answer).count("Choose the coverage year that is on the bill") == 2
    assert re.findall(r'name="coverage"[^>]*value="(\d+)"|value="(\d{4})"', answer.content.decode())
    review = client.post(amount, typed | {"coverage": "2028"})["Location"].replace("bank", "review")
    client.post(review.replace("review", "bank"), fill_bank())
    authorize(client, review)
    assert Payment.objects.get().account.enrollment.requested_start == date(2028, 1, 1)


def test_change_leads_back_to_the_number_and_keeps_it() -> None:
    member, other = make_household(), make_household()
    client = Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    review = go_to_review(client, amount, {})
    find = review.replace("review", "find")
    assert find in client.get(review).content.decode()
    page = client.get(find).content.decode()
    assert f'value="{member.member_id}"' in page
    assert 'value="1986"' in page
    born = {"date_of_birth_month": "4", "date_of_birth_day": "9", "date_of_birth_year": "1986"}
    assert client.post(find, {"identifier": other.member_id, **born})["Location"] == amount
    assert client.get(review)["Location"] == amount  # the amount was for another bill
    review = client.post(amount, {})["Location"].replace("bank", "review")
    client.post(review.replace("review", "bank"), fill_bank())
    authorize(client, review)
    assert Payment.objects.get().account == find_account(other)


def test_a_strict_exchange_asks_everyone_for_the_date_of_birth(settings) -> None:
    settings.GUEST_IDENTIFICATION = "strict"
    member = make_household()
    page = Client().get("/guest/")
    assert "optional" not in read(page)
    answer = find_as_guest(Client(), member.member_id)
    assert read(answer).count("Enter the month, day and year") == 2
    assert find_as_guest(Client(), member.member_id, member.date_of_birth).status_code == 303


def test_a_guest_cannot_schedule() -> None:
    member = make_household()
    client = Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    review = go_to_review(client, amount, {"when": "later", "later": "2027-01-23"})
    authorize(client, review)
    assert Payment.objects.get().received_date == date(2027, 1, 20)


def test_an_expired_enrollment_is_a_miss() -> None:
    member = make_household()
    type(find_account(member).enrollment).objects.filter(member=member).update(status="expired")
    try:
        assert is_miss(find_as_guest(Client(), member.member_id))
    finally:
        type(find_account(member).enrollment).objects.filter(member=member).update(status="waiting")


def test_clear_this_computer_ends_what_the_browser_may_see() -> None:
    member = make_household()
    client = Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    confirmation = authorize(client, go_to_review(client, amount, {}))["Location"]
    assert "Clear this computer" in read(client.get(confirmation))
    assert client.post("/guest/clear/")["Location"] == "/"
    assert client.get(confirmation)["Location"] == "/receipts/"


def test_a_draft_holds_nothing_in_clear() -> None:
    member: Member = make_household()
    client = Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    go_to_review(client, amount, {})
    sealed = PaymentDraft.objects.get().sealed
    assert NUMBER.encode() not in bytes(sealed.token)
    assert NUMBER.encode() in sealed.open(purpose=PURPOSE)
