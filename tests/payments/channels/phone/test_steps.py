"""Every step of the table: right entries, every kind of wrong one, star, pound, the way back, and silence."""

from collections.abc import Iterator
from copy import copy
from datetime import date
from uuid import uuid4

import pytest
import time_machine

from billing import invoices
from billing.models import Invoice
from connector_pay.lib import clock
from members.models import Enrollment
from payments.channels import guest
from payments.channels.phone.facts import Facts
from payments.channels.phone.state import OVER, CallState, read_call, write_call
from payments.channels.phone.steps import (
    MOST_SILENCES,
    MOST_WRONG,
    STEPS,
    Answer,
    advance,
    begin,
    look_up_early,
)
from payments.channels.phone.words import WORDS, say, say_help
from payments.models import BankAccount, BankAccountStatus, Payment
from tests import people
from tests.diary import eastern
from tests.payments.channels.phone.calling import ACCOUNT, BORN, MEMBER_ID, ROUTING
from tests.payments.payers import make_household

FOUND = ["1", MEMBER_ID, BORN]
UNSEEN = ["1", MEMBER_ID, ""]
BANK = ["1", "1", ROUTING, ACCOUNT, ACCOUNT]
# One call that passes by every step; where there are two bills of one product, its way leads by the year as well.
WHOLE_CALL = {
    "language": "1",
    "member": MEMBER_ID,
    "born": BORN,
    "bill": "1",
    "amount": "2",
    "other": "300*00",
    "sure": "1",
    "kind": "1",
    "owner": "1",
    "routing": ROUTING,
    "account": ACCOUNT,
    "again": ACCOUNT,
    "review": "1",
}
# Keys that are no choice, too short, too long, stars in the wrong places, what no keypad has.
ENTRIES = ["9", "3", "22", "1234567", "98765432198", *("9" * length for length in (3, 13, 18, 20))]
ENTRIES += ["5*5", "1*", "*1", "1*00*00", "1#2", "½", "٣"]
# What has the right shape, and is wrong all the same: the words, and the step at which it is asked again.
WRONG_AT_HEART = [
    ("born", "13011986", "wrong_born", "born"),
    ("born", "02301986", "wrong_born", "born"),
    ("born", "01212027", "wrong_born", "born"),
    ("born", "01011899", "wrong_born", "born"),
    ("born", "04091987", "miss", "member"),
    ("bill", "4", "wrong_key", "bill"),
    ("year", "3", "wrong_key", "year"),
    ("amount", "3", "wrong_key", "amount"),
    ("other", "0*99", "too_little", "other"),
    ("other", "1136*69", "too_much", "other"),
    ("other", "99999*99", "too_much", "other"),
    ("routing", "123456789", "wrong_routing", "routing"),
    ("routing", "000000000", "wrong_routing", "routing"),
    ("account", "0000", "wrong_account", "account"),
    ("account", "4111111111111111", "card", "account"),
    ("again", "482001234568", "not_same", "account"),
]


@pytest.fixture(autouse=True)
def _noon_of_january_20(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The day of these tests; misses answer at once. What must always hold is asked by the tests of whole calls."""
    monkeypatch.setattr(guest, "MISS_SECONDS", 0)
    with time_machine.travel(eastern(2027, 1, 20), tick=False):
        yield


class Caller:
    """Somebody on the line, whose carrier loses nothing; between two entries the call is written down and read again."""

    def __init__(self) -> None:
        self.call_id, self.form_key = "CA1", uuid4()
        self.answer = begin(self.make_facts())

    def make_facts(self) -> Facts:
        return Facts(self.call_id, self.form_key, "phone +16175550123", clock.now(), clock.today())

    def key_in(self, *entries: str | None) -> Answer:
        for entry in entries:
            facts = self.make_facts()
            state, said = read_call(write_call(state=self.answer.state, said=self.answer.said))
            assert (state, said) == (self.answer.state, self.answer.said)
            look_up_early(state, entry, facts)
            self.answer = advance(state, entry, facts)
        return self.answer

    @property
    def state(self) -> CallState:
        return self.answer.state

    @property
    def words(self) -> list[str]:
        return [line.words for line in self.answer.said]


@pytest.fixture
def caller() -> Caller:
    """A caller; the member has a health and a dental bill."""
    make_household(products=("health", "dental"), member_id=MEMBER_ID)
    return Caller()


def enroll_twice() -> None:
    """The member of the call has a health bill for next year as well."""
    member = people.Member.objects.get(member_id=MEMBER_ID)
    people.make_enrollment(member=member, requested_start=date(2028, 1, 1), premium_cents=300_00)
    invoices.issue_missing(today=clock.today(), at=clock.now())


def go_to(caller: Caller, step: str) -> None:
    if step == "year":
        enroll_twice()
        caller.key_in(*UNSEEN, "1")
    else:
        way = list(WHOLE_CALL)
        caller.key_in(*[WHOLE_CALL[name] for name in way[: way.index(step)]])
    assert caller.state.step == step, caller.words


@pytest.fixture
def calls(caller: Caller) -> dict[str, Caller]:
    """A call at every step of the table."""
    found = {}
    for step, entry in WHOLE_CALL.items():
        found[step] = copy(caller)
        assert caller.state.step == step, caller.words
        if step != "review":
            caller.key_in(entry)
    found["year"] = Caller()
    go_to(found["year"], "year")
    assert set(found) == set(STEPS)
    return found


def list_question(call: Caller) -> list[str]:
    """What is asked, without how the keys work, which is said once."""
    return call.words[1:] if call.state.step == "member" else call.words


def test_every_wrong_entry_is_named_and_the_question_asked_again(calls: dict[str, Caller]) -> None:
    for step, call in calls.items():
        before, question = call.state, list_question(call)
        wrong = [entry for entry in ENTRIES if not STEPS[step].is_right(entry)]
        assert len(wrong) >= 12
        for entry in wrong:
            call.answer = Answer(before, ())
            assert call.key_in(entry).state == before.go(step, wrong={step: 1})
            assert call.words == [say(STEPS[step].wrong, language="en").words, *question]


def test_the_third_wrong_entry_leads_to_the_help_line(calls: dict[str, Caller]) -> None:
    for step, call in calls.items():
        call.key_in("##", None, "*", "##")
        assert call.state.step == step
        assert call.state.wrong[step] == MOST_WRONG - 1
        last = call.key_in("##")
        assert last.state == CallState(step=OVER)
        assert last.said[1:] == say_help(language="en")
    assert not Payment.objects.exists()
    assert not BankAccount.objects.exists()


def test_star_pound_and_silence_are_no_tries(calls: dict[str, Caller]) -> None:
    for step, call in calls.items():
        before, question = call.state, list_question(call)
        assert call.key_in("*").state == before
        assert call.words == [WORDS["take_your_time"]["en"], "", *question]
        assert call.key_in(None).state == before.go(step, silences=1)
        assert call.words == question
        if step != "born":
            assert call.key_in("").state == before
            assert call.words == question


def test_a_line_that_stays_silent_is_hung_up_at_last(caller: Caller) -> None:
    caller.key_in("1", *[None] * MOST_SILENCES)
    assert caller.state.step == "member"
    caller.key_in("*", *[None] * MOST_SILENCES)
    assert caller.state.step == "member"
    assert caller.key_in(None).said == say_help(language="en")


def test_back_leads_to_the_question_before(calls: dict[str, Caller]) -> None:
    for step, call in calls.items():
        before = call.state.before or CallState(step=step)
        call.key_in("##", "0")
        assert call.state == before.go(before.step, wrong={step: 1})
        if step in WHOLE_CALL and step != "language":
            call.key_in(WHOLE_CALL[before.step])
            assert call.state.step == step


def test_what_cannot_be_is_refused(calls: dict[str, Caller]) -> None:
    facts = {"least": "$1.00", "most": "$1,136.68"}
    for step, entry, words, asked_at in WRONG_AT_HEART:
        call = copy(calls[step])
        call.key_in(entry)
        assert call.words[0] == WORDS[words]["en"].format(**facts)
        assert call.state.step == asked_at
        assert call.state.wrong == {asked_at: 1}


def test_three_misses_lead_to_the_help_line(caller: Caller) -> None:
    caller.key_in("1")
    for _ in range(2):
        caller.key_in("009999999999", "")
        assert caller.state.step == "member"
        assert caller.words[0] == WORDS["miss"]["en"]
    caller.key_in("009999999999", BORN)
    assert caller.state.step == OVER


def test_a_number_like_a_cards_is_taken_when_it_is_keyed_in_once_more(caller: Caller) -> None:
    go_to(caller, "account")
    caller.key_in("4111111111111111", "5555555555554444")
    assert caller.words[0] == WORDS["card"]["en"]
    caller.key_in("5555555555554444", "5555555555554444")
    assert caller.state.step == "review"
    caller.key_in("1")
    assert Payment.objects.get().bank_account.last_four == "4444"


def test_an_account_that_is_not_the_members_is_not_for_this_line(caller: Caller) -> None:
    go_to(caller, "owner")
    caller.key_in("2")
    assert caller.state == CallState(step=OVER)
    assert "choose Pay as a guest" in caller.words[0]
    assert "No payment was made." in caller.words


def test_to_change_an_unusual_amount_leads_back_to_the_bills(caller: Caller) -> None:
    go_to(caller, "sure")
    assert "Health: you are paying $300.00, but $284.17 is due" in caller.words[0]
    caller.key_in("2", "2", "1")
    assert caller.state.step == "kind"
    assert [item.amount_cents for item in caller.state.contents.chosen] == [31_50]


def test_of_two_bills_of_one_product_the_coverage_year_is_asked(caller: Caller) -> None:
    go_to(caller, "year")
    assert caller.words[1:] == ["For 2027, press 1.", "For 2028, press 2."]
    caller.key_in("2", "50*25", *BANK)
    assert "The health 2028 bill: $50.25" in " ".join(caller.words)
    caller.key_in("1")
    payment = Payment.objects.get()
    assert payment.amount_cents == 50_25
    assert payment.account.enrollment.requested_start == date(2028, 1, 1)


def test_all_of_three_bills_are_paid_at_once(caller: Caller) -> None:
    enroll_twice()
    caller.key_in(*FOUND)
    assert caller.words[-1] == "To pay all of them, press 4."
    caller.key_in("4", "1", "1", "1", *BANK, "1")
    paid = Payment.objects.values_list("amount_cents", flat=True)
    assert sorted(paid) == [31_50, 284_17, 300_00]


def test_without_the_date_of_birth_nothing_of_the_account_is_said(caller: Caller) -> None:
    said: list[str] = []
    for entry in [*UNSEEN, "3", "200", "31*50", *BANK, "1"]:
        caller.key_in(entry)
        said += caller.words
    assert caller.state.step == OVER
    heard = " ".join(said)
    assert Payment.objects.count() == 2
    for hidden in ("Alice", "Alvarez", "284.17", "January 23", "Harborlight", "due."):
        assert hidden not in heard.replace("tell you what is due.", "")
    assert "the member with Member ID 0034 5678 9011" in heard


def test_without_the_date_of_birth_a_missing_product_is_a_miss_and_the_flat_limits_hold() -> None:
    make_household(member_id=MEMBER_ID)
    caller = Caller()
    caller.key_in(*UNSEEN, "2")
    assert caller.words[0] == WORDS["wrong_bill"]["en"]
    caller.key_in("3")
    assert caller.words[0] == WORDS["wrong_bill"]["en"]
    caller.key_in("1", "10000*01")
    assert caller.words[0] == "The most we can take for this bill now is $10,000.00."
    caller.key_in("10000")
    assert caller.state.step == "kind"


def test_a_strict_exchange_asks_everyone_for_the_date_of_birth(caller: Caller, settings) -> None:
    settings.GUEST_IDENTIFICATION = "strict"
    caller.key_in("1", MEMBER_ID)
    assert caller.words == [WORDS["born"]["en"]]
    caller.key_in("")
    assert caller.state.step == "born"
    caller.key_in(BORN)
    assert caller.state.step == "bill"


def test_the_limits_on_look_ups_hold_by_caller(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest.machine, "sleep", lambda seconds: None)
    for number in range(11):
        Caller().key_in("1", f"0099999999{number:02}", "")
    caller.key_in("1", "6175550123", BORN)
    assert caller.words[0] == WORDS["no_phones"]["en"]
    caller.key_in(MEMBER_ID, BORN)
    assert caller.words[0] == WORDS["withheld"]["en"]
    caller.key_in("1", "284*17", *BANK, "1")
    assert Payment.objects.count() == 1


def test_a_paused_bank_account_is_refused_and_another_asked_for(caller: Caller) -> None:
    other = Caller()
    other.key_in(*FOUND, "2", "1", *BANK, "1")
    BankAccount.objects.update(status=BankAccountStatus.PAUSED)
    go_to(caller, "review")
    caller.key_in("1")
    assert caller.words[0] == WORDS["unusable"]["en"]
    assert (caller.state.step, caller.state.account_number) == ("kind", "")
    caller.key_in("1", "1", ROUTING, "777", "7770001", "7770001", "1")
    assert Payment.objects.latest("pk").bank_account.last_four == "0001"
    BankAccount.objects.update(status=BankAccountStatus.UNCHECKED)


def test_the_same_amount_in_progress_is_asked_about_once_more(caller: Caller) -> None:
    Caller().key_in(*FOUND, "1", "1", *BANK, "1")
    caller.key_in(*FOUND, "1", "284*17")
    assert "nothing is due" in caller.words[0]
    assert "is already on its way" in caller.words[1]
    assert caller.state.step == "sure"


def test_a_bill_that_can_no_longer_be_paid_ends_the_call(calls: dict[str, Caller]) -> None:
    enrollments = Enrollment.objects.filter(plan__product="health")
    enrollments.update(status="ended")
    Invoice.objects.update(voided_at=clock.now())
    for step, entry in (("amount", "1"), ("other", "50"), ("again", ACCOUNT), ("review", "1")):
        call = copy(calls[step])
        call.key_in(entry)
        assert call.state == CallState(step=OVER), step
        assert call.words[:2] == [WORDS["cannot_pay"]["en"], WORDS["no_payment"]["en"]]
    enrollments.update(status="expired")
    call = calls["review"]
    call.key_in("1")
    assert call.words[0] == "This enrollment has ended. Call us before you pay."
    assert not Payment.objects.exists()
