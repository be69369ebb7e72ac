"""What is told about a payment: to the member whose bill it pays, and to the guest who paid it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from members.notices import Addressee, MemberToTell
from members.outbox import Telling, tell
from payments.banking_calendar import read_calendar
from payments.confirmation import format_number
from payments.models import BankAccountStatus, Payment, PaymentChannel
from payments.statements import expected_clearing_date


@dataclass(frozen=True, slots=True)
class AboutPayment:
    """What a notice about a payment says, and who may read it."""

    id: int
    account_id: int
    product: str
    amount_cents: int
    received_date: date
    confirmation_number: str
    last_four: str
    channel: str
    receipt_email: str
    payer_language: str
    member: Addressee

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """Of a payment that is read with its bank account, authorization, plan and member."""
        enrollment = payment.account.enrollment
        return cls(
            id=payment.pk,
            account_id=payment.account_id,
            product=enrollment.plan.product,
            amount_cents=payment.amount_cents,
            received_date=payment.received_date,
            confirmation_number=payment.confirmation_number,
            last_four=payment.bank_account.last_four,
            channel=payment.channel,
            receipt_email=payment.receipt_email,
            payer_language=payment.authorization.language,
            member=enrollment.member,
        )

    @property
    def reference(self) -> str:
        """How the books name this payment."""
        return f"payment:{self.id}"


def read_about(*, payment_ids: Iterable[int]) -> dict[int, AboutPayment]:
    """What notices about these payments say, in the order of their ids. One statement."""
    rows = (
        Payment.objects.filter(pk__among=list(payment_ids))
        .order_by("pk")
        .values_list(
            "pk",
            "account_id",
            "account__enrollment__plan__product",
            "amount_cents",
            "received_date",
            "confirmation_number",
            "bank_account__last_four",
            "channel",
            "receipt_email",
            "authorization__language",
            "account__enrollment__member_id",
            "account__enrollment__member__email",
            "account__enrollment__member__language",
            "account__enrollment__member__paperless_bills",
            "account__enrollment__member__paperless_notices",
        )
    )
    return {row[0]: AboutPayment(*row[:10], MemberToTell(*row[10:])) for row in rows}


def list_facts(*, payment: AboutPayment) -> dict[str, Any]:
    """What every notice about a payment says."""
    return {
        "product": payment.product,
        "amount_cents": payment.amount_cents,
        "received_date": payment.received_date,
        "confirmation_number": format_number(payment.confirmation_number),
        "last_four": payment.last_four,
    }


@dataclass(frozen=True)
class Reader:
    """Whom a notice about a payment goes to, as `Telling` names them; and whether it is the payer.

    A guest's bank account is the guest's own business: only the payer reads of it.
    """

    who: dict[str, Any]
    is_payer: bool

    def make_telling(self, *, event: str, facts: Mapping[str, Any]) -> Telling:
        """The notice, without the bank account for who did not pay from it."""
        return Telling(
            event=event, facts={**facts} if self.is_payer else {**facts, "last_four": ""}, **self.who
        )


def is_paid_by_another(*, payment: AboutPayment) -> bool:
    """Whether somebody who may not be the member paid; a caller who leaves no address is the member."""
    by_phone = payment.channel == PaymentChannel.PHONE and bool(payment.receipt_email)
    return by_phone or payment.channel == PaymentChannel.GUEST


def list_readers(*, payment: AboutPayment) -> list[Reader]:
    """The member; and the guest, or the caller who is not the member, at the address they left."""
    member = payment.member
    if not is_paid_by_another(payment=payment):
        who = {"subject": payment.reference, "member": member, "address": payment.receipt_email}
        return [Reader(who=who, is_payer=True)]
    readers = [Reader(who={"subject": payment.reference, "member": member}, is_payer=False)]
    if payment.receipt_email:
        guest = {
            "subject": f"{payment.reference}:payer",
            "address": payment.receipt_email,
            "language": payment.payer_language,
        }
        readers.append(Reader(who=guest, is_payer=True))
    return readers


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payment just recorded: what its payer was told it does, and whether its bank account is validated.

    `spoken` is what was authorized by voice, word for word.
    """

    about: AboutPayment
    effect: str
    is_valid: bool
    spoken: str = ""


def tell_recorded(*, payments: Iterable[Payment], today: date, at: datetime) -> None:
    """Received, or scheduled; with what it does to coverage, as the payer was told, and when it is expected to clear."""
    recorded = [
        Recorded(
            AboutPayment.of(payment),
            payment.coverage_sentence,
            payment.bank_account.status == BankAccountStatus.VALID,
            payment.authorization.text if payment.channel == PaymentChannel.PHONE else "",
        )
        for payment in payments
    ]
    tell_about(recorded=recorded, today=today, at=at)


def tell_about(*, recorded: Iterable[Recorded], today: date, at: datetime) -> None:
    """`tell_recorded` of payments that were read, or written, without their models."""
    tellings = []
    when: dict[str, Any] = {"today": today, "at": at, "calendar": read_calendar()}
    clearing: dict[tuple[date, bool], date] = {}
    for item in recorded:
        received = item.about.received_date
        known = (received, item.is_valid)
        if known not in clearing:
            clearing[known] = expected_clearing_date(received_date=received, validated=item.is_valid, **when)
        facts = list_facts(payment=item.about) | {"effect": item.effect, "clearing_date": clearing[known]}
        if item.spoken:
            # The written confirmation of what was authorized by voice, made before the debit settles.
            facts["text"] = item.spoken
        event = "payment_received" if received <= today else "payment_scheduled"
        tellings += [
            reader.make_telling(event=event, facts=facts) for reader in list_readers(payment=item.about)
        ]
    tell(tellings=tellings, today=today, at=at)


def tell_canceled(
    *, payments: Iterable[AboutPayment], is_over: bool = False, today: date, at: datetime
) -> None:
    """Canceled: no money will be taken. `is_over`: nor is any left to pay."""
    tellings = [
        reader.make_telling(
            event="payment_canceled", facts=list_facts(payment=payment) | {"is_over": is_over}
        )
        for payment in payments
        for reader in list_readers(payment=payment)
    ]
    tell(tellings=tellings, today=today, at=at)
