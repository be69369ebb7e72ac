"""The business facts of a database: what happened to whom, for how much and when, without ids, traces or machine times."""

import hashlib
from typing import Any

from billing.models import Correction, Episode, Invoice, Movement, Receipt, Withdrawal
from members.models import Enrollment, Notice, StartMove
from payments.models import (
    BankAccount,
    BankFile,
    CheckShare,
    DraftAnnouncement,
    FileEntry,
    LockboxItem,
    LockboxReturn,
    Mandate,
    Payment,
    Prenote,
    ReceivedCheck,
    Refund,
    ReturnLine,
)


def read_facts() -> dict[str, list[tuple[Any, ...]]]:
    """Sorted rows of every table that matters."""
    who = "account__enrollment__external_id"
    questions = {
        "enrollments": Enrollment.objects.values_list("external_id", "status", "coverage_start", "ends_on"),
        "starts": StartMove.objects.values_list(
            "enrollment__external_id", "start_before", "start_after", "why"
        ),
        "invoices": Invoice.objects.values_list(
            who, "coverage_month", "due_date", "amount_cents", "is_binder", "void_reason"
        ),
        "episodes": Episode.objects.values_list(
            who, "oldest_month", "kind", "found_on", "status", "ended_on", "moves__after"
        ),
        "corrections": Correction.objects.values_list(
            who, "kind", "month", "total_cents", "new_date", "status", "decided_by__username", "moves__after"
        ),
        "receipts": Receipt.objects.values_list(who, "cents", "received_date", "cleared_on", "taken_back_on"),
        "movements": Movement.objects.values_list(who, "debit", "credit", "cents", "business_date"),
        "payments": Payment.objects.values_list(
            who, "amount_cents", "received_date", "status", "effective_date", "posted_on", "return_code"
        ),
        "mandates": Mandate.objects.values_list(who, "status", "drafts_from", "ceiling_cents"),
        "announcements": DraftAnnouncement.objects.values_list(
            who, "draft_date", "amount_cents", "announced_on"
        ),
        "withdrawals": Withdrawal.objects.values_list(f"receipt__{who}", "cents"),
        "refunds": Refund.objects.values_list(
            f"receipt__{who}", "cents", "method", "status", "effective_date", "check_number", "moves__after"
        ),
        **_ask_checks(who),
        **_ask_bank(),
        "notices": Notice.objects.values_list("event", "channel", "member__member_id", "address"),
        "allocations": Invoice.objects.exclude(allocations=None).values_list(
            who, "coverage_month", "void_reason", "allocations__cents"
        ),
    }
    return {name: sorted(rows, key=repr) for name, rows in questions.items()}


def _ask_checks(who: str) -> dict[str, Any]:
    """What came by mail, and where it lies."""
    return {
        "checks": ReceivedCheck.objects.values_list(
            "number", "payer", "cents", "kind", "status", "received_on", "banked_on", "moves__after"
        ),
        "lockbox": LockboxItem.objects.values_list("file__file__name", "number", "way", "why"),
        "checks that came back": LockboxReturn.objects.values_list(
            "check_number", "cents", "parked_because", "closing__why"
        ),
        "shares of checks": CheckShare.objects.values_list("received_check__number", who, "cents"),
    }


def _ask_bank() -> dict[str, Any]:
    """What passed between us and the bank."""
    return {
        "bank accounts": BankAccount.objects.values_list("holder_name", "last_four", "status"),
        "files": BankFile.objects.values_list(
            "name", "direction", "kind", "status", "entry_count", "debit_cents", "credit_cents"
        ),
        "entries": FileEntry.objects.values_list("file__name", "kind", "amount_cents"),
        "prenotes": Prenote.objects.values_list("bank_account__last_four", "effective_date", "outcome"),
        "returns": ReturnLine.objects.values_list("code", "amount_cents", "applied", "parked_because"),
    }


def hash_facts() -> str:
    """The sha256 of all of it, in hex: the same for the same business facts, on any machine."""
    digest = hashlib.sha256()
    for name, rows in read_facts().items():
        digest.update(f"{name}\n".encode())
        for row in rows:
            digest.update(f"{row!r}\n".encode())
    return digest.hexdigest()
