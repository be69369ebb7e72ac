"""Checks through the staff's pages: recorded with what they do, unmatched money placed or sent back, returns written down."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from billing.models import Account, Receipt
from connector_pay.self_check import find_violations
from payments.models import CheckStatus, ReceivedCheck
from tests.diary import eastern
from tests.payments.checking import receive
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, make_account
from tests.staff.acts import check_refused, make_clerk, press, press_again

pytestmark = pytest.mark.usefixtures("books")
PAPER = {
    "kind": "order",
    "source": "counter",
    "number": "77-1042",
    "payer": "Rosa Delgado",
    "amount": "284.17",
    "received_on": "2027-01-12",
    "deposit_on": "2027-01-13",
}


@pytest.fixture
def books(db: None):
    """Tuesday at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


def test_over_the_counter_it_is_recorded_once_with_what_it_does(account: Account) -> None:
    clerk = make_clerk("record_check")
    number = account.enrollment.member.member_id
    typed = PAPER | {"account_1": f"{number[:4]} {number[4:8]} {number[8:]} health"}
    address = reverse("admin:payments_receivedcheck_record")
    shown = clerk.post(address, typed | {"preview": "1", "form_key": "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33"})
    assert "Owed in all $284.17 $0.00" in read(shown)
    assert not ReceivedCheck.objects.exists()
    answer, sent = press(clerk, "payments_receivedcheck_record", **typed)
    assert "Recorded" in read(answer)
    press_again(clerk, "payments_receivedcheck_record", sent=sent)
    check = ReceivedCheck.objects.get()
    assert (check.status, check.kind, check.payer) == ("received", "order", "Rosa Delgado")
    assert (Receipt.objects.get().account, Receipt.objects.get().cents) == (account, PREMIUM)


def test_received_by_a_due_date_that_has_passed_it_waits_for_another_person_and_the_page_says_so(
    account: Account,
) -> None:
    typed = PAPER | {"account_1": str(account.pk), "received_on": "2026-12-23"}
    answer, _ = press(make_clerk("record_check"), "payments_receivedcheck_record", **typed)
    assert "waits until another person puts it on its account" in read(answer)
    assert ReceivedCheck.objects.get().status == CheckStatus.UNMATCHED


def test_the_same_check_again_is_asked_about_with_a_box_to_tick(books: None) -> None:
    clerk, address = make_clerk("record_check"), reverse("admin:payments_receivedcheck_record")
    press(clerk, "payments_receivedcheck_record", **PAPER)
    asked = {"preview": "1", "form_key": "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33"}
    page = read(clerk.post(address, PAPER | asked))
    assert "those of a check recorded on January 12, 2027. Tick the box below" in page
    assert "It is another check" in page
    assert "It is another check" in read(clerk.post(address, PAPER | asked | {"is_another": "on"}))
    press(clerk, "payments_receivedcheck_record", **PAPER | {"is_another": "on"})
    assert ReceivedCheck.objects.count() == 2


def test_above_the_limit_it_waits_for_a_supervisor_and_the_page_says_so(account: Account) -> None:
    typed = PAPER | {"account_1": str(account.pk), "amount": "10000.01"}
    answer, _ = press(make_clerk("record_check"), "payments_receivedcheck_record", **typed)
    assert "Above $10,000.00, it waits until a supervisor puts it on its account" in read(answer)
    assert ReceivedCheck.objects.get().status == CheckStatus.UNMATCHED


def test_what_is_typed_wrong_is_said_beside_its_box(account: Account) -> None:
    clerk = make_clerk("record_check")
    address = reverse("admin:payments_receivedcheck_record")
    answer = clerk.post(address, PAPER | {"account_1": "999999", "amount": "1,2", "received_on": ""})
    assert "No account has that number" in read(answer)
    assert "Enter the amount in dollars and cents" in read(answer)
    assert not ReceivedCheck.objects.exists()


def test_without_an_account_it_waits_until_it_is_put_on_two(account: Account) -> None:
    dental = make_account(member=account.enrollment.member, product="dental", premium_cents=31_50)
    press(make_clerk("record_check"), "payments_receivedcheck_record", **PAPER | {"amount": "315.67"})
    check = ReceivedCheck.objects.get()
    matcher = make_clerk("match_money")
    queue = read(matcher.get(reverse("admin:payments_receivedcheck_changelist") + "?waiting=yes"))
    assert "Rosa Delgado" in queue
    typed = {"account_1": str(account.pk), "part_1": "284.17", "account_2": str(dental.pk), "part_2": "31.50"}
    answer, sent = press(matcher, "payments_receivedcheck_match", check.pk, **typed)
    assert "Put on its accounts" in read(answer)
    press_again(matcher, "payments_receivedcheck_match", check.pk, sent=sent)
    assert sorted(Receipt.objects.values_list("cents", flat=True)) == [31_50, PREMIUM]


def test_sending_it_back_takes_two_people(books: None) -> None:
    check, matcher = receive(cents=PREMIUM), make_clerk("match_money", "send_back_money")
    answer, _ = press(matcher, "payments_receivedcheck_ask_back", check.pk)
    assert "Another person must approve it" in read(answer)
    answer, _ = press(matcher, "payments_receivedcheck_send_back", check.pk)
    assert "You asked to send this back" in read(answer)
    supervisor = make_clerk("send_back_money")
    press(supervisor, "payments_receivedcheck_keep", check.pk)
    press(matcher, "payments_receivedcheck_ask_back", check.pk)
    answer, sent = press(supervisor, "payments_receivedcheck_send_back", check.pk)
    assert "Sent back" in read(answer)
    press_again(supervisor, "payments_receivedcheck_send_back", check.pk, sent=sent)
    check.refresh_from_db()
    assert check.status == CheckStatus.SENT_BACK


def test_a_return_shows_what_it_opens_again_and_is_written_down_once(account: Account) -> None:
    check, clerk = receive((account, PREMIUM)), make_clerk("return_check")
    page = read(clerk.get(reverse("admin:payments_receivedcheck_return", args=[check.pk])))
    assert "Owed in all $0.00 $284.17" in page
    answer, sent = press(clerk, "payments_receivedcheck_return", check.pk)
    assert "Returned" in read(answer)
    press_again(clerk, "payments_receivedcheck_return", check.pk, sent=sent)
    check.refresh_from_db()
    assert (check.status, check.moves.count()) == ("returned", 2)
    assert Receipt.objects.get().taken_back_on == date(2027, 1, 12)


def test_who_only_sees_does_none_of_it(books: None) -> None:
    check, reader = receive(cents=PREMIUM), make_clerk("view_receivedcheck")
    check_refused(reader, "payments_receivedcheck_record")
    for act in ("match", "ask_back", "send_back", "keep", "return"):
        check_refused(reader, f"payments_receivedcheck_{act}", check.pk)
