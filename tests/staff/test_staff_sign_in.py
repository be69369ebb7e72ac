"""Who gets in on the staff's side: by password and second step, each tried so often and no more, for so long and no longer."""

import time
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connector_pay.lib.models import SealedValue
from members.models import User
from tests import people
from tests.payments.payers import read

pytestmark = pytest.mark.django_db
TRIES = 5
SIGN_IN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"


def make_staff(**facts: object) -> User:
    """One of the staff whose authenticator app is set up."""
    staff = people.make_staff(**facts)
    people.give_second_step(staff)
    return staff


def type_password(client: Client, name: str, password: str = people.PASSWORD) -> HttpResponse:
    return client.post(SIGN_IN, {"login": name, "password": password, "next": "/admin/"})


def type_code(client: Client, code: str) -> HttpResponse:
    return client.post(CODE, {"code": code})


def sign_in(client: Client, staff: User, *, steps: int = 0) -> HttpResponse:
    assert type_password(client, staff.username).url == CODE
    return type_code(client, people.read_code(steps=steps))


def test_a_stranger_is_led_to_the_sign_in_page_and_after_both_steps_to_where_they_wanted(client: Client):
    staff = make_staff()
    asked = client.get("/admin/payments/payment/", follow=True)
    assert [urlsplit(url).path for url, _ in asked.redirect_chain] == ["/admin/login/", SIGN_IN]
    assert "Email or username" in read(asked)
    typed = {"login": staff.username, "password": people.PASSWORD, "next": "/admin/payments/payment/"}
    assert client.post(SIGN_IN, typed).url == CODE
    assert client.get("/admin/", follow=True).status_code == 200
    assert "_auth_user_id" not in client.session
    assert type_code(client, people.read_code()).url == "/admin/payments/payment/"
    assert client.get("/admin/").status_code == 200


def test_staff_may_type_their_email_too(client: Client):
    staff = make_staff()
    assert type_password(client, staff.email).url == CODE


def test_a_member_reads_of_an_email_alone(client: Client):
    assert "Email or username" not in read(client.get(SIGN_IN))


def test_a_member_cannot_enter_here_and_is_not_asked_to_sign_in_again(client: Client):
    user = people.make_user()
    type_password(client, user.email)
    refused = client.get("/admin/", follow=True)
    assert refused.status_code == 403
    assert "You cannot open this page" in read(refused)


class TestSettingUp:
    def test_without_a_second_step_there_is_nothing_but_setting_one_up(self, client: Client):
        staff = people.make_staff()
        type_password(client, staff.username)
        for path in ("/admin/", "/admin/payments/payment/", "/admin/members/user/add/", "/admin/demo-date/"):
            led = client.get(path, follow=True)
            assert led.redirect_chain[-1][0].startswith("/accounts/2fa/"), path
            assert "Set up a second step" in read(led)
        assert client.post("/admin/demo-date/", {"one_day": "1"}).status_code == 302

    def test_it_is_set_up_with_the_password_and_a_code_then_asked_for(self, client: Client):
        staff = people.make_staff()
        type_password(client, staff.username)
        set_up = client.get("/accounts/2fa/totp/activate/", follow=True)
        page = client.post(
            set_up.redirect_chain[-1][0].split("?")[0],
            {"password": people.PASSWORD, "next": "/accounts/2fa/totp/activate/"},
            follow=True,
        )
        secret = page.context["form"].secret
        done = client.post("/accounts/2fa/totp/activate/", {"code": people.read_code(secret)}, follow=True)
        assert "Recovery codes" in read(done)
        asked = client.get("/admin/", follow=True)
        assert asked.redirect_chain[-1][0].startswith("/accounts/2fa/reauthenticate/")
        typed = {"code": people.read_code(secret), "next": "/admin/"}
        assert (
            client.post("/accounts/2fa/reauthenticate/", typed, follow=True).request["PATH_INFO"] == "/admin/"
        )

    def test_the_secret_lies_sealed(self):
        staff = make_staff()
        kept = Authenticator.objects.get(user=staff).data["secret"]
        sealed = SealedValue.objects.get(pk=kept)
        assert people.SECRET.encode() not in bytes(sealed.token)
        assert sealed.open(purpose="second_step").decode() == people.SECRET

    def test_the_last_second_step_stays(self, client: Client):
        staff = make_staff()
        sign_in(client, staff)
        client.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
        client.post("/accounts/2fa/totp/deactivate/", {})
        assert Authenticator.objects.filter(user=staff).count() == 1

    def test_the_last_passkey_stays_and_one_beside_another_step_goes(self, client: Client):
        staff = make_staff()
        sign_in(client, staff)
        client.post("/accounts/reauthenticate/", {"password": people.PASSWORD})
        facts = {"type": "webauthn", "data": {"name": "key", "credential": {}}}
        first, last = (Authenticator.objects.create(user=staff, **facts) for _ in range(2))
        client.post(reverse("mfa_remove_webauthn", args=[first.pk]))
        Authenticator.objects.filter(user=staff, type="totp").delete()
        refused = client.post(reverse("mfa_remove_webauthn", args=[last.pk]), follow=True)
        assert "Staff always have a second step" in read(refused)
        assert Authenticator.objects.get(user=staff, type="webauthn") == last


class TestTries:
    def test_the_fifth_wrong_password_locks_the_door_even_for_the_right_one(self, client: Client):
        staff = make_staff()
        answers = [type_password(client, staff.username, "wrong").status_code for _ in range(TRIES)]
        assert answers == [200, 200, 200, 200, 429]
        assert type_password(client, staff.username).status_code == 429

    def test_four_wrong_passwords_do_not(self, client: Client):
        staff = make_staff()
        for _ in range(TRIES - 1):
            type_password(client, staff.username, "wrong")
        assert sign_in(client, staff).url == "/admin/"

    def test_the_fifth_wrong_code_locks_it_as_well(self, client: Client):
        staff = make_staff()
        type_password(client, staff.username)
        answers = [type_code(client, "000000").status_code for _ in range(TRIES)]
        assert answers == [200, 200, 200, 200, 429]
        assert type_code(client, people.read_code()).status_code == 429
        assert type_password(Client(), staff.username).status_code == 429

    def test_wrong_passwords_and_wrong_codes_are_counted_together(self, client: Client):
        staff = make_staff()
        for _ in range(3):
            type_password(client, staff.username, "wrong")
        type_password(client, staff.username)
        assert [type_code(client, "000000").status_code for _ in range(2)] == [200, 429]

    def test_another_spelling_of_the_username_is_no_new_set_of_tries(self, client: Client):
        staff = make_staff()
        for number in range(TRIES):
            type_password(client, staff.username[:number].upper() + staff.username[number:], "wrong")
        assert type_password(client, staff.username).status_code == 429

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_a_code_is_taken_once(self, steps: int):
        staff = make_staff()
        with time_machine.travel(1_800_000_015, tick=False):
            assert sign_in(Client(), staff, steps=steps).url == "/admin/"
            again = sign_in(Client(), staff, steps=steps)
            assert "This code is not right" in read(again)

    def test_a_code_is_taken_once_even_where_redis_has_forgotten_it(self, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        staff = make_staff()
        with time_machine.travel(1_800_000_015, tick=False):
            assert sign_in(Client(), staff).url == "/admin/"
            assert sign_in(Client(), staff).status_code == 200
            assert sign_in(Client(), staff, steps=1).url == "/admin/"

    @pytest.mark.parametrize("steps", [-2, 2])
    def test_a_code_of_another_minute_is_wrong(self, client: Client, steps: int):
        with time_machine.travel(1_800_000_015, tick=False):
            assert sign_in(client, make_staff(), steps=steps).status_code == 200

    def test_a_recovery_code_opens_once(self, client: Client):
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        staff = make_staff()
        code = RecoveryCodes.activate(staff).get_unused_codes()[0]
        type_password(client, staff.username)
        assert type_code(client, code).url == "/admin/"
        other = Client()
        type_password(other, staff.username)
        assert type_code(other, code).status_code == 200


class TestSessions:
    def leave(self, client: Client, seconds: int, *, seen: bool = True) -> None:
        """Let so many seconds go by for the session of this browser."""
        session = client.session
        for key in ("staff_seen_at", "staff_signed_in_at") if seen else ("staff_signed_in_at",):
            session[key] = int(time.time()) - seconds
        session.save()

    @pytest.mark.parametrize(("seconds", "goes_on"), [(15 * 60 - 5, True), (15 * 60, False)])
    def test_fifteen_idle_minutes_end_it(self, client: Client, seconds: int, goes_on: bool):
        sign_in(client, make_staff())
        client.get("/admin/")
        self.leave(client, seconds)
        assert (client.get("/admin/").status_code == 200) is goes_on
        assert goes_on or "You were away for 15 minutes" in read(client.get(SIGN_IN))

    @pytest.mark.parametrize(("seconds", "goes_on"), [(8 * 3600 - 5, True), (8 * 3600, False)])
    def test_eight_hours_end_it_however_busy(self, client: Client, seconds: int, goes_on: bool):
        sign_in(client, make_staff())
        client.get("/admin/")
        self.leave(client, seconds, seen=False)
        assert (client.get("/admin/").status_code == 200) is goes_on

    def test_signing_in_anew_ends_the_session_before(self, client: Client):
        staff, other = make_staff(), Client()
        sign_in(client, staff)
        sign_in(other, staff, steps=1)
        assert client.get("/admin/").status_code == 302
        assert "You signed in somewhere else" in read(client.get(SIGN_IN))
        assert other.get("/admin/").status_code == 200

    def test_a_form_sent_too_late_does_nothing_and_leads_to_the_sign_in_page(self, client: Client):
        sign_in(client, make_staff())
        self.leave(client, 15 * 60)
        assert client.post("/admin/demo-date/", {"one_day": "1"}).url == "/accounts/login/?next=/admin/"

    def test_members_keep_their_half_hour(self, client: Client):
        type_password(client, people.make_user().email)
        assert client.get("/home/").status_code == 200
        self.leave(client, 20 * 60)
        assert client.get("/home/").status_code == 200
        assert client.session.get_expiry_age() == 30 * 60


class TestAdministrators:
    def act(self, by: User, what: str, user: User) -> HttpResponse:
        client = Client()
        client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
        return client.post(reverse(f"admin:members_user_{what}", args=[user.pk]), follow=True)

    def test_they_sign_a_person_out(self, client: Client):
        staff = make_staff()
        sign_in(client, staff)
        assert "signed out everywhere" in read(self.act(people.make_staff(), "end_session", staff))
        assert client.get("/admin/").status_code == 302

    def test_they_reset_a_lost_second_step_and_its_owner_sets_up_a_new_one(self, client: Client):
        staff = make_staff()
        sign_in(client, staff)
        self.act(people.make_staff(), "reset_step", staff)
        assert client.get("/admin/").status_code == 302
        type_password(client, staff.username)
        assert "Set up a second step" in read(client.get("/admin/", follow=True))

    def test_not_their_own(self):
        by = make_staff()
        assert "Ask another administrator" in read(self.act(by, "reset_step", by))
        assert Authenticator.objects.filter(user=by).exists()

    def test_they_choose_nobody_else_s_password_but_their_own(self, client: Client):
        by, staff = people.make_staff(), people.make_staff()
        client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
        typed = {
            "password1": "a wholly new one 7",
            "password2": "a wholly new one 7",
            "usable_password": "true",
        }
        address = "/admin/members/user/{}/password/"
        refused = client.post(address.format(staff.pk), typed)
        assert refused.status_code == 403
        assert "Send them the link to choose a new password" in read(refused)
        assert "../password/" not in client.get(f"/admin/members/user/{staff.pk}/change/").content.decode()
        assert "../password/" in client.get(f"/admin/members/user/{by.pk}/change/").content.decode()
        facts = {"username": staff.username, "email": staff.email, "role": "cashier", "is_active": "on"}
        client.post(f"/admin/members/user/{staff.pk}/change/", {**facts, "password": "x"})
        assert client.post(address.format(by.pk), typed).status_code == 302
        staff.refresh_from_db()
        by.refresh_from_db()
        assert staff.check_password(people.PASSWORD)
        assert by.check_password("a wholly new one 7")

    def test_they_send_the_link_to_choose_a_new_password(self, mailoutbox):
        staff = make_staff()
        self.act(people.make_staff(), "send_link", staff)
        assert [(mail.to, "/accounts/password/reset/key/" in mail.body) for mail in mailoutbox] == [
            ([staff.email], True)
        ]

    def test_a_new_member_of_staff_chooses_the_password_behind_the_link_that_is_sent(
        self, client: Client, mailoutbox
    ):
        client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
        typed = {"username": "newcomer", "email": "new@example.org", "role": "cashier"}
        client.post("/admin/members/user/add/", {**typed, "password1": people.PASSWORD})
        newcomer = User.objects.get(username="newcomer")
        assert newcomer.is_staff
        assert not newcomer.has_usable_password()
        (mail,) = mailoutbox
        assert mail.to == ["new@example.org"]
        link = urlsplit(next(word for word in mail.body.split() if "/reset/key/" in word)).path
        other = Client()
        choose = other.get(link).url
        other.post(choose, {"password1": people.PASSWORD, "password2": people.PASSWORD})
        newcomer.refresh_from_db()
        assert newcomer.check_password(people.PASSWORD)

    def test_nobody_else_does(self):
        staff, clerk = make_staff(), people.make_clerk("supervisor")
        for what in ("end_session", "reset_step", "send_link"):
            refused = self.act(clerk, what, staff)
            assert refused.status_code == 403
            assert "You cannot open this page" in read(refused)
        assert Authenticator.objects.filter(user=staff).exists()
