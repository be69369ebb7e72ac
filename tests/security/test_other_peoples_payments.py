"""Nobody sees, changes or pays with what is another person's; what was signed is taken once, where and as it was signed."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client

from billing.models import Account
from connector_pay.lib import clock
from payments.models import BankAccount, Payment, PaymentDraft
from payments.review import SALT
from tests.diary import eastern
from tests.payments.payers import (
    authorize,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    read_hidden,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]
STARTS_AGAIN = "start again"


@pytest.fixture
def alice() -> Client:
    """Alice, signed in."""
    return sign_in(make_household())


@pytest.fixture
def bob() -> Client:
    """Bob of another household, signed in."""
    return sign_in(make_household(first_name="Bob"))


def pay(client: Client, cents: str = "") -> Payment:
    """Pay what is due, or less."""
    key = Account.objects.get(enrollment__member__user=client.session["_auth_user_id"]).pk
    amounts = {f"choice_{key}": "other", f"other_{key}": cents} if cents else {}
    assert authorize(client, go_to_review(client, start(client), amounts)).status_code == 303
    return Payment.objects.latest("pk")


def test_a_draft_is_of_one_person_in_one_session(alice: Client, bob: Client) -> None:
    amount = start(alice)
    review = go_to_review(alice, amount, {})
    token = read_hidden(alice.get(review), "token")
    for stranger in (bob, Client()):
        for path in (
            amount,
            review,
            review.replace("/review/", "/bank/"),
            review.replace("/pay/", "/guest/"),
        ):
            for answer in (stranger.get(path), stranger.post(path, {"token": token})):
                assert "$284.17" not in answer.content.decode()
                assert answer.status_code == 302 or STARTS_AGAIN in read(answer).lower(), read(answer)
    assert not Payment.objects.exists()
    assert authorize(alice, review).status_code == 303


def test_a_guests_draft_is_of_one_session() -> None:
    member, guest, stranger = make_household(), Client(), Client()
    amount = find_as_guest(guest, member.member_id, member.date_of_birth)["Location"]
    review = go_to_review(guest, amount, {})
    find_as_guest(stranger, member.member_id, member.date_of_birth)
    for client in (stranger, Client(), sign_in(member)):
        for path in (amount, review):
            assert STARTS_AGAIN in read(client.get(path)).lower()
            assert STARTS_AGAIN in read(client.post(path, {})).lower()


def test_a_guests_draft_is_gone_with_the_session() -> None:
    member, guest = make_household(), Client()
    amount = find_as_guest(guest, member.member_id, member.date_of_birth)["Location"]
    before = guest.cookies["sessionid"].value
    assert guest.post("/guest/clear/").status_code == 303
    guest.cookies["sessionid"] = before
    assert STARTS_AGAIN in read(guest.get(amount)).lower()


def test_another_persons_account_cannot_be_put_into_the_amount_page(alice: Client, bob: Client) -> None:
    mine, other = start(alice), find_account(make_household())
    typed = {f"pay_{other.pk}": "on", f"choice_{other.pk}": "due", f"other_{other.pk}": "50.00"}
    review = go_to_review(alice, mine, typed)
    authorize(alice, review)
    assert Payment.objects.get().account_id != other.pk
    assert alice.get("/pay/", {"account": other.pk}).status_code == 302


def test_another_persons_saved_bank_account_cannot_be_chosen(alice: Client, bob: Client) -> None:
    saved, mine = pay(alice).bank_account, pay(bob, cents="50.00").bank_account
    amount = start(bob)
    review = go_to_review(bob, amount, {}, source="new")
    bank = review.replace("/review/", "/bank/")
    for source in (saved.pk, f" {saved.pk}", f"{saved.pk}.0", "0", "-1", "9" * 30, "²", ""):
        assert bob.post(bank, {"source": source}).status_code == 200
    assert bob.post(bank, {"source": mine.pk}).status_code == 303
    BankAccount.objects.filter(pk=mine.pk).update(hidden_at=clock.now())
    assert bob.post(bank, {"source": mine.pk}).status_code == 200
    assert bob.get(review)["Location"] == bank


def test_receipts_bills_and_confirmations_are_their_payers(alice: Client, bob: Client) -> None:
    payment = pay(alice)
    bill = find_account(payment.account.enrollment.member).invoices.get().pk
    for stranger in (bob, Client()):
        assert stranger.get(f"/receipts/{payment.confirmation_number}/").url == "/receipts/"
        for answer in (
            stranger.get(f"/receipts/{payment.confirmation_number}/cancel/"),
            stranger.post(f"/receipts/{payment.confirmation_number}/cancel/"),
        ):
            assert answer.status_code == 404
        assert stranger.get(f"/confirmation/{payment.form_key}/").url == "/receipts/"
        assert stranger.get(f"/bills/{bill}/").status_code in (302, 404)
    assert payment.confirmation_number[:5] not in bob.get("/payments/payments.csv").content.decode()
    payment.refresh_from_db()
    assert payment.status == "recorded"


def test_a_guests_bank_account_is_not_shown_to_the_member_nor_canceled_by_them() -> None:
    member, guest = make_household(), Client()
    amount = find_as_guest(guest, member.member_id, member.date_of_birth)["Location"]
    authorize(
        guest, go_to_review(guest, amount, {}, account_number="77003456", confirm_account_number="77003456")
    )
    payment, client = Payment.objects.get(), sign_in(member)
    for path in (
        "/home/",
        "/payments/",
        "/payments/payments.csv",
        f"/receipts/{payment.confirmation_number}/",
    ):
        assert "3456" not in read(client.get(path))
    assert client.post(f"/receipts/{payment.confirmation_number}/cancel/").status_code == 404


def test_four_digits_cannot_be_tried_out_on_a_receipt() -> None:
    payment = pay(sign_in(make_household()))
    wrong = [f"{number:04d}" for number in range(40) if f"{number:04d}" != payment.bank_account.last_four]
    stranger = Client()
    for four in wrong:
        stranger.post("/receipts/", {"number": payment.confirmation_number, "last_four": four})
    typed = {"number": payment.confirmation_number, "last_four": payment.bank_account.last_four}
    assert "There were too many look-ups" in read(stranger.post("/receipts/", typed))


def test_a_receipt_found_by_four_digits_shows_amount_status_and_dates_alone() -> None:
    payment = pay(sign_in(make_household()))
    typed = {"number": payment.confirmation_number, "last_four": payment.bank_account.last_four}
    stranger = Client()
    page = read(stranger.post("/receipts/", typed))
    assert "$284.17" in page
    for hidden in (
        payment.bank_account.last_four,
        "Alvarez",
        "Alice",
        "Harborlight",
        payment.coverage_sentence,
    ):
        assert hidden not in page
    assert stranger.get(f"/receipts/{payment.confirmation_number}/").status_code == 302


def change(token: str, **facts: object) -> str:
    """The token with other facts in it, under a signature that is not ours."""
    known = signing.loads(token, salt=SALT)
    return signing.dumps(known | facts, key="not our key", salt=SALT, compress=True)


def test_a_signed_review_is_for_its_own_draft_and_cannot_be_changed(alice: Client) -> None:
    review, other = go_to_review(alice, start(alice), {}), go_to_review(alice, start(alice), {})
    token, foreign = (read_hidden(alice.get(path), "token") for path in (review, other))
    box = f"authorize_{signing.loads(token, salt=SALT)['items'][0]['account']}"
    draft = str(PaymentDraft.objects.first().pk)
    tampered = (
        foreign,
        change(token),
        change(token, draft=draft, form_key=str(uuid4())),
        change(token, items=[]),
        signing.dumps(signing.loads(token, salt=SALT), salt="other"),
        token[:-1],
        f".{token}",
        "",
        "a:b:c",
        "é:é:é",
    )
    for wrong in tampered:
        answer = alice.post(review, {"token": wrong, box: "on"})
        assert answer.status_code == 200
        assert not Payment.objects.exists()
    assert alice.post(review, {box: "on"}).status_code == 200
    assert alice.post(review, {"token": token}).status_code == 200
    assert alice.post(review, {"token": token, "authorize_1": "on", "authorize_999": "on"}).status_code in (
        200,
        303,
    )


def test_a_signed_review_does_not_outlive_what_it_said(alice: Client) -> None:
    amount = start(alice)
    review = go_to_review(alice, amount, {})
    token = read_hidden(alice.get(review), "token")
    box = f"authorize_{signing.loads(token, salt=SALT)['items'][0]['account']}"
    account = box.removeprefix("authorize_")
    go_to_review(
        alice, amount, {f"choice_{account}": "other", f"other_{account}": "20.00"}, number_choice="replace"
    )
    assert alice.post(review, {"token": token, box: "on"}).status_code == 200
    assert not Payment.objects.exists()


def test_the_same_form_sent_again_pays_once(alice: Client) -> None:
    review = go_to_review(alice, start(alice), {})
    page = alice.get(review)
    answers = [authorize(alice, review, page) for _ in range(3)]
    assert len({answer["Location"] for answer in answers}) == 1
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "0.00",
        "0.99",
        "-50.00",
        "1137.00",
        "10000.01",
        "99999999999999",
        "1e3",
        "NaN",
        "50.005",
        "٠",
        "50.00.00",
    ],
)
def test_an_amount_out_of_bounds_is_refused(alice: Client, amount: str) -> None:
    page = start(alice)
    key = Account.objects.get().pk
    answer = alice.post(page, {f"choice_{key}": "other", f"other_{key}": amount})
    assert answer.status_code == 200
    assert alice.get(page.replace("/amount/", "/review/")).status_code == 303


@pytest.mark.parametrize("amount", ["0.99", "10000.01", "-1", "99999999999999"])
def test_a_guest_who_sees_nothing_has_the_flat_limits(amount: str) -> None:
    client = Client()
    page = find_as_guest(client, make_household().member_id)["Location"]
    assert client.post(page, {"product": "health", "amount": amount, "sure": "yes"}).status_code == 200


@pytest.mark.parametrize("day", [date(2027, 1, 19), date(2027, 1, 24), date(2099, 1, 1), date.min, date.max])
def test_no_other_day_than_up_to_the_due_date_can_be_chosen(alice: Client, day: date) -> None:
    assert alice.post(start(alice), {"when": "later", "later": day.isoformat()}).status_code == 200


def test_a_guest_cannot_schedule_by_adding_the_boxes_of_a_member() -> None:
    member, client = make_household(), Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    later = (clock.today() + timedelta(days=2)).isoformat()
    assert (
        authorize(client, go_to_review(client, amount, {"when": "later", "later": later})).status_code == 303
    )
    assert Payment.objects.get().received_date == clock.today()


def test_a_guests_email_box_is_not_a_members(alice: Client) -> None:
    bank = alice.post(start(alice), {})["Location"]
    assert alice.post(bank, fill_bank(receipt_email="someone@example.org")).status_code == 303
    assert authorize(alice, bank.replace("/bank/", "/review/")).status_code == 303
    assert Payment.objects.get().receipt_email == ""
