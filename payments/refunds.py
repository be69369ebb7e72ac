"""Refunds: one of the staff asks, another approves; the money leaves the credit at once, and goes by bank file or by check.

What the bank returns is credit again. A refund waits in APPROVED for the bank file that takes it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from billing.allocation import lock_accounts
from billing.balances import Standing, read_standing
from billing.credit import find_idle_receipts
from billing.models import Receipt
from billing.withdrawals import PaidOut, pay_out, put_back, undo_pay_out, withdraw, withdraw_whole
from members.models import EnrollmentStatus, User
from members.second_person import say_why_not
from payments.models import (
    REFUND_MOVES,
    BankAccountStatus,
    FileStatus,
    Refund,
    RefundMethod,
    RefundMove,
    RefundStatus,
)
from payments.refund_notices import tell_refunded
from payments.refund_rules import (
    Source,
    UnableToRefund,
    judge,
    read_source,
    read_sources,
    refuse_second_reversal,
    refuse_unknown_address,
)

log = structlog.get_logger(__name__)
CHUNK = 2_000  # refunds a transaction
REVERSED = "the debit was reversed"
PAYMENT_RETURNED = "the bank took the payment back before the refund went out"
GONE_OUT = (RefundStatus.SENDING, RefundStatus.SENT, RefundStatus.SETTLED, RefundStatus.PRINTED)


@dataclass(frozen=True)
class Preview:
    """How the account would stand: before the refund, and after it."""

    before: Standing
    after: Standing


@dataclass(frozen=True)
class RefundableReceipt:
    """Cleared credit of someone whose enrollment is over, with the way it can go back."""

    receipt: Receipt
    idle_cents: int
    method: str
    source: Source


def ask_refund(
    *,
    receipt_id: int,
    cents: int,
    method: str,
    why: str,
    form_key: UUID,
    by: User,
    today: date,
    at: datetime,
    mail_to: str = "",
) -> Refund:
    """Ask for a refund of a receipt; another person approves it. A form key used before returns what it asked for then.

    A check's money goes to who wrote it; `mail_to` is where they live. No money moves yet. Raises UnableToRefund.
    """
    if not why.strip():
        raise UnableToRefund("Say why this money goes back.")
    source = read_source(receipt_id=receipt_id)
    with transaction.atomic():
        lock_accounts(account_ids=[source.receipt.account_id])
        asked = Refund.objects.filter(form_key=form_key).first()
        if asked is not None:
            return asked
        source = read_source(receipt_id=receipt_id)
        refuse_second_reversal(source, method)
        judge(source=source, method=method, cents=cents, today=today, at=at)
        refuse_unknown_address(source, method, mail_to)
        refund, _made = Refund.objects.get_or_create(
            form_key=form_key,
            defaults=describe_source(source=source, method=method)
            | {"cents": cents, "why": why, "mail_to": mail_to.strip(), "asked_by": by, "asked_at": at},
        )
    return refund


def approve_refund(*, refund_id: int, by: User, today: date, at: datetime) -> Refund:
    """Approve what another person asked for: the money leaves the account's credit. A reversal opens its bills again.

    Everything is judged again: money spent, refunded or returned meanwhile is not refunded. Raises UnableToRefund.
    """
    with transaction.atomic():
        refund = _lock_refund(refund_id)
        _refuse_own(refund, by)
        source = read_source(receipt_id=refund.receipt_id)
        _refuse_decided(refund)
        judge(source=source, method=refund.method, cents=refund.cents, today=today, at=at)
        refuse_unknown_address(source, refund.method, refund.mail_to)
        _decide(refund, after=RefundStatus.APPROVED, by=by, at=at)
        _take_off_account(refund, today=today, at=at)
        refund.refresh_from_db()
        if refund.method == RefundMethod.REVERSAL:
            tell_refunded(refund_ids=[refund.pk], today=today, at=at)
    return refund


def decline_refund(*, refund_id: int, by: User, why: str, today: date, at: datetime) -> Refund:
    """Decline what another person asked for; the money stays where it is. Raises UnableToRefund."""
    if not why.strip():
        raise UnableToRefund("Say why this refund is declined.")
    with transaction.atomic():
        refund = _lock_refund(refund_id)
        _refuse_own(refund, by)
        _refuse_decided(refund)
        _decide(refund, after=RefundStatus.DECLINED, by=by, at=at, why=why)
        refund.refresh_from_db()
    return refund


def stop_refund(*, refund_id: int, by: User, why: str, today: date, at: datetime) -> Refund:
    """Stop an approved refund that is in no bank file and on no check: the money is credit again. Raises UnableToRefund.

    A reversal is not stopped: the member has heard that the bill is open again.
    """
    if not why.strip():
        raise UnableToRefund("Say why this refund is stopped.")
    with transaction.atomic():
        refund = _lock_refund(refund_id)
        if refund.method == RefundMethod.REVERSAL:
            raise UnableToRefund("A reversal cannot be stopped: the member was told of it.")
        if not _stop([refund], why=f"stopped by {by.get_username()}: {why}", today=today, at=at):
            raise UnableToRefund(f"This refund can no longer be stopped: {_say_status(refund)}.")
        refund.refresh_from_db()
    return refund


def preview_refund(*, receipt_id: int, cents: int, method: str, today: date, at: datetime) -> Preview:
    """How the account stands before a refund and after it: it is done and taken back. Raises UnableToRefund."""
    with transaction.atomic():
        account_id = read_source(receipt_id=receipt_id).receipt.account_id
        lock_accounts(account_ids=[account_id])
        source = read_source(receipt_id=receipt_id)
        judge(source=source, method=method, cents=cents, today=today, at=at)
        before = read_standing(account_id=account_id, today=today)
        refund = Refund(pk=0, receipt=source.receipt, method=method, cents=cents)
        _take_off_account(refund, today=today, at=at)
        after = read_standing(account_id=account_id, today=today)
        transaction.set_rollback(True)
    return Preview(before=before, after=after)


def print_check(*, refund_id: int, check_number: str, today: date, at: datetime) -> Refund:
    """A check of this number is printed for an approved refund: the money is out, the payer told.

    The same number again changes nothing. Raises UnableToRefund.
    """
    number = check_number.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise UnableToRefund("Enter the check's number: 1 to 10 digits.")
    with transaction.atomic():
        refund = _lock_refund(refund_id)
        if refund.status == RefundStatus.PRINTED and refund.check_number == number:
            return refund
        if refund.method != RefundMethod.CHECK or refund.status != RefundStatus.APPROVED:
            raise UnableToRefund(f"No check is to be printed for this refund: {_say_status(refund)}.")
        if Refund.objects.filter(check_number=number).exists():
            raise UnableToRefund(f"Check {number} is another refund's.")
        _move(
            [refund.pk],
            before=RefundStatus.APPROVED,
            after=RefundStatus.PRINTED,
            at=at,
            changes={"check_number": number, "printed_on": today},
        )
        pay_out(references=[refund.reference], how=PaidOut.PRINTED, today=today, at=at)
        tell_refunded(refund_ids=[refund.pk], today=today, at=at)
        refund.refresh_from_db()
    return refund


def settle_refunds(*, today: date, at: datetime) -> int:
    """Refunds of an accepted file settle on their effective date, and their payers are told; returns how many.

    Safe to run twice; each chunk is a transaction.
    """
    due = Refund.objects.filter(status=RefundStatus.SENT, effective_date__lte=today)
    ids = due.filter(entry__file__status=FileStatus.ACCEPTED).order_by("pk").values_list("pk", flat=True)
    settled = sum(_settle(chunk, today=today, at=at) for chunk in _chunk(ids))
    unaccepted = due.count()
    if unaccepted:
        log.error("refunds are due in files that the bank has not accepted", count=unaccepted)
    return settled


def return_refunds(*, refund_ids: Iterable[int], code: str, why: str, today: date, at: datetime) -> list[int]:
    """Refunds that the payer's bank sent back are credit on the account again; staff refund them by check.

    The member is told nothing: what was said of the refund stays true, and the check will bring its own notice. Refunds not
    sent, or returned before, are left as they are. Returns the ids of those that are returned now.
    """
    ids = list(refund_ids)
    with transaction.atomic():
        _lock_accounts_of(ids)
        reason = f"{code} {why}".strip()[:200]
        unsettled = _move(ids, before=RefundStatus.SENT, after=RefundStatus.RETURNED, at=at, why=reason)
        settled = _move(ids, before=RefundStatus.SETTLED, after=RefundStatus.RETURNED, at=at, why=reason)
        undo_pay_out(references=_list_references(settled), today=today, at=at)
        returned = sorted(unsettled + settled)
        put_back(references=_list_references(returned), today=today, at=at)
    for key in returned:
        log.error("refund returned by the bank: refund it by check", refund=key, code=code)
    return returned


def follow_returned_payments(*, payment_ids: Iterable[int], today: date, at: datetime) -> None:
    """What a payment's return means for its refunds, after its money was taken back and under the account's lock.

    One that waits is stopped. Of one that is out, or in a bank file, the bank now has the money twice over: the account owes it,
    and staff ask for it.
    """
    _follow(Refund.objects.filter(payment__among=list(payment_ids)).order_by("pk"), today=today, at=at)


def follow_returned_receipts(*, references: Iterable[str], today: date, at: datetime) -> None:
    """The same for the money of checks that the bank returned."""
    found = Refund.objects.filter(receipt__reference__among=list(references)).order_by("pk")
    _follow(found, today=today, at=at)


def _follow(refunds: QuerySet[Refund], *, today: date, at: datetime) -> None:
    _stop(refunds.filter(status=RefundStatus.APPROVED), why=PAYMENT_RETURNED, today=today, at=at)
    for refund in refunds.filter(status__in=GONE_OUT):
        log.error(
            "payment returned after it was refunded: the account owes it",
            refund=refund.pk,
            cents=refund.cents,
        )


def find_refundable(*, today: date, account_ids: Iterable[int] | None = None) -> list[RefundableReceipt]:
    """Cleared credit of enrollments that expired or ended and that nobody has asked to refund yet, for staff.

    Nothing is refunded by itself. The latest account first; of all accounts, unless `account_ids` names some.
    """
    over = Q(account__enrollment__status__in=(EnrollmentStatus.EXPIRED, EnrollmentStatus.ENDED))
    asked = Refund.objects.filter(status=RefundStatus.ASKED).values("receipt")
    idle = find_idle_receipts().filter(over, cleared_on__isnull=False).exclude(pk__in=asked)
    if account_ids is not None:
        idle = idle.filter(account__among=list(account_ids))
    people = ("account__enrollment__member", "account__enrollment__plan")
    receipts = list(idle.select_related(*people).order_by("-account", "pk"))
    sources = read_sources(receipts=receipts)
    return [
        RefundableReceipt(item, item.idle, _suggest_method(sources[item.pk]), sources[item.pk])
        for item in receipts
        if sources[item.pk].has_cleared(today=today)
    ]


def _suggest_method(source: Source) -> str:
    """To the bank account it came from, else by check."""
    payment = source.payment
    if payment is not None and payment.bank_account.status == BankAccountStatus.VALID:
        return RefundMethod.ACH
    return RefundMethod.CHECK


def describe_source(*, source: Source, method: str) -> dict[str, Any]:
    """What a refund keeps of its source."""
    payment = source.payment
    to_bank = payment is not None and method != RefundMethod.CHECK
    return {
        "receipt": source.receipt,
        "payment": payment,
        "bank_account": payment.bank_account if payment is not None and to_bank else None,
        "method": method,
        "payee": source.payee,
    }


def _take_off_account(refund: Refund, *, today: date, at: datetime) -> None:
    """The refund's money leaves the account: of a reversal all of it, from its invoices; else idle credit."""
    if refund.method == RefundMethod.REVERSAL:
        withdraw_whole(
            receipt_id=refund.receipt_id, reference=refund.reference, why=REVERSED, today=today, at=at
        )
    else:
        withdraw(
            receipt_id=refund.receipt_id,
            cents=refund.cents,
            reference=refund.reference,
            today=today,
            at=at,
        )


def _refuse_own(refund: Refund, by: User) -> None:
    if refund.asked_by_id == by.pk:
        raise UnableToRefund("You asked for this refund. Another person must decide.")
    if why_not := say_why_not(by=by):
        raise UnableToRefund(why_not)


def _refuse_decided(refund: Refund) -> None:
    if refund.status != RefundStatus.ASKED:
        raise UnableToRefund(f"This refund was decided before: {_say_status(refund)}.")


def _say_status(refund: Refund) -> str:
    return RefundStatus(refund.status).label.lower()


def _decide(refund: Refund, *, after: RefundStatus, by: User, at: datetime, why: str = "") -> None:
    changes = {"decided_by": by.pk, "decided_at": at}
    if not _move([refund.pk], before=RefundStatus.ASKED, after=after, at=at, why=why, changes=changes):
        raise UnableToRefund("This refund was decided by somebody else at the same moment.")


def _stop(refunds: Iterable[Refund], *, why: str, today: date, at: datetime) -> list[int]:
    """Take approved refunds back before they go out."""
    ids = [refund.pk for refund in refunds]
    stopped = _move(ids, before=RefundStatus.APPROVED, after=RefundStatus.DECLINED, at=at, why=why[:200])
    put_back(references=_list_references(stopped), today=today, at=at)
    return stopped


def _settle(ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        _lock_accounts_of(ids)
        moved = _move(ids, before=RefundStatus.SENT, after=RefundStatus.SETTLED, at=at)
        pay_out(references=_list_references(moved), how=PaidOut.SETTLED, today=today, at=at)
        tell_refunded(refund_ids=moved, today=today, at=at)
    return len(moved)


def _chunk(ids: Iterable[int]) -> Iterator[list[int]]:
    keys = list(ids)
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _list_references(ids: Sequence[int]) -> list[str]:
    return [f"refund:{key}" for key in ids]


def _move(
    ids: Sequence[int],
    *,
    before: RefundStatus,
    after: RefundStatus,
    at: datetime,
    why: str = "",
    changes: dict[str, object] | None = None,
) -> list[int]:
    return REFUND_MOVES.move(
        model=Refund,
        history=RefundMove,
        ids=ids,
        before=before,
        after=after,
        at=at,
        why=why,
        changes=changes,
    )


def _lock_accounts_of(refund_ids: Sequence[int]) -> None:
    accounts = Refund.objects.filter(pk__in=refund_ids).values_list("receipt__account_id", flat=True)
    lock_accounts(account_ids=accounts)


def _lock_refund(refund_id: int) -> Refund:
    """Lock the account it is taken from, then read it. Raises UnableToRefund."""
    _lock_accounts_of([refund_id])
    refund = Refund.objects.select_related("receipt", "payment").filter(pk=refund_id).first()
    if refund is None:
        raise UnableToRefund(f"There is no refund {refund_id}.")
    return refund
