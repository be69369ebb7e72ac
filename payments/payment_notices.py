"""What is told about a payment: to the member whose bill it pays, and to the guest who paid it.

Moved to another account, it pays another member's bill: that one is told, and who paid hears only what became of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from django.db.models import Subquery

from billing.models import Account
from members.notices import Addressee, MemberToTell
from members.outbox import Telling, tell
from payments.banking_calendar import read_calendar
from payments.confirmation import format_number
from payments.models import BankAccountStatus, Payment, PaymentChannel
from payments.moved import find_moved
from payments.statements import expected_clearing_date


@dataclass(frozen=True, slots=True)
class AboutPayment:
    """What a notice about a payment says, and who may read it: of the account for which its money counts.

    `paid_by` is the member whose bill it was to pay, and `paid_for` the product, where it was moved to another account.
    """

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
    paid_by: Addressee | None = None
    paid_for: str = ""

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
    """What notices about these payments say, in the order of their ids. One statement, and one where any was moved."""
    payments = Payment.objects.filter(pk__among=list(payment_ids)).order_by("pk")
    counts_for = Subquery(find_moved().values("account_id"))
    rows = payments.annotate(counts_for=counts_for).values_list(
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
        "counts_for",
    )
    listed = list(rows)
    about = {row[0]: AboutPayment(*row[:10], MemberToTell(*row[10:15])) for row in listed}
    return about | _read_moved(about, {row[0]: row[15] for row in listed if row[15]})


def _read_moved(about: Mapping[int, AboutPayment], moved: Mapping[int, int]) -> dict[int, AboutPayment]:
    """Those whose money counts for another account, as of that one."""
    if not moved:
        return {}
    columns = (
        *("pk", "enrollment__plan__product", "enrollment__member_id", "enrollment__member__email"),
        *("enrollment__member__language", "enrollment__member__paperless_bills"),
        "enrollment__member__paperless_notices",
    )
    rows = Account.objects.filter(pk__in=set(moved.values())).values_list(*columns)
    billed = {row[0]: (row[1], MemberToTell(*row[2:])) for row in rows}
    found = {}
    for key, account_id in moved.items():
        first, (product, member) = about[key], billed[account_id]
        bill = {"account_id": account_id, "product": product, "member": member}
        found[key] = replace(first, **bill, paid_by=first.member, paid_for=first.product)
    return found


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
    """Whom a notice about a payment goes to, as `Telling` names them; whether it is the payer, and whose bill it pays.

    A guest's bank account is the guest's own business: only the payer reads of it. What is owed is the member's whose bill it is.
    """

    who: dict[str, Any]
    is_payer: bool
    is_billed: bool
    paid_for: str = ""

    def make_telling(self, *, event: str, facts: Mapping[str, Any]) -> Telling:
        """The notice, without the bank account for who did not pay from it; of the product that its reader paid for."""
        own = {} if self.is_payer else {"last_four": ""}
        if self.paid_for and "product" in facts:
            own["product"] = self.paid_for
        return Telling(event=event, facts={**facts, **own}, **self.who)


def is_paid_by_another(*, payment: AboutPayment) -> bool:
    """Whether somebody who may not be the member paid; a caller who leaves no address is the member."""
    by_phone = payment.channel == PaymentChannel.PHONE and bool(payment.receipt_email)
    return by_phone or payment.channel == PaymentChannel.GUEST


def list_readers(*, payment: AboutPayment) -> list[Reader]:
    """The member whose bill it pays; and who paid, where that is another.

    That is the guest, or the caller who is not the member, at the address they left; and the member who paid, where the money
    was moved to another account.
    """
    is_guest, address = is_paid_by_another(payment=payment), payment.receipt_email
    if not is_guest and payment.paid_by is None:
        who = {"subject": payment.reference, "member": payment.member, "address": address}
        return [Reader(who=who, is_payer=True, is_billed=True)]
    billed = {"subject": payment.reference, "member": payment.member}
    readers = [Reader(who=billed, is_payer=False, is_billed=True)]
    payer: dict[str, Any] = {"subject": f"{payment.reference}:payer", "address": address}
    if not is_guest:
        payer |= {"member": payment.paid_by}
    elif address:
        payer |= {"language": payment.payer_language}
    else:
        return readers
    return [*readers, Reader(who=payer, is_payer=True, is_billed=False, paid_for=payment.paid_for)]


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
