"""Refunds on the staff's side: asked for with a preview, approved by another, checks numbered; everybody else is refused."""

import re
from datetime import date
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing import overdue
from billing.balances import read_standing
from billing.models import Receipt
from members.models import User
from payments.models import Payment, Refund, RefundStatus
from tests import people
from tests.diary import eastern
from tests.payments import checking, refunding
from tests.payments.payers import read, read_hidden
from tests.payments.paying import TUESDAY, live, make_account, noon, pay
from tests.payments.refunding import CLEARED, CREDIT

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """The day on which the payment may be refunded; afterwards everything must hold."""
    from connector_pay.self_check import find_violations

    with time_machine.travel(eastern(2027, 1, 21), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def receipt() -> Receipt:
    return refunding.find_receipt(refunding.overpay())


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_clerk(*rights: str) -> User:
    """One of the staff with these rights alone."""
    clerk = people.make_staff(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return clerk


@pytest.fixture
def asker() -> Client:
    return sign_in(make_clerk("add_refund"))


@pytest.fixture
def approver() -> Client:
    return sign_in(make_clerk("change_refund"))


def ask_url(receipt: Receipt) -> str:
    return reverse("admin:payments_refund_ask", args=[receipt.pk])


def act(client: Client, what: str, refund: Refund, **typed: str) -> HttpResponse:
    return client.post(reverse(f"admin:payments_refund_{what}", args=[refund.pk]), typed, follow=True)


def show(client: Client, refund: Refund) -> HttpResponse:
    return client.get(reverse("admin:payments_refund_change", args=[refund.pk]))


def fill(page: HttpResponse, **typed: str) -> dict[str, str]:
    facts = {"amount": "20.00", "method": "ach", "why": "the member asked", "form_key": read_hidden_key(page)}
    return facts | typed


def read_hidden_key(page: HttpResponse) -> str:
    return read_hidden(page, "form_key")


def preview_and_ask(client: Client, receipt: Receipt, **typed: str) -> tuple[HttpResponse, dict[str, str]]:
    """The form is filled in, shown and sent; what came, and what was sent."""
    first = client.get(ask_url(receipt))
    shown = client.post(ask_url(receipt), fill(first, **typed) | {"preview": "yes"})
    sent = fill(first, **typed) | {"ask": "yes", "previewed": read_hidden(shown, "previewed")}
    return client.post(ask_url(receipt), sent, follow=True), sent


def test_asking_shows_the_credit_before_and_after_and_asks_once_pressed(
    asker: Client, receipt: Receipt
) -> None:
    first = asker.get(ask_url(receipt))
    assert "Credit left of it: $50.00" in read(first)
    shown = asker.post(ask_url(receipt), fill(first) | {"preview": "yes"})
    assert "Credit on the account $50.00 $30.00" in read(shown)
    assert not Refund.objects.exists()
    answer, _ = preview_and_ask(asker, receipt)
    assert "Another person must approve it" in read(answer)
    assert (Refund.objects.get().cents, Refund.objects.get().status) == (20_00, "asked")


def test_pressed_twice_one_refund_is_asked_for(asker: Client, receipt: Receipt) -> None:
    _, sent = preview_and_ask(asker, receipt)
    again = asker.post(ask_url(receipt), sent, follow=True)
    assert again.status_code == 200
    assert Refund.objects.count() == 1


def test_an_amount_changed_after_the_preview_is_shown_first(asker: Client, receipt: Receipt) -> None:
    first = asker.get(ask_url(receipt))
    shown = asker.post(ask_url(receipt), fill(first) | {"preview": "yes"})
    sent = fill(first, amount="50.00") | {"ask": "yes", "previewed": read_hidden(shown, "previewed")}
    assert "Credit on the account $50.00 $0.00" in read(asker.post(ask_url(receipt), sent))
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "50.01"}, "between $0.01 and $50.00"),
        ({"amount": "fifty"}, "Enter dollars and cents"),
        ({"why": ""}, "Say why this money goes back"),
        ({"method": "cash"}, "Select a valid choice"),
        ({"method": "reversal", "amount": "20.00"}, "too late to reverse"),
    ],
)
def test_what_cannot_be_refunded_is_said_in_words(
    asker: Client, receipt: Receipt, typed: dict[str, str], said: str
) -> None:
    first = asker.get(ask_url(receipt))
    answer = asker.post(ask_url(receipt), fill(first, **typed) | {"preview": "yes"})
    assert said in read(answer)
    assert "Ask for this refund" not in answer.content.decode()
    assert not Refund.objects.exists()


def test_the_money_of_a_check_can_only_go_back_by_check(asker: Client) -> None:
    receipt = refunding.receive_check(make_account(), 300_00, on=date(2027, 1, 6))
    assert re.findall(r'name="method" value="(\w+)"', asker.get(ask_url(receipt)).content.decode()) == [
        "check"
    ]


def test_the_page_says_who_wrote_the_check_and_asks_where_they_live(asker: Client) -> None:
    account = make_account()
    day = date(2027, 1, 5)
    checking.receive((account, 400_00), payer="Rosa Delgado", received_on=day, deposit_on=day, today=day)
    checking.bank(CLEARED)
    receipt = Receipt.objects.get()
    first = asker.get(ask_url(receipt))
    assert "Rosa Delgado wrote check 1042: the refund goes to them. That is not the member." in read(first)
    sent = fill(first, amount="10.00", method="check") | {"ask": "yes", "previewed": "1000 check"}
    assert "ask for it with their address" in read(asker.post(ask_url(receipt), sent))
    asker.post(ask_url(receipt), sent | {"mail_to": "9 Elm Street\r\nSalem, MA 01970"})
    assert (Refund.objects.get().payee, Refund.objects.get().mail_to) == (
        "Rosa Delgado",
        "9 Elm Street\nSalem, MA 01970",
    )


def test_a_payment_and_its_receipt_lead_to_asking_for_those_who_may(asker: Client, receipt: Receipt) -> None:
    payment = Payment.objects.get()
    leads = reverse("admin:payments_refund_ask_payment", args=[payment.pk])
    page = asker.get(reverse("admin:payments_payment_change", args=[payment.pk]))
    assert leads in page.content.decode()
    assert asker.get(leads).url == ask_url(receipt)
    page = asker.get(reverse("admin:billing_receipt_change", args=[receipt.pk]))
    assert ask_url(receipt) in page.content.decode()
    other = sign_in(make_clerk()).get(reverse("admin:payments_payment_change", args=[payment.pk]))
    assert leads not in other.content.decode()


class TestDeciding:
    @pytest.fixture
    def refund(self, receipt: Receipt) -> Refund:
        return refunding.ask(receipt, 20_00)

    def test_another_person_approves_having_seen_what_it_does(self, approver: Client, refund: Refund) -> None:
        assert "Credit on the account $50.00 $30.00" in read(show(approver, refund))
        assert "The money has left the credit" in read(act(approver, "approve", refund))
        refund.refresh_from_db()
        assert refund.status == RefundStatus.APPROVED

    def test_pressed_twice_it_is_approved_once_and_the_second_hears_so(
        self, approver: Client, refund: Refund
    ) -> None:
        act(approver, "approve", refund)
        assert "decided before: approved" in read(act(approver, "approve", refund))
        assert read_standing(account_id=refund.receipt.account_id, today=CLEARED).credit_cents == 30_00

    def test_nobody_approves_their_own_not_even_an_administrator(self, receipt: Receipt) -> None:
        administrator = people.make_staff()
        refund = refunding.ask(receipt, by=administrator)
        client = sign_in(administrator)
        page = show(client, refund)
        assert "You asked for this refund" in read(page)
        assert "Approve" not in read(page).split("History")[0].replace("approve or decline", "")
        assert "Another person must decide" in read(act(client, "approve", refund))
        refund.refresh_from_db()
        assert refund.status == RefundStatus.ASKED

    def test_declining_needs_a_reason(self, approver: Client, refund: Refund) -> None:
        assert "Say why" in read(act(approver, "decline", refund, why=" "))
        assert "Declined." in read(act(approver, "decline", refund, why="not theirs"))
        assert refund.moves.get().why == "not theirs"

    def test_an_approved_refund_is_stopped_before_it_goes_out(self, approver: Client, refund: Refund) -> None:
        act(approver, "approve", refund)
        assert "credit again" in read(act(approver, "stop", refund, why="a mistake"))
        assert read_standing(account_id=refund.receipt.account_id, today=CLEARED).credit_cents == CREDIT

    def test_what_can_no_longer_be_refunded_shows_why_and_no_button(
        self, approver: Client, refund: Refund
    ) -> None:
        refunding.ask_and_approve(refund.receipt, 40_00)
        page = show(approver, refund)
        assert "between $0.01 and $10.00" in read(page)
        assert reverse("admin:payments_refund_approve", args=[refund.pk]) not in page.content.decode()


class TestWhoMay:
    @pytest.fixture
    def refund(self, receipt: Receipt) -> Refund:
        return refunding.ask(receipt, 20_00)

    @pytest.mark.parametrize("what", ["approve", "decline", "stop", "print"])
    @pytest.mark.parametrize("rights", [(), ("add_refund",), ("view_refund",)])
    def test_who_lacks_the_right_to_decide_is_refused(
        self, refund: Refund, what: str, rights: tuple[str, ...]
    ) -> None:
        answer = act(sign_in(make_clerk(*rights)), what, refund, why="x", check_number="1")
        assert answer.status_code == 403
        refund.refresh_from_db()
        assert refund.status == RefundStatus.ASKED

    def test_who_may_only_decide_does_not_ask(self, approver: Client, receipt: Receipt) -> None:
        assert approver.get(ask_url(receipt)).status_code == 403
        assert approver.post(ask_url(receipt), {}).status_code == 403

    @pytest.mark.parametrize("what", ["approve", "decline", "stop", "print"])
    def test_nothing_is_done_by_following_a_link(self, approver: Client, refund: Refund, what: str) -> None:
        url = reverse(f"admin:payments_refund_{what}", args=[refund.pk])
        assert approver.get(url).status_code == 405
        assert Client(enforce_csrf_checks=True).post(url).status_code in (302, 403)

    def test_without_the_page_s_own_token_nothing_is_approved(self, refund: Refund) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(reverse("admin:payments_refund_approve", args=[refund.pk])).status_code == 403

    @pytest.mark.parametrize(
        ("page", "number"), [("ask", 0), ("approve", 0), ("print", 0), ("change", 0), ("ask_payment", 0)]
    )
    def test_what_does_not_exist_is_no_fault_of_ours(self, refund: Refund, page: str, number: int) -> None:
        client = sign_in(people.make_staff())
        url = reverse(f"admin:payments_refund_{page}", args=[number])
        assert client.get(url).status_code in (302, 404, 405)
        assert client.post(url, {"check_number": "1"}).status_code in (302, 403, 404, 405)

    def test_a_member_never_gets_here(self, refund: Refund) -> None:
        member = sign_in(people.make_user())
        assert member.get(ask_url(refund.receipt)).status_code in (302, 403)
        assert act(member, "approve", refund).status_code in (302, 403)
        refund.refresh_from_db()
        assert refund.status == RefundStatus.ASKED


class TestChecks:
    def test_a_check_gets_its_number_and_leaves_the_list(self, approver: Client, receipt: Receipt) -> None:
        refund = refunding.ask_and_approve(receipt, method="check")
        page = approver.get(reverse("admin:payments_refund_checks"))
        assert "Alice Alvarez" in read(page)
        assert "Enter the check's number" in read(act(approver, "print", refund, check_number="x"))
        assert "Check 1042 is printed" in read(act(approver, "print", refund, check_number="1042"))
        act(approver, "print", refund, check_number="1042")
        assert "No check waits" in read(approver.get(reverse("admin:payments_refund_checks")))
        assert Refund.objects.get().check_number == "1042"


def test_credit_of_an_enrollment_that_expired_is_listed_with_the_way_to_ask() -> None:
    account = make_account()
    pay(account, 100_00)
    live(TUESDAY, date(2027, 1, 20))
    for day in (date(2027, 1, 24), date(2027, 2, 24), date(2027, 3, 24), date(2027, 4, 24)):
        overdue.review(today=day, at=noon(day), run=f"review {day}", account_ids=[account.pk])
    with time_machine.travel(eastern(2027, 4, 26), tick=False):
        page = sign_in(make_clerk("add_refund")).get(reverse("admin:payments_refund_due"))
    assert "$100.00" in read(page)
    assert ask_url(Receipt.objects.get()) in page.content.decode()


def test_the_form_key_of_another_page_asks_anew(asker: Client, receipt: Receipt) -> None:
    preview_and_ask(asker, receipt)
    preview_and_ask(asker, receipt, form_key=str(uuid4()))
    assert Refund.objects.count() == 2
