"""The bank's name on the bank page and on Review, where the directory knows it; a miss never stops a payment."""

import pytest
from django.test import Client

from payments.models import BankAccount, Payment
from payments.routing_directory import import_directory
from payments.routing_directory_generator import MERGED_ROUTING_NUMBER, generate_directory
from tests.diary import Diary, eastern
from tests.payments.payers import (
    ROUTING,
    authorize,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("_day")]
NAME, OLD_NAME = "SANDBOX BANK (MADE UP)", "OLD HARBOR BANK (MADE UP)"
HINT = f"This bank has merged. Its new routing number is {ROUTING}."
UNKNOWN = "211370545"


@pytest.fixture
def _day(diary: Diary) -> None:
    lines = generate_directory(seed=1, today=diary.today)
    import_directory(lines=(line.encode() for line in lines), at=diary.moment)


def answer_bank_page(client: Client, **typed: str) -> str:
    amount = start(client)
    address = client.post(amount, {})["Location"]
    return read(client.post(address, fill_bank(**typed)))


def test_review_names_the_bank_for_a_member_and_for_a_guest() -> None:
    member = make_household()
    signed_in, guest = sign_in(member), Client()
    assert NAME in read(signed_in.get(go_to_review(signed_in, start(signed_in), {})))
    amount = find_as_guest(guest, member.member_id, member.date_of_birth)["Location"]
    assert NAME in read(guest.get(go_to_review(guest, amount, {})))


def test_review_names_the_bank_of_a_saved_account() -> None:
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    health, dental = (find_account(member, product).pk for product in ("health", "dental"))
    authorize(client, go_to_review(client, start(client), {f"pay_{health}": "on"}))
    bank = client.post(start(client), {f"pay_{dental}": "on"})["Location"]
    saved = {"source": str(BankAccount.objects.get().pk)}
    assert NAME in read(client.get(client.post(bank, saved)["Location"]))


def test_the_bank_page_s_answer_names_the_bank_beside_what_must_be_mended() -> None:
    page = answer_bank_page(sign_in(make_household()), confirm_account_number="1234")
    assert f"This routing number belongs to {NAME}." in page
    assert "merged" not in page


def test_coming_back_to_change_it_the_bank_is_named() -> None:
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {})
    assert f"This routing number belongs to {NAME}." in read(client.get(review.replace("review", "bank")))


def test_a_merged_bank_is_named_with_its_new_number_and_may_be_paid_from() -> None:
    client = sign_in(make_household())
    page = answer_bank_page(client, routing_number=MERGED_ROUTING_NUMBER, confirm_account_number="1234")
    assert f"This routing number belongs to {OLD_NAME}. {HINT}" in page
    review = go_to_review(client, start(client), {}, routing_number=MERGED_ROUTING_NUMBER)
    page = read(client.get(review))
    assert OLD_NAME in page
    assert HINT in page
    assert authorize(client, review).status_code == 303
    assert Payment.objects.get().bank_account.routing_number == MERGED_ROUTING_NUMBER


def test_a_number_that_the_directory_lacks_is_taken_without_a_name() -> None:
    client = sign_in(make_household())
    page = answer_bank_page(client, routing_number=UNKNOWN, confirm_account_number="1234")
    assert "belongs to" not in page
    review = go_to_review(client, start(client), {}, routing_number=UNKNOWN)
    assert "(MADE UP)" not in read(client.get(review))
    assert authorize(client, review).status_code == 303


@pytest.mark.parametrize("typed", ["", "12345678X", "011000016", "<b>", "\u0660" * 9])
def test_what_is_no_routing_number_names_no_bank(typed: str) -> None:
    page = answer_bank_page(sign_in(make_household()), routing_number=typed)
    assert "belongs to" not in page


def ask(client: Client, typed: str, **how: object) -> tuple[int, str]:
    """What the bank page's script is told."""
    answer = client.post("/bank-name/", {"routing_number": typed}, **how)
    assert "no-store" in answer["Cache-Control"]
    return answer.status_code, answer.json()["words"]


def test_the_page_s_script_is_told_the_same_as_it_is_typed() -> None:
    belongs = f"This routing number belongs to {NAME}."
    for typed in (ROUTING, "0110-0001 5"):
        assert ask(Client(), typed) == (200, belongs)
    assert ask(Client(), MERGED_ROUTING_NUMBER) == (
        200,
        f"This routing number belongs to {OLD_NAME}. {HINT}",
    )
    for typed in (UNKNOWN, "", "12345678", "011000016", "<b>", "\0"):
        assert ask(Client(), typed) == (200, "")


def test_it_is_only_asked_by_our_own_pages_and_never_by_an_address_that_may_be_kept() -> None:
    assert Client().get("/bank-name/", {"routing_number": ROUTING}).status_code == 405
    assert (
        Client(enforce_csrf_checks=True).post("/bank-name/", {"routing_number": ROUTING}).status_code == 403
    )


def test_nobody_reads_the_directory_out_and_payment_goes_on(settings) -> None:
    settings.PREMIUM_POLICY = {"bank_names_per_address": 2}
    for expected in (200, 200, 429):
        assert ask(Client(), ROUTING, REMOTE_ADDR="10.1.2.3")[0] == expected
    assert ask(Client(), ROUTING, REMOTE_ADDR="10.1.2.4")[0] == 200
    client = sign_in(make_household())
    client.defaults["REMOTE_ADDR"] = "10.1.2.3"
    assert NAME in read(client.get(go_to_review(client, start(client), {})))
