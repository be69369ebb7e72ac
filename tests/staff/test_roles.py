"""Who may do what: one table, the groups that follow it, the page drawn from it; and a role is refused what it may not do."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from connector_pay import roles
from connector_pay.roles import WHO_MAY, Role
from tests import people
from tests.payments.payers import read
from tests.staff.addresses import LOOKING_IS_ALL, list_staff_addresses

pytestmark = pytest.mark.django_db
AUDITORS = re.compile(r"_export$|^billing_movement_close$")


def open_as(role: Role | None) -> Client:
    client = Client()
    user = people.make_clerk(role) if role else people.make_staff(is_superuser=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_permission_that_a_model_names_is_in_the_table_and_no_other() -> None:
    assert set(WHO_MAY) == {permission for permission, _ in roles.list_permissions()}


def test_an_administrator_may_everything_and_a_reviewer_nothing_but_read() -> None:
    assert all(Role.ADMINISTRATOR in who for who in WHO_MAY.values())
    assert not any(Role.REVIEWER in who for who in WHO_MAY.values())


def test_the_groups_are_the_tables() -> None:
    for role in Role:
        held = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in held} == {
            name for name, who in WHO_MAY.items() if role in who
        }


def test_the_groups_follow_the_table_after_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = people.make_clerk(Role.CASHIER)
    monkeypatch.setitem(WHO_MAY, "payments.add_refund", frozenset({Role.ADMINISTRATOR}))
    roles.keep_groups()
    assert not type(clerk).objects.get(pk=clerk.pk).has_perm("payments.add_refund")


def test_another_role_takes_the_place_of_the_one_before() -> None:
    clerk = people.make_clerk(Role.ADMINISTRATOR)
    roles.give_role(user=clerk, role=Role.AUDITOR)
    clerk = type(clerk).objects.get(pk=clerk.pk)
    assert (roles.find_role(user=clerk), clerk.is_superuser) == (Role.AUDITOR, False)
    assert not clerk.has_perm("payments.change_refund")


def test_the_page_says_what_the_table_says() -> None:
    page = open_as(Role.REVIEWER).get(reverse("admin:members_user_rights"))
    rows = dict(roles.list_permissions())
    for permission, who in WHO_MAY.items():
        answers = " ".join("Yes" if role in who else "No" for role in Role)
        assert f"{rows[permission]} {answers}" in read(page)


@pytest.mark.parametrize("role", [None, Role.REVIEWER, Role.AUDITOR])
def test_who_only_reads_is_refused_in_plain_words_whatever_they_send(role: Role | None) -> None:
    client, addresses = open_as(role), list(list_staff_addresses())
    assert len(addresses) > 20
    for name, address in addresses:
        if role == Role.AUDITOR and AUDITORS.search(name):
            continue
        answer = client.post(address, {"why": "x", "post": "yes"})
        assert answer.status_code in (403, LOOKING_IS_ALL), address
        if answer.status_code == LOOKING_IS_ALL:
            continue
        assert "Your staff account does not open this page" in read(answer)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER, Role.SUPERVISOR, Role.AUDITOR])
def test_only_an_administrator_manages_the_staff(role: Role) -> None:
    client, other = open_as(role), people.make_staff()
    for name, args in (("changelist", []), ("add", []), ("change", [other.pk]), ("delete", [other.pk])):
        address = reverse(f"admin:members_user_{name}", args=args)
        assert client.get(address).status_code == 403
        assert client.post(address, {"post": "yes", "role": "administrator"}).status_code == 403
    assert client.post(f"/admin/members/user/{other.pk}/password/", {}).status_code == 403
