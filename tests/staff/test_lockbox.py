"""Lockbox files through the staff's pages: totals and matches first, applied once; suggestions for what waits."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Account, Receipt
from connector_pay.self_check import find_violations
from payments.models import BankFile, LockboxFile, ReceivedCheck
from payments.staff import lockbox_form
from tests.diary import eastern
from tests.payments.channels.lockbox.depositing import import_items, make_item, write_file
from tests.payments.payers import read, read_hidden
from tests.payments.paying import make_account
from tests.staff.acts import check_refused, make_clerk, press

pytestmark = pytest.mark.usefixtures("books")
ADDRESS = "payments_lockboxfile_import"


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """The day of the deposit at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 22), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


def write_day(account: Account) -> bytes:
    """One check for the account, one that names nobody."""
    member_id = account.enrollment.member.member_id
    return write_file(make_item(member_ids=(member_id,)), make_item(cents=5_00, remitter="<b>=1+1</b>"))


def choose(client: Client, data: bytes, name: str = "day.bai") -> HttpResponse:
    """Choose the file and look at what it does."""
    address = reverse(f"admin:{ADDRESS}")
    key = read_hidden(client.get(address), "form_key")
    file = SimpleUploadedFile(name, data)
    return client.post(address, {"file": file, "form_key": key, "preview": "yes"})


def apply(client: Client, shown: HttpResponse) -> HttpResponse:
    """Press the button of what is shown."""
    sent = {name: read_hidden(shown, name) for name in ("form_key", "sealed", "seen")}
    return client.post(reverse(f"admin:{ADDRESS}"), sent | {"act": "yes"}, follow=True)


class TestAFile:
    def test_shows_its_totals_and_matches_and_is_applied_by_one_button_once(self, account: Account) -> None:
        clerk = make_clerk("import_lockbox")
        shown = choose(clerk, write_day(account))
        said = read(shown)
        assert "It is the deposit of January 22, 2027" in said
        assert "Posted: 1 check, $284.17" in said
        assert "Waiting for staff: 1 check, $5.00" in said
        assert "In all: 2 checks, $289.17" in said
        assert not BankFile.objects.exists()
        applied = apply(clerk, shown)
        assert "Applied. Posted: 1 check, $284.17" in read(applied)
        assert "In all: 2 checks, $289.17" in read(applied)
        file = LockboxFile.objects.get()
        assert (file.file.name, file.imported_by.is_staff) == ("day.bai", True)
        assert "This deposit was applied before" in read(apply(clerk, shown))
        assert (Receipt.objects.count(), ReceivedCheck.objects.count()) == (1, 2)

    def test_chosen_again_says_when_by_whom_and_what_came_of_it(self, account: Account) -> None:
        clerk = make_clerk("import_lockbox")
        apply(clerk, choose(clerk, write_day(account)))
        again = choose(clerk, write_day(account), name="other.bai")
        name = LockboxFile.objects.get().imported_by.get_username()
        assert f"day.bai was applied on January 22, 2027 by {name}." in read(again)
        assert "Posted: 1 check, $284.17" in read(again)
        assert 'name="act"' not in again.content.decode()

    def test_with_a_fault_shows_its_place_and_no_button(self, account: Account) -> None:
        shown = choose(make_clerk("import_lockbox"), write_day(account)[:200])
        assert "Nothing can be posted of day.bai" in read(shown)
        assert re.search(r"line \d+, column", read(shown))
        assert 'name="act"' not in shown.content.decode()

    def test_stands_on_no_page_in_clear(self, account: Account) -> None:
        shown = choose(make_clerk("import_lockbox"), write_day(account))
        assert "2001234567" not in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]

    def test_that_is_missing_altered_or_too_large_is_asked_for_again(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clerk, address = make_clerk("import_lockbox"), reverse(f"admin:{ADDRESS}")
        key = read_hidden(clerk.get(address), "form_key")
        for sealed in ("", "AAAA", "é", "bG9jYWwtMTox"):
            shown = clerk.post(address, {"form_key": key, "sealed": sealed, "preview": "yes"})
            assert "Choose the file that the bank left" in read(shown)
        monkeypatch.setattr(lockbox_form, "MOST_SEALED", 10)
        assert "too large for the page" in read(choose(clerk, write_day(account)))

    def test_is_nobodys_to_import_without_the_right(self, books: None) -> None:
        check_refused(make_clerk("record_check", "view_lockboxfile"), ADDRESS)

    def test_and_its_checks_are_found_with_why_they_went_where_they_went(self, account: Account) -> None:
        file = import_items(make_item(), make_item(remitter="<b>=1+1</b>"))
        reader = make_clerk()
        page = read(reader.get(reverse("admin:payments_lockboxfile_change", args=[file.pk])))
        assert "Waiting for staff: 2 checks, $568.34" in page
        listed = reader.get(f"{reverse('admin:payments_lockboxitem_changelist')}?file__id__exact={file.pk}")
        assert "Nothing on it names an account" in read(listed)
        assert "<b>=1+1" not in listed.content.decode()
        check = ReceivedCheck.objects.latest("pk")
        assert "To staff: names no account" in read(
            reader.get(reverse("admin:payments_receivedcheck_change", args=[check.pk]))
        )


def test_what_waits_comes_with_suggestions_and_one_click_takes_the_likeliest(account: Account) -> None:
    number = account.enrollment.member.member_id
    slip = number[:-1] + str((int(number[-1]) + 5) % 10)
    import_items(make_item(member_ids=(slip,)))
    check, clerk = ReceivedCheck.objects.get(), make_clerk("match_money")
    address = reverse("admin:payments_receivedcheck_match", args=[check.pk])
    page = read(clerk.get(address))
    assert f"It names the Member ID {slip}: one slip away from this one." in page
    assert "The payer has the member's name." in page
    assert "It is what was owed on the day it came, $284.17." in page
    assert f"No member has the Member ID {slip}." in page
    chosen = clerk.get(f"{address}?account={account.pk}").content.decode()
    assert re.search(rf'name="account_1" value="{account.pk}"', chosen)
    answer, _ = press(clerk, "payments_receivedcheck_match", check.pk, account_1=str(account.pk))
    assert "Put on its accounts" in read(answer)
    assert Receipt.objects.get().account == account
