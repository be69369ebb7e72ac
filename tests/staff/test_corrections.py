"""Corrections on the staff's side: each act by the right person, shown first, done once; everybody else is refused."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.due_date_overrides import read_due_date
from billing.models import (
    Account,
    Adjustment,
    Correction,
    CorrectionKind,
    DueDateOverride,
    Outage,
    StartReview,
)
from billing.outages import read_public_words
from members.models import User
from tests import people
from tests.billing.books import FEBRUARY, MARCH, PREMIUM, make_account, receive, review, see
from tests.billing.correcting import ask
from tests.diary import eastern
from tests.payments.payers import read, read_hidden

TODAY = date(2027, 1, 26)
pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """The day on which late first payments have been pushed; afterwards everything must hold."""
    from connector_pay.self_check import find_violations

    with time_machine.travel(eastern(2027, 1, 26), tick=False):
        yield
        assert find_violations() == []


def make_clerk(*rights: str) -> User:
    clerk = people.make_staff(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return clerk


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def hire(*rights: str) -> Client:
    """The browser of one of the staff with these rights alone."""
    return sign_in(make_clerk(*rights))


def show_and_do(client: Client, url: str, **typed: Any) -> tuple[HttpResponse, HttpResponse]:
    """The form is filled in and shown, then its button is pressed twice; the preview, and the answer to the second press."""
    facts = {"why": "the caller asked", "form_key": read_hidden(client.get(url), "form_key")} | typed
    shown = client.post(url, facts | {"preview": "yes"})
    assert not Correction.objects.filter(form_key=facts["form_key"]).exists(), "a preview leaves nothing"
    sent = facts | {"act": "yes", "seen": read_hidden(shown, "seen")}
    client.post(url, sent)
    return shown, client.post(url, sent, follow=True)


def find_url(name: str, key: int | None = None) -> str:
    return reverse(f"admin:billing_{name}", args=[] if key is None else [key])


def press(client: Client, what: str, correction: Correction, **typed: str) -> HttpResponse:
    return client.post(find_url(f"correction_{what}", correction.pk), typed, follow=True)


class TestOneAccount:
    def test_a_month_is_adjusted_as_it_was_shown_and_once(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        url = find_url("account_adjust", account.pk)
        typed = {"month": "2027-03-01", "way": "off", "amount": "$84.17"}
        shown, done = show_and_do(hire("adjust_account"), url, **typed)
        assert "Owed in all $284.17 $200.00" in read(shown)
        assert "Done." in read(done)
        assert see(account, today=TODAY).due_cents == 200_00
        assert Adjustment.objects.get().approved_by is None

    def test_above_the_limit_it_waits_and_says_so(self) -> None:
        account = make_account(premium_cents=900_00)
        url = find_url("account_adjust", account.pk)
        typed = {"month": "2027-02-01", "way": "off", "amount": "600.00"}
        shown, done = show_and_do(hire("adjust_account"), url, **typed)
        assert "Another person must approve this" in read(shown)
        assert "Asked for. Another person must approve it." in read(done)
        assert (Correction.objects.get().status, see(account, today=TODAY).due_cents) == ("asked", 900_00)

    def test_a_waiver_counts_from_the_day_it_was_asked_for(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        url = find_url("account_waive", account.pk)
        typed = {"month": "2027-02-01", "last_month": "2027-02-01", "way": "whole", "asked_on": "2027-01-23"}
        shown, done = show_and_do(hire("waive_premium"), url, **typed)
        assert "Coverage starts March 1, 2027 February 1, 2027" in read(shown)
        assert "Asked for. Another person must approve it." in read(done)
        press(hire("decide_correction"), "approve", Correction.objects.get())
        assert see(account, today=TODAY).coverage_start == FEBRUARY

    def test_after_the_due_date_one_account_is_given_more_time_by_two(self) -> None:
        account = make_account()
        review(date(2027, 1, 24))
        url = find_url("account_due_date", account.pk)
        shown, done = show_and_do(hire("move_due_date"), url, month="2027-02-01", new_date="2027-01-31")
        assert "$284.17 by January 31, 2027" in read(shown)
        assert "Asked for. Another person must approve it." in read(done)
        press(hire("decide_correction"), "approve", Correction.objects.get())
        assert see(account, today=TODAY).due_date == date(2027, 1, 31)
        assert DueDateOverride.objects.get().correction is not None

    @pytest.mark.parametrize(
        ("name", "typed", "said"),
        [
            (
                "adjust",
                {"month": "2027-02-01", "way": "off", "amount": "284.18"},
                "does not come to that much",
            ),
            ("adjust", {"month": "2027-02-01", "way": "on", "amount": "10000.01"}, "up to $10,000.00"),
            ("adjust", {"month": "2026-02-01", "way": "off", "amount": "1"}, "valid choice"),
            ("adjust", {"month": "2027-02-01", "way": "off", "amount": "1", "why": " "}, "Say why"),
            ("due_date", {"month": "2027-02-01", "new_date": "2027-01-23"}, "only moved to a later day"),
            ("due_date", {"month": "2027-02-01", "new_date": "soon"}, "Enter a day like"),
            (
                "waive",
                {"month": "2027-02-01", "last_month": "2027-02-01", "way": "part", "asked_on": "2027-01-26"},
                "Enter an amount",
            ),
            (
                "waive",
                {"month": "2027-02-01", "last_month": "2027-02-01", "way": "whole", "asked_on": "2027-01-27"},
                "has not come yet",
            ),
        ],
    )
    def test_what_cannot_be_done_is_said_and_has_no_button(
        self, name: str, typed: dict[str, str], said: str
    ) -> None:
        client = sign_in(people.make_staff())
        url = find_url(f"account_{name}", make_account().pk)
        key = read_hidden(client.get(url), "form_key")
        page = client.post(url, {"why": "x", "form_key": key, "preview": "yes"} | typed)
        assert said in read(page)
        assert 'name="act"' not in page.content.decode()
        assert not Correction.objects.exists()


class TestWhoMay:
    RIGHTS = {
        "account_adjust": "adjust_account",
        "account_waive": "waive_premium",
        "account_due_date": "move_due_date",
        "startreview_decide": "decide_start",
        "correction_month": "move_month_due_date",
        "correction_outage": "record_outage",
    }

    def test_each_page_opens_to_its_own_right_alone_and_its_button_too(self) -> None:
        account = make_account()
        make_review(account)
        clients = {right: hire(right) for right in self.RIGHTS.values()} | {"none": hire()}
        for name, right in self.RIGHTS.items():
            keys = {"account": account.pk, "startreview": StartReview.objects.get().pk}
            url = find_url(name, keys.get(name.split("_")[0]))
            for who, client in clients.items():
                expected = 200 if who == right else 403
                assert (client.get(url).status_code, client.post(url, {}).status_code) == (expected, expected)

    def test_buttons_are_there_for_those_who_may(self) -> None:
        account = make_account()
        page = hire("waive_premium").get(find_url("account_change", account.pk)).content.decode()
        assert find_url("account_waive", account.pk) in page
        assert find_url("account_adjust", account.pk) not in page

    @pytest.mark.parametrize("what", ["approve", "decline"])
    def test_who_lacks_the_right_to_decide_is_refused(self, what: str) -> None:
        asked = ask_for_everyone()
        assert press(hire("move_month_due_date"), what, asked, why="x").status_code == 403
        member = sign_in(people.make_user())
        assert press(member, what, asked, why="x").status_code in (302, 403)
        asked.refresh_from_db()
        assert asked.status == "asked"

    @pytest.mark.parametrize("what", ["approve", "decline", "withdraw"])
    def test_nothing_is_done_by_following_a_link(self, what: str) -> None:
        url = find_url(f"correction_{what}", ask_for_everyone().pk)
        assert sign_in(people.make_staff()).get(url).status_code == 405


def make_review(account: Account) -> StartReview:
    """A check of January 22 comes to light on February 2: the rules give February, which has begun."""
    review(date(2027, 1, 24))
    receive(account, PREMIUM, on=date(2027, 1, 22), today=date(2027, 2, 2), kind="check")
    return StartReview.objects.get()


def ask_for_everyone(by: User | None = None) -> Correction:
    facts = {"month": FEBRUARY, "new_date": date(2027, 1, 31), "today": TODAY}
    return ask(CorrectionKind.MONTH_DUE_DATE, by=by, **facts)


class TestEveryone:
    def test_a_months_due_date_moves_once_another_has_approved_it(self) -> None:
        make_account()
        review(date(2027, 1, 24))
        typed = {"month": "2027-02-01", "new_date": "2027-01-31"}
        shown, done = show_and_do(hire("move_month_due_date"), find_url("correction_month"), **typed)
        assert "Due date January 23, 2027 January 31, 2027" in read(shown)
        assert "Starts that were pushed past this month 1" in read(shown)
        assert "Another person must approve it" in read(done)
        assert read_due_date()(FEBRUARY) == date(2027, 1, 23)
        approver = hire("decide_correction")
        asked = Correction.objects.get()
        page = approver.get(find_url("correction_change", asked.pk))
        assert "Due date January 23, 2027 January 31, 2027" in read(page)
        assert "Approved, and done." in read(press(approver, "approve", asked))
        assert "decided before: done" in read(press(approver, "approve", asked))
        assert read_due_date()(FEBRUARY) == date(2027, 1, 31)
        review(date(2027, 1, 27))
        assert see(Account.objects.get(), today=TODAY).coverage_start == FEBRUARY

    def test_nobody_approves_their_own_not_even_an_administrator(self) -> None:
        administrator = people.make_staff()
        asked, client = ask_for_everyone(administrator), sign_in(administrator)
        page = client.get(find_url("correction_change", asked.pk))
        assert "You asked for this" in read(page)
        assert "Approve this correction" not in page.content.decode()
        assert "Another person must decide" in read(press(client, "approve", asked))
        assert "Withdrawn" in read(press(client, "withdraw", asked, why="a mistake"))
        asked.refresh_from_db()
        assert asked.status == "withdrawn"

    def test_declining_needs_a_reason(self) -> None:
        asked, approver = ask_for_everyone(), hire("decide_correction")
        assert "Say why." in read(press(approver, "decline", asked, why=" "))
        assert "Declined." in read(press(approver, "decline", asked, why="no storm"))
        assert read_due_date()(FEBRUARY) == date(2027, 1, 23)

    def test_an_outage_on_a_due_date_asks_for_more_time_and_is_told_to_the_public_once_approved(self) -> None:
        typed = {
            "began_at": "2027-01-23 20:00",
            "ended_at": "2027-01-24 01:30",
            "what": "the bank page",
            "public_words": "You could not pay on January 23. You have until January 25.",
        }
        shown, done = show_and_do(hire("record_outage"), find_url("correction_outage"), **typed)
        assert "Due date January 23, 2027 January 25, 2027" in read(shown)
        assert "Another person must approve" in read(done)
        asked = Correction.objects.get()
        assert (asked.month, asked.new_date, asked.outage) == (
            FEBRUARY,
            date(2027, 1, 25),
            Outage.objects.get(),
        )
        assert read_public_words(today=date(2027, 1, 25)) == ""
        press(hire("decide_correction"), "approve", asked)
        assert read_public_words(today=date(2027, 1, 25)) == typed["public_words"]
        assert read_public_words(today=date(2027, 1, 26)) == ""
        page = hire().get(find_url("outage_change", asked.outage_id))
        assert "the bank page" in read(page)
        assert "(Done)" in read(page)

    def test_an_outage_on_another_day_is_listed_and_one_that_goes_on_is_not_recorded(self) -> None:
        typed = {"what": "mail", "public_words": "Mail was down.", "began_at": "2027-01-20 20:00"}
        client, url = hire("record_outage"), find_url("correction_outage")
        shown, _ = show_and_do(client, url, ended_at="2027-01-20 21:00", **typed)
        assert "No due date fell into this outage" in read(shown)
        assert (Outage.objects.count(), Correction.objects.count()) == (1, 0)
        _, refused = show_and_do(client, url, ended_at="2027-01-26 12:01", **typed)
        assert "once it is over" in read(refused)
        page = client.post(
            url, typed | {"ended_at": "2027-01-20 20:00", "form_key": read_hidden(refused, "form_key")}
        )
        assert "ends after it began" in read(page)
        assert Outage.objects.count() == 1


class TestAStart:
    @pytest.mark.parametrize(("decision", "start"), [("keep", MARCH), ("move", FEBRUARY)])
    def test_both_decisions_are_shown_and_one_is_taken_once(self, decision: str, start: date) -> None:
        account = make_account()
        row = make_review(account)
        url = find_url("startreview_decide", row.pk)
        with time_machine.travel(eastern(2027, 2, 3), tick=False):
            client = hire("decide_start")
            page = client.get(find_url("startreview_change", row.pk))
            assert url in page.content.decode()
            first = client.get(url)
            assert "Coverage starts March 1, 2027 February 1, 2027" in read(first)
            sent = {
                "decision": decision,
                "why": "the check was in time",
                "form_key": read_hidden(first, "form_key"),
                "act": "yes",
            }
            client.post(url, sent)
            assert "Decided" in read(client.post(url, sent, follow=True))
            assert see(account, today=date(2027, 2, 3)).coverage_start == start
            row.refresh_from_db()
            assert (row.decision, Correction.objects.get().why) == (decision, "the check was in time")
            again = client.post(url, sent | {"form_key": "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33"})
            assert "decided before" in read(again)


def test_lists_show_what_waits() -> None:
    asked = ask_for_everyone()
    page = hire("move_month_due_date").get(find_url("correction_changelist"), {"status__exact": "asked"})
    assert "Everyone" in read(page)
    assert find_url("correction_month") in page.content.decode()
    assert "February 2027: due January 31, 2027" in read(page)
    assert asked.get_status_display() in read(page)
