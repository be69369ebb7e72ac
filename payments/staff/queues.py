"""What of payments waits for a person: refunds, returns, unmatched money, holds, bank files, and bank accounts."""

from collections.abc import Mapping
from datetime import date

from django.conf import settings
from django.urls import reverse

from connector_pay.lib.staff_queues import Queue, Waiting, count_waiting
from payments.ach.parked_lines import find_parked
from payments.bank_accounts import list_waiting
from payments.channels.lockbox.returned import find_parked_returns
from payments.check_batches import find_open
from payments.holding import find_old_holds
from payments.models import BankFile, CheckStatus, FileStatus, Refund, RefundMethod, RefundStatus
from payments.unmatched import find_unmatched
from payments.validation import MANUAL


def list_queues(*, today: date) -> list[Queue]:
    """Each queue of payments, in the order of a day's work. One statement."""
    asked = _list_waiting(today=today)
    counted = count_waiting(asked)
    return [
        Queue(words, *counted[name], link=link, permission=permission)
        for name, words, link, permission in _list_pages()
        if name in asked
    ]


def _list_waiting(*, today: date) -> Mapping[str, Waiting]:
    checks = Refund.objects.filter(status=RefundStatus.APPROVED, method=RefundMethod.CHECK)
    asked: dict[str, Waiting] = {
        "files": (BankFile.objects.filter(status=FileStatus.UNKNOWN), "stored_at"),
        "returns": (find_parked(), "at"),
        "unmatched": (find_unmatched().filter(status=CheckStatus.UNMATCHED), "recorded_at"),
        "batches": (find_open(), "made_at"),
        "came_back": (find_parked_returns(), "file__imported_at"),
        "back": (find_unmatched().filter(status=CheckStatus.BACK_ASKED), "recorded_at"),
        "refunds": (Refund.objects.filter(status=RefundStatus.ASKED), "asked_at"),
        "checks": (checks, "decided_at"),
        "holds": (find_old_holds(today=today), "held_at"),
    }
    if MANUAL in settings.BANK_VALIDATION_METHODS:
        asked["accounts"] = (list_waiting(), "added_at")
    return asked


def _list_pages() -> list[tuple[str, str, str, str]]:
    files, returns = (
        reverse("admin:payments_bankfile_changelist"),
        reverse("admin:payments_returnline_changelist"),
    )
    refunds, accounts = (
        reverse("admin:payments_refund_changelist"),
        reverse("admin:payments_bankaccount_changelist"),
    )
    return [
        (
            "files",
            "Bank files of unknown outcome",
            f"{files}?status__exact={FileStatus.UNKNOWN}",
            "payments.resolve_file",
        ),
        ("returns", "Returns that need a person", f"{returns}?waiting=yes", "payments.resolve_returnline"),
        *_list_check_pages(),
        (
            "refunds",
            "Refunds to approve",
            f"{refunds}?status__exact={RefundStatus.ASKED}",
            "payments.change_refund",
        ),
        (
            "checks",
            "Refund checks to print",
            reverse("admin:payments_refund_checks"),
            "payments.change_refund",
        ),
        (
            "holds",
            "Payments kept out of bank files for long",
            f"{reverse('admin:payments_payment_changelist')}?is_held__exact=1",
            "payments.hold_payment",
        ),
        ("accounts", "Bank accounts to approve", f"{accounts}?waiting=yes", "payments.change_bankaccount"),
    ]


def _list_check_pages() -> list[tuple[str, str, str, str]]:
    checks, batches, came_back = (
        reverse(f"admin:payments_{model}_changelist")
        for model in ("receivedcheck", "checkbatch", "lockboxreturn")
    )
    return [
        ("batches", "Batches of checks not closed", f"{batches}?open=yes", "payments.record_check"),
        (
            "came_back",
            "Returned checks that need a person",
            f"{came_back}?waiting=yes",
            "payments.return_check",
        ),
        ("unmatched", "Money without an account", f"{checks}?waiting=yes", "payments.match_money"),
        ("back", "Money to send back", f"{checks}?waiting=yes", "payments.send_back_money"),
    ]
