"""Staff decide by hand on bank accounts that wait: who may, what it does at once, and that it is done once."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.balances import read_standing
from members.models import Notice
from payments.bank_accounts import approve
from payments.models import BankAccount, BankAccountMove, Payment, PaymentStatus, Validation
from tests import people
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.paying import GOOD, TUESDAY

NOON = eastern(2027, 1, 12)
pytestmark = [pytest.mark.starts(NOON), pytest.mark.usefixtures("_by_hand")]
LIST = "/admin/payments/bankaccount/?waiting=yes"


@pytest.fixture
def _by_hand(diary: Diary, settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]


@pytest.fixture
def payment(_by_hand) -> Payment:
    payment = paying.pay(paying.make_account())
    assert paying.send(TUESDAY)["debits"] == 0
    return payment


def sign_in(*rights: str, **facts) -> Client:
    client, staff = Client(), people.make_staff(is_superuser=False, **facts)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def decider(db) -> Client:
    return sign_in("change_bankaccount", username="staff-decider")


def page_of(account: BankAccount) -> str:
    return reverse("admin:payments_bankaccount_change", args=[account.pk])


def decide(client: Client, account: BankAccount, **typed: str):
    return client.post(reverse("admin:payments_bankaccount_decide", args=[account.pk]), typed, follow=True)


def find_status(account: BankAccount) -> str:
    return BankAccount.objects.get(pk=account.pk).status


def test_the_list_has_the_accounts_that_payments_wait_for_and_no_others(
    decider: Client, payment: Payment
) -> None:
    idle = paying.pay(paying.make_account(), number="482001239999").bank_account
    approve(bank_account=idle, at=NOON)
    assert list(decider.get(LIST).context["cl"].result_list) == [payment.bank_account]
    assert decider.get("/admin/payments/bankaccount/").context["cl"].result_count == 2


def test_the_page_says_what_waits_and_shows_no_number(decider: Client, payment: Payment) -> None:
    page = decider.get(page_of(payment.bank_account)).content.decode()
    assert "$284.17 in 1 payment cannot go to the bank before" in " ".join(page.split())
    assert 'value="Approve"' in page
    assert 'value="Refuse"' in page
    assert GOOD not in page
    assert "ending 4567" in page


def test_an_approved_account_is_debited_by_the_next_file(decider: Client, payment: Payment) -> None:
    answer = decide(decider, payment.bank_account, approve="Approve")
    assert "Approved." in answer.content.decode()
    assert find_status(payment.bank_account) == "valid"
    assert paying.send(date(2027, 1, 13))["debits"] == 1
    assert Validation.objects.latest("pk").detail == "by staff-decider"


def test_a_refused_account_gives_its_payment_back_at_once_and_the_member_is_told(
    decider: Client, payment: Payment
) -> None:
    answer = decide(decider, payment.bank_account, refuse="Refuse", why="  wrong   name ")
    assert "Refused." in answer.content.decode()
    assert find_status(payment.bank_account) == "failed"
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RETURNED
    assert not read_standing(account_id=payment.account_id, today=TUESDAY).binder_received
    assert BankAccountMove.objects.get().why == "manual by staff-decider: wrong name"
    told = Notice.objects.filter(event="payment_returned")
    assert told.exists()
    assert "wrong name" not in str(list(told.values_list("facts", flat=True)))


@pytest.mark.parametrize("why", ["", "   "])
def test_refusing_takes_a_reason(decider: Client, payment: Payment, why: str) -> None:
    answer = decide(decider, payment.bank_account, refuse="Refuse", why=why)
    assert "Say why this account is refused" in answer.content.decode()
    assert find_status(payment.bank_account) == "unchecked"


def test_a_number_in_the_reason_is_not_kept(decider: Client, payment: Payment) -> None:
    decide(decider, payment.bank_account, refuse="Refuse", why=f"{GOOD} belongs to another")
    assert GOOD not in Validation.objects.latest("pk").detail
    assert GOOD not in BankAccountMove.objects.get().why


@pytest.mark.parametrize("second", [{"approve": "Approve"}, {"refuse": "Refuse", "why": "after all"}])
def test_sent_twice_it_is_done_once(decider: Client, payment: Payment, second: dict[str, str]) -> None:
    decide(decider, payment.bank_account, approve="Approve")
    answer = decide(decider, payment.bank_account, **second)
    assert "no longer waits for a decision" in answer.content.decode()
    assert find_status(payment.bank_account) == "valid"
    assert BankAccountMove.objects.count() == 1
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RECORDED


def test_a_decision_is_sent_by_post_alone(decider: Client, payment: Payment) -> None:
    answer = decider.get(
        reverse("admin:payments_bankaccount_decide", args=[payment.bank_account_id]), {"approve": "1"}
    )
    assert answer.status_code == 405
    assert find_status(payment.bank_account) == "unchecked"


def test_a_decision_from_another_site_is_refused(payment: Payment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    assert decide(client, payment.bank_account, approve="Approve").status_code == 403
    assert find_status(payment.bank_account) == "unchecked"


def test_staff_without_the_right_see_no_buttons_and_cannot_decide(payment: Payment) -> None:
    reviewer = sign_in("view_bankaccount", "change_payment")
    page = reviewer.get(page_of(payment.bank_account))
    assert (page.status_code, "Approve" in page.content.decode()) == (200, False)
    assert decide(reviewer, payment.bank_account, approve="Approve").status_code == 403
    assert find_status(payment.bank_account) == "unchecked"


def test_a_member_and_a_stranger_cannot_decide(payment: Payment) -> None:
    member = Client()
    member.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("admin:payments_bankaccount_decide", args=[payment.bank_account_id])
    for client in (member, Client()):
        assert client.post(address, {"approve": "Approve"}).status_code in (302, 403)
    assert find_status(payment.bank_account) == "unchecked"


def test_where_staff_are_not_asked_nobody_decides_by_hand(
    decider: Client, payment: Payment, settings
) -> None:
    settings.BANK_VALIDATION_METHODS = ["history", "prenote"]
    assert "Approve" not in decider.get(page_of(payment.bank_account)).content.decode()
    assert decide(decider, payment.bank_account, approve="Approve").status_code == 403
    assert find_status(payment.bank_account) == "unchecked"


def test_a_decided_account_shows_no_buttons(decider: Client, payment: Payment) -> None:
    approve(bank_account=payment.bank_account, at=NOON)
    assert 'name="approve"' not in decider.get(page_of(payment.bank_account)).content.decode()


@pytest.mark.parametrize("key", [0, 10**30])
def test_an_account_that_is_not_there_is_not_found(decider: Client, key: int) -> None:
    assert decider.post(f"/admin/payments/bankaccount/{key}/decide/", {"approve": "1"}).status_code == 404
