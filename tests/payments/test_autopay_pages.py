"""AutoPay's pages: three steps, an unticked box a bill; what is no longer true is shown anew; two clicks to turn it off."""

import re
from datetime import date, time
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connector_pay.lib import clock
from members.models import Member, Notice
from members.notices import write
from payments.autopay.days import find_draft_day
from payments.autopay.drafting import draft_all
from payments.autopay.notices import Draft, tell_coming
from payments.autopay.plans import write_authorization
from payments.autopay.turning_off import turn_off
from payments.bank_accounts import approve
from payments.banking_calendar import read_calendar
from payments.mandates import suspend_mandates
from payments.models import Authorization, DraftAnnouncement, Mandate, Payment, PaymentDraft
from tests import people
from tests.billing.correcting import make_override
from tests.diary import Diary, eastern
from tests.payments.autopay.granting import turn_on
from tests.payments.payers import (
    fill_bank,
    find_account,
    make_household,
    read,
    read_hidden,
    read_title,
    sign_in,
)
from tests.payments.payers import go_to_review as go_to_pay
from tests.payments.payers import start as start_paying
from tests.payments.paying import make_details

pytestmark = pytest.mark.starts(eastern(2027, 1, 16))
THE_22ND = date(2027, 1, 22)


@pytest.fixture(autouse=True)
def _saturday_the_16th(diary: Diary) -> Diary:
    """The day of these tests, unless a test says otherwise."""
    return diary


@pytest.fixture
def member() -> Member:
    return make_household(products=("health", "dental"))


@pytest.fixture
def client(member: Member) -> Client:
    return sign_in(member)


def start(client: Client, query: str = "") -> str:
    """Begin to set up AutoPay; the address of its first page."""
    answer = client.get(f"/autopay/set-up/{query}")
    assert answer.status_code == 302, read(answer)
    return str(answer["Location"])


def go_to_review(client: Client, typed: dict[str, str], *, query: str = "", **bank: str) -> str:
    answer = client.post(start(client, query), typed)
    assert answer.status_code == 303, read(answer)
    answer = client.post(answer["Location"], fill_bank(**bank))
    assert answer.status_code == 303, read(answer)
    return str(answer["Location"])


def authorize(client: Client, review: str, page: Any = None) -> Any:
    """Tick every box and press the button."""
    page = page or client.get(review)
    boxes = re.findall(r'name="(authorize_\d+)"', page.content.decode())
    return client.post(review, {"token": read_hidden(page, "token"), **dict.fromkeys(boxes, "on")})


def choose(member: Member, *products: str, **limits: str) -> dict[str, str]:
    ticks = {f"pay_{find_account(member, product).pk}": "on" for product in products}
    return ticks | {f"limit_{find_account(member, name).pk}": value for name, value in limits.items()}


def list_ticked(page: Any) -> list[str]:
    """The boxes that authorize and are ticked."""
    boxes = re.findall(r"<input[^>]*type=\"checkbox\"[^>]*>", page.content.decode())
    return [re.findall(r'name="([^"]+)"', box)[0] for box in boxes if " checked" in box]


def find_source(client: Client, member: Member, query: str = "") -> int | None:
    """The saved bank account that is chosen beforehand."""
    page = client.get(client.post(start(client, query), choose(member, "health", "dental"))["Location"])
    chosen = re.search(r'name="source"[^>]*value="(\d+)"[^>]*checked', page.content.decode())
    return int(chosen[1]) if chosen else None


def test_autopay_needs_a_member_signed_in(member: Member) -> None:
    account = find_account(member)
    for path in ("/autopay/", "/autopay/set-up/", f"/autopay/{account.pk}/off/"):
        assert Client().get(path)["Location"].startswith("/accounts/login/")


def test_both_bills_are_set_up_in_three_steps_with_one_unticked_box_each(
    client: Client, member: Member
) -> None:
    review = go_to_review(client, choose(member, "health", "dental", dental="40.00"))
    page = client.get(review)
    text = read(page)
    assert "Check and authorize AutoPay" in text
    assert text.count("January 22, 2027 $284.17") == 1
    assert "February 22, 2027 about $284.17" in text
    assert " checked" not in page.content.decode()
    refused = client.post(review, {"token": read_hidden(page, "token")})
    assert read(refused).count("Tick the box to authorize AutoPay for the dental bill") == 2
    assert read_title(refused).startswith("Error: ")
    assert not Mandate.objects.exists()

    answer = authorize(client, review, page)
    assert answer.status_code == 303
    done = client.get(answer["Location"])
    assert read_title(done).startswith("AutoPay is on")
    health, dental = Mandate.objects.order_by("account_id")
    assert (health.account, dental.account) == (find_account(member), find_account(member, "dental"))
    assert (health.ceiling_cents, dental.ceiling_cents) == (0, 40_00)
    assert health.drafts_from == dental.drafts_from == THE_22ND
    told = DraftAnnouncement.objects.order_by("account_id").values_list("draft_date", "amount_cents")
    assert list(told) == [(THE_22ND, 284_17), (THE_22ND, 31_50)]


def test_the_authorization_is_kept_word_for_word_with_all_that_proves_it(
    client: Client, member: Member
) -> None:
    review = go_to_review(client, choose(member, "health"))
    page = client.get(review, headers={"user-agent": "Firefox"})
    boxes = re.findall(r'name="(authorize_\d+)"', page.content.decode())
    typed = {"token": read_hidden(page, "token"), boxes[0]: "on"}
    client.post(review, typed, headers={"user-agent": "Firefox"})
    proof = Authorization.objects.get()
    assert proof.text == write_authorization(
        bill="Health", last_four="6789", most_cents=10_000_00, starts_on=THE_22ND
    )
    assert proof.text in read(page)
    for words in (
        "take what is due on my health bill each month",
        "never more than $10,000.00",
        "received on day 22 of the month, from January 22, 2027 on",
        "at least 10 days before",
        "by 5 p.m. Eastern on the banking day before a debit",
        "If my bank returns a payment",
    ):
        assert words in proof.text
    kept = (proof.recurring, proof.sec_code, proof.channel, proof.text_version, proof.language)
    assert kept == (True, "WEB", "web", "autopay-2", "en")
    assert (proof.address, proof.browser, proof.account_last_four) == ("127.0.0.1", "Firefox", "6789")
    assert (proof.given_by.member, proof.given_at) == (member, clock.now())
    copy = Notice.objects.get(event="autopay_on", channel="letter")
    assert copy.facts["text"] == proof.text


def test_with_files_at_three_no_page_and_no_notice_says_five(
    client: Client, member: Member, diary: Diary, settings
) -> None:
    settings.PREMIUM_POLICY = {"file_cutoff": time(15)}
    review = go_to_review(client, choose(member, "health"))
    shown = client.get(review)
    texts = [read(shown), read(client.get(authorize(client, review, shown)["Location"]))]
    paying = go_to_pay(
        client, start_paying(client), {f"pay_{find_account(member, 'dental').pk}": "on"}, source="new"
    )
    asked = client.get(paying)
    texts += [read(asked), read(client.get(authorize(client, paying, asked)["Location"]))]
    texts.append(read(client.get("/faq/")))
    (mandate,) = Mandate.objects.all().select_related(
        "account__enrollment__member", "account__enrollment__plan"
    )
    day = find_draft_day(month=THE_22ND, calendar=read_calendar())
    (coming,) = tell_coming(drafts=[Draft(mandate, day, 284_17)])
    texts += [write(event=coming.event, language=name, facts=coming.facts).body for name in ("en", "es")]
    for text in texts:
        assert "3 p.m. Eastern" in text or "3 p.m., hora del Este" in text
        assert not re.search(r"\b5 p\. ?m", text)


def test_the_same_form_sent_again_turns_it_on_once(client: Client, member: Member) -> None:
    review = go_to_review(client, choose(member, "health"))
    page = client.get(review)
    answers = [authorize(client, review, page) for _ in range(3)]
    assert len({answer["Location"] for answer in answers}) == 1
    assert Mandate.objects.count() == Authorization.objects.count() == 1


def test_nothing_chosen_and_limits_that_cannot_be_are_refused_beside_their_boxes(
    client: Client, member: Member
) -> None:
    page = start(client)
    assert "Choose at least one bill for AutoPay" in read(client.post(page, {}))
    for typed, words in (
        ("0.50", "Enter an amount of at least $1.00"),
        ("10000.01", "Enter $10,000.00 or less, or leave the box empty"),
        ("a lot", "Enter the amount in dollars and cents"),
    ):
        answer = client.post(page, choose(member, "health", health=typed))
        assert words in read(answer)
        assert typed in answer.content.decode()
    assert not PaymentDraft.objects.filter(form_key__isnull=True).exists()


@pytest.mark.starts(eastern(2027, 1, 20))
def test_after_the_19th_the_page_says_first_that_this_bill_is_not_paid_and_what_that_does(
    client: Client, member: Member
) -> None:
    first = read(client.get(start(client)))
    review = go_to_review(client, choose(member, "health"))
    for text in (first, read(client.get(review))):
        assert "AutoPay will not pay this bill. Pay it now" in text
        assert (
            "$284.17 for February 2027. If it is not paid by January 23, 2027, "
            "your coverage starts March 1, 2027, not February 1, 2027." in text
        )
        assert "The first AutoPay payment is on February 22, 2027. That is too late." in text
    authorize(client, review)
    assert Mandate.objects.get().drafts_from == date(2027, 2, 22)


def test_a_limit_below_the_bill_says_that_the_bill_is_not_paid(client: Client, member: Member) -> None:
    review = go_to_review(client, choose(member, "health", health="200"))
    text = read(client.get(review))
    assert "AutoPay will not pay this bill. Pay it now" in text
    assert "AutoPay may take no more than $200.00 at once." in text
    authorize(client, review)
    assert "The next bill is above your limit" in read(client.get("/home/"))


def test_a_bank_account_that_is_not_validated_before_the_cut_begins_with_the_next_bill(
    client: Client, member: Member, settings
) -> None:
    settings.BANK_VALIDATION_METHODS = ["prenote"]
    review = go_to_review(client, choose(member, "health"))
    text = read(client.get(review))
    assert "AutoPay will not pay this bill. Pay it now" in text
    assert "received on day 22 of the month, from February 22, 2027 on" in text


@pytest.mark.starts(eastern(2027, 1, 19, 23, 58))
def test_what_is_no_longer_true_when_the_request_arrives_is_shown_anew_and_nothing_is_recorded(
    client: Client, member: Member, diary: Diary
) -> None:
    review = go_to_review(client, choose(member, "health"))
    page = client.get(review)
    diary.moment = eastern(2027, 1, 20, 0, 0, 3)
    diary.traveller.move_to(diary.moment)
    answer = authorize(client, review, page)
    assert answer.status_code == 200
    assert "The first draft is now February 22, 2027. Check everything once more" in read(answer)
    assert " checked" not in answer.content.decode()
    assert not Mandate.objects.exists()
    assert authorize(client, review, answer).status_code == 303


def test_a_bill_that_changed_meanwhile_is_shown_anew(client: Client, member: Member) -> None:
    review = go_to_review(client, choose(member, "health"))
    page = client.get(review)
    make_override(
        coverage_month=date(2027, 2, 1),
        due_date=THE_22ND.replace(day=20),
        reason="x",
        recorded_at=clock.now(),
    )
    answer = authorize(client, review, page)
    assert "What is due has changed while this page was open" in read(answer)
    assert not Mandate.objects.exists()


def test_ticks_are_kept_while_a_box_is_missing_but_not_beside_words_that_have_changed(
    client: Client, member: Member
) -> None:
    typed = choose(member, "health", "dental")
    review = go_to_review(client, typed)
    page = client.get(review)
    health = f"authorize_{find_account(member).pk}"
    answer = client.post(review, {"token": read_hidden(page, "token"), health: "on"})
    assert list_ticked(answer) == [health]
    # In another tab of the same visit the limit is changed.
    client.post(review.replace("/review/", "/bills/"), typed | choose(member, health="300"))
    answer = client.post(review, {"token": read_hidden(page, "token"), health: "on"})
    assert "The limit was changed while this page was open. Check everything once more" in read(answer)
    assert "never more than $300.00" in read(answer)
    assert list_ticked(answer) == []
    # In another the bank account.
    client.post(review.replace("/review/", "/bank/"), fill_bank(account_number="987654"))
    answer = client.post(review, {"token": read_hidden(answer, "token"), health: "on"})
    assert "The bank account was changed while this page was open" in read(answer)
    assert list_ticked(answer) == []
    assert not Mandate.objects.exists()


def test_the_bank_account_chosen_beforehand_is_that_of_the_bill_asked_for(
    client: Client, member: Member
) -> None:
    health, dental = find_account(member), find_account(member, "dental")
    (first,) = turn_on(health, at=clock.now(), bank=make_details("111222333"))
    (second,) = turn_on(dental, at=clock.now(), bank=make_details("444555666"))
    assert find_source(client, member, f"?account={health.pk}") == first.bank_account_id
    assert find_source(client, member, f"?account={dental.pk}") == second.bank_account_id
    assert find_source(client, member) is None
    turn_off(account_ids=[dental.pk], today=clock.today(), at=clock.now())
    turn_on(dental, at=clock.now(), bank=first.bank_account)
    assert find_source(client, member) == first.bank_account_id


def test_the_most_at_once_is_always_an_amount_and_a_bill_above_that_of_every_payment_says_so(
    client: Client, member: Member, settings
) -> None:
    settings.PREMIUM_POLICY = {"maximum_payment_cents": 200_00}
    review = go_to_review(client, choose(member, "health"))
    page = client.get(review)
    words = "This bill is more than AutoPay can take at once. Pay it yourself, or call us."
    assert "Most at once $200.00" in read(page)
    assert words in read(page)
    done = read(client.get(authorize(client, review, page)["Location"]))
    assert words in done
    overview = read(client.get("/autopay/"))
    assert "Most at once $200.00" in overview
    assert words in overview
    assert "No limit" not in overview + read(page)
    assert "The next bill is more than AutoPay can take at once." in read(client.get("/home/"))


@pytest.mark.starts(eastern(2027, 1, 20))
def test_each_bill_of_the_first_page_has_a_heading_and_no_level_is_left_out(
    client: Client,
) -> None:
    page = client.get(start(client)).content.decode()
    levels = [int(level) for level in re.findall(r"<h([1-6])", page[page.index("<h1") :])]
    assert levels.count(3) == 2, "both bills are missed"
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_paused_it_can_be_set_up_again_and_nothing_says_that_it_is_on(client: Client, member: Member) -> None:
    account = find_account(member)
    (mandate,) = turn_on(account, at=clock.now())
    assert "Keep AutoPay on" in read(client.get(f"/autopay/{account.pk}/off/"))
    suspend_mandates(mandate_ids=[mandate.pk], at=clock.now(), why="R08")
    overview = read(client.get("/autopay/"))
    assert "Set up AutoPay again" in overview
    assert "Change bank account or limit" not in overview
    asked = read(client.get(f"/autopay/{account.pk}/off/"))
    assert "Go back" in asked
    assert "Keep AutoPay on" not in asked


def test_the_confirmation_shows_no_more_than_what_is_still_on(client: Client, member: Member) -> None:
    done = authorize(client, go_to_review(client, choose(member, "health", "dental")))["Location"]
    client.post(f"/autopay/{find_account(member, 'dental').pk}/off/")
    page = client.get(done)
    assert "AutoPay is on" in read(page)
    assert f"autopay-{find_account(member).pk}" in page.content.decode()
    assert f"autopay-{find_account(member, 'dental').pk}" not in page.content.decode()
    client.post(f"/autopay/{find_account(member).pk}/off/")
    assert client.get(done)["Location"] == "/autopay/"


@pytest.mark.starts(eastern(2027, 1, 21, 16, 50))
def test_turned_off_with_a_draft_at_the_bank_the_page_says_not_to_pay_it_again(
    client: Client, member: Member, diary: Diary
) -> None:
    account = find_account(member)
    (mandate,) = turn_on(account, at=eastern(2027, 1, 16))
    approve(bank_account=mandate.bank_account, at=eastern(2027, 1, 16))
    diary.walk_to(date(2027, 1, 21), time(17, 5))
    answer = client.post(f"/autopay/{account.pk}/off/", follow=True)
    words = "AutoPay is off. A payment of $284.17 is already at your bank. Do not pay it again."
    assert words in read(answer)


def test_the_limit_is_changed_by_a_new_authorization_without_a_gap(client: Client, member: Member) -> None:
    authorize(client, go_to_review(client, choose(member, "health")))
    old = Mandate.objects.get()
    page = start(client, f"?account={old.account_id}")
    bank = client.post(page, choose(member, "health", health="300"))["Location"]
    assert re.search(rf'value="{old.bank_account_id}"[^>]*checked', client.get(bank).content.decode())
    review = client.post(bank, {"source": old.bank_account_id})["Location"]
    authorize(client, review)
    new = Mandate.objects.latest("pk")
    old.refresh_from_db()
    assert (old.status, new.status, new.ceiling_cents, new.drafts_from) == ("ended", "on", 300_00, THE_22ND)
    assert new.authorization.amount_cents == 300_00
    assert Notice.objects.filter(event="autopay_changed", channel="letter").count() == 1
    assert 'value="300.00"' in client.get(start(client)).content.decode()


@pytest.mark.starts(eastern(2027, 1, 20))
def test_after_the_19th_a_new_limit_keeps_this_months_draft_and_a_new_bank_account_does_not(
    client: Client, member: Member, diary: Diary
) -> None:
    account = find_account(member)
    (old,) = turn_on(account, at=eastern(2027, 1, 16))
    bank = client.post(start(client), choose(member, "health", health="300"))["Location"]
    text = read(client.get(client.post(bank, {"source": old.bank_account_id})["Location"]))
    assert "January 22, 2027 $284.17" in text
    assert "AutoPay will not pay" not in text
    text = read(client.get(client.post(bank, fill_bank(source="new"))["Location"]))
    assert "AutoPay will not pay this bill. Pay it now" in text


def test_it_is_turned_off_in_two_clicks_and_the_bills_still_to_pay_are_told(
    client: Client, member: Member
) -> None:
    authorize(client, go_to_review(client, choose(member, "health", "dental")))
    account = find_account(member)
    page = client.get("/autopay/")
    assert f'href="/autopay/{account.pk}/off/"' in page.content.decode()
    asked = client.get(f"/autopay/{account.pk}/off/")
    assert "Turn off AutoPay for your health bill?" in read(asked)
    assert Mandate.objects.filter(status="on").count() == 2
    answer = client.post(f"/autopay/{account.pk}/off/", follow=True)
    assert "AutoPay is off" in read(answer)
    assert [mandate.account for mandate in Mandate.objects.filter(status="on")] == [
        find_account(member, "dental")
    ]
    told = Notice.objects.get(event="autopay_off", channel="letter")
    assert [bill["remaining_cents"] for bill in told.facts["bills"]] == [284_17]
    assert client.get(f"/autopay/{account.pk}/off/")["Location"] == "/autopay/"
    client.post(f"/autopay/{account.pk}/off/")
    assert Notice.objects.filter(event="autopay_off", channel="letter").count() == 1


def test_nobody_elses_autopay_is_seen_changed_or_turned_off(client: Client, member: Member) -> None:
    review = go_to_review(client, choose(member, "health"))
    answer = authorize(client, review)
    mandate = Mandate.objects.get()
    stranger = sign_in(make_household(first_name="Bob"))
    assert stranger.get(answer["Location"])["Location"] == "/autopay/"
    assert stranger.post(f"/autopay/{mandate.account_id}/off/").status_code == 404
    assert stranger.get(f"/autopay/authorizations/{mandate.pk}/").status_code == 404
    assert "6789" not in read(stranger.get("/autopay/"))
    draft = start(client)
    for path in (draft, draft.replace("/bills/", "/bank/"), draft.replace("/bills/", "/review/")):
        assert "start again" in read(stranger.get(path)).lower()
    mandate.refresh_from_db()
    assert mandate.status == "on"


def test_a_draft_of_autopay_is_no_payment_and_a_payment_no_autopay(client: Client, member: Member) -> None:
    review = go_to_review(client, choose(member, "health", health="50"))
    as_payment = review.replace("/autopay/set-up/", "/pay/")
    assert "start again" in read(client.get(as_payment)).lower()
    as_autopay = start_paying(client).replace("/pay/", "/autopay/set-up/").replace("/amount/", "/bills/")
    assert "start again" in read(client.get(as_autopay)).lower()
    assert not Payment.objects.exists()


def test_another_persons_account_cannot_be_put_into_the_first_page(client: Client, member: Member) -> None:
    other = find_account(make_household(first_name="Bob"))
    typed = choose(member, "health") | {f"pay_{other.pk}": "on", f"limit_{other.pk}": "5"}
    authorize(client, go_to_review(client, typed))
    assert [mandate.account for mandate in Mandate.objects.all()] == [find_account(member)]


def test_home_says_how_autopay_stands_and_the_amount_page_what_it_takes(
    client: Client, member: Member
) -> None:
    assert read(client.get("/home/")).count("AutoPay Off Set up AutoPay") == 2
    authorize(client, go_to_review(client, choose(member, "health")))
    assert "AutoPay On: $284.17, January 22, 2027" in read(client.get("/home/"))
    amount = client.get(start_paying(client))
    assert "AutoPay will take $284.17 on January 22, 2027. It leaves out what you pay now." in read(amount)


def test_an_expired_enrollment_has_no_autopay_to_set_up() -> None:
    member = people.make_member()
    people.make_enrollment(member=member, status="expired")
    client = sign_in(member)
    assert client.get("/autopay/set-up/")["Location"] == "/autopay/"
    overview = read(client.get("/autopay/"))
    assert "There is no bill that AutoPay could pay." in overview
    assert "You have no bills yet" not in overview
    assert "Set up AutoPay" not in read(client.get("/autopay/"))


def test_a_member_without_bills_is_told_so() -> None:
    client = sign_in(people.make_member())
    assert "You can set up AutoPay as soon as you have chosen a plan" in read(client.get("/autopay/"))


def test_what_was_authorized_can_be_kept_as_a_pdf(client: Client, member: Member) -> None:
    authorize(client, go_to_review(client, choose(member, "health")))
    mandate = Mandate.objects.get()
    answer = client.get(f"/autopay/authorizations/{mandate.pk}/")
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer["Cache-Control"]


def test_two_accounts_take_as_many_statements_as_one(client: Client, member: Member) -> None:
    alone = sign_in(make_household(first_name="Bob"))
    counts = []
    for browser in (alone, client):
        browser.get("/autopay/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get("/autopay/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_draft_is_scheduled_until_its_day_and_named_autopay_in_the_history_and_on_its_receipt(
    client: Client, member: Member, diary: Diary
) -> None:
    authorize(client, go_to_review(client, choose(member, "health")))
    diary.go_to(eastern(2027, 1, 21, 16, 59, 30))
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    payment = Payment.objects.get()
    assert "Scheduled Checking, ending 6789 AutoPay $284.17" in read(client.get("/payments/"))
    receipt = read(client.get(f"/receipts/{payment.confirmation_number}/"))
    assert "Made by AutoPay January 21, 2027, 4:59 p.m. Eastern" in receipt
    assert "Cancel this payment" in receipt
    diary.go_to(eastern(2027, 1, 22))
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Processing Checking, ending 6789 AutoPay $284.17" in read(client.get("/payments/"))


@pytest.mark.starts(eastern(2027, 1, 21, 16, 58))
def test_who_pays_while_the_draft_is_recorded_is_asked_once_more(
    client: Client, member: Member, diary: Diary
) -> None:
    account = find_account(member)
    (mandate,) = turn_on(account, at=eastern(2027, 1, 16))
    approve(bank_account=mandate.bank_account, at=clock.now())
    bank = client.post(start_paying(client), {f"pay_{account.pk}": "on"})["Location"]
    review = client.post(bank, fill_bank(source="new"))["Location"]
    page = client.get(review)
    draft_all(today=diary.today, at=eastern(2027, 1, 21, 16, 59))
    answer = authorize(client, review, page)
    assert "a payment of $284.17, received January 22, 2027, is already on its way" in read(answer)
    assert Payment.objects.get().channel == "autopay"
