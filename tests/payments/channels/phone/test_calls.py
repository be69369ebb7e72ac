"""Calls over the webhooks: one payment whatever a carrier repeats, its proof, its written copy, and nothing left in clear."""

import json
import logging
import re
from datetime import date, time

import pytest
from django.db import connection
from django.test import Client

from connector_pay.lib.models import SealedValue
from members.models import Notice
from payments import tasks
from payments.channels import guest
from payments.channels.phone import calls
from payments.channels.phone.playing import Heard, read_twiml
from payments.channels.phone.speech import spell_number
from payments.channels.phone.words import WORDS
from payments.models import Authorization, BankAccount, Payment, PhoneCall
from payments.proofs import _list_facts, find_debit
from tests.diary import Diary, eastern
from tests.payments.channels.phone.calling import (
    ACCOUNT,
    BORN,
    MEMBER_ID,
    ROUTING,
    key_in,
    list_bank,
    make_call,
    write,
)
from tests.payments.payers import find_account, make_household

HEALTH = ["1", MEMBER_ID, BORN, "1", "1", *list_bank()]


@pytest.fixture(autouse=True)
def _noon_of_january_20(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of these tests; misses answer at once."""
    monkeypatch.setattr(guest, "MISS_SECONDS", 0)


pytestmark = pytest.mark.starts(eastern(2027, 1, 20))


class Recorder:
    """A carrier that keeps every webhook, to send it again."""

    def __init__(self) -> None:
        self.client, self.sent = Client(), []
        self.call = make_call()
        self.call.post = self.send

    def send(self, path: str, parameters: dict[str, str]) -> str:
        self.sent.append((path, parameters))
        return self.client.post(path, parameters).content.decode()

    def send_again(self, number: int) -> Heard:
        path, parameters = self.sent[number]
        return read_twiml(self.client.post(path, parameters).content.decode())


def test_what_is_paid_by_phone_is_a_single_tel_debit_with_its_words_kept() -> None:
    member = make_household(products=("health", "dental"), member_id=MEMBER_ID)
    call = make_call()
    review = key_in(call, "1", MEMBER_ID, BORN, "3", "1", "1", *list_bank(kind="2"))
    confirmed = key_in(call, "1", heard=review)
    health, dental = Payment.objects.order_by("amount_cents").reverse()
    for payment, product in ((health, "health"), (dental, "dental")):
        proof = payment.authorization
        assert (payment.account, payment.channel) == (find_account(member, product), "phone")
        assert (proof.channel, proof.sec_code, proof.recurring) == ("phone", "TEL", False)
        assert (proof.text_version, proof.language) == ("phone-debit-1", "en")
        assert (proof.payer_name, proof.given_by, proof.account_last_four) == ("Alice Alvarez", None, "4567")
        assert (proof.amount_cents, proof.debit_on_or_after) == (payment.amount_cents, date(2027, 1, 20))
        assert ("en", proof.text) in review.lines
        assert ("en", payment.coverage_sentence) in review.lines
        number = spell_number(payment.confirmation_number, language="en")
        assert write(confirmed).count(f"confirmation number is: {number}.") == 2
    assert health.bank_account.owner is None
    assert (health.bank_account.kind, health.bank_account.holder_name) == ("savings", "Alice Alvarez")


def test_the_authorization_says_all_that_its_rule_asks_for() -> None:
    make_household(member_id=MEMBER_ID)
    key_in(make_call(), *HEALTH, "1")
    text = Authorization.objects.get().text
    for words in (
        "Today, January 20, 2027,",  # the day it is given
        "you, Alice A., authorize State Health Connector",
        "$284.17 once, by one electronic debit",
        "your checking account ending in 4 5 6 7",
        "on January 20, 2027 or on a banking day soon after",
        "You can cancel until the payment is sent to your bank, which happens at 5 p.m. Eastern",
        "With questions, call 1-877-623-6765, Monday to Friday, 8 a.m. to 6 p.m. Eastern",
    ):
        assert words in text


def test_the_written_confirmation_is_queued_with_the_payment_and_the_proof_names_the_call() -> None:
    make_household(member_id=MEMBER_ID)
    call = make_call()
    key_in(call, *HEALTH, "1")
    payment = Payment.objects.get()
    notice = Notice.objects.get(event="payment_received")
    assert (notice.channel, notice.subject) == ("letter", payment.reference)
    assert notice.facts["text"] == payment.authorization.text
    assert notice.facts["last_four"] == "4567"
    proof = _list_facts(find_debit(number=payment.confirmation_number), at=payment.recorded_at)
    rows = {label: value for section in proof["sections"] for label, value in section["rows"]}
    assert rows["Call"] == f"{call.call_id}, begun January 20, 2027, 12:00 p.m. Eastern"
    assert rows["Caller's number"] == "ending 0123"
    assert "By letter" in rows
    assert "On the page" not in rows


def test_a_carrier_is_told_only_what_every_carrier_understands() -> None:
    make_household(member_id=MEMBER_ID)
    recorder = Recorder()
    key_in(recorder.call, *HEALTH, "1")
    verbs = set()
    for path, parameters in recorder.sent:
        answer = Client().post(path, parameters)
        assert answer["Content-Type"] == "text/xml; charset=utf-8"
        verbs |= set(re.findall(r"<(\w+)", answer.content.decode().partition("?>")[2]))
    assert verbs <= {"Response", "Say", "Gather", "Redirect", "Pause", "Hangup"}
    number = Client().post("/phone/", {"CallSid": "CA-other"}).content.decode()
    assert 'timeout="30" finishOnKey="" numDigits="1"' in number
    assert '<Redirect method="POST">/phone/language/?turn=1&amp;silence=1</Redirect>' in number


def test_every_webhook_sent_twice_and_out_of_order_makes_one_payment() -> None:
    make_household(products=("health", "dental"), member_id=MEMBER_ID)
    recorder = Recorder()
    heard = recorder.call.begin()
    for entry in ["1", MEMBER_ID, BORN, "3", "1", "1", "1", "1", ROUTING, "99", ACCOUNT, ACCOUNT, "1"]:
        heard = recorder.call.key_in(heard, entry)
        assert recorder.send_again(-1) == heard
        assert recorder.send_again(len(recorder.sent) // 2) == heard
        assert recorder.send_again(0) == heard
    assert heard.is_over
    for number in reversed(range(len(recorder.sent))):
        assert recorder.send_again(number) == heard
    assert Payment.objects.count() == 2
    assert Authorization.objects.count() == 2
    assert Notice.objects.filter(event="payment_received").count() == 2
    assert BankAccount.objects.count() == 1


def test_five_minutes_after_its_end_a_webhook_sent_again_hears_only_goodbye(diary: Diary) -> None:
    make_household(member_id=MEMBER_ID)
    recorder = Recorder()
    confirmed = key_in(recorder.call, *HEALTH, "1")
    diary.go_to(eastern(2027, 1, 20, 12, 4, 59))
    assert recorder.send_again(-1) == confirmed
    diary.go_to(eastern(2027, 1, 20, 12, 5))
    for number in (0, -1):
        assert recorder.send_again(number).lines == [("en", "Goodbye.")]


def test_an_entry_without_its_turn_counts_at_its_own_step_only() -> None:
    make_household(member_id=MEMBER_ID)
    client, call = Client(), make_call()
    key_in(call, "1", MEMBER_ID)
    facts = {"CallSid": call.call_id, "Digits": "1"}
    heard = read_twiml(client.post("/phone/language/", facts).content.decode())
    assert "date of birth" in write(heard)
    heard = read_twiml(client.post("/phone/born/", facts | {"Digits": BORN}).content.decode())
    assert "This is for Alice A." in write(heard)
    heard = read_twiml(client.post("/phone/nowhere/?turn=nothing", facts).content.decode())
    assert "This is for Alice A." in write(heard)


def test_pound_alone_skips_the_date_of_birth_and_silence_does_not(diary: Diary) -> None:
    make_household(member_id=MEMBER_ID)
    call = make_call()
    asked = key_in(call, "1", MEMBER_ID)
    diary.go_to(eastern(2027, 1, 20, 12, 0, 30))
    silent = call.wait(asked)
    assert "date of birth" in write(silent)
    # Most carriers report pound alone as they report silence; but it comes too soon to be that.
    diary.go_to(eastern(2027, 1, 20, 12, 0, 59))
    assert "To pay the health bill" in write(call.wait(silent))


def test_a_caller_who_hangs_up_leaves_nothing_behind() -> None:
    make_household(member_id=MEMBER_ID)
    call = make_call()
    review = key_in(call, *HEALTH)
    assert SealedValue.objects.filter(purpose=calls.PURPOSE).count() == 1
    call.hang_up()
    call.hang_up()
    assert not SealedValue.objects.exists()
    late = key_in(call, "1", heard=review)
    assert late.is_over
    assert "No payment was made." in write(late)
    assert call.begin() == late
    assert not Payment.objects.exists()


def test_what_was_keyed_in_on_a_call_that_nobody_ended_is_cleared_in_the_night(diary: Diary) -> None:
    make_household(member_id=MEMBER_ID)
    call = make_call()
    review = key_in(call, *HEALTH)
    assert tasks.clear_drafts(day=date(2027, 1, 20), at=eastern(2027, 1, 20, 12, 59, 59)) == {"cleared": 0}
    diary.go_to(eastern(2027, 1, 20, 13))
    assert "No payment was made." in write(key_in(call, "1", heard=review))
    key_in(make_call(), *HEALTH)
    diary.walk_to(date(2027, 1, 21), at=time(3, 1))
    assert diary.find_job("clear_drafts")[-1].counts == {"cleared": 1}
    assert not SealedValue.objects.filter(purpose=calls.PURPOSE).exists()
    assert not PhoneCall.objects.exclude(step="over").exists()


def test_at_midnight_of_the_23rd_nothing_is_recorded_and_the_new_date_is_said(diary: Diary) -> None:
    make_household(member_id=MEMBER_ID)
    diary.walk_to(date(2027, 1, 23), at=time(23, 58))
    call = make_call()
    review = key_in(call, *HEALTH)
    assert "Received today, the member's coverage starts February 1, 2027." in write(review)
    diary.go_to(eastern(2027, 1, 24, 0, 0, 3))
    again = key_in(call, "1", heard=review)
    assert not Payment.objects.exists()
    words = "It is now January 24. Paying now starts coverage March 1, not February 1."
    assert again.lines[0] == ("en", words)
    assert "today, January 24, 2027" in write(again)
    assert key_in(call, "1", heard=again).is_over
    assert Payment.objects.get().coverage_sentence.endswith("coverage starts March 1, 2027.")


def test_paid_by_phone_in_the_last_second_of_the_23rd_coverage_starts_on_the_1st(diary: Diary) -> None:
    member = make_household(member_id=MEMBER_ID)
    diary.walk_to(date(2027, 1, 23), at=time(23, 59, 59))
    key_in(make_call(), *HEALTH, "1")
    diary.walk_to(date(2027, 2, 1))
    enrollment = find_account(member).enrollment
    assert (enrollment.coverage_start, enrollment.status) == (date(2027, 2, 1), "active")
    payment = Payment.objects.get()
    assert (payment.received_date, payment.status) == (date(2027, 1, 23), "posted")
    assert payment.entry.file.entries.count() == 1


def test_no_number_is_in_clear_in_the_database_or_in_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    make_household(member_id=MEMBER_ID)
    recorder = Recorder()
    with caplog.at_level(logging.DEBUG):
        key_in(
            recorder.call,
            "1",
            "##",
            MEMBER_ID,
            BORN,
            "1",
            "1",
            "1",
            "1",
            ROUTING,
            "4111111111111111",
            ACCOUNT,
        )
        during = dump_database()
        heard = recorder.send_again(-1)
        key_in(recorder.call, ACCOUNT, "1", heard=heard)
    logs = "\n".join(record.getMessage() for record in caplog.records)
    for kept in (during, dump_database(), logs, json.dumps([path for path, _facts in recorder.sent])):
        for number in (ACCOUNT, "4111111111111111", "6175550123"):
            assert number not in kept
    assert BORN not in during
    assert ROUTING not in during
    assert Payment.objects.count() == 1


def dump_database() -> str:
    """Every row of every table as text; ciphertext in hex."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(kept)::text FROM "{table}" AS kept')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_a_call_without_its_number_and_other_methods_are_refused() -> None:
    client = Client()
    assert client.post("/phone/", {}).status_code == 400
    assert client.post("/phone/", {"CallSid": "C" * 65}).status_code == 400
    assert client.get("/phone/").status_code == 405
    assert not PhoneCall.objects.exists()
    heard = read_twiml(
        client.post("/phone/review/?turn=3", {"CallSid": "CA9", "Digits": "1"}).content.decode()
    )
    assert WORDS["language"]["es"] in write(heard)


def test_calls_need_no_form_token() -> None:
    answer = Client(enforce_csrf_checks=True).post("/phone/", {"CallSid": "CA1"})
    assert answer.status_code == 200


def test_callers_whose_numbers_are_withheld_do_not_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest.machine, "sleep", lambda seconds: None)
    make_household(member_id=MEMBER_ID)
    for number in range(11):
        key_in(make_call(caller=""), "1", f"0099999999{number:02}", "##")
    assert WORDS["withheld"]["en"] not in write(key_in(make_call(caller=""), "1", MEMBER_ID, BORN))
