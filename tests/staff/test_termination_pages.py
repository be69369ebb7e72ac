"""Coverage to be ended, on the staff's side: confirmed by one person, kept with a reason, brought back; others are refused."""

from datetime import date

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.models import Account, Episode
from members.models import Enrollment
from tests import people
from tests.billing.behind import PREMIUM, cover, live, pay, read_status
from tests.billing.books import take_back
from tests.diary import eastern
from tests.payments.payers import read

LISTED = date(2026, 3, 30)
pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """The day on which January's ladders have run out; afterwards everything must hold."""
    from connector_pay.self_check import find_violations

    with time_machine.travel(eastern(2026, 3, 30), tick=False):
        yield
        assert find_violations() == []


def sign_in(*rights: str) -> Client:
    client, clerk = Client(), people.make_staff(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def decider(db: None) -> Client:
    return sign_in("change_episode")


@pytest.fixture
def account(db: None) -> Account:
    """Subsidized, January unpaid, on the list."""
    account = cover(today=date(2025, 12, 2), subsidized=True)
    live(date(2025, 12, 24), LISTED)
    assert read_status(account) == ["listed"]
    return account


@pytest.fixture
def found_late(db: None) -> Account:
    """January's payment came back on February 6."""
    account = cover(today=date(2025, 12, 2))
    reference = pay(account, 2 * PREMIUM, on=date(2025, 12, 20))
    live(date(2025, 12, 24), date(2026, 2, 6))
    take_back(reference, on=date(2026, 2, 6), settled=True)
    live(date(2026, 2, 7), LISTED)
    return account


def show_list(client: Client):
    return client.get(reverse("admin:billing_episode_terminations"))


def confirm(client: Client, *keys: object, cents: int = 4 * PREMIUM):
    """Tick these, as they were shown with so much past due."""
    ticks = [f"{key}:{cents}" for key in keys]
    return client.post(reverse("admin:billing_episode_confirm"), {"episode": ticks}, follow=True)


def act(client: Client, what: str, **typed: str):
    (key,) = Episode.objects.values_list("pk", flat=True)
    facts = {"shown_cents": str(4 * PREMIUM)} | typed if what == "end" else typed
    return client.post(reverse(f"admin:billing_episode_{what}", args=[key]), facts, follow=True)


def show(client: Client) -> str:
    (key,) = Episode.objects.values_list("pk", flat=True)
    return read(client.get(reverse("admin:billing_episode_change", args=[key])))


def read_end(account: Account) -> tuple[str, date | None]:
    enrollment = Enrollment.objects.get(account=account)
    return enrollment.status, enrollment.ends_on


class TestTheList:
    def test_it_names_who_what_is_owed_and_the_last_day_of_coverage(
        self, decider: Client, account: Account
    ) -> None:
        page = show_list(decider)
        assert page["Cache-Control"].startswith("max-age=0")
        words = read(page)
        assert account.enrollment.member.member_id in words
        assert "March 23, 2026" in words
        assert "$400.00" in words
        assert "January 31, 2026" in words

    def test_what_is_ticked_is_ended(self, decider: Client, account: Account) -> None:
        answer = confirm(decider, Episode.objects.get().pk)
        assert "Ended: 1. The members are told." in read(answer)
        assert read_end(account) == ("ended", date(2026, 1, 31))
        assert "There is none." in read(show_list(decider))

    def test_sent_twice_it_is_done_once(self, decider: Client, account: Account) -> None:
        key = Episode.objects.get().pk
        confirm(decider, key)
        assert "Ended: 0." in read(confirm(decider, key))
        assert Episode.objects.get().moves.count() == 2

    @pytest.mark.parametrize("cents", [PREMIUM, 1])
    def test_where_money_has_come_since_it_was_shown_nothing_ends_and_staff_look_again(
        self, decider: Client, account: Account, cents: int
    ) -> None:
        key = Episode.objects.get().pk
        assert f'value="{key}:{4 * PREMIUM}"' in show_list(decider).content.decode()
        pay(account, cents, on=LISTED)
        words = read(confirm(decider, key))
        assert "Ended: 0." in words
        assert "Not ended: 1. Money has come since. Look again." in words
        assert read_end(account) == ("active", None)
        confirm(decider, key, cents=4 * PREMIUM - cents)
        assert read_end(account) == ("ended", date(2026, 1, 31))

    def test_where_money_has_come_for_one_the_others_are_ended(
        self, decider: Client, account: Account
    ) -> None:
        other = cover(today=date(2025, 12, 2), subsidized=True)
        live(date(2025, 12, 24), LISTED)
        keys = Episode.objects.order_by("pk").values_list("pk", flat=True)
        pay(account, on=LISTED)
        words = read(confirm(decider, *keys))
        assert "Ended: 1." in words
        assert "Not ended: 1." in words
        assert (read_end(account)[0], read_end(other)[0]) == ("active", "ended")

    def test_where_all_has_been_paid_since_there_is_no_box(self, decider: Client, account: Account) -> None:
        assert 'type="checkbox"' in show_list(decider).content.decode()
        pay(account, 4 * PREMIUM, on=LISTED)
        page = show_list(decider)
        assert 'type="checkbox"' not in page.content.decode()
        assert "$0.00: paid since, open the row" in read(page)

    @pytest.mark.parametrize("keys", [(), ("",), ("x",), ("9" * 40,)])
    def test_nothing_ticked_ends_nothing(
        self, decider: Client, account: Account, keys: tuple[str, ...]
    ) -> None:
        assert "Tick the coverage to be ended." in read(confirm(decider, *keys))
        assert read_end(account) == ("active", None)

    def test_coverage_found_late_has_no_box_and_is_not_ended_without_a_day(
        self, decider: Client, found_late: Account
    ) -> None:
        page = show_list(decider)
        assert 'type="checkbox"' not in page.content.decode()
        assert "Found late: open the row to choose it" in read(page)
        assert "Choose the last day" in read(confirm(decider, Episode.objects.get().pk))
        assert read_end(found_late) == ("active", None)


class TestOneCoverage:
    def test_it_is_ended_on_its_own_page(self, decider: Client, account: Account) -> None:
        assert (
            "End this coverage"
            in decider.get(
                reverse("admin:billing_episode_change", args=[Episode.objects.get().pk])
            ).content.decode()
        )
        assert "Ended. The member is told." in read(act(decider, "end"))
        assert read_end(account) == ("ended", date(2026, 1, 31))

    @pytest.mark.parametrize("shown", [str(4 * PREMIUM), "", "x"])
    def test_it_is_not_ended_where_money_has_come_since_the_page_was_shown(
        self, decider: Client, account: Account, shown: str
    ) -> None:
        pay(account, on=LISTED)
        assert (
            f'name="shown_cents" value="{3 * PREMIUM}"'
            in decider.get(
                reverse("admin:billing_episode_change", args=[Episode.objects.get().pk])
            ).content.decode()
        )
        assert "Money has come since. Look again." in read(act(decider, "end", shown_cents=shown))
        assert read_end(account) == ("active", None)

    def test_where_it_was_found_late_staff_choose_the_day(self, decider: Client, found_late: Account) -> None:
        assert "Last day of coverage (YYYY-MM-DD)" in show(decider)
        for wrong in ("", "soon", "2026-01-30"):
            act(decider, "end", ends_on=wrong)
            assert read_end(found_late) == ("active", None)
        act(decider, "end", ends_on="2026-01-31")
        assert read_end(found_late) == ("ended", date(2026, 1, 31))

    def test_it_is_kept_with_a_reason_and_not_without(self, decider: Client, account: Account) -> None:
        assert "Say why this coverage is kept." in read(act(decider, "keep", why=" "))
        assert read_status(account) == ["listed"]
        assert "Kept." in read(act(decider, "keep", why="the bank lost the check"))
        assert read_status(account) == ["canceled"]
        assert "not on the list" in read(act(decider, "keep", why="again"))

    def test_it_comes_back_once_it_is_asked_for_paid_and_approved(
        self, decider: Client, account: Account
    ) -> None:
        act(decider, "end")
        assert "until May 4, 2026" in show(decider)
        assert "The months are billed again" in read(act(decider, "ask"))
        assert "$400.00 is still to be paid." in read(act(decider, "approve"))
        pay(account, 4 * PREMIUM, on=LISTED)
        pay(account, PREMIUM, on=LISTED)
        assert "Reinstated. The member is told." in read(act(decider, "approve"))
        assert read_end(account) == ("active", None)

    def test_a_reinstatement_is_declined_with_a_reason(self, decider: Client, account: Account) -> None:
        act(decider, "end")
        act(decider, "ask")
        assert "Say why" in read(act(decider, "decline", why=""))
        assert "Declined." in read(act(decider, "decline", why="not paid"))
        assert read_status(account) == ["ended"]


class TestWhoMay:
    ACTS = ("end", "keep", "ask", "approve", "decline")

    def test_staff_without_the_right_read_the_list_and_decide_nothing(self, account: Account) -> None:
        reader = sign_in("view_episode")
        page = show_list(reader)
        assert (page.status_code, "End the coverage" in page.content.decode()) == (200, False)
        assert "End this coverage" not in show(reader)
        assert confirm(reader, Episode.objects.get().pk).status_code == 403
        assert {act(reader, what, why="x").status_code for what in self.ACTS} == {403}
        assert read_status(account) == ["listed"]

    def test_members_and_strangers_decide_nothing(self, account: Account) -> None:
        member = Client()
        member.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
        key = Episode.objects.get().pk
        for client in (member, Client()):
            for what in self.ACTS:
                answer = client.post(reverse(f"admin:billing_episode_{what}", args=[key]), {"why": "x"})
                assert answer.status_code in (302, 403)
            assert client.post(reverse("admin:billing_episode_confirm"), {"episode": key}).status_code in (
                302,
                403,
            )
        assert read_status(account) == ["listed"]

    def test_decisions_are_sent_by_post_alone(self, decider: Client, account: Account) -> None:
        key = Episode.objects.get().pk
        addresses = [reverse(f"admin:billing_episode_{what}", args=[key]) for what in self.ACTS]
        addresses.append(reverse("admin:billing_episode_confirm"))
        assert {decider.get(address).status_code for address in addresses} == {405}

    def test_an_episode_that_is_not_there_is_not_found(self, decider: Client) -> None:
        for what in self.ACTS:
            assert (
                decider.post(reverse(f"admin:billing_episode_{what}", args=[0]), {"why": "x"}).status_code
                == 404
            )
