"""What the tests of refunds do: overpay and clear, ask and approve as two people, carry a refund to the bank."""

from datetime import date, time
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from billing.allocation import NewReceipt, apply, clear
from billing.allocation import settle as settle_money
from billing.models import Account, Receipt
from connector_pay.lib.clock import eastern_moment
from members.models import User
from payments import refunds
from payments.ach import batching, sending
from payments.models import (
    FILE_MOVES,
    REFUND_MOVES,
    BankFile,
    FileMove,
    FileStatus,
    Payment,
    Refund,
    RefundMethod,
    RefundMove,
)
from tests import people
from tests.payments.paying import PREMIUM, TUESDAY, live, make_account, noon, pay

CREDIT = 50_00
POSTED = date(2027, 1, 19)  # the payment of TUESDAY settles on the 13th and posts on the 19th
CLEARED = date(2027, 1, 21)  # the 5th banking day after the 13th: the 18th is a holiday
_names = count(1)


def overpay(*, cents: int = PREMIUM + CREDIT, until: date = CLEARED, **facts: Any) -> Payment:
    """A first payment of $50.00 too much, made on Tuesday, and the bank's days after it."""
    payment = pay(make_account(), cents, **facts)
    live(TUESDAY, until)
    payment.refresh_from_db()
    return payment


def find_receipt(payment: Payment) -> Receipt:
    """The money that the payment brought."""
    return Receipt.objects.get(reference=payment.reference)


def receive_check(account: Account, cents: int, *, on: date, cleared_on: date | None = None) -> Receipt:
    """Money of a check that was deposited on a day, as a lockbox would count it."""
    reference = f"check:{next(_names)}"
    apply(receipts=[NewReceipt(account.pk, reference, cents, on)], today=on, at=noon(on))
    settle_money(references=[reference], today=on, at=noon(on))
    clear(references=[reference], today=cleared_on or on, at=noon(cleared_on or on))
    return Receipt.objects.get(reference=reference)


def ask(
    receipt: Receipt,
    cents: int = CREDIT,
    *,
    method: str = RefundMethod.ACH,
    today: date = CLEARED,
    by: User | None = None,
    form_key: UUID | None = None,
    mail_to: str = "",
) -> Refund:
    """One of the staff asks, at noon."""
    return refunds.ask_refund(
        receipt_id=receipt.pk,
        cents=cents,
        method=method,
        why="the member asked for it",
        form_key=form_key or uuid4(),
        mail_to=mail_to,
        by=by or people.make_staff(),
        today=today,
        at=noon(today),
    )


def approve(refund: Refund, *, today: date = CLEARED, by: User | None = None) -> Refund:
    """Another approves, at noon."""
    return refunds.approve_refund(
        refund_id=refund.pk, by=by or people.make_staff(), today=today, at=noon(today)
    )


def ask_and_approve(
    receipt: Receipt, cents: int = CREDIT, *, method: str = RefundMethod.ACH, today: date = CLEARED
) -> Refund:
    """Both, on one day."""
    return approve(ask(receipt, cents, method=method, today=today), today=today)


def print_check(refund: Refund, number: str, *, today: date = CLEARED) -> Refund:
    """A check of this number, at noon."""
    return refunds.print_check(refund_id=refund.pk, check_number=number, today=today, at=noon(today))


def send(*sent: Refund, day: date = CLEARED, accepted: bool = True) -> BankFile:
    """17:00 of a day: the refunds go out in a bank file, which the bank has accepted by the next morning."""
    at = eastern_moment(day=day, at=time(17))
    (file,) = batching.build_files(today=day, at=at)
    assert {refund.pk for refund in sent} <= set(file.entries.values_list("refund_id", flat=True))
    sending.note_sent(file_id=file.pk, at=at)
    if accepted:
        FILE_MOVES.move(
            model=BankFile,
            history=FileMove,
            ids=[file.pk],
            before=FileStatus.SENT,
            after=FileStatus.ACCEPTED,
            at=at,
        )
    return file


def move(keys: list[int], before: str, after: str, **how: Any) -> None:
    """Along an arrow, as the bank files move refunds."""
    REFUND_MOVES.move(model=Refund, history=RefundMove, ids=keys, before=before, after=after, **how)


def settle(day: date) -> int:
    """08:00 of a day."""
    return refunds.settle_refunds(today=day, at=eastern_moment(day=day, at=time(8)))


def return_refunds(*returned: Refund, day: date, code: str = "R02") -> list[int]:
    """07:00 of a day: the payer's bank sent them back."""
    return refunds.return_refunds(
        refund_ids=[refund.pk for refund in returned],
        code=code,
        why="Account closed",
        today=day,
        at=eastern_moment(day=day, at=time(7)),
    )
