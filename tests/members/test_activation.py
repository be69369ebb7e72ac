"""Activation: Member ID, date of birth and ZIP code, then email and password, and the member is signed in."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisDown

from members import activation
from members.models import Member, User
from tests.people import PASSWORD, make_member, make_staff, make_user

pytestmark = pytest.mark.django_db
MISS = "We could not find you with these."
WAIT = "We cannot look you up now."


def identify(client, member, **typed):
    born = member.date_of_birth
    facts = {
        "member_id": member.member_id,
        "date_of_birth_month": born.month,
        "date_of_birth_day": born.day,
        "date_of_birth_year": born.year,
        "zip_code": member.zip_code,
    }
    return client.post(reverse("activate"), facts | typed)


def choose(client, email="alice@example.org", password=PASSWORD, again=PASSWORD):
    typed = {"email": email, "password": password, "password_again": again}
    return client.post(reverse("activate_account"), typed)


def sign_in(client, email, password=PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_a_member_finds_themselves_chooses_email_and_password_and_is_signed_in(client):
    member = make_member(member_id="003456789011", zip_code="02108")

    found = identify(client, member, member_id="0034-5678 9011", zip_code="02108-1234")
    assert found.url == reverse("activate_account")
    assert "Hello, Alice." in client.get(found.url).content.decode()
    done = choose(client, email="Alice@Example.org")

    user = User.objects.get()
    assert done.status_code == 302
    assert (user.username, user.email, user.member) == ("member-003456789011", "alice@example.org", member)
    assert int(client.session["_auth_user_id"]) == user.pk
    assert user.password != PASSWORD


def test_who_has_activated_signs_in_by_email_later(client):
    member = make_member()
    identify(client, member)
    choose(client)
    client.logout()

    assert sign_in(client, "ALICE@example.org").status_code == 302
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "typed",
    [
        {"member_id": "999999999999"},
        {"date_of_birth_day": 10},
        {"zip_code": "02109"},
    ],
)
def test_every_miss_gets_the_same_words(client, typed):
    page = identify(client, make_member(), **typed)
    assert page.status_code == 200
    assert MISS in page.content.decode()
    assert "Error: " in page.content.decode()
    assert client.get(reverse("activate_account")).url == reverse("activate")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"member_id": "1234"}, "Enter the 12 digits of your Member ID"),
        ({"member_id": ""}, "Enter your 12-digit Member ID"),
        ({"zip_code": "2108"}, "Enter your 5-digit ZIP code, like 02108"),
        ({"date_of_birth_year": "86"}, "Enter the year with 4 digits, like 1986"),
    ],
)
def test_what_is_typed_wrong_is_said_beside_it_and_is_no_miss(client, typed, words):
    member = make_member()
    for _ in range(activation.MISSES_PER_ADDRESS):
        assert words in identify(client, member, **typed).content.decode()
    assert identify(client, member).status_code == 302


def test_after_five_misses_a_member_id_must_wait_even_with_the_right_answers(client):
    member, other = make_member(), make_member()
    for _ in range(activation.MISSES_PER_MEMBER_ID):
        assert MISS in identify(client, member, zip_code="99999").content.decode()

    page = identify(client, member)

    assert page.status_code == 429
    assert WAIT in page.content.decode()
    assert identify(client, other).status_code == 302


def test_right_answers_and_refused_tries_use_up_nothing(client):
    member, other = make_member(), make_member()
    for _ in range(activation.MISSES_PER_ADDRESS + 1):
        assert identify(client, member).status_code == 302
    for _ in range(activation.MISSES_PER_ADDRESS + 1):
        identify(client, member, zip_code="99999")
    assert identify(client, other).status_code == 302


def test_after_ten_misses_an_address_must_wait_and_another_address_need_not(client):
    member = make_member()
    for number in range(activation.MISSES_PER_ADDRESS):
        identify(client, member, member_id=f"9{number:011d}")

    assert identify(client, member).status_code == 429
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert identify(client, member).status_code == 302


def test_neither_member_id_nor_address_is_written_into_the_cache(client):
    member = make_member()
    written = []
    real_add = cache.add
    cache.add = lambda key, *rest: written.append(key) or real_add(key, *rest)
    try:
        identify(client, member, zip_code="99999")
    finally:
        del cache.add
    assert len(written) == 2
    assert not any(member.member_id in key or "127.0.0.1" in key for key in written)


def test_where_nobody_can_count_misses_nobody_may_try(client, monkeypatch):
    def refuse(*_):
        raise RedisDown

    monkeypatch.setattr(type(cache._connections["default"]), "incr", refuse)
    assert identify(client, make_member()).status_code == 429


def test_a_member_who_has_an_account_is_told_to_sign_in_or_reset(client):
    member = make_member()
    make_user(member=member)

    page = identify(client, member).content.decode()

    assert "You already have an account" in page
    assert reverse("account_login") in page
    assert reverse("account_reset_password") in page


def test_two_browsers_that_both_found_the_member_make_one_account(client):
    from django.test import Client

    member, second = make_member(), Client()
    for browser in (client, second):
        identify(browser, member)
    choose(client)

    assert choose(second, email="other@example.org").url == reverse("activate")
    with pytest.raises(activation.AlreadyActivated):
        activation.activate(member=member, email="third@example.org", password=PASSWORD)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"password": "short", "again": "short"}, "This password is too short"),
        ({"password": "password1234", "again": "password1234"}, "too common"),
        ({"password": "alice.alvarez", "again": "alice.alvarez"}, "too similar"),
        ({"again": "another horse entirely"}, "The two passwords are not the same"),
        ({"email": "alice@"}, "Enter an email address, like name@example.org"),
        ({"email": "TAKEN@example.org"}, "Someone already signs in with this email address"),
    ],
)
def test_a_weak_password_and_a_taken_email_are_refused_in_words(client, typed, words):
    make_user(email="taken@example.org")
    identify(client, make_member())

    assert words in choose(client, **typed).content.decode()
    assert User.objects.count() == 1
    assert not is_signed_in(client)


def test_a_password_never_comes_back_in_the_page(client):
    identify(client, make_member())
    assert PASSWORD not in choose(client, again="another horse entirely").content.decode()


def test_an_email_given_at_activation_is_the_members_only_where_the_exchange_sent_none(client):
    silent, known = make_member(email=""), make_member(email="known@example.org")
    activation.activate(member=silent, email="s@example.org", password=PASSWORD)
    activation.activate(member=known, email="k@example.org", password=PASSWORD)
    emails = set(Member.objects.values_list("email", flat=True))
    assert emails == {"s@example.org", "known@example.org"}


def test_the_pages_are_never_kept_by_a_browser_and_the_session_changes_its_name(client):
    page = client.get(reverse("activate"))
    assert "no-store" in page["Cache-Control"]
    client.session["anything"] = 1
    client.session.save()
    before = client.session.session_key
    identify(client, make_member())
    assert client.session.session_key != before


def test_who_is_signed_in_goes_home(client):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("activate")).url == reverse("home")


def test_members_and_staff_sign_in_by_email_and_nobody_else(client):
    make_user(email="member@example.org")
    make_staff(email="staff@example.org")
    User.objects.create_user(username="nobody", email="nobody@example.org", password=PASSWORD)

    assert sign_in(client, "nobody@example.org").status_code == 200
    assert not is_signed_in(client)
    for email in ("member@example.org", "staff@example.org"):
        sign_in(client, email)
        assert is_signed_in(client), email
        client.logout()


def test_nobody_signs_up_without_a_member_id(client):
    page = client.get(reverse("account_signup"))
    assert (
        "sign up" not in page.content.decode().lower()
        or page.templates[0].name == "account/signup_closed.html"
    )
    client.post(
        reverse("account_signup"), {"email": "a@example.org", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert not User.objects.exists()
