"""The profile: who changes email or phone types the password first; nothing tells who else is known here."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from members.models import Member, MemberChoice, Notice, User
from members.notices import write
from tests import people
from tests.diary import eastern
from tests.payments.payers import find_as_guest, make_household, read, sign_in, start

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]
ELSEWHERE = "203.0.113.99"


def show_password(client: Client, password: str = people.PASSWORD) -> bool:
    """Type the password once more; whether it was taken."""
    answer = client.post(reverse("account_reauthenticate"), {"password": password, "next": "/profile/"})
    return answer.status_code == 302


def read_link(event: str = "email_to_confirm") -> str:
    """The path of the link in the last such email."""
    notice = Notice.objects.filter(event=event).latest("pk")
    words = write(event=event, language="en", facts=notice.facts)
    found = re.search(r"https?://[^/]+(/profile/email/\S+)", words.body)
    assert found
    return found[1]


def test_the_profile_is_the_members_own_and_shows_how_we_reach_them() -> None:
    member = make_household(email="alice@example.org")
    page = read(sign_in(member).get("/profile/"))
    assert "alice@example.org Not confirmed yet Confirm this address" in page
    assert "(617) 555-" in page
    assert page.count("On paper") == 2
    assert Client().get("/profile/")["Location"] == "/accounts/login/?next=/profile/"
    staff = Client()
    staff.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    assert staff.get("/profile/")["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["/profile/email/", "/profile/phone/"])
def test_email_and_phone_are_changed_only_by_who_has_just_typed_the_password(path: str) -> None:
    member = make_household()
    client = sign_in(member)
    typed = {"email": "new@example.org", "phone": "617-555-0199"}
    for answer in (client.get(path), client.post(path, typed)):
        assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not show_password(client, "wrong")
    assert client.post(path, typed).status_code == 302
    assert not Notice.objects.filter(event__in=("email_to_confirm", "phone_changed")).exists()
    assert show_password(client)
    assert client.get(path).status_code == 200
    assert client.post(path, typed)["Location"] == "/profile/"
    assert Notice.objects.filter(event__in=("email_to_confirm", "phone_changed")).exists()


def test_a_few_wrong_passwords_there_are_enough() -> None:
    client = sign_in(make_household())
    for _ in range(5):
        assert not show_password(client, "wrong")
    assert not show_password(client)


def test_an_address_is_confirmed_by_its_person_signed_in_and_not_by_opening_alone() -> None:
    member = make_household()
    client = sign_in(member)
    show_password(client)
    page = read(client.post("/profile/email/", {"email": "New@Example.org"}, follow=True))
    assert "We sent a link to new@example.org." in page
    link = read_link()
    stranger = sign_in(make_household())
    assert Client().get(link).status_code == 302
    for answer in (stranger.get(link), stranger.post(link)):
        assert "This link does not work" in read(answer)
    assert "From now on you sign in with new@example.org" in read(client.get(link))
    assert User.objects.get(member=member).email != "new@example.org"
    assert "Your email address is confirmed" in read(client.post(link, follow=True))
    assert "This link does not work" in read(client.post(link))
    again = Client()
    again.post(reverse("account_login"), {"login": "new@example.org", "password": people.PASSWORD})
    assert again.get("/home/").status_code == 200


def test_an_address_of_somebody_else_gets_the_same_answer_as_any_other() -> None:
    other, client = people.make_user(), sign_in(make_household())
    show_password(client)
    pages = [
        read(client.post("/profile/email/", {"email": email}, follow=True)).replace(email, "it")
        for email in ("new@example.org", other.email)
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("path", "typed", "words"),
    [
        ("email", {"email": ""}, "Enter your email address"),
        ("email", {"email": "alice"}, "Enter an email address, like name@example.org"),
        ("phone", {"phone": "12"}, "Enter a US phone number with 10 digits"),
        ("phone", {"phone": "+44 20 7946 0018"}, "Enter a US phone number with 10 digits"),
        ("phone", {"phone": "6" * 41}, "Enter a US phone number with 10 digits"),
        ("language", {"language": "fr"}, "Choose a language"),
        ("paperless", {"paperless_bills": "on"}, "First confirm your email address."),
    ],
)
def test_what_is_typed_wrong_is_said_beside_it(path: str, typed: dict[str, str], words: str) -> None:
    client = sign_in(make_household())
    show_password(client)
    page = client.post(f"/profile/{path}/", typed)
    assert page.status_code == 200
    assert read(page).count(words) == 2
    assert not MemberChoice.objects.exists()


def test_language_phone_and_paper_are_chosen_and_kept_with_where_from() -> None:
    member = make_household()
    client = sign_in(member)
    show_password(client)
    client.post("/profile/email/", {"email": member.email})
    client.post(read_link())
    client.post("/profile/phone/", {"phone": "(617) 555-0199"})
    refused = client.post("/profile/paperless/", {"paperless_bills": "on"})
    assert "Tick this box if you agree" in read(refused)
    agreed = {"paperless_bills": "on", "agree": "on"}
    client.post("/profile/paperless/", agreed, REMOTE_ADDR=ELSEWHERE, headers={"user-agent": "A browser"})
    shown = client.post("/profile/language/", {"language": "es"}, follow=True)
    assert "Su idioma quedó guardado." in read(shown)
    member.refresh_from_db()
    assert (member.language, str(member.phone)) == ("es", "+16175550199")
    assert (member.paperless_bills, member.paperless_notices) == (True, False)
    choice = MemberChoice.objects.get(what="paperless_bills")
    assert (choice.address, choice.browser) == (ELSEWHERE, "A browser")
    assert "You may have paper instead" in choice.text
    client.post("/profile/paperless/", {})
    assert not Member.objects.get(pk=member.pk).paperless_bills
    staff = Client()
    staff.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    seen = read(staff.get(reverse("admin:members_member_change", args=[member.pk])))
    assert "Bills without paper" in seen
    assert "You may have paper instead" in seen


def test_too_many_changes_in_a_day_are_refused_in_plain_words() -> None:
    client = sign_in(make_household())
    answers = [client.post("/profile/language/", {"language": "es" if n % 2 else "en"}) for n in range(22)]
    assert answers[-1].status_code == 429
    assert "You changed a lot today" in read(answers[-1])


def test_signing_out_everywhere_ends_every_session_and_throws_half_typed_payments_away() -> None:
    member = make_household()
    here, there, neighbor = sign_in(member), Client(), sign_in(make_household())
    there.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    amount = start(there)
    assert here.get("/profile/sign-out-everywhere/").status_code == 405
    answer = here.post("/profile/sign-out-everywhere/", follow=True)
    assert "You are signed out on every phone and computer." in read(answer)
    for client in (here, there):
        assert client.get("/home/").status_code == 302
    assert neighbor.get("/home/").status_code == 200
    there.force_login(User.objects.get(member=member), backend="django.contrib.auth.backends.ModelBackend")
    assert there.get("/home/").status_code == 200
    assert "Please start again" in read(there.get(amount))


def test_a_new_password_is_told_to_the_member_and_ends_the_other_sessions() -> None:
    member = make_household()
    client, other = sign_in(member), Client()
    other.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    other.post("/profile/sign-out-everywhere/")
    client.force_login(User.objects.get(member=member), backend="django.contrib.auth.backends.ModelBackend")
    new = dict.fromkeys(("password1", "password2"), people.PASSWORD + " again")
    client.post(reverse("account_change_password"), {"oldpassword": "wrong", **new})
    assert not Notice.objects.filter(event="password_changed").exists()
    client.post(reverse("account_change_password"), {"oldpassword": people.PASSWORD, **new})
    assert Notice.objects.get(event="password_changed").address == member.user.email
    assert client.get("/home/").status_code == 200


def test_a_new_phone_number_finds_the_bill_and_the_old_one_does_not(settings) -> None:
    member = make_household()
    client, old = sign_in(member), member.phone.as_national
    show_password(client)
    client.post("/profile/phone/", {"phone": "617-555-0199"})
    assert find_as_guest(Client(), "617-555-0199").status_code == 303
    assert find_as_guest(Client(), old).status_code == 200
