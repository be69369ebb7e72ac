"""Checks that a lockbox file says came back, on the staff's pages: shown before they are returned, and closed where they wait."""

from collections.abc import Iterator

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Account
from connector_pay.front_page import list_queues
from connector_pay.roles import Role
from connector_pay.self_check import find_violations
from payments.channels.lockbox.csv_items import write_csv
from payments.models import LockboxFile, LockboxReturn, LockboxReturnClosing, ReceivedCheck
from tests import people
from tests.diary import eastern
from tests.payments.channels.lockbox.depositing import (
    DEPOSITED,
    import_items,
    import_returns,
    make_deposit,
    make_item,
    make_return,
)
from tests.payments.payers import read, read_hidden
from tests.payments.paying import make_account
from tests.staff.acts import make_clerk
from tests.staff.seeing import sign_in

pytestmark = pytest.mark.usefixtures("books")
DONE = "Asked the bank; it was another payee's"


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """The day of the file at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 22), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


@pytest.fixture
def parked(account: Account) -> LockboxReturn:
    """Of a check that we never had; another came back and was found."""
    import_items(make_item(member_ids=(account.enrollment.member.member_id,)))
    import_returns(make_return(check_number="771", why="<b>Closed"), make_return())
    return LockboxReturn.objects.get(received_check=None)


def see(client: Client, row: LockboxReturn | LockboxFile | ReceivedCheck) -> HttpResponse:
    """Its page."""
    return client.get(reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk]))


def close(client: Client, row: LockboxReturn, why: str = DONE) -> HttpResponse:
    """Press the button of its page."""
    return client.post(
        reverse("admin:payments_lockboxreturn_close", args=[row.pk]), {"why": why}, follow=True
    )


def count() -> int:
    """How many wait, by the first page."""
    queues = {queue.words: queue.count for queue in list_queues(today=DEPOSITED)}
    return queues["Returned checks that need a person"]


def test_what_comes_back_is_shown_before_it_is_applied_and_counted_after(account: Account) -> None:
    import_items(make_item(member_ids=(account.enrollment.member.member_id,)))
    data = write_csv(deposit=make_deposit(returns=[make_return(), make_return(cents=5_00)]))
    clerk, address = make_clerk("import_lockbox"), reverse("admin:payments_lockboxfile_import")
    sent = {"file": SimpleUploadedFile("back.csv", data), "preview": "yes"}
    shown = clerk.post(address, sent | {"form_key": read_hidden(clerk.get(address), "form_key")})
    for words in (
        "Returned by the bank: 2 checks, $289.17",
        "Of these, waiting for a person: 1 check, $5.00",
    ):
        assert words in read(shown)
    assert (LockboxReturn.objects.count(), ReceivedCheck.objects.get().status) == (0, "received")
    pressed = {name: read_hidden(shown, name) for name in ("form_key", "sealed", "seen")} | {"act": "yes"}
    assert "Returned by the bank: 2 checks, $289.17. Of these, waiting for a person: 1 check, $5.00" in read(
        clerk.post(address, pressed, follow=True)
    )
    assert ReceivedCheck.objects.get().status == "returned"
    file = LockboxFile.objects.latest("pk")
    assert "Of these, waiting for a person: 1 check, $5.00" in read(see(clerk, file))


def test_what_was_done_is_written_down_once_and_the_return_leaves_the_queue(parked: LockboxReturn) -> None:
    assert count() == 1
    client = make_clerk("return_check")
    page = see(client, parked)
    assert "This return waits for a person" in read(page)
    assert "No check of this number and amount is known" in read(page)
    assert "Say what was done about this return" in read(close(client, parked, why="  "))
    assert count() == 1
    assert "no longer waits" in read(close(client, parked))
    again = close(sign_in(people.make_staff()), parked, why="something else")
    assert "Somebody has dealt with this return before" in read(again)
    assert DONE in read(again)
    assert "This return waits for a person" not in read(again)
    assert LockboxReturnClosing.objects.get().why == DONE
    assert count() == 0


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER, Role.AUDITOR])
def test_who_lacks_the_right_sees_it_and_closes_nothing(parked: LockboxReturn, role: Role) -> None:
    client = sign_in(people.make_clerk(role))
    assert "This return waits for a person" not in read(see(client, parked))
    assert close(client, parked).status_code == 403
    assert client.get(reverse("admin:payments_lockboxreturn_close", args=[parked.pk])).status_code == 405
    assert not LockboxReturnClosing.objects.exists()


def test_they_are_found_by_number_and_by_what_waits_and_lead_to_their_check(parked: LockboxReturn) -> None:
    reader, address = make_clerk(), reverse("admin:payments_lockboxreturn_changelist")
    check = ReceivedCheck.objects.get()
    link = reverse("admin:payments_receivedcheck_change", args=[check.pk])

    def list_numbers(asked: str) -> list[str]:
        found = reader.get(f"{address}?{asked}")
        assert found.status_code == 200
        return [row.check_number for row in found.context["cl"].queryset.order_by("number")]

    assert list_numbers("") == ["771", "1042"]
    assert list_numbers("waiting=yes") == ["771"]
    assert list_numbers("q=1042") == ["1042"]
    assert list_numbers(f"file__id__exact={parked.file_id}") == ["771", "1042"]
    listed = reader.get(address).content.decode()
    assert link in listed
    assert "<b>Closed" not in listed
    assert "&lt;b&gt;Closed" in listed
    assert "Not sufficient funds" in read(see(reader, check))


def test_one_that_was_returned_has_nothing_to_close(parked: LockboxReturn) -> None:
    applied = LockboxReturn.objects.exclude(pk=parked.pk).get()
    client = make_clerk("return_check")
    assert "This return waits for a person" not in read(see(client, applied))
    assert "Its check was returned. Nobody needs to look at it." in read(close(client, applied))
