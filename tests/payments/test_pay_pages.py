"""A signed-in member pays: the steps, their words, what is refused, and one payment whatever is pressed."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import invoices
from billing.models import Account
from connector_pay.lib import clock
from connector_pay.lib.models import SealedValue
from payments.bank_accounts import fail, open_account_number, register
from payments.drafts import PURPOSE, Contents, clear_expired_drafts
from payments.models import Authorization, BankAccount, Payment, PaymentDraft
from payments.recording import record_as_told
from payments.review import SALT
from tests import people
from tests.diary import Diary, eastern
from tests.payments.payers import (
    NUMBER,
    ROUTING,
    authorize,
    fill_bank,
    find_account,
    go_to_review,
    make_household,
    read,
    read_hidden,
    read_title,
    sign_in,
    start,
)

JANUARY_20 = eastern(2027, 1, 20)


@pytest.fixture
def _noon_of_january_20(diary: Diary) -> None:
    """The day of these tests, unless a test says otherwise."""


pytestmark = [pytest.mark.starts(JANUARY_20), pytest.mark.usefixtures("_noon_of_january_20")]


def pay_health(client: Client) -> str:
    """To the review of a health bill's payment."""
    return go_to_review(client, start(client), {})


def test_paying_needs_a_member_signed_in() -> None:
    assert Client().get("/pay/")["Location"].startswith("/accounts/login/")


def test_a_member_without_bills_is_told_so() -> None:
    client = sign_in(people.make_member())
    assert "There is nothing to pay here" in read(client.get("/pay/"))


def test_a_bill_is_paid_in_three_steps() -> None:
    member = make_household()
    client = sign_in(member)
    review = pay_health(client)
    page = client.get(review)
    assert "Check and authorize your payment" in read(page)
    assert "Received today, your coverage starts February 1, 2027." in read(page)
    assert "Pay $284.17" in read(page)
    assert " checked" not in page.content.decode()
    paid = authorize(client, review, page)
    assert paid.status_code == 303
    answer = client.get(paid["Location"])
    payment = Payment.objects.get()
    assert (payment.amount_cents, payment.received_date, payment.channel) == (
        284_17,
        date(2027, 1, 20),
        "web",
    )
    assert payment.coverage_sentence == "Received today, your coverage starts February 1, 2027."
    assert read_title(answer).startswith("Payment received")
    number = payment.confirmation_number
    assert f"Confirmation number {number[:5]}-{number[5:]}" in read(answer)
    assert "Your payment is not final until your bank clears it, by January 26, 2027." in read(answer)
    assert "ending 6789" in read(answer)


def test_health_and_dental_are_two_payments_with_two_authorizations() -> None:
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    amount = start(client)
    page = client.get(amount)
    accounts = [find_account(member, product) for product in ("health", "dental")]
    assert page.content.decode().count("checked") == 5  # both bills, both totals, today
    review = go_to_review(client, amount, {f"pay_{account.pk}": "on" for account in accounts})
    page = client.get(review)
    assert len(re.findall(r'name="authorize_', page.content.decode())) == 2
    for bill, amount in (("Health", "$284.17"), ("Dental", "$31.50")):
        authorization = f"to take {amount} once, for the {bill.lower()} bill, by electronic debit"
        assert re.search(
            rf"{bill}, {re.escape(amount)} I authorize [\w ]+ {re.escape(authorization)}", read(page)
        )
    refused = read(client.post(review, {"token": read_hidden(page, "token")}))
    assert refused.count("Tick the box to authorize $31.50 for the dental bill") == 2
    assert "Pay $315.67" in read(page)
    answer = client.get(authorize(client, review, page)["Location"])
    assert read(answer).count("Confirmation number") == 2
    assert Payment.objects.count() == 2
    assert [proof.amount_cents for proof in Authorization.objects.order_by("pk")] == [284_17, 31_50]


def test_one_of_two_bills_can_be_ticked_beforehand() -> None:
    member = make_household(products=("health", "dental"))
    client, dental = sign_in(member), find_account(member, "dental")
    page = client.get(client.get(f"/pay/?account={dental.pk}")["Location"]).content.decode()
    assert re.search(rf'name="pay_{dental.pk}"[^>]*checked', page)
    assert not re.search(rf'name="pay_{find_account(member).pk}"[^>]*checked', page)


def test_no_bill_ticked_is_asked_for() -> None:
    client = sign_in(make_household(products=("health", "dental")))
    answer = client.post(start(client), {})
    assert read_title(answer).startswith("Error: ")
    assert read(answer).count("Choose at least one bill to pay") == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0.99", "Enter an amount of at least $1.00"),
        ("1136.69", "Enter $1,136.68 or less"),
        ("12,34", "Enter the amount in dollars and cents, like 284.17"),
        ("", "Enter an amount, like 284.17"),
    ],
)
def test_another_amount_out_of_bounds_is_refused_in_words_that_say_what_to_do(typed: str, words: str) -> None:
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    answer = client.post(start(client), {f"choice_{key}": "other", f"other_{key}": typed})
    assert answer.status_code == 200
    assert read(answer).count(words) == 2
    assert not typed or f'value="{typed}"' in answer.content.decode()


def test_an_amount_typed_beside_another_choice_is_never_guessed() -> None:
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    answer = client.post(start(client), {f"choice_{key}": "due", f"other_{key}": "50"})
    assert "Choose “A different amount” to pay what you typed" in read(answer)


def test_more_than_is_due_is_asked_once_more() -> None:
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    amount, typed = start(client), {f"choice_{key}": "other", f"other_{key}": "300.00"}
    answer = client.post(amount, typed)
    assert "Health: you are paying $300.00, but $284.17 is due" in read(answer)
    sure = re.search(r'<input[^>]*name="sure"[^>]*>', answer.content.decode())
    assert sure
    assert "checked" not in sure[0]
    value = re.search(r'value="(\w+)"', sure[0])
    assert value
    assert client.post(amount, typed | {f"other_{key}": "301.00", "sure": value[1]}).status_code == 200
    assert client.post(amount, typed | {"sure": value[1]}).status_code == 303


def test_the_same_amount_again_within_ten_days_is_asked_once_more() -> None:
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    typed = {f"choice_{key}": "other", f"other_{key}": "50"}
    authorize(client, go_to_review(client, start(client), typed))
    answer = client.post(start(client), typed)
    assert "a payment of $50.00, received January 20, 2027, is already on its way" in read(answer)


def test_a_payment_can_be_scheduled_up_to_the_due_date() -> None:
    member = make_household()
    client = sign_in(member)
    amount = start(client)
    late = client.post(amount, {"when": "later", "later": "2027-01-24"})
    assert "Choose a day from January 20, 2027 to January 23, 2027" in read(late)
    review = go_to_review(client, amount, {"when": "later", "later": "2027-01-23"})
    page = client.get(review)
    assert "Received January 23, 2027, your coverage starts February 1, 2027." in read(page)
    answer = client.get(authorize(client, review, page)["Location"])
    assert read_title(answer).startswith("Payment scheduled")
    assert Payment.objects.get().received_date == date(2027, 1, 23)


def test_a_later_day_typed_beside_today_is_never_guessed() -> None:
    client = sign_in(make_household())
    answer = client.post(start(client), {"when": "today", "later": "2027-01-22"})
    assert "Choose “On a later day” to use this date" in read(answer)


@pytest.mark.parametrize(
    ("box", "typed", "words"),
    [
        ("holder_name", "", "Enter the name on the account, as your bank writes it"),
        ("holder_name", "4111 1111", "Enter the name on the account, as your bank writes it"),
        ("holder_name", "\ufc5e", "Enter the name as your bank writes it, in letters"),
        ("holder_name", "\x01" * 22 + "A", "Enter the name as your bank writes it, in letters"),
        ("kind", "", "Choose checking or savings"),
        (
            "routing_number",
            "000000000",
            "Enter the 9-digit routing number from the bottom left of your check",
        ),
        ("account_number", "0000", "Enter your account number, 4 to 17 letters or digits"),
        ("confirm_account_number", "", "Enter the same account number again"),
        ("confirm_account_number", "48200123456780", "The two account numbers are not the same. Check both"),
    ],
)
def test_each_mistake_on_the_bank_page_is_said_twice_in_the_same_words(
    box: str, typed: str, words: str
) -> None:
    client = sign_in(make_household())
    bank = client.post(start(client), {})["Location"]
    answer = client.post(bank, fill_bank(**{box: typed}))
    assert answer.status_code == 200
    assert read_title(answer).startswith("Error: Bank account")
    assert read(answer).count(words) == 2
    assert "no-store" in answer["Cache-Control"]
    assert 'value="checking"' in answer.content.decode()


def test_numbers_are_taken_as_people_type_them() -> None:
    client = sign_in(make_household())
    bank = {"account_number": "4820-0123 456789", "confirm_account_number": "4820 0123456789"}
    review = go_to_review(client, start(client), {}, routing_number="0110 0001-5", **bank)
    authorize(client, review)
    assert open_account_number(bank_account=BankAccount.objects.get()) == "48200123456789"


def test_a_card_number_is_refused_and_neither_kept_nor_shown_again() -> None:
    client = sign_in(make_household())
    bank = client.post(start(client), {})["Location"]
    answer = client.post(bank, fill_bank(account_number="4111 1111 1111 1111"))
    assert read(answer).count("That looks like a card number. We cannot take cards.") == 2
    assert "1111" not in answer.content.decode().replace("11111111-", "")
    assert "This is a bank account number, not a card number" in read(answer)
    assert "Alice Alvarez" in answer.content.decode()
    sealed = PaymentDraft.objects.get().sealed.open(purpose=PURPOSE)
    assert b"1111" not in sealed
    assert client.get(bank.replace("bank", "review"))["Location"].endswith("/bank/")


def test_the_payer_may_say_that_a_number_is_no_card() -> None:
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {}, account_number="4111111111111111", not_a_card="on")
    assert authorize(client, review).status_code == 303
    assert Payment.objects.get().bank_account.last_four == "1111"


def test_a_longer_card_number_cannot_be_an_account_number() -> None:
    client = sign_in(make_household())
    bank = client.post(start(client), {})["Location"]
    answer = client.post(bank, fill_bank(account_number="6212 3456 7890 0000 003"))
    assert "That looks like a card number" in read(answer)
    assert "This is a bank account number" not in read(answer)


def test_change_keeps_what_was_typed_but_never_shows_the_number() -> None:
    client = sign_in(make_household())
    amount = start(client)
    review = go_to_review(client, amount, {})
    bank = review.replace("review", "bank")
    for url in (amount, bank, review):
        page = client.get(url)
        assert NUMBER not in page.content.decode()
        assert "no-store" in page["Cache-Control"]
    page = client.get(bank)
    assert "Ending 6789: keep it" in read(page)
    assert 'value="Alice Alvarez"' in page.content.decode()
    mended = fill_bank(holder_name="Alice B. Alvarez", account_number="", number_choice="keep")
    assert client.post(bank, mended).status_code == 303
    authorize(client, review)
    account = BankAccount.objects.get()
    assert (account.holder_name, open_account_number(bank_account=account)) == ("Alice B. Alvarez", NUMBER)


def test_a_number_typed_beside_keep_it_is_never_guessed() -> None:
    client = sign_in(make_household())
    bank = go_to_review(client, start(client), {}).replace("review", "bank")
    answer = client.post(bank, fill_bank(account_number="5550001", number_choice="keep"))
    assert "Choose “Replace it” to use this number" in read(answer)
    assert client.post(bank, fill_bank(account_number="5550001", number_choice="replace")).status_code == 303


def test_a_saved_account_is_offered_first_the_next_time() -> None:
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    health, dental = (find_account(member, product).pk for product in ("health", "dental"))
    authorize(client, go_to_review(client, start(client), {f"pay_{health}": "on"}))
    bank = client.post(start(client), {f"pay_{dental}": "on"})["Location"]
    page = read(client.get(bank))
    assert page.index("Ending 6789 Checking account of Alice Alvarez") < page.index("Use another account")
    saved = BankAccount.objects.get()
    unclear = client.post(bank, fill_bank(source=str(saved.pk)))
    assert "Choose “Use another account” to use the numbers you typed" in read(unclear)
    answer = client.post(bank, {"source": str(saved.pk)})
    authorize(client, answer["Location"])
    assert Payment.objects.filter(bank_account=saved).count() == 2


def test_a_saved_account_of_someone_else_is_refused() -> None:
    other = make_household()
    their_client = sign_in(other)
    authorize(their_client, pay_health(their_client))
    theirs = BankAccount.objects.get()
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    authorize(client, go_to_review(client, start(client), {f"pay_{find_account(member).pk}": "on"}))
    bank = client.post(start(client), {f"pay_{find_account(member, 'dental').pk}": "on"})["Location"]
    assert client.post(bank, {"source": str(theirs.pk)}).status_code == 200


def test_an_unticked_authorization_is_asked_for() -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    answer = client.post(review, {"token": read_hidden(page, "token")})
    assert read(answer).count("Tick the box to authorize $284.17 for the health bill") == 2
    assert not Payment.objects.exists()
    assert authorize(client, review, answer).status_code == 303


def test_what_was_typed_is_thrown_away_once_the_payment_is_recorded() -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    authorize(client, review)
    assert NUMBER.encode() not in PaymentDraft.objects.get().sealed.open(purpose=PURPOSE)


def test_what_was_typed_is_kept_where_the_payment_is_refused() -> None:
    member = make_household()
    client = sign_in(member)
    review = pay_health(client)
    page = client.get(review)
    typed = find_draft_contents().bank
    assert typed
    known = register(details=typed, owner=member.user, at=clock.now())
    fail(bank_account_ids=[known.pk], at=clock.now(), why="no such account")
    assert "This bank account could not be used before" in read(authorize(client, review, page))
    assert not Payment.objects.exists()
    assert find_draft_contents().bank == typed
    assert "ending 6789" in read(client.get(review))


def test_a_draft_cleared_away_in_the_moment_of_paying_stops_no_payment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(make_household())
    review = pay_health(client)

    def clear_and_record(**facts: Any) -> list[Payment]:
        PaymentDraft.objects.all().delete()
        SealedValue.objects.filter(purpose=PURPOSE).delete()
        return record_as_told(**facts)

    monkeypatch.setattr("payments.views.steps.record_as_told", clear_and_record)
    assert "/confirmation/" in authorize(client, review)["Location"]
    assert Payment.objects.count() == 1


def find_draft_contents() -> Contents:
    return Contents.read(PaymentDraft.objects.get().sealed.open(purpose=PURPOSE))


def test_the_same_form_twice_leads_to_the_same_confirmation() -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    first = authorize(client, review, page)
    again = authorize(client, review, page)
    assert first["Location"] == again["Location"]
    assert client.get(review)["Location"] == first["Location"]
    assert client.get(review.replace("review", "bank"))["Location"] == first["Location"]
    assert Payment.objects.count() == 1


def test_a_second_tab_that_pays_the_same_draft_makes_no_second_payment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    # The second tab has read the draft before the first threw it away.
    monkeypatch.setattr("payments.views.steps.discard_draft", lambda *, draft: None)
    first = authorize(client, review, page)
    again = authorize(client, review, page)
    assert again["Location"] == first["Location"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "typed", [{"account_number": "99990000456789"}, {"holder_name": "Bob Alvarez"}, {"kind": "savings"}]
)
def test_the_account_that_another_tab_typed_is_not_debited_unseen(typed: dict[str, str]) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    bank = fill_bank(**{"number_choice": "replace", **typed})
    assert client.post(review.replace("review", "bank"), bank).status_code == 303
    answer = authorize(client, review, page)
    words = "The bank account was changed in the meantime. Check your payment once more"
    assert read(answer).count(words) == 1
    assert not Payment.objects.exists()
    assert authorize(client, review, answer).status_code == 303


def test_the_token_tells_nothing_of_the_bank_account() -> None:
    client = sign_in(make_household())
    token = read_hidden(client.get(pay_health(client)), "token")
    facts = str(signing.loads(token, salt=SALT))
    assert not any(secret in facts for secret in (NUMBER, "6789", ROUTING, "Alvarez"))


@pytest.mark.starts(eastern(2027, 1, 23, 23, 58))
def test_a_sentence_that_midnight_made_untrue_records_nothing_and_says_why(diary: Diary) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    assert "your coverage starts February 1, 2027" in read(page)
    diary.go_to(eastern(2027, 1, 24, 0, 0, 3))
    answer = authorize(client, review, page)
    words = "It is now January 24. Paying now starts coverage March 1, not February 1"
    assert answer.status_code == 200
    assert read_title(answer).startswith("Error: ")
    assert read(answer).count(words) == 1
    assert "Tick the box" not in read(answer)
    assert " checked" not in answer.content.decode()
    assert not Payment.objects.exists()
    assert "Received today, your coverage starts March 1, 2027." in read(answer)
    assert authorize(client, review, answer).status_code == 303
    assert Payment.objects.get().received_date == date(2027, 1, 24)


@pytest.mark.starts(eastern(2027, 1, 23, 23, 59, 59))
def test_the_last_second_of_the_due_date_is_on_time() -> None:
    client = sign_in(make_household())
    assert authorize(client, pay_health(client)).status_code == 303
    assert Payment.objects.get().coverage_sentence.endswith("your coverage starts February 1, 2027.")


@pytest.mark.starts(eastern(2027, 1, 10, 23, 58))
def test_a_day_that_ended_while_the_page_was_open_is_said(diary: Diary) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    diary.go_to(eastern(2027, 1, 11, 0, 0, 3))
    assert "It is now January 11. Check your payment once more" in read(authorize(client, review, page))
    assert not Payment.objects.exists()


def test_a_token_that_was_changed_records_nothing() -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    box = f"authorize_{Payment.account.field.related_model.objects.get().pk}"
    token = read_hidden(client.get(review), "token")
    answer = client.post(review, {"token": f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}", box: "on"})
    assert "This page was open too long" in read(answer)
    assert not Payment.objects.exists()


def test_an_expired_draft_starts_again_in_a_friendly_way(diary: Diary) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    assert clear_expired_drafts(at=clock.now() + timedelta(minutes=59)) == 0
    draft = PaymentDraft.objects.get()
    PaymentDraft.objects.filter(pk=draft.pk).update(expires_at=clock.now())
    assert "Please start again" in read(client.get(review))
    assert clear_expired_drafts(at=clock.now()) == 1
    assert not SealedValue.objects.filter(purpose=PURPOSE).exists()


def test_a_draft_belongs_to_one_session_and_one_person() -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    other = sign_in(make_household())
    assert "Please start again" in read(other.get(review))
    assert "Please start again" in read(Client().get(review.replace("/pay/", "/guest/")))


def test_the_confirmation_is_for_its_browser_and_its_member() -> None:
    member = make_household()
    client = sign_in(member)
    confirmation = authorize(client, pay_health(client))["Location"]
    elsewhere = Client()
    elsewhere.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Payment received" in read(elsewhere.get(confirmation))
    assert Client().get(confirmation)["Location"] == "/receipts/"
    assert sign_in(make_household()).get(confirmation)["Location"] == "/receipts/"


def test_a_step_too_early_leads_back_to_the_one_that_is_missing() -> None:
    client = sign_in(make_household())
    amount = start(client)
    assert client.get(amount.replace("amount", "review"))["Location"] == amount
    bank = client.post(amount, {})["Location"]
    assert client.get(bank.replace("bank", "review"))["Location"] == bank
    assert client.get(amount.replace("amount", "elsewhere")).status_code == 404


def test_a_bill_of_each_year_is_named_by_its_year(diary: Diary) -> None:
    member = make_household()
    people.make_enrollment(member=member, requested_start=date(2028, 1, 1), premium_cents=300_00)
    invoices.issue_missing(today=clock.today(), at=clock.now())
    client = sign_in(member)
    page = read(client.get(start(client)))
    assert "Health 2027" in page
    assert "Health 2028" in page


def test_one_of_two_health_bills_is_paid_under_the_name_it_was_shown_by() -> None:
    member = make_household()
    people.make_enrollment(member=member, requested_start=date(2028, 1, 1), premium_cents=300_00)
    invoices.issue_missing(today=clock.today(), at=clock.now())
    client, first = sign_in(member), Account.objects.order_by("pk")[0]
    review = go_to_review(client, start(client), {f"pay_{first.pk}": "on"})
    assert authorize(client, review).status_code == 303
    assert Payment.objects.get().account == first


def test_paying_takes_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(make_household())
    review = pay_health(client)
    page = client.get(review)
    recording: list[int] = []

    def counted(**options: Any) -> list[Payment]:
        with CaptureQueriesContext(connection) as inside:
            payments = record_as_told(**options)
        recording.append(len(inside))
        return payments

    monkeypatch.setattr("payments.views.steps.record_as_told", counted)
    with CaptureQueriesContext(connection) as statements:
        assert authorize(client, review, page).status_code == 303
    assert len(statements) - recording[0] <= 9, [item["sql"][:90] for item in statements.captured_queries]
    assert len(statements) <= 37
