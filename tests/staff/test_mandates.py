"""Staff and AutoPay: what they see, and that only who may turns it off or lets it go on for a caller."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from connector_pay.lib.models import AccessLog
from members.models import Notice
from payments.mandates import suspend_mandates
from payments.models import Mandate
from tests import people
from tests.diary import Diary, eastern
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import GOOD, make_account, make_details

AT = eastern(2027, 1, 16)
pytestmark = pytest.mark.starts(AT)


@pytest.fixture
def mandate(diary: Diary) -> Mandate:
    (mandate,) = turn_on(make_account(), at=AT)
    return mandate


def sign_in(*rights: str) -> Client:
    client, staff = Client(), people.make_staff(is_superuser=False, username="staff-clerk")
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def open_page(client: Client, mandate: Mandate) -> str:
    return client.get(reverse("admin:payments_mandate_change", args=[mandate.pk])).content.decode()


def press(client: Client, mandate: Mandate, button: str):
    address = reverse("admin:payments_mandate_change_state", args=[mandate.pk])
    return client.post(address, {button: "on"}, follow=True)


def read_status(mandate: Mandate) -> str:
    mandate.refresh_from_db()
    return mandate.status


def test_all_staff_read_it_and_its_proof_and_see_no_number(mandate: Mandate) -> None:
    client = sign_in()
    page = open_page(client, mandate)
    assert "Turn AutoPay off" not in page
    assert GOOD not in page
    assert mandate.account.enrollment.member.member_id in page
    answer = client.get(reverse("admin:payments_mandate_proof", args=[mandate.pk]))
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer["Cache-Control"]
    assert AccessLog.objects.get().what == "Proof of authorization"
    assert press(client, mandate, "turn_off").status_code == 403
    assert read_status(mandate) == "on"


def test_the_most_at_once_is_an_amount_and_says_whose_limit_it_is(mandate: Mandate) -> None:
    client = sign_in()
    assert "$10,000.00 (the most that any payment may be)" in open_page(client, mandate)
    (limited,) = turn_on(make_account(), at=AT, bank=make_details("777888999"), ceiling_cents=200_00)
    assert "$200.00 (the payer's limit)" in unescape(open_page(client, limited))


def test_a_caller_has_it_turned_off_and_the_member_is_told_once(mandate: Mandate) -> None:
    client = sign_in("change_mandate")
    assert "Let AutoPay go on" not in open_page(client, mandate)
    assert "as the caller asked" in press(client, mandate, "turn_off").content.decode()
    assert read_status(mandate) == "ended"
    assert mandate.moves.get().why == "turned off by phone, noted by staff-clerk"
    assert "Nothing was changed" in press(client, mandate, "turn_off").content.decode()
    assert Notice.objects.filter(event="autopay_off", channel="letter").count() == 1


def test_a_suspended_one_goes_on_when_the_caller_says_so(mandate: Mandate) -> None:
    client = sign_in("change_mandate")
    assert "Nothing was changed" in press(client, mandate, "go_on").content.decode()
    suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="after a return: R08")
    assert "Let AutoPay go on" in open_page(client, mandate)
    answer = press(client, mandate, "go_on").content.decode()
    assert "The first draft is $284.17 on January 22, 2027." in unescape(answer)
    assert "in another way" not in answer
    assert read_status(mandate) == "on"


@pytest.mark.starts(eastern(2027, 1, 22))
def test_one_that_goes_on_after_its_draft_says_what_the_caller_must_pay_in_another_way(diary: Diary) -> None:
    (mandate,) = turn_on(make_account(), at=AT)
    suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="after a return: R08")
    answer = unescape(press(sign_in("change_mandate"), mandate, "go_on").content.decode())
    assert "The first draft is $284.17 on February 22, 2027. $284.17 is due before that" in answer


def test_a_page_of_a_mandate_that_was_replaced_turns_nothing_off(mandate: Mandate) -> None:
    (new,) = turn_on(mandate.account, at=AT)
    press(sign_in("change_mandate"), mandate, "turn_off")
    assert read_status(new) == "on"
