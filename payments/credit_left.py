"""Credit left when coverage is over: a refund is asked for once, when the money has cleared; a person still approves it."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import transaction

from billing.allocation import lock_accounts
from billing.balances import read_standings
from billing.held_accounts import find_held
from billing.rows import insert_missing
from members.outbox import Telling, tell
from payments.models import Refund, RefundMethod, RefundStatus
from payments.refunds import CHUNK, RefundableReceipt, find_refundable

WHY = "coverage is over, and this was paid for no bill"
COVERAGE_OVER = UUID("5f0d6c0e-6f3a-4b57-9d5c-0a4a1d6f1f35")
COLUMNS = (
    *("receipt", "payment", "bank_account", "method", "cents", "payee", "why", "status", "form_key"),
    *("check_number", "asked_at"),
)


def ask_refunds(*, today: date, at: datetime) -> int:
    """Ask for a refund of each receipt of which cleared credit is left when its enrollment is over; returns how many.

    Once for each receipt, ever: what was declined or came back is for staff. An account that owes for an earlier refund
    is passed over, and one whose start staff look at. The member is told. Works in chunks, each a transaction; safe to run twice.
    """
    return sum(_ask(chunk, today=today, at=at) for chunk in _chunk_accounts(today=today))


def _chunk_accounts(*, today: date) -> Iterator[list[int]]:
    account_ids = sorted({item.receipt.account_id for item in find_refundable(today=today)})
    for start in range(0, len(account_ids), CHUNK):
        yield account_ids[start : start + CHUNK]


def _ask(account_ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        lock_accounts(account_ids=account_ids)
        standings = read_standings(account_ids=account_ids, today=today)
        found = find_refundable(today=today, account_ids=account_ids)
        # Money that may yet bring coverage back stays where it is.
        held = find_held(account_ids=account_ids)
        owed = [
            item
            for item in found
            if item.receipt.account_id not in held and not standings[item.receipt.account_id].owed_back_cents
        ]
        asked = insert_missing(
            model=Refund,
            columns=COLUMNS,
            rows=[(*_make_row(item), at) for item in owed],
            returning=["id", "receipt", "cents"],
        )
        receipts = {item.receipt.pk: item for item in owed}
        tell(
            tellings=[_make_telling(key, receipts[receipt], cents) for key, receipt, cents in asked],
            today=today,
            at=at,
        )
    return len(asked)


def _make_row(item: RefundableReceipt) -> tuple[object, ...]:
    payment = item.source.payment
    to_bank = payment is not None and item.method == RefundMethod.ACH
    return (
        item.receipt.pk,
        payment.pk if payment is not None else None,
        payment.bank_account_id if payment is not None and to_bank else None,
        item.method,
        item.idle_cents,
        item.source.payee,
        WHY,
        RefundStatus.ASKED.value,
        uuid5(COVERAGE_OVER, item.receipt.reference),
        "",
    )


def _make_telling(refund_id: int, item: RefundableReceipt, cents: int) -> Telling:
    enrollment = item.receipt.account.enrollment
    return Telling(
        event="refund_asked",
        subject=f"refund:{refund_id}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "amount_cents": cents,
        },
    )
