"""The part of staff's work that is the bank's lockbox: a cut file, a right one shown and applied, and what waits."""

from typing import TYPE_CHECKING

from django.urls import reverse

from billing.models import Account
from connector_pay.lib import clock
from payments.models import CheckStatus, LockboxItem
from tests.payments.channels.lockbox.depositing import make_item, write_file

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


def _choose(visit: "Visit", data: bytes) -> None:
    visit.open(reverse("admin:payments_lockboxfile_import"))
    chosen = {"name": "day.bai", "mimeType": "text/plain", "buffer": data}
    visit.page.get_by_label("File:").set_input_files(chosen)
