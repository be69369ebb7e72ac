"""What the tests of bank files that go out do: put debits, retries, prenotes, refunds and reversals in the way of a file."""

from collections.abc import Sequence
from datetime import date, time
from typing import Any
from uuid import uuid4

from billing.models import Account, Receipt
from connector_pay.lib.clock import eastern_moment
from connector_pay.self_check import find_violations
from payments.ach import batching, sending, stored_files
from payments.ach.contents import parse_batches
from payments.ach.entries import BatchHeader, Entry
from payments.ach.reading import read_file
from payments.bank_accounts import approve, register, seal_number
from payments.confirmation import make_number
from payments.models import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    Authorization,
    BankAccount,
    BankFile,
    Payment,
    PaymentMove,
    Prenote,
    Refund,
    RefundMove,
)
from tests import people
from tests.payments.paying import GOOD, PREMIUM, TUESDAY, make_details, noon

NO_PLAIN_LETTER = "\u0301\u0301"  # two accents with no letter under them
Batches = list[tuple[BatchHeader, list[Entry]]]


def make_bank_account(number: str = GOOD, *, valid: bool = True, **facts: Any) -> BankAccount:
    """A guest's bank account, validated unless told otherwise."""
    bank = register(details=make_details(number, **facts), owner=None, at=noon(TUESDAY))
    if valid:
        approve(bank_account=bank, at=noon(TUESDAY))
    return bank


def make_nameless_account() -> BankAccount:
    """A bank account kept before the door asked for letters: its name is blank in a bank file."""
    bank = make_bank_account()
    bank.sealed = seal_number(account_number=GOOD)
    bank.sealed.save(force_insert=True)
    bank.pk, bank.holder_name, bank.status = None, NO_PLAIN_LETTER, "unchecked"
    bank.save(force_insert=True)
    approve(bank_account=bank, at=noon(TUESDAY))
    return bank


def make_debit(
    account: Account,
    *,
    sec_code: str = "WEB",
    recurring: bool = False,
    cents: int = PREMIUM,
    bank: BankAccount | None = None,
    day: date = TUESDAY,
) -> Payment:
    """A payment recorded at noon of a day, with its authorization; nothing of it is in the books."""
    bank = bank or make_bank_account()
    proof = Authorization.objects.create(
        account=account,
        bank_account=bank,
        channel="web",
        sec_code=sec_code,
        recurring=recurring,
        amount_cents=cents,
        debit_on_or_after=day,
        text="I authorize it.",
        text_version="test",
        language="en",
        payer_name="Alice Alvarez",
        account_last_four=bank.last_four,
        given_at=noon(day),
    )
    return _make_payment(account, bank, proof, cents, received_date=day, recorded_at=noon(day))


def make_retry(payment: Payment) -> Payment:
    """The same debit once more, after the bank returned it."""
    return _make_payment(
        payment.account,
        payment.bank_account,
        payment.authorization,
        payment.amount_cents,
        retry_of=payment,
        retry_number=1,
    )


def make_prenote(bank: BankAccount | None = None) -> Prenote:
    """A question to the bank of an account that is not validated."""
    return Prenote.objects.create(bank_account=bank or make_bank_account(valid=False), asked_at=noon(TUESDAY))


def make_refund(payment: Payment, *, method: str = "ach", cents: int | None = None) -> Refund:
    """Money of this payment on its way back, asked for by one of the staff and approved by another."""
    receipt, _ = Receipt.objects.get_or_create(
        reference=payment.reference,
        defaults={
            "account": payment.account,
            "cents": payment.amount_cents,
            "received_date": payment.received_date,
            "counted_at": noon(TUESDAY),
        },
    )
    refund = Refund.objects.create(
        receipt=receipt,
        payment=payment,
        bank_account=payment.bank_account,
        method=method,
        cents=payment.amount_cents if cents is None else cents,
        payee="Alice Alvarez",
        why="test",
        form_key=uuid4(),
        asked_by=people.make_staff(),
        asked_at=noon(TUESDAY),
    )
    REFUND_MOVES.move(
        model=Refund,
        history=RefundMove,
        ids=[refund.pk],
        before="asked",
        after="approved",
        at=noon(TUESDAY),
        changes={"decided_by": people.make_staff().pk, "decided_at": noon(TUESDAY)},
    )
    refund.refresh_from_db()
    return refund


def move(payment: Payment, *statuses: str, **changes: Any) -> Payment:
    """Take a payment along the arrows."""
    for after in statuses:
        PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=[payment.pk],
            before=payment.status,
            after=after,
            at=noon(TUESDAY),
            changes=changes,
        )
        payment.refresh_from_db()
    return payment


def build(day: date = TUESDAY) -> list[BankFile]:
    """17:00 of a day: the files are built, not yet sent."""
    return batching.build_files(today=day, at=eastern_moment(day=day, at=time(17)))


def settle_in_file(payments: Sequence[Payment], *, day: date = TUESDAY) -> None:
    """The payments go out at 17:00 of a day and settle."""
    for file in build(day):
        sending.note_sent(file_id=file.pk, at=noon(day))
    for payment in payments:
        payment.refresh_from_db()
        move(payment, "settled")


def open_batches(file: BankFile) -> Batches:
    """What a stored file says, which must be without a fault."""
    parsed = read_file(source=stored_files.open_file(file=file))
    assert parsed.faults == []
    return [(header, list(entries)) for header, entries in parse_batches(parsed=parsed)]


def list_broken() -> set[str]:
    """What the self-check finds wrong with bank files."""
    names = {violation.name for violation in find_violations()}
    return {name for name in names if name.startswith(("I9 ", "I2 "))}


def _make_payment(
    account: Account, bank: BankAccount, proof: Authorization, cents: int, **facts: Any
) -> Payment:
    return Payment.objects.create(
        **{
            "confirmation_number": make_number(),
            "account": account,
            "bank_account": bank,
            "authorization": proof,
            "amount_cents": cents,
            "received_date": TUESDAY,
            "channel": "web",
            "form_key": uuid4(),
            "coverage_sentence": "test",
            "recorded_at": noon(TUESDAY),
        }
        | facts
    )
