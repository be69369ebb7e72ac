"""Races on Review: several browsers are told what paying does, and press Pay at once. Only what is still true is recorded."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from billing.models import Account
from connector_pay.self_check import find_violations
from members.models import Member
from payments import recording
from payments.models import Payment
from tests import people
from tests.payments.payers import authorize, find_account, go_to_review, make_household, read, start
from tests.races.together import run_inside, run_together

DUE = "284.17"
pytestmark = pytest.mark.usefixtures("committed_db")


def open_review(member: Member, dollars: str = DUE) -> Callable[[], Any]:
    """A browser of the member's own at Review; what pressing Pay there does."""
    client, key = Client(), find_account(member).pk
    user = getattr(member, "user", None) or people.make_user(member=member)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    amount = start(client)
    amounts = {f"choice_{key}": "other", f"other_{key}": dollars}
    asked = re.search(
        r'name="sure"[^>]*value="(\w+)"|value="(\w+)"[^>]*name="sure"',
        client.post(amount, amounts).content.decode(),
    )
    review = go_to_review(client, amount, amounts | ({"sure": asked[1] or asked[2]} if asked else {}))
    page = client.get(review)
    return lambda: authorize(client, review, page)


def lock_nothing(*, account_ids: object) -> list[Account]:
    """The lock taken away."""
    return []


class TestOneBillAtReviewInSeveralBrowsers:
    def test_of_two_the_second_is_told_what_the_first_has_changed(self) -> None:
        member = make_household()
        presses = [open_review(member, dollars) for dollars in ("100.00", DUE)]
        first, second = run_inside(*presses, waits=True)
        assert (first.status_code, second.status_code) == (303, 200)
        assert "What is due has changed in the meantime" in read(second)
        assert [payment.amount_cents for payment in Payment.objects.all()] == [100_00]

    def test_without_the_lock_both_would_be_recorded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member = make_household()
        presses = [open_review(member, dollars) for dollars in ("100.00", DUE)]
        monkeypatch.setattr(recording, "lock_accounts", lock_nothing)
        first, second = run_inside(*presses, waits=False)
        assert (first.status_code, second.status_code) == (303, 303)
        assert Payment.objects.count() == 2

    def test_of_four_at_once_one_is_recorded(self) -> None:
        member = make_household()
        answers = run_together(*[open_review(member, f"{dollars}.00") for dollars in (300, 310, 320, 330)])
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 303]
        (payment,) = Payment.objects.all()
        assert "your coverage starts" in payment.coverage_sentence
        assert find_violations() == []


class TestTheSamePaymentInTwoBrowsers:
    def test_the_second_is_asked_once_more(self) -> None:
        member = make_household()
        first, second = run_inside(open_review(member), open_review(member), waits=True)
        assert (first.status_code, second.status_code) == (303, 200)
        assert "is already on its way. This one would be taken as well." in read(second)
        assert Payment.objects.count() == 1

    def test_without_the_lock_nobody_would_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member = make_household()
        presses = [open_review(member), open_review(member)]
        monkeypatch.setattr(recording, "lock_accounts", lock_nothing)
        run_inside(*presses, waits=False)
        assert Payment.objects.count() == 2
