"""A session's end: more time for who asks, typed work kept for members and cleared for guests, a computer that forgets."""

from datetime import timedelta

import pytest
from django.test import Client

from connector_pay.lib import clock
from connector_pay.lib.models import SealedValue
from payments.drafts import PURPOSE
from payments.models import PaymentDraft
from tests import people
from tests.diary import eastern
from tests.payments.payers import (
    NUMBER,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]
KEEP = {"keep_half_typed": "1"}


def sign_in_again(client: Client, there: str) -> str:
    """From a page whose session has ended to wherever signing in leads."""
    asked = client.get(there)["Location"]
    email = PaymentDraft.objects.get().user.email
    return str(client.post(asked, {"login": email, "password": people.PASSWORD})["Location"])


def test_more_time_keeps_a_half_typed_payment_for_as_long_again_and_is_only_posted() -> None:
    client = sign_in(make_household())
    start(client)
    draft = PaymentDraft.objects.get()
    PaymentDraft.objects.update(expires_at=clock.now() + timedelta(minutes=1))
    assert client.get("/session/extend/").status_code == 405
    assert client.post("/session/extend/").status_code == 204
    assert PaymentDraft.objects.get().expires_at == draft.expires_at
    PaymentDraft.objects.update(expires_at=clock.now())
    client.post("/session/extend/")
    assert PaymentDraft.objects.get().expires_at == clock.now()


def test_who_has_no_session_gets_no_more_time_and_no_session_by_asking() -> None:
    client = Client()
    assert client.post("/session/extend/").status_code == 403
    client.cookies["sessionid"] = "madeupmadeupmadeupmadeupmadeup12"
    assert client.post("/session/extend/").status_code == 403
    guest = Client()
    find_as_guest(guest, make_household().member_id)
    assert guest.post("/session/extend/").status_code == 204


def test_a_member_whose_session_ended_signs_in_again_and_goes_on_at_the_same_step() -> None:
    member = make_household()
    client = sign_in(member)
    amount = start(client)
    account = find_account(member).pk
    typed = {f"choice_{account}": "other", f"other_{account}": "5x"}
    assert client.post(amount, typed | KEEP).status_code == 204
    answer = client.post("/session/end/", {"next": amount})
    assert answer["Location"].startswith("/accounts/login/?next=%2Fpay%2F")
    assert "You were away for a while" in read(client.get(answer["Location"]))
    assert sign_in_again(client, amount) == amount
    page = client.get(amount)
    assert 'value="5x"' in page.content.decode()
    assert "There is a problem" not in read(page)


def test_a_half_typed_bank_page_is_kept_without_the_number_and_a_whole_one_sealed_with_it() -> None:
    client = sign_in(make_household())
    bank = client.post(start(client), {})["Location"]
    half = fill_bank() | {"confirm_account_number": "1"}
    assert client.post(bank, half | KEEP).status_code == 204
    client.logout()
    assert sign_in_again(client, bank) == bank
    page = client.get(bank).content.decode()
    assert 'value="Alice Alvarez"' in page
    assert 'value="011000015"' in page
    assert NUMBER not in page
    assert NUMBER.encode() not in SealedValue.objects.get(purpose=PURPOSE).open(purpose=PURPOSE)
    assert client.post(bank, fill_bank() | KEEP).status_code == 204
    page = client.get(bank).content.decode()
    assert "Ending 6789: keep it" in page
    assert NUMBER not in page


def test_a_card_number_is_not_kept_either() -> None:
    client = sign_in(make_household())
    bank = client.post(start(client), {})["Location"]
    client.post(bank, fill_bank(routing_number="4111 1111 1111 1111") | KEEP)
    assert b"4111" not in SealedValue.objects.get(purpose=PURPOSE).open(purpose=PURPOSE)


def test_setting_up_autopay_is_kept_as_well() -> None:
    member = make_household()
    client = sign_in(member)
    bills = client.get("/autopay/set-up/")["Location"]
    account = find_account(member).pk
    name = f"limit_{account}"
    assert f'name="{name}"' in client.get(bills).content.decode()
    assert client.post(bills, {name: "12x"} | KEEP).status_code == 204
    client.logout()
    assert sign_in_again(client, bills) == bills
    assert 'value="12x"' in client.get(bills).content.decode()


def test_keeping_never_pays() -> None:
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {})
    client.post(review, KEEP)
    assert PaymentDraft.objects.get().user.member.enrollments.get().account.payments.count() == 0


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"]
)
def test_nobody_is_led_elsewhere_by_the_end_of_a_session(there: str) -> None:
    client = sign_in(make_household())
    assert client.post("/session/end/", {"next": there})["Location"] == "/accounts/login/"


@pytest.mark.parametrize("path", ["/session/end/", "/guest/clear/"])
def test_a_guests_visit_is_cleared_at_its_end_and_by_the_button_and_the_browser_is_told_to_forget(
    path: str,
) -> None:
    member, guest = make_household(), Client()
    amount = find_as_guest(guest, member.member_id, member.date_of_birth)["Location"]
    key = guest.cookies["sessionid"].value
    assert guest.post(amount, KEEP).status_code == 303
    answer = guest.post(path, {"guest": "1"})
    assert answer["Location"] == "/"
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not PaymentDraft.objects.exists()
    assert not SealedValue.objects.filter(purpose=PURPOSE).exists()
    guest.cookies["sessionid"] = key
    assert "Please start again" in read(guest.get(amount))


def test_clearing_the_computer_signs_a_member_out_and_leaves_no_half_typed_payment() -> None:
    client = sign_in(make_household())
    start(client)
    assert "Clear this computer" in read(client.get("/profile/"))
    answer = client.post("/guest/clear/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/home/").status_code == 302
    assert not PaymentDraft.objects.exists()


def test_pages_say_how_long_a_session_lasts_where_there_is_one(settings) -> None:
    settings.SESSION_COOKIE_AGE = 20 * 60
    member, guest = make_household(), Client()
    signed_in = sign_in(member).get("/home/")
    assert "You stay signed in for 20 minutes after the last page you open." in read(signed_in)
    assert 'data-session="20"' in signed_in.content.decode()
    amount = guest.get(find_as_guest(guest, member.member_id)["Location"])
    assert "After 20 minutes without a new page, we clear what you typed here." in read(amount)
    assert "Do you need more time?" in read(amount)
    assert "data-session" not in Client().get("/").content.decode()
