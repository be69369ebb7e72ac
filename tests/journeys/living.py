"""What people do in a story: enroll, pay, cancel; always at the diary's moment, and told what paying does before it does."""

from datetime import date, time
from typing import Any
from uuid import uuid4

from billing.balances import Standing, read_standing
from billing.due_date_overrides import read_due_date
from billing.invoices import issue_missing
from billing.models import Account
from connector_pay.lib.clock import eastern_moment
from members.models import Enrollment
from payments.bank_accounts import BankDetails
from payments.canceling import cancel_payment
from payments.models import BankAccount, Payment, PaymentChannel
from payments.recording import Payer, PaymentItem, record_payments
from payments.statements import authorization_text, describe_effect
from tests.diary import Diary
from tests.payments.paying import GOOD, PREMIUM, make_details
from tests.people import make_enrollment, make_user

NO_MONEY = "1000000001"  # R01, three banking days after the debit
CLOSED_ACCOUNT = "1000000002"  # R02, after two
NOT_AUTHORIZED = "1000000010"  # R10, after eight
CORRECTED = "1000000098"  # paid, C01 after two
NOT_VALID = "1000000099"  # fails its validation
JUST_BEFORE_FIVE, JUST_AFTER_FIVE = time(16, 59, 59), time(17, 0, 1)


def enroll(diary: Diary, **facts: Any) -> Account:
    """Someone who enrolled just now and has the first bill: $284.17 for February 1, 2027, unless told otherwise."""
    enrollment = make_enrollment(at=diary.moment, **facts)
    issue_missing(today=diary.today, at=diary.moment)
    return Account.objects.get(enrollment=enrollment)


def pay(
    diary: Diary,
    account: Account,
    cents: int = PREMIUM,
    *,
    on: date | None = None,
    number: str = GOOD,
    saved: BankAccount | None = None,
    guest: bool = False,
) -> Payment:
    """Pay now, or schedule for a day; as the member unless as a guest."""
    received = on or diary.today
    bank: BankAccount | BankDetails = saved or make_details(number)
    facts: dict[str, Any] = {"amount_cents": cents, "received_date": received}
    sentence = describe_effect(
        standing=see(diary, account),
        today=diary.today,
        due_date_rule=read_due_date(account_id=account.pk),
        **facts,
    )
    text = authorization_text(
        payee="the exchange", amount_cents=cents, debit_on=received, last_four=bank.last_four
    )
    (payment,) = record_payments(
        payer=make_payer(account, guest=guest),
        bank=bank,
        items=[PaymentItem(account.pk, cents, received, sentence, text)],
        form_key=uuid4(),
        today=diary.today,
        at=diary.moment,
    )
    return payment


def make_payer(account: Account, *, guest: bool) -> Payer:
    """The member, signed in; or somebody else."""
    if guest:
        return Payer(
            channel=PaymentChannel.GUEST, user=None, name="Grace Guest", receipt_email="grace@example.org"
        )
    member = account.enrollment.member
    user = getattr(member, "user", None) or make_user(member=member)
    return Payer(channel=PaymentChannel.WEB, user=user, name=member.full_name)


def cancel(diary: Diary, payment: Payment) -> None:
    """The payer cancels."""
    cancel_payment(payment_id=payment.pk, today=diary.today, at=diary.moment, why="canceled by the payer")


def see(diary: Diary, account: Account) -> Standing:
    """How the account stands today."""
    return read_standing(account_id=account.pk, today=diary.today)


def read_coverage(account: Account) -> tuple[str, date]:
    """Where coverage stands, and the day it starts."""
    enrollment = Enrollment.objects.get(account=account)
    return enrollment.status, enrollment.coverage_start


def read_payment(payment: Payment) -> tuple[str, date | None]:
    """Where a payment stands, and the day of its debit."""
    payment.refresh_from_db()
    return payment.status, payment.effective_date


def go_to(diary: Diary, day: date, at: time = time(12)) -> None:
    """Live until an Eastern time of a day."""
    diary.go_to(eastern_moment(day=day, at=at))
