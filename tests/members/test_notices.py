"""Notices: every event has its words in both languages, and reaches people by the channels they chose."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from members.models import Member
from members.notices import KINDS, LANGUAGES, UnableToTell, choose_channels, find_kind, write

FACTS = {
    "account": "dana",
    "changed": "email, role",
    "changed_by": "kim",
    "rest_until": "January 13, 2027, 9:00 AM",
    "product": "health",
    "amount_cents": 1_284_17,
    "received_date": "2027-01-20",
    "confirmation_number": "ABCDEFGHJK",
    "last_four": "6789",
    "check_number": "1042",
    "effect": "Received today, your coverage starts February 1, 2027.",
    "clearing_date": "2027-01-27",
    "plan_name": "Harborlight Silver & Gold",
    "day_before": "2027-01-24",
    "day_after": "2027-01-22",
    "start_before": "2027-02-01",
    "start_after": "2027-03-01",
    "due_date": "2027-02-23",
    "coverage_start": "2027-02-01",
    "invoice_number": "0000000042",
    "coverage_month": "2027-03-01",
    "requested_start": "2027-02-01",
    "draft_date": "2027-01-22",
    "debit_date": "2027-01-25",
    "cut_date": "2027-01-21",
    "cutoff": "5 p.m.",
    "ceiling_cents": 250_00,
    "change_key": "3f6c2f0e-8a51-4a55-9f0f-7c1f2b7f2f11",
    "text": "I authorize the exchange to take what is due each month.",
    "method": "check",
    "state": "blocked",
    "pay_by_date": "2027-03-23",
    "end_date": "2027-01-31",
    "ask_by_date": "2027-05-04",
    "bills": [
        {
            "product": "health",
            "coverage_month": "2027-03-01",
            "remaining_cents": 284_17,
            "due_date": "2027-02-23",
        }
    ],
}
SHARED = ("base", "help_with_money", "autopay_on_its_way")
ABOUT_MONEY_OWED = [
    "payment_returned",
    "check_returned",
    "money_moved_away",
    "payment_canceled",
    "start_pushed",
    "start_restored",
    "bill_ready",
    "due_reminder",
    "enrollment_expired",
    "bank_account_stopped",
    "autopay_off",
    "autopay_ceiling",
    "autopay_waiting",
    "past_due",
    "termination_warning",
    "termination",
]
MAY_ASK_FOR_NOTHING = ["start_pushed", "start_restored", "bill_ready"]
everything = pytest.mark.parametrize(
    ("event", "language"), [(event, language) for event in KINDS for language in LANGUAGES]
)


def facts_for(event):
    return {name: FACTS[name] for name in KINDS[event].needs}


def write_refund(language, **more):
    return write(event="refund", language=language, facts=facts_for("refund") | more).body


def alter(value):
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return []
    return "2031-12-01" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else f"Other {value}"


def make_reader(**choices):
    return Member(email="ines@example.org", **choices)


@everything
def test_every_event_has_its_words_in_both_languages(event, language):
    words = write(event=event, language=language, facts=facts_for(event), name="Inés")

    assert words.subject
    assert words.body.startswith("Hello Inés," if language == "en" else "Hola, Inés:")
    assert settings.EXCHANGE["help_line"] in words.body
    assert "TTY 711" in words.body
    assert not re.search(r"\{[{%]|&#|&amp;|\n\n\n|None|_cents", words.body)


@everything
def test_every_fact_an_event_needs_is_in_its_words(event, language):
    body = write(event=event, language=language, facts=facts_for(event)).body
    for fact in KINDS[event].needs - {"product"}:
        changed = write(event=event, language=language, facts=facts_for(event) | {fact: alter(FACTS[fact])})
        assert changed.body != body, fact


@everything
def test_a_subject_line_names_neither_money_nor_plan_nor_person(event, language):
    subject = KINDS[event].subjects[language]
    assert not re.search(r"\d|\$|health|dental|salud|Harborlight", subject, re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", ABOUT_MONEY_OWED)
def test_a_notice_about_money_owed_names_the_waiver_the_assister_and_legal_aid_and_the_next_step(
    event, language
):
    body = write(event=event, language=language, facts=facts_for(event)).body
    assert ("waiver" if language == "en" else "exención") in body
    assert settings.EXCHANGE["assister_url"] in body
    assert settings.EXCHANGE["legal_aid_url"] in body
    assert ("What to do next" if language == "en" else "Qué hacer ahora") in body


@pytest.mark.parametrize("event", MAY_ASK_FOR_NOTHING)
@pytest.mark.parametrize(
    ("language", "words", "asking"),
    [
        ("en", "do not have to pay", ("must receive", "waiver")),
        ("es", "No tiene que pagar", ("recibir", "exención")),
    ],
)
def test_where_nothing_is_to_be_paid_the_notice_says_so_and_asks_for_nothing(event, language, words, asking):
    body = write(event=event, language=language, facts=facts_for(event) | {"amount_cents": 0}).body
    assert words in body
    assert not [word for word in asking if word in body]


@pytest.mark.parametrize(
    ("language", "named", "not_named"),
    [
        ("en", "your coverage ends on January 31, 2027", ["your coverage can end", "name its last day"]),
        ("es", "su cobertura termina el 31 de enero de 2027", ["puede terminar", "cuál es su último día"]),
    ],
)
def test_what_happens_otherwise_is_told_with_its_day_where_staff_do_not_choose_it(language, named, not_named):
    for event, vague in zip(("past_due", "termination_warning"), not_named, strict=True):
        facts = facts_for(event)
        assert named in write(event=event, language=language, facts=facts | {"end_date": "2027-01-31"}).body
        assert vague in write(event=event, language=language, facts=facts).body


@pytest.mark.parametrize("event", ["past_due", "termination_warning"])
@pytest.mark.parametrize(
    ("language", "said", "as_if_to_come"),
    [
        (
            "en",
            "we will end your coverage as of January 31, 2027. You may have to pay for all care you got after that day.",
            ("still covered", "coverage ends on"),
        ),
        (
            "es",
            "su cobertura terminará con fecha del 31 de enero de 2027. Es posible que tenga que pagar toda la atención que "
            "haya recibido después de ese día.",
            ("todavía tiene cobertura", "termina el"),
        ),
    ],
)
def test_an_end_that_has_passed_is_told_as_such(event, language, said, as_if_to_come):
    facts = facts_for(event) | {"end_date": "2027-01-31", "end_is_past": True}
    body = write(event=event, language=language, facts=facts).body
    assert said in body
    assert not [words for words in as_if_to_come if words in body]


@pytest.mark.parametrize(("language", "words"), [("en", "You owe nothing."), ("es", "Usted no debe nada.")])
def test_the_end_of_coverage_says_what_is_still_owed_or_that_nothing_is(language, words):
    facts = facts_for("termination")
    assert words in write(event="termination", language=language, facts=facts | {"amount_cents": 0}).body
    assert words not in write(event="termination", language=language, facts=facts).body


def test_money_and_dates_are_written_the_readers_way():
    english = write(event="bill_ready", language="en", facts=facts_for("bill_ready")).body
    spanish = write(event="bill_ready", language="es", facts=facts_for("bill_ready")).body
    assert "$1,284.17" in english
    assert "$1,284.17" in spanish
    assert "February 23, 2027" in english
    assert "23 de febrero de 2027" in spanish
    assert "It is for March 2027" in english
    assert "Es para marzo de 2027" in spanish


def test_the_banks_reason_is_told_only_where_it_is_given():
    facts = facts_for("payment_returned")
    silent = write(event="payment_returned", language="en", facts=facts).body
    told = write(
        event="payment_returned", language="en", facts=facts | {"reason": "There was not enough money."}
    )
    assert "not enough money" not in silent
    assert "There was not enough money." in told.body


@pytest.mark.parametrize(
    ("language", "mailed", "sent", "mistaken"),
    [
        ("en", "A check is in the mail.", "ending in 6789", "that we should not have taken"),
        ("es", "un cheque por correo", "termina en 6789", "que no debíamos tomar"),
    ],
)
def test_a_refund_says_by_which_way_the_money_comes(language, mailed, sent, mistaken):
    assert mailed in write_refund(language, method="check", check_number="1042")
    assert "1042" in write_refund(language, method="check", check_number="1042")
    assert sent in write_refund(language, method="ach", last_four="6789")
    assert mistaken in write_refund(language, method="reversal")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reversal_that_opens_a_bill_names_what_is_owed_the_waiver_and_the_next_step(language):
    owed = {"due_cents": 284_17, "due_date": "2027-01-23", "effect": "Pay today."}
    body = write_refund(language, method="reversal", **owed)
    assert "$284.17" in body
    assert ("waiver" if language == "en" else "exención") in body
    assert ("What to do next" if language == "en" else "Qué hacer ahora") in body
    assert settings.EXCHANGE["assister_url"] not in write_refund(language, method="reversal")


def test_names_are_written_as_they_are():
    body = write(
        event="start_pushed", language="en", facts=facts_for("start_pushed"), name="D'Arcy & Co"
    ).body
    assert "Hello D'Arcy & Co," in body
    assert "Harborlight Silver & Gold" in body


def test_another_language_falls_back_to_english():
    assert "Hello" in write(event="bill_ready", language="pt", facts=facts_for("bill_ready")).body


def test_an_unknown_event_and_a_missing_fact_are_refused_by_name():
    with pytest.raises(UnableToTell, match="no notice for 'bill_lost'"):
        find_kind(event="bill_lost", facts={})
    with pytest.raises(UnableToTell, match="payment_canceled needs amount_cents, product"):
        find_kind(event="payment_canceled", facts={"confirmation_number": "ABCDEFGHJK"})


@pytest.mark.parametrize(
    ("event", "choices", "channels"),
    [
        ("payment_received", {"paperless_notices": True}, ["email"]),
        ("payment_received", {"paperless_bills": True}, ["letter"]),
        ("bill_ready", {"paperless_bills": True}, ["email"]),
        ("bill_ready", {"paperless_notices": True}, ["letter"]),
        ("payment_returned", {}, ["email", "letter"]),
        ("start_pushed", {"paperless_notices": True}, ["email", "letter"]),
        ("start_pushed", {"paperless_notices": True, "email": ""}, ["letter"]),
        ("start_restored", {"paperless_notices": True}, ["email"]),
        ("start_restored", {}, ["letter"]),
        ("past_due", {"paperless_notices": True}, ["email"]),
        ("past_due", {}, ["letter"]),
        ("termination_warning", {"paperless_notices": True}, ["email", "letter"]),
        ("termination_warning", {}, ["email", "letter"]),
        ("payment_received", {"paperless_notices": True, "email": ""}, ["letter"]),
    ],
)
def test_paperless_is_a_choice_for_each_kind_and_grave_news_goes_both_ways(event, choices, channels):
    reader = make_reader(**choices) if "email" not in choices else Member(**choices)
    assert choose_channels(kind=KINDS[event], member=reader, address="") == channels


def test_a_guest_gets_the_email_they_asked_for_and_nothing_else():
    kind = KINDS["payment_received"]
    assert choose_channels(kind=kind, member=None, address="guest@example.org") == ["email"]
    assert choose_channels(kind=KINDS["payment_returned"], member=None, address="g@example.org") == ["email"]
    assert choose_channels(kind=kind, member=None, address="") == []


def test_an_address_given_for_one_notice_gets_its_email_beside_the_members_letter():
    assert choose_channels(kind=KINDS["payment_received"], member=make_reader(), address="x@example.org") == [
        "email",
        "letter",
    ]


def test_every_template_belongs_to_an_event():
    found = {path.name for path in Path(settings.BASE_DIR, "templates/notices").glob("*.txt")}
    shared = {f"{name}.{language}.txt" for name in SHARED for language in LANGUAGES}
    assert found - shared == {f"{event}.{language}.txt" for event in KINDS for language in LANGUAGES}


@pytest.mark.parametrize(
    ("language", "own", "flat", "change"),
    [
        (
            "en",
            "you let AutoPay take no more than $250.00",
            "AutoPay can take no more than $250.00",
            "change its limit",
        ),
        (
            "es",
            "pero autorizó no más de $250.00 por pago",
            "no puede cobrar más de $250.00 por pago",
            "cambie ahí",
        ),
    ],
)
def test_above_the_limit_a_notice_says_whose_limit_it_is(language, own, flat, change):
    facts = facts_for("autopay_ceiling")
    limited = write(event="autopay_ceiling", language=language, facts=facts).body
    assert own in limited
    assert change in limited
    unlimited = write(event="autopay_ceiling", language=language, facts=facts | {"is_flat": True}).body
    assert flat in unlimited
    assert own not in unlimited
    assert change not in unlimited


@pytest.mark.parametrize("event", ["autopay_off", "autopay_ceiling", "autopay_waiting"])
@pytest.mark.parametrize(
    ("language", "at_bank", "scheduled"),
    [
        (
            "en",
            "A payment of $90.00 is already at your bank. Do not pay it again.",
            "$10.00 is already scheduled.",
        ),
        ("es", "Un pago de $90.00 ya está en su banco. No lo pague otra vez.", "$10.00 ya está programado."),
    ],
)
def test_what_is_on_its_way_must_not_be_paid_again(event, language, at_bank, scheduled):
    way = {"at_bank_cents": 90_00, "scheduled_cents": 10_00}
    body = write(event=event, language=language, facts=facts_for(event) | way).body
    assert at_bank in body
    assert scheduled in body
    assert at_bank not in write(event=event, language=language, facts=facts_for(event)).body
