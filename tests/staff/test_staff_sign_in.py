"""Who gets in on the staff's side, and who does not: axes counts, a second step is not walked past."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tests import people

pytestmark = pytest.mark.django_db
TRIES = 5


def sign_in(client: Client, username: str, password: str):
    return client.post(
        reverse("admin:login"), {"username": username, "password": password, "next": "/admin/"}
    )


def test_staff_sign_in_by_username(client):
    staff = people.make_staff()
    assert sign_in(client, staff.username, people.PASSWORD).url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_fifth_wrong_password_locks_the_door_even_for_the_right_one(client):
    staff = people.make_staff()
    answers = [sign_in(client, staff.username, "wrong").status_code for _ in range(TRIES)]
    assert answers == [200, 200, 200, 200, 429]
    assert sign_in(client, staff.username, people.PASSWORD).status_code == 429


def test_four_wrong_passwords_do_not(client):
    staff = people.make_staff()
    for _ in range(TRIES - 1):
        sign_in(client, staff.username, "wrong")
    assert sign_in(client, staff.username, people.PASSWORD).status_code == 302


def test_a_member_cannot_sign_in_here(client):
    user = people.make_user()
    answer = sign_in(client, user.username, people.PASSWORD)
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_signed_in_member_is_refused(client):
    client.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/", follow=True).status_code == 403


def test_who_has_set_up_a_second_step_is_sent_to_take_it(client):
    staff = people.make_staff()
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={"secret": "irrelevant"})
    answer = sign_in(client, staff.username, people.PASSWORD)
    assert "asks for a second step" in answer.content.decode()
    assert reverse("account_login") in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get("/admin/payments/payment/").url == "/admin/login/?next=/admin/payments/payment/"
