"""A caller pays while one of the staff is on the line: what is read aloud, the caller's yes, and the payment it makes.

The same rules and the same recording as online, single debits only; the bank account is kept for refunds and proof alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import override

from billing.balances import Standing
from members.models import User
from payments.bank_accounts import BankDetails
from payments.coverage_sentences import Whose
from payments.models import Payment, PaymentChannel
from payments.payables import Payable, make_payables
from payments.recording import Payer, PaymentItem, UnableToRecord, record_as_told
from payments.statements import ORAL_VERSION, describe_effect, oral_authorization_text

CHANGED = "Something changed during the call. Read the words once more."


@dataclass(frozen=True)
class Call:
    """What the caller wants to pay, from which account, and in which language; `email` is a caller's who is not the member."""

    amounts: Mapping[int, int]
    bank: BankDetails
    language: str = "en"
    email: str = ""

    @property
    def whose(self) -> Whose:
        """Whether the caller hears of their own coverage."""
        return "the" if self.email else "your"


@dataclass(frozen=True)
class Reading:
    """What is read aloud for one payment: its bill, its cents, what it does to coverage, and the words to agree to."""

    account_id: int
    label: str
    amount_cents: int
    sentence: str
    authorization: str

    @property
    def shown(self) -> dict[str, Any]:
        """What must still be so when the caller has said yes."""
        return {
            "account": self.account_id,
            "cents": self.amount_cents,
            "sentence": self.sentence,
            "text": self.authorization,
        }


def prepare_readings(*, call: Call, standings: Mapping[int, Standing], today: date) -> list[Reading]:
    """What is read to the caller, as things stand. Raises UnableToRecord for an account that cannot be paid."""
    with override(call.language):
        payables = {item.account_id: item for item in make_payables(standings=standings)}
        if missing := [key for key in call.amounts if key not in payables]:
            raise UnableToRecord(f"Account {missing[0]} cannot be paid: it has ended, and nothing is due.")
        return [
            _prepare(payables[key], cents, call=call, today=today)
            for key, cents in sorted(call.amounts.items())
        ]


def take_payment(
    *,
    call: Call,
    shown: Sequence[Mapping[str, Any]],
    by: User,
    beside: Sequence[int] = (),
    form_key: UUID,
    today: date,
    at: datetime,
) -> list[Payment]:
    """The caller said yes to what was read: the payments are recorded, all or none, with who heard it; a confirmation is written.

    If what was read is no longer so, nothing is recorded. Raises UnableToRecord, UnableToUseBankAccount.
    """

    def prepare(standings: Mapping[int, Standing], in_progress: Sequence[Payment]) -> list[PaymentItem]:
        readings = prepare_readings(call=call, standings=standings, today=today)
        if [reading.shown for reading in readings] != list(shown):
            raise UnableToRecord(CHANGED)
        return [_make_item(reading, today=today) for reading in readings]

    payer = Payer(
        channel=PaymentChannel.PHONE,
        user=None,
        name=call.bank.holder_name,
        language=call.language,
        receipt_email=call.email,
        taken_by=by,
    )
    return record_as_told(
        payer=payer,
        bank=call.bank,
        account_ids=sorted(call.amounts),
        beside=beside,
        prepare=prepare,
        form_key=form_key,
        today=today,
        at=at,
    )


def _make_item(reading: Reading, *, today: date) -> PaymentItem:
    return PaymentItem(
        account_id=reading.account_id,
        amount_cents=reading.amount_cents,
        received_date=today,
        coverage_sentence=reading.sentence,
        authorization_text=reading.authorization,
        text_version=ORAL_VERSION,
    )


def _prepare(payable: Payable, cents: int, *, call: Call, today: date) -> Reading:
    standing = payable.standing
    sentence = describe_effect(
        standing=standing,
        amount_cents=cents,
        received_date=today,
        today=today,
        due_date_rule=standing.due_date_rule,
        whose=call.whose,
    )
    text = oral_authorization_text(
        payee=settings.EXCHANGE["name"],
        payer=call.bank.holder_name,
        amount_cents=cents,
        debit_on=today,
        last_four=call.bank.last_four,
        bill=payable.label,
        today=today,
        language=call.language,
    )
    return Reading(payable.account_id, payable.label, cents, sentence, text)
