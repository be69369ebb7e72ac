"""Whose account is new, or was changed within a day, approves nothing: an administrator who is both is stopped, and seen."""

import time

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.corrections import UnableToCorrect
from billing.models import CorrectionKind
from connector_pay.roles import Role
from members.models import Notice, User
from members.notices import write
from members.second_person import say_why_not
from payments import unmatched
from payments.refunds import UnableToRefund
from payments.unmatched import UnableToMatch
from tests import people
from tests.billing import correcting
from tests.diary import eastern
from tests.payments import checking, refunding
from tests.payments.payers import read
from tests.payments.paying import FEBRUARY, TUESDAY, noon
from tests.staff.seeing import sign_in

pytestmark = pytest.mark.usefixtures("db")
DAY = 24 * 60 * 60
NEW_PASSWORD = "another battery staple horse"


@pytest.fixture
def administrator() -> Client:
    return sign_in(people.make_staff())


def change(administrator: Client, user: User, **typed: object) -> None:
    """An administrator's form, as it stands but for what is typed."""
    role = typed.pop("role", Role.SUPERVISOR.value)
    sent = {
        "username": user.username,
        "email": user.email,
        "first_name": "",
        "last_name": "",
        "is_active": "on",
    }
    address = reverse("admin:members_user_change", args=[user.pk])
    answer = administrator.post(address, sent | {"role": role} | typed)
    assert answer.status_code == 302, read(answer)
    assert answer.url == reverse("admin:members_user_changelist")


def rests(user: User) -> bool:
    return bool(say_why_not(by=user))


@pytest.mark.parametrize(
    ("typed", "is_held"),
    [
        ({"email": "mine@example.org"}, True),
        ({"username": "mine"}, True),
        ({"role": "cashier"}, True),
        ({"is_active": ""}, True),
        ({"first_name": "Dana"}, False),
        ({}, False),
    ],
)
def test_who_it_is_or_what_they_may_was_changed(administrator: Client, typed: dict, is_held: bool) -> None:
    clerk = people.make_clerk(Role.SUPERVISOR)
    change(administrator, clerk, **typed)
    assert rests(clerk) == is_held
    assert Notice.objects.filter(event="staff_changed").exists() == is_held


@pytest.mark.parametrize(("seconds", "is_held"), [(0, True), (DAY - 1, True), (DAY, False), (DAY + 1, False)])
def test_it_lasts_a_day_of_the_machine_s_time(administrator: Client, seconds: int, is_held: bool) -> None:
    clerk = people.make_clerk(Role.SUPERVISOR)
    began = int(time.time())
    with time_machine.travel(began, tick=False):
        change(administrator, clerk, email="mine@example.org")
    with time_machine.travel(began + seconds, tick=False):
        assert rests(clerk) == is_held


def test_a_new_account_and_a_second_step_that_was_reset_rest_too(administrator: Client) -> None:
    typed = {"username": "invented", "email": "invented@example.org", "role": "supervisor"}
    administrator.post(reverse("admin:members_user_add"), typed)
    assert rests(User.objects.get(username="invented"))
    clerk = people.make_clerk(Role.SUPERVISOR)
    administrator.post(reverse("admin:members_user_reset_step", args=[clerk.pk]))
    assert rests(clerk)


def test_a_password_chosen_on_the_portal_s_page_or_on_django_s_rests_and_a_member_s_does_not(
    client: Client,
) -> None:
    for address, fields in (
        (reverse("account_change_password"), ("oldpassword", "password1", "password2")),
        (reverse("admin:password_change"), ("old_password", "new_password1", "new_password2")),
    ):
        clerk = people.make_clerk(Role.SUPERVISOR)
        typed = dict(zip(fields, (people.PASSWORD, NEW_PASSWORD, NEW_PASSWORD), strict=True))
        assert sign_in(clerk).post(address, typed).status_code == 302
        assert rests(clerk), address
    member = people.make_user()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    typed = {"oldpassword": people.PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(reverse("account_change_password"), typed).status_code == 302
    assert not rests(member)


def test_every_administrator_is_told_by_email_what_was_changed_and_by_whom() -> None:
    one, other = people.make_staff(), people.make_staff()
    people.make_staff(is_active=False)
    clerk = people.make_clerk(Role.SUPERVISOR)
    change(sign_in(one), clerk, email="mine@example.org")
    told = Notice.objects.filter(event="staff_changed")
    assert {notice.address for notice in told} == {one.email, other.email}
    for language, words in (("en", "cannot approve"), ("es", "No puede aprobar")):
        body = write(event="staff_changed", language=language, facts=told[0].facts).body
        assert words in body
        assert f"{clerk.username}" in body
        assert one.username in body
        assert "email" in body


def test_nothing_that_takes_two_people_is_approved_by_such_an_account() -> None:
    with time_machine.travel(eastern(2027, 1, 21), tick=False):
        held = people.make_clerk(Role.SUPERVISOR)
        refund = refunding.ask(refunding.find_receipt(refunding.overpay()))
        what = {"month": FEBRUARY, "new_date": eastern(2027, 1, 30).date(), "today": TUESDAY}
        correction = correcting.ask(CorrectionKind.MONTH_DUE_DATE, **what)
        check = checking.receive(cents=5_00)
        asks = people.make_staff()
        unmatched.ask_to_send_back(check_id=check.pk, by=asks, why="nobody knows", at=noon(TUESDAY))
        change(sign_in(people.make_staff()), held, email="mine@example.org")
        with pytest.raises(UnableToRefund, match=r"Your account is new, or was changed\. Until"):
            refunding.approve(refund, by=held)
        with pytest.raises(UnableToCorrect, match="another person must decide"):
            correcting.approve(correction, today=TUESDAY, by=held)
        facts = {"by": held, "why": "yes", "today": TUESDAY, "at": noon(TUESDAY)}
        with pytest.raises(UnableToMatch, match="another person must decide"):
            unmatched.send_back(check_id=check.pk, **facts)
        refund = refunding.approve(refund)
        assert refund.status == "approved"
        assert "Your account is new, or was changed" not in say_why_not(by=asks)
