"""What people edit leaves a history that the database itself keeps, with who and where; nobody rewrites it."""

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from connector_pay.history_admin import HISTORIES
from connector_pay.roles import Role
from members.models import Member, User
from tests import people
from tests.payments.payers import read

pytestmark = pytest.mark.django_db
STAFF, ROLES, STEPS, MEMBERS = (
    apps.get_model(f"members.{name}Event") for name in ("Staff", "Role", "SecondStep", "Member")
)


@pytest.fixture
def administrator() -> User:
    return people.make_staff()


@pytest.fixture
def client_of(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_role_given_by_an_administrator_is_kept_with_who_and_where(administrator: User, client_of: Client):
    clerk = people.make_clerk(Role.CASHIER)
    address = reverse("admin:members_user_change", args=[clerk.pk])
    facts = {"username": clerk.username, "email": clerk.email, "role": "auditor", "is_active": "on"}
    client_of.post(address, facts)
    taken, given = ROLES.objects.filter(user=clerk).order_by("-pgh_id")[:2][::-1]
    assert [(taken.pgh_label, taken.group.name), (given.pgh_label, given.group.name)] == [
        ("taken away", "cashier"),
        ("given", "auditor"),
    ]
    for event in (taken, given):
        assert event.pgh_context == {"user": administrator.pk, "by": administrator.username, "url": address}


def test_locking_somebody_out_and_resetting_a_step_are_kept(administrator: User, client_of: Client):
    clerk = people.make_clerk(Role.CASHIER)
    people.give_second_step(clerk)
    client_of.post(reverse("admin:members_user_reset_step", args=[clerk.pk]))
    facts = {"username": clerk.username, "email": clerk.email, "role": "cashier"}
    client_of.post(reverse("admin:members_user_change", args=[clerk.pk]), facts)
    steps = STEPS.objects.filter(user=clerk).order_by("pgh_id")
    assert [event.pgh_label for event in steps] == ["set up", "taken away"]
    assert steps.last().pgh_context["by"] == administrator.username
    last = STAFF.objects.filter(pgh_obj=clerk).latest("pgh_id")
    assert (last.is_active, last.pgh_context["by"]) == (False, administrator.username)


def test_a_change_past_django_is_kept_too():
    clerk = people.make_clerk(Role.REVIEWER)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_user SET is_superuser = TRUE WHERE id = %s", [clerk.pk])
    last = STAFF.objects.filter(pgh_obj=clerk).latest("pgh_id")
    assert (last.is_superuser, last.pgh_context) == (True, None)


def test_signing_in_and_members_own_sign_ins_leave_none(client: Client):
    staff, user = people.make_staff(), people.make_user()
    before = STAFF.objects.count()
    User.objects.filter(pk=user.pk).update(first_name="Rosa")
    client.post("/accounts/login/", {"login": staff.username, "password": people.PASSWORD})
    assert STAFF.objects.count() == before
    assert not STAFF.objects.filter(pgh_obj=user).exists()


def test_what_a_member_chooses_is_kept_and_what_else_changes_is_not():
    member = people.make_member()
    Member.objects.filter(pk=member.pk).update(city="Salem")
    assert not MEMBERS.objects.exists()
    Member.objects.filter(pk=member.pk).update(paperless_bills=True)
    assert MEMBERS.objects.get().paperless_bills


def test_staff_read_every_history(client_of: Client, administrator: User):
    people.give_second_step(administrator)
    for name in HISTORIES:
        model = apps.get_model(name)
        address = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client_of.get(reverse(f"{address}_changelist")).status_code == 200
        for event in model.objects.all():
            assert client_of.get(reverse(f"{address}_change", args=[event.pk])).status_code == 200
    page = client_of.get(reverse("admin:members_staffevent_changelist"))
    assert administrator.username in read(page)
