"""Guessing passwords: each person's failures are counted for that person, behind a proxy too, and when Redis is gone."""

import re
import socket
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from members.models import User
from tests import people
from tests.payments.payers import read

pytestmark = pytest.mark.django_db
PROXY, HOME, CAFE = "10.0.0.1", "198.51.100.7", "203.0.113.99"
TRIES = 5


def open_browser(address: str) -> Client:
    """A browser at this address, behind our one proxy."""
    return Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=address)


def sign_in(client: Client, email: str, password: str = people.PASSWORD) -> bool:
    """Sign in on the members' page."""
    client.post(reverse("account_login"), {"login": email, "password": password})
    return "_auth_user_id" in client.session


def enter_admin(client: Client, username: str, password: str = people.PASSWORD) -> int:
    """Sign in by username, on the way to the staff's side."""
    typed = {"login": username, "password": password, "next": "/admin/"}
    return client.post(reverse("account_login"), typed).status_code


@pytest.fixture(autouse=True)
def _one_proxy(settings) -> None:
    """As in production."""
    settings.TRUSTED_PROXIES = 1


@pytest.fixture(params=["answers", "refuses", "is silent"])
def _redis(request: pytest.FixtureRequest, settings) -> Iterator[None]:
    """Redis as it is, as a port where nobody listens, and as one that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if request.param == "refuses":
            server.close()
        if request.param != "answers":
            address = f"redis://127.0.0.1:{server.getsockname()[1] if request.param == 'is silent' else 1}/0"
            options = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
            settings.CACHES = {
                "default": settings.CACHES["default"] | {"LOCATION": address, "OPTIONS": options}
            }
        yield


@pytest.mark.usefixtures("_redis")
def test_five_failures_stop_that_person_there_and_nobody_else_anywhere() -> None:
    victim, neighbor = people.make_user(), people.make_user()
    attacker = open_browser(CAFE)
    for _ in range(TRIES):
        assert not sign_in(attacker, victim.email, "wrong")
    assert not sign_in(attacker, victim.email)
    assert sign_in(open_browser(HOME), victim.email)
    assert sign_in(open_browser(CAFE), neighbor.email)


def test_one_address_cannot_keep_a_member_out_however_often_it_tries(settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1000/m/ip,8/h/key"}
    victim = people.make_user()
    for _ in range(12):
        sign_in(open_browser(CAFE), victim.email, "wrong")
    assert sign_in(open_browser(HOME), victim.email)


def test_many_addresses_together_are_stopped_as_one(settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1000/m/ip,8/h/key"}
    victim = people.make_user()
    for number in range(8):
        sign_in(open_browser(f"192.0.2.{number}"), victim.email, "wrong")
    assert not sign_in(open_browser(HOME), victim.email)


def test_another_spelling_of_the_email_is_no_new_set_of_tries() -> None:
    user = people.make_user()
    for number in range(TRIES):
        spelling = user.email[:number].upper() + user.email[number:]
        assert not sign_in(open_browser(CAFE), spelling, "wrong")
    assert not sign_in(open_browser(CAFE), user.email)


def test_a_made_up_address_is_no_new_set_of_tries() -> None:
    user = people.make_user()
    for number in range(TRIES):
        assert not sign_in(open_browser(f"192.0.2.{number}, {CAFE}"), user.email, "wrong")
    assert not sign_in(open_browser(f"192.0.2.99, {CAFE}"), user.email)


def test_signing_in_forgives_the_failures_before_it() -> None:
    user = people.make_user()
    for _ in range(2):
        for _ in range(TRIES - 1):
            assert not sign_in(open_browser(HOME), user.email, "wrong")
        assert sign_in(open_browser(HOME), user.email)


def test_staff_fail_once_by_whichever_of_their_two_names() -> None:
    staff = people.make_staff()
    for _ in range(3):
        assert not sign_in(open_browser(CAFE), staff.email, "wrong")
    assert [enter_admin(open_browser(CAFE), staff.username, "wrong") for _ in range(2)] == [200, 429]
    assert enter_admin(open_browser(CAFE), staff.username) == 429
    assert enter_admin(open_browser(HOME), staff.username) == 302


def test_one_address_cannot_try_many_names_of_staff() -> None:
    answers = [enter_admin(open_browser(CAFE), f"name{number}", "password") for number in range(31)]
    assert answers == [200] * 30 + [429]
    assert enter_admin(open_browser(HOME), people.make_staff().username) == 302


def test_a_name_of_any_length_is_counted_and_not_an_accident() -> None:
    for name in ("x" * 100_000, "é" * 300):
        answers = [enter_admin(open_browser(CAFE), name, "wrong") for _ in range(TRIES)]
        assert answers == [200] * 4 + [429]


@pytest.mark.usefixtures("_redis")
def test_who_is_not_known_and_whose_password_is_wrong_read_the_same() -> None:
    user = people.make_user()
    pages = [
        read(open_browser(HOME).post(reverse("account_login"), {"login": email, "password": "wrong"}))
        for email in (user.email, "nobody@example.org")
    ]
    assert "There is a problem" in pages[0]
    assert pages[0] == pages[1]


@pytest.mark.usefixtures("_redis")
def test_a_reset_says_the_same_of_everyone_and_writes_to_who_was_named() -> None:
    user = people.make_user()
    for email in (user.email, "nobody@example.org"):
        answer = open_browser(HOME).post(reverse("account_reset_password"), {"email": email})
        assert (answer.status_code, answer.url) == (302, reverse("account_reset_password_done"))
    assert [message.to for message in mail.outbox] == [[user.email], ["nobody@example.org"]]


@pytest.mark.parametrize("known", [True, False])
def test_the_email_leads_to_the_portal_whatever_host_and_port_the_request_named(
    settings, known: bool
) -> None:
    settings.PORTAL_URL = "https://pay.example.org"
    email = people.make_user().email if known else "nobody@example.org"
    named = {"host": "localhost:8765"}
    answer = open_browser(HOME).post(reverse("account_reset_password"), {"email": email}, headers=named)
    (message,) = mail.outbox
    assert answer.status_code == 302
    assert re.findall(r"\w+://[^/]+", message.body) == ["https://pay.example.org"]
    assert "localhost" not in message.subject + message.body
    path = re.search(r"https://pay\.example\.org(/\S+)", message.body)
    assert path
    assert not known or "New password" in Client().get(path[1], follow=True).content.decode()


def test_nobody_takes_another_email_on_by_themselves() -> None:
    victim, attacker = people.make_user(), people.make_user()
    client = open_browser(HOME)
    assert sign_in(client, attacker.email)
    for typed in ({"action_add": "", "email": victim.email}, {"action_primary": "", "email": victim.email}):
        assert client.post("/accounts/email/", typed).status_code in (302, 405)
    attacker.refresh_from_db()
    assert attacker.email != victim.email
    assert not User.objects.filter(emailaddress__email=victim.email).exists()


def test_nobody_signs_up_without_a_member_id() -> None:
    typed = {"email": "a@example.org", "password1": people.PASSWORD, "password2": people.PASSWORD}
    open_browser(HOME).post("/accounts/signup/", typed)
    assert not User.objects.exists()


def test_the_session_is_a_new_one_after_signing_in() -> None:
    user, client = people.make_user(), open_browser(HOME)
    member = user.member
    client.post("/guest/", {"identifier": member.member_id if member else ""})
    client.cookies["sessionid"] = "chosenbyanattacker1234567890abcd"
    assert sign_in(client, user.email)
    assert client.cookies["sessionid"].value != "chosenbyanattacker1234567890abcd"


def test_who_is_no_longer_active_is_out_at_once() -> None:
    user, client = people.make_user(), open_browser(HOME)
    assert sign_in(client, user.email)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/home/").status_code == 302
    assert not sign_in(open_browser(HOME), user.email)


@pytest.mark.parametrize("page", ["/accounts/login/", "/admin/login/"])
@pytest.mark.parametrize(
    "there", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_away_after_signing_in(page: str, there: str) -> None:
    staff = people.make_staff()
    typed = {"login": staff.email, "password": people.PASSWORD, "next": there}
    client = open_browser(HOME)
    answer = client.post(f"{page}?next={there}", typed)
    assert answer.status_code == 302
    led = client.get(answer.url, follow=True)
    for address in [answer.url, *(url for url, _ in led.redirect_chain)]:
        assert "evil" not in address
        assert "javascript" not in address
