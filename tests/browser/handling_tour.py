"""The chapter of what staff do with money: hold and cancel, take a call, record and place checks, move, date, send again."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from django.urls import reverse

from billing.models import Account, Receipt
from connector_pay.lib import clock
from members.models import Notice
from payments.ach import batching
from payments.bank_accounts import approve
from payments.models import (
    FILE_MOVES,
    BankAccount,
    BankFile,
    CheckStatus,
    FileMove,
    FileStatus,
    Payment,
    ReceivedCheck,
)
from tests.browser import households
from tests.browser.lockbox_tour import tour_lockbox
from tests.browser.staff_tour import sign_in_as_staff
from tests.payments import checking, paying

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_handling(visit: "Visit") -> None:
    """One page of each act."""
    household = visit.portal.add_household(products=("health", "dental"))
    account = households.find_account(household)
    payment = paying.pay(account, 50_00, today=clock.today())
    sign_in_as_staff(visit)
    tour_payment(visit, payment)
    tour_call(visit, account)
    tour_checks(visit, account)
    tour_lockbox(visit, account)
    tour_batch(visit, account)
    tour_received_money(visit, payment, account)
    tour_other_acts(visit, payment)


def tour_payment(visit: "Visit", payment: Payment) -> None:
    """It is held without a reason, then with one, released, and nearly canceled."""
    visit.open(_address("payments_payment_change", payment.pk))
    visit.follow("Hold this payment")
    visit.press("Hold this payment", "staff-hold-no-reason")
    visit.fill("Why:", "The payer’s name is in doubt")
    visit.press("Hold this payment", "staff-payment-held")
    visit.follow("Release this payment")
    visit.fill("Why:", "The name is right")
    visit.press("Release this payment")
    visit.follow("Cancel this payment", "staff-cancel")


def tour_call(visit: "Visit", account: Account) -> None:
    """A caller pays: nothing typed, then read to, then recorded."""
    visit.open(_address("billing_account_change", account.pk), "staff-account")
    visit.follow("Take a payment by phone")
    visit.press("Show what to read to the caller", "staff-phone-empty")
    visit.fill("Name on the account:", "Alice Alvarez")
    visit.page.get_by_label("Checking", exact=True).check()
    visit.fill("Routing number:", paying.ROUTING)
    visit.fill("Account number:", "482009876543")
    visit.fill("Confirm account number:", "482009876543")
    visit.press("Show what to read to the caller")
    visit.press("Record $", "staff-phone-no-yes")
    visit.page.get_by_label("The caller said yes").check()
    visit.press("Record $")


def tour_checks(visit: "Visit", account: Account) -> None:
    """A check comes over the counter; another names no account, and is put on one."""
    visit.open(reverse("admin:payments_receivedcheck_record"))
    _fill_check(visit, number="1042", account=str(account.pk))
    visit.press("Show what it does", "staff-check-preview")
    visit.press("Record it")
    visit.follow("The bank returned it", "staff-check-return")
    visit.open(reverse("admin:payments_receivedcheck_record"))
    _fill_check(visit, number="77", account="")
    visit.press("Show what it does")
    visit.press("Record it", "staff-check-unmatched")
    visit.open(f"{reverse('admin:payments_receivedcheck_changelist')}?waiting=yes", "staff-unmatched")
    check = ReceivedCheck.objects.filter(status=CheckStatus.UNMATCHED).latest("pk")  # others may wait
    visit.open(_address("payments_receivedcheck_ask_back", check.pk))
    visit.open(_address("payments_receivedcheck_match", check.pk))
    visit.fill("Account 1:", str(account.pk))
    visit.fill("Why:", "The name is the member’s")
    visit.press("Show what it does", "staff-match-preview")
    visit.press("Put it on these accounts", "staff-matched")


def tour_batch(visit: "Visit", account: Account) -> None:
    """A slip, a check that is asked about once more, and the closing."""
    visit.open(reverse("admin:payments_checkbatch_begin"), "staff-batch-begin")
    visit.fill("Total of the slip:", "50.00")
    visit.fill("Checks on the slip:", "2")
    visit.press("Begin", "staff-batch-begun")
    _fill_check(visit, number="2001", account=str(account.pk))
    visit.press("Add this check")
    _fill_check(visit, number="2001", account="")
    visit.press("Add this check", "staff-batch-asked-again")
    visit.page.get_by_label("It is another check").check()
    visit.press("Add this check", "staff-batch-equal")
    visit.follow("Close this batch", "staff-batch-close")
    visit.press("Record all of these checks", "staff-batch-closed")
    visit.open(reverse("admin:payments_checkbatch_changelist"), "staff-batches")


def tour_received_money(visit: "Visit", payment: Payment, account: Account) -> None:
    """Money is moved to another account; a check's date is moved back too far for one person."""
    other = Account.objects.filter(enrollment__member=account.enrollment.member).exclude(pk=account.pk).get()
    receipt = Receipt.objects.get(reference=payment.reference)
    visit.open(_address("payments_payment_move", receipt.pk))
    visit.fill("The right account:", str(other.pk))
    visit.fill("Why:", "It was meant for dental")
    visit.press("Show what it does", "staff-move-preview")
    visit.press("Move this money", "staff-moved")
    check = checking.receive((account, 10_00), today=clock.today(), **_days())
    receipt = Receipt.objects.get(reference=f"check:{check.pk}-1")
    visit.open(_address("payments_payment_received_date", receipt.pk))
    visit.fill("Received on:", (clock.today() - timedelta(days=40)).isoformat())
    visit.fill("Why:", "The stamp says so")
    visit.press("Show what it does", "staff-received-date-takes-two")


def tour_other_acts(visit: "Visit", payment: Payment) -> None:
    """A notice is sent again; a file is answered for; a pause is lifted."""
    notice = Notice.objects.filter(event="payment_received", subject=payment.reference).latest("pk")
    visit.open(_address("payments_notice_resend", notice.pk), "staff-resend")
    visit.fill("Why:", "It never arrived")
    visit.press("Send it again")
    visit.open(_address("payments_bankfile_resolve", make_unknown_file(payment).pk), "staff-file-unknown")
    account = BankAccount.objects.latest("pk")
    visit.open(_address("payments_bankaccount_lift", account.pk), "staff-lift-pause")


def make_unknown_file(payment: Payment) -> BankFile:
    """The file in which the payment was, when the connection was lost."""
    approve(bank_account=payment.bank_account, at=clock.now())
    at = max(clock.now(), paying.noon(clock.today())) + timedelta(seconds=1)  # payments are made at noon
    (file,) = batching.build_files(today=clock.today(), at=at)
    before, after = FileStatus.SENDING, FileStatus.UNKNOWN
    FILE_MOVES.move(model=BankFile, history=FileMove, ids=[file.pk], before=before, after=after, at=at)
    return file


def _fill_check(visit: "Visit", *, number: str, account: str) -> None:
    visit.fill("Number:", number)
    visit.fill("Written by:", "Rosa Delgado")
    visit.fill("Amount:", "25.00")
    visit.fill("Account 1:", account)


def _days() -> dict[str, object]:
    today = clock.today()
    return {"received_on": today, "deposit_on": today, "form_key": uuid4()}


def _address(name: str, key: int) -> str:
    return reverse(f"admin:{name}", args=[key])
