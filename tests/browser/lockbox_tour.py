"""The part of staff's work that is the bank's lockbox: a cut file, a right one shown and applied, what waits, what came back."""

from typing import TYPE_CHECKING

from django.urls import reverse

from billing.models import Account
from connector_pay.lib import clock
from payments.models import CheckStatus, LockboxItem, LockboxReturn
from tests.payments.channels.lockbox.depositing import import_returns, make_item, make_return, write_file

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_lockbox(visit: "Visit", account: Account) -> None:
    """One page of each."""
    today, member = clock.today(), account.enrollment.member
    slip = f"9{member.member_id[1:]}"  # one digit wrong; Member IDs of the tests count up from 0
    checks = [
        make_item(received_on=today, scan_lines=("0" * 34,), remitter="ROSA DELGADO"),
        make_item(received_on=today, member_ids=(slip,), remitter=member.full_name.upper()),
    ]
    data = write_file(*checks, deposit_on=today)
    _choose(visit, data[:200])
    visit.press("Show what it does", "staff-lockbox-cut")
    _choose(visit, data)
    visit.press("Show what it does", "staff-lockbox-preview")
    visit.press("Apply this file", "staff-lockbox-applied")
    visit.follow("Its checks", "staff-lockbox-checks")
    check = LockboxItem.objects.get(words=slip, received_check__status=CheckStatus.UNMATCHED).received_check
    visit.open(reverse("admin:payments_receivedcheck_match", args=[check.pk]), "staff-match-suggestions")
    _tour_returns(visit)


def _tour_returns(visit: "Visit") -> None:
    """Two checks came back; of the one that we never had, staff write down what they did."""
    today = clock.today()
    mailed = make_item(
        received_on=today, scan_lines=("0" * 34,), check_number="3107", remitter="ROSA DELGADO"
    )
    returns = make_return(check_number="3107"), make_return(check_number="90210", why="Stop payment")
    import_returns(*returns, items=[mailed], today=today, deposit_on=today)
    visit.open(reverse("admin:payments_lockboxreturn_changelist"), "staff-lockbox-returns")
    waiting = LockboxReturn.objects.get(check_number="90210")
    visit.open(
        reverse("admin:payments_lockboxreturn_change", args=[waiting.pk]), "staff-lockbox-return-waits"
    )
    visit.fill("What was done", "The bank meant another exchange and has taken it back.")
    visit.press("Say what was done", "staff-lockbox-return-closed")


def _choose(visit: "Visit", data: bytes) -> None:
    visit.open(reverse("admin:payments_lockboxfile_import"))
    chosen = {"name": "day.bai", "mimeType": "text/plain", "buffer": data}
    visit.page.get_by_label("File:").set_input_files(chosen)
