"""Withdrawals: money of a receipt goes back to who paid it: taken off the account, paid out, and sometimes back again.

Each goes by the reference of what took it, such as "refund:12". What lies on invoices is never touched, except where a debit
that should never have been sent is undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import transaction

from billing import credit
from billing.accounts import lock_accounts, lock_accounts_of
from billing.binders import await_payment_again, effectuate_paid
from billing.ledger import Posting, post
from billing.models import Chart, Receipt, Withdrawal
from billing.overdue import review_locked

PUT_BACK = "put_back"


class PaidOut(StrEnum):
    """How money withdrawn leaves the bank: by a credit that settles, or by a check that is printed."""

    SETTLED = "settled"
    PRINTED = "printed"


class UnableToWithdraw(ValueError):
    """The receipt has less idle credit than was asked for, or was taken back."""


class UnableToFindWithdrawal(LookupError):
    """Nothing was withdrawn under this reference."""


def withdraw(*, receipt_id: int, cents: int, reference: str, today: date, at: datetime) -> None:
    """Take idle credit of a receipt off its account. Raises UnableToWithdraw, AlreadyPosted."""
    with transaction.atomic():
        _withdraw(_lock_receipt(receipt_id), cents=cents, reference=reference, today=today, at=at)


def withdraw_whole(*, receipt_id: int, reference: str, why: str, today: date, at: datetime) -> None:
    """Take a whole receipt off its account, off its invoices first: they are open again, as if it had never come.

    Other idle money takes its place. Coverage that has not started awaits payment again, and once started it stays until staff
    have looked. Raises UnableToWithdraw, AlreadyPosted.
    """
    with transaction.atomic():
        receipt = _lock_receipt(receipt_id)
        account_ids = [receipt.account_id]
        credit.take_off_receipts(receipt_ids=[receipt.pk], at=at)
        _withdraw(receipt, cents=receipt.cents, reference=reference, today=today, at=at)
        credit.spend_credit(account_ids=account_ids, at=at)
        await_payment_again(account_ids=account_ids, today=today, at=at, why=why)
        review_locked(account_ids=account_ids, today=today, at=at, run="money withdrawn")
        effectuate_paid(account_ids=account_ids, today=today, at=at)


def put_back(*, references: Iterable[str], today: date, at: datetime) -> None:
    """What was withdrawn never went out, or came back: it is credit again, on the oldest open month first.

    Raises UnableToFindWithdrawal, AlreadyPosted.
    """
    with transaction.atomic():
        found = _lock_withdrawals(references)
        post(postings=[item.move(Chart.REFUNDS, Chart.RECEIVABLE, PUT_BACK, today) for item in found], at=at)
        Withdrawal.objects.bulk_create(
            Withdrawal(
                receipt_id=item.receipt_id, cents=-item.cents, reference=f"{item.reference}:{PUT_BACK}", at=at
            )
            for item in found
        )
        account_ids = {item.account_id for item in found}
        review_locked(account_ids=account_ids, today=today, at=at, run="money put back")
        credit.spend_credit(account_ids=account_ids, at=at)
        effectuate_paid(account_ids=account_ids, today=today, at=at)


def pay_out(*, references: Iterable[str], how: PaidOut, today: date, at: datetime) -> None:
    """The bank has paid what was withdrawn, or a check for it is out. Raises UnableToFindWithdrawal, AlreadyPosted."""
    with transaction.atomic():
        found = _lock_withdrawals(references)
        post(postings=[item.move(Chart.REFUNDS, Chart.BANK, how.value, today) for item in found], at=at)


def undo_pay_out(*, references: Iterable[str], today: date, at: datetime) -> None:
    """The bank has the money again, which it had paid. Raises UnableToFindWithdrawal, AlreadyPosted."""
    with transaction.atomic():
        found = _lock_withdrawals(references)
        post(postings=[item.move(Chart.BANK, Chart.REFUNDS, "returned", today) for item in found], at=at)


@dataclass(frozen=True, slots=True)
class _Withdrawn:
    """What was taken from a receipt, and the account it was taken off."""

    receipt_id: int
    account_id: int
    cents: int
    reference: str

    def move(self, debit: Chart, source: Chart, what: str, today: date) -> Posting:
        """Its movement of this name on the ledger."""
        return Posting(debit, source, self.cents, self.account_id, f"{self.reference}:{what}", today)


def _withdraw(receipt: Receipt, *, cents: int, reference: str, today: date, at: datetime) -> None:
    idle = credit.read_idle_cents(receipt_id=receipt.pk)
    if not 0 < cents <= idle:
        raise UnableToWithdraw(f"{receipt.reference} has {idle} cents of idle credit, not {cents}.")
    taken = _Withdrawn(receipt.pk, receipt.account_id, cents, reference)
    post(postings=[taken.move(Chart.RECEIVABLE, Chart.REFUNDS, "approved", today)], at=at)
    Withdrawal.objects.create(receipt=receipt, cents=cents, reference=reference, at=at)


def _lock_receipt(receipt_id: int) -> Receipt:
    """Lock the account of the receipt, then read it."""
    receipts = Receipt.objects.filter(pk=receipt_id)
    lock_accounts_of(receipts=receipts)
    return receipts.get()


def _lock_withdrawals(references: Iterable[str]) -> list[_Withdrawn]:
    """Lock the accounts that the money was taken off, then read what was taken. Raises UnableToFindWithdrawal."""
    asked = set(references)
    found = Withdrawal.objects.filter(reference__in=asked).order_by("pk")
    lock_accounts(account_ids=set(found.values_list("receipt__account_id", flat=True)))
    rows = found.values_list("receipt_id", "receipt__account_id", "cents", "reference")
    withdrawn = [_Withdrawn(*row) for row in rows]
    missing = asked - {item.reference for item in withdrawn}
    if missing:
        raise UnableToFindWithdrawal(f"Nothing was withdrawn under {min(missing)}.")
    return withdrawn
