"""The same payment again within ten days of one in progress: Review says so and asks once more, in whichever tab."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from payments.canceling import cancel_payment
from payments.models import Payment
from tests.diary import Diary, eastern
from tests.payments.payers import (
    authorize,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

ON_ITS_WAY = "a payment of $50.00, received January 2{}, 2027, is already on its way"
Tabs = tuple[Client, list[str]]


@pytest.fixture
def _noon_of_january_20(diary: Diary) -> None:
    """The day of these tests."""


pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("_noon_of_january_20")]


def open_tabs(*, scheduled: bool = False) -> Tabs:
    """A member's browser with two tabs at Review, $50 each, today or for the due date."""
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    typed = {f"choice_{key}": "other", f"other_{key}": "50"}
    if scheduled:
        typed |= {"when": "later", "later": "2027-01-23"}
    return client, [go_to_review(client, start(client), typed) for _ in range(2)]


def open_unseen_tabs(clients: list[Client]) -> list[str]:
    """Guests without the date of birth at Review, $50 each, in these browsers."""
    member = make_household()
    typed = {"product": "health", "amount": "50.00"}
    return [
        go_to_review(client, find_as_guest(client, member.member_id)["Location"], typed) for client in clients
    ]


def press_both(tabs: Tabs) -> Any:
    """Both tabs are open when the first pays; what the second is answered."""
    client, reviews = tabs
    pages = [client.get(review) for review in reviews]
    assert not any("already on its way" in read(page) for page in pages)
    assert authorize(client, reviews[0], pages[0]).status_code == 303
    return authorize(client, reviews[1], pages[1])


@pytest.mark.parametrize(
    ("open_both", "day"), [(open_tabs, 0), (lambda: open_tabs(scheduled=True), 3)], ids=["today", "scheduled"]
)
def test_a_second_tab_is_asked_once_more_and_may_say_yes(open_both: Callable[[], Tabs], day: int) -> None:
    tabs = client, reviews = open_both()
    answer = press_both(tabs)
    assert answer.status_code == 200
    assert read(answer).count(ON_ITS_WAY.format(day)) == 2
    assert " checked" not in answer.content.decode()
    assert Payment.objects.count() == 1
    assert authorize(client, reviews[1], answer).status_code == 303
    assert Payment.objects.count() == 2


def test_a_tab_that_comes_to_review_later_is_told_on_arrival() -> None:
    client, reviews = open_tabs()
    authorize(client, reviews[0])
    page = client.get(reviews[1])
    assert read(page).count(ON_ITS_WAY.format(0)) == 1
    assert authorize(client, reviews[1], page).status_code == 303


def test_a_payment_that_was_canceled_meanwhile_is_no_longer_asked_about() -> None:
    client, reviews = open_tabs(scheduled=True)
    authorize(client, reviews[0])
    payment = Payment.objects.get()
    at = eastern(2027, 1, 20, 13)
    cancel_payment(payment_id=payment.pk, today=at.date(), at=at, why="by the payer")
    assert "already on its way" not in read(client.get(reviews[1]))


def test_a_guest_who_sees_nothing_is_asked_about_payments_of_the_same_session() -> None:
    client = Client()
    answer = press_both((client, open_unseen_tabs([client, client])))
    assert read(answer).count(ON_ITS_WAY.format(0)) == 2
    assert Payment.objects.count() == 1


def test_a_guest_who_sees_nothing_learns_nothing_of_anyone_else_s_payment() -> None:
    clients = [Client(), Client()]
    reviews = open_unseen_tabs(clients)
    pages = [client.get(review) for client, review in zip(clients, reviews, strict=True)]
    assert authorize(clients[0], reviews[0], pages[0]).status_code == 303
    assert "already on its way" not in read(clients[1].get(reviews[1]))
    assert authorize(clients[1], reviews[1], pages[1]).status_code == 303
