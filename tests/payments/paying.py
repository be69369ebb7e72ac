"""What the tests of payments do: bill someone, pay from a bank account, live a day of the bank."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID, uuid4

from billing.balances import read_standing
from billing.due_date_overrides import read_due_date
from billing.invoices import issue_missing
from billing.models import Account
from connector_pay.lib.clock import eastern_moment
from payments import tasks
from payments.ach.banking_days import is_banking_day
from payments.bank_accounts import BankDetails
from payments.models import BankAccount, Payment, PaymentChannel
from payments.recording import Payer, PaymentItem, record_payments
from payments.statements import authorization_text, describe_effect
from tests.people import make_enrollment

PREMIUM = 284_17
ENROLLED = date(2027, 1, 5)
TUESDAY = date(2027, 1, 12)  # an ordinary day: debit on the 13th, final on the 19th, the 18th is a holiday
FEBRUARY = date(2027, 2, 1)
ROUTING = "011000015"
GOOD = "482001234567"


def noon(day: date) -> datetime:
    """Noon Eastern of a day, in UTC."""
    return eastern_moment(day=day, at=time(12))


def make_account(*, today: date = ENROLLED, **facts: Any) -> Account:
    """The account of a new enrollment with its first bill: $284.17 for February 1, 2027, unless told otherwise."""
    enrollment = make_enrollment(**facts)
    issue_missing(today=today, at=noon(today))
    return Account.objects.get(enrollment=enrollment)


def make_details(number: str = GOOD, **facts: Any) -> BankDetails:
    """Alice's checking account."""
    return BankDetails(
        **{
            "holder_name": "Alice Alvarez",
            "kind": "checking",
            "routing_number": ROUTING,
            "account_number": number,
        }
        | facts
    )


def make_payer(**facts: Any) -> Payer:
    """A guest who is Alice."""
    return Payer(**{"channel": PaymentChannel.GUEST, "user": None, "name": "Alice Alvarez"} | facts)


def make_item(
    account: Account,
    cents: int = PREMIUM,
    *,
    today: date = TUESDAY,
    received: date | None = None,
    **facts: Any,
) -> PaymentItem:
    """One payment as the review page shows it."""
    day = received or today
    sentence = describe_effect(
        standing=read_standing(account_id=account.pk, today=today),
        amount_cents=cents,
        received_date=day,
        today=today,
        due_date_rule=read_due_date(account_id=account.pk),
    )
    text = authorization_text(payee="the exchange", amount_cents=cents, debit_on=day, last_four=GOOD[-4:])
    return PaymentItem(account.pk, cents, day, sentence, text, **facts)


def pay_items(
    items: Sequence[PaymentItem],
    *,
    today: date = TUESDAY,
    bank: BankDetails | BankAccount | None = None,
    payer: Payer | None = None,
    form_key: UUID | None = None,
) -> list[Payment]:
    """Record the payments at noon."""
    return record_payments(
        payer=payer or make_payer(),
        bank=bank or make_details(),
        items=items,
        form_key=form_key or uuid4(),
        today=today,
        at=noon(today),
    )


def pay(
    account: Account,
    cents: int = PREMIUM,
    *,
    today: date = TUESDAY,
    received: date | None = None,
    number: str = GOOD,
    routing_number: str = ROUTING,
    payer: Payer | None = None,
) -> Payment:
    """Pay one bill from the account of this number."""
    items = [make_item(account, cents, today=today, received=received)]
    (payment,) = pay_items(
        items, today=today, bank=make_details(number, routing_number=routing_number), payer=payer
    )
    return payment


def send(day: date) -> dict[str, int]:
    """17:00 of a day."""
    return dict(tasks.send_files(day=day, at=eastern_moment(day=day, at=time(17))))


def read(day: date) -> dict[str, int]:
    """07:00 of a day."""
    return dict(tasks.read_bank(day=day, at=eastern_moment(day=day, at=time(7))))


def settle(day: date) -> dict[str, int]:
    """08:00 of a day."""
    return dict(tasks.settle_due(day=day, at=eastern_moment(day=day, at=time(8))))


def live(first: date, last: date) -> None:
    """The bank's work of every day from the first to the last, in the day's order; reviews and new bills left out."""
    day = first
    while day <= last:
        tasks.credit_due(day=day, at=eastern_moment(day=day, at=time(0, 1)))
        read(day)
        if is_banking_day(day=day):
            settle(day)
            send(day)
        day = date.fromordinal(day.toordinal() + 1)
