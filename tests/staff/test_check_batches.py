"""A batch of checks through the staff's pages: the slip, each check with the running total, and the closing."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import Account, Receipt
from billing.scan_line import ScanLine, write_scan_line
from connector_pay.self_check import find_violations
from payments.models import BatchLine, CheckBatch, CheckStatus, ReceivedCheck
from tests.diary import eastern
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, make_account
from tests.staff.acts import check_refused, make_clerk, press, press_again

pytestmark = pytest.mark.usefixtures("books")
NAME = "payments_checkbatch"
SLIP = {"slip_cents": "315.67", "slip_count": "2", "deposit_on": "2027-01-13", "source": "mail"}
PAPER = {"kind": "check", "number": "1042", "payer": "Rosa Delgado", "received_on": "2027-01-12"}


@pytest.fixture
def books(db: None):
    """Tuesday at noon; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


def add(clerk: Client, batch: CheckBatch, **typed: str) -> str:
    """Type a check in; the page that follows."""
    answer, _sent = press(clerk, f"{NAME}_change", batch.pk, **PAPER | typed)
    return read(answer)


def begin(clerk: Client) -> CheckBatch:
    """A slip of two checks for $315.67."""
    press(clerk, f"{NAME}_begin", **SLIP)
    return CheckBatch.objects.get()


def test_a_batch_is_typed_by_one_mended_by_another_and_closed_once(account: Account) -> None:
    clerk, other = make_clerk("record_check"), make_clerk("record_check")
    answer, sent = press(clerk, f"{NAME}_begin", **SLIP)
    assert "Begun. Type in the checks" in read(answer)
    press_again(clerk, f"{NAME}_begin", sent=sent)
    batch = CheckBatch.objects.get()
    bill = account.invoices.get()
    line = write_scan_line(
        line=ScanLine(account.enrollment.member.member_id, "health", bill.number, bill.amount_cents)
    )
    page = add(clerk, batch, amount="284.17", account_1=line)
    assert "1 for $284.17 so far. Left: 1 for $31.50." in page
    assert "Close this batch" not in page
    # Signed out and gone home; somebody else goes on.
    page = add(other, batch, amount="31.00", number="77")
    assert "Left: 0 for $0.50." in page
    press(
        other,
        f"{NAME}_mend",
        batch.pk,
        BatchLine.objects.latest("pk").pk,
        **PAPER | {"number": "77", "amount": "31.50"},
    )
    shown = read(other.get(reverse(f"admin:{NAME}_close", args=[batch.pk])))
    assert "Check 1042, $284.17 of Rosa Delgado Not recorded Counts:" in shown
    assert "Check 77, $31.50 of Rosa Delgado Not recorded Waits: it names no account" in shown
    assert "Owed in all $284.17 $0.00" in shown
    assert not ReceivedCheck.objects.exists()
    answer, sent = press(other, f"{NAME}_close", batch.pk, version=CheckBatch.objects.get().version)
    assert "Closed. Checks on accounts: 1. Waiting as unmatched money: 1." in read(answer)
    press_again(clerk, f"{NAME}_close", batch.pk, sent=sent)
    assert ReceivedCheck.objects.count() == 2
    assert (Receipt.objects.get().account, Receipt.objects.get().cents) == (account, PREMIUM)


def test_one_that_looks_like_another_is_asked_about_with_a_box_to_tick(books: None) -> None:
    clerk = make_clerk("record_check")
    batch = begin(clerk)
    add(clerk, batch, amount="284.17")
    page = add(clerk, batch, amount="284.17")
    assert "those of another check of this batch. Tick the box" in page
    assert "It is another check" in page
    assert batch.lines.count() == 1
    add(clerk, batch, amount="284.17", is_another="on")
    assert batch.lines.count() == 2
    answer = clerk.post(
        reverse(f"admin:{NAME}_remove", args=[batch.pk, batch.lines.latest("pk").pk]), follow=True
    )
    assert "Removed. It was not recorded." in read(answer)
    assert batch.lines.count() == 1


def test_it_is_not_closed_against_the_slip_nor_as_somebody_else_left_it(books: None) -> None:
    clerk = make_clerk("record_check")
    batch = begin(clerk)
    add(clerk, batch, amount="284.17")
    close = reverse(f"admin:{NAME}_close", args=[batch.pk])
    assert "typed are 1 for $284.17. They must be equal." in read(clerk.get(close))
    assert "The batch was changed meanwhile" not in read(clerk.get(close))
    answer = clerk.post(close, {"act": "yes", "version": "0"}, follow=True)
    assert "This batch was changed meanwhile. Look at it again." in read(answer)
    press(clerk, f"{NAME}_slip", batch.pk, **SLIP | {"slip_cents": "284.17", "slip_count": "1"})
    assert "Close this batch" in read(clerk.get(reverse(f"admin:{NAME}_change", args=[batch.pk])))
    press(clerk, f"{NAME}_drop", batch.pk, why="the slip was another’s")
    page = read(clerk.get(reverse(f"admin:{NAME}_change", args=[batch.pk])))
    assert "Dropped" in page
    assert "Add this check" not in page
    assert not ReceivedCheck.objects.exists()


def test_a_large_check_is_put_on_its_account_by_a_supervisor_as_the_cashier_meant_it(
    account: Account,
) -> None:
    clerk, supervisor = make_clerk("record_check", "match_money"), make_clerk("match_money", "confirm_check")
    press(clerk, f"{NAME}_begin", **SLIP | {"slip_cents": "10000.01", "slip_count": "1"})
    batch = CheckBatch.objects.get()
    add(clerk, batch, amount="10000.01", account_1=str(account.pk))
    shown = read(clerk.get(reverse(f"admin:{NAME}_close", args=[batch.pk])))
    assert "Waits. Above $10,000.00, it waits until a supervisor" in shown
    press(clerk, f"{NAME}_close", batch.pk, version=CheckBatch.objects.get().version)
    check = ReceivedCheck.objects.get()
    check_refused(clerk, "payments_receivedcheck_match", check.pk)
    page = clerk.get(reverse("admin:payments_receivedcheck_change", args=[check.pk]))
    assert [deed.words for deed in page.context["deeds"]] == ["Ask to send it back"]
    answer, _ = press(
        supervisor,
        "payments_receivedcheck_match",
        check.pk,
        account_1=str(account.pk),
        part_1="10000.01",
    )
    assert "Put on its accounts" in read(answer)
    check.refresh_from_db()
    assert check.status == CheckStatus.RECEIVED


def test_who_only_sees_does_none_of_it(books: None) -> None:
    clerk, reader = make_clerk("record_check"), make_clerk()
    batch = begin(clerk)
    add(clerk, batch, amount="284.17")
    line = batch.lines.get()
    shown = reader.get(reverse(f"admin:{NAME}_change", args=[batch.pk]))
    assert "Rosa Delgado" in read(shown)
    assert "Add this check" not in read(shown)
    assert reader.post(reverse(f"admin:{NAME}_change", args=[batch.pk]), PAPER).status_code == 403
    assert reader.post(reverse(f"admin:{NAME}_remove", args=[batch.pk, line.pk])).status_code == 403
    check_refused(reader, f"{NAME}_begin")
    check_refused(reader, f"{NAME}_mend", batch.pk, line.pk)
    for act in ("slip", "close", "drop"):
        check_refused(reader, f"{NAME}_{act}", batch.pk)
