"""A scratch exchange for the benchmarks: members who have paid, their debits sent, accepted and settled."""

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import uuid4

from django.conf import settings

from billing.allocation import NewReceipt, apply
from billing.invoices import issue_missing
from billing.models import Account
from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.models import SealedValue
from members.models import Enrollment, Member, PremiumRate
from payments import tasks
from payments.bank_accounts import index_number, seal_number
from payments.confirmation import make_number
from payments.models import Authorization, BankAccount, BankAccountMove, FileEntry, Payment
from tests.people import make_plan

ENROLLED, PAID, SETTLED = date(2027, 1, 5), date(2027, 1, 12), date(2027, 1, 13)
START = date(2027, 2, 1)
ROUTING, PREMIUM = "011000015", 284_17


def noon(day: date) -> datetime:
    """Noon Eastern of a day."""
    return eastern_moment(day=day, at=time(12))


def settle_payments(*, count: int) -> None:
    """So many members, each with a first bill paid on January 12 by a debit that settled on January 13."""
    enroll(count=count)
    issue_missing(today=ENROLLED, at=noon(ENROLLED))
    _pay(list(Account.objects.order_by("pk").values_list("pk", flat=True)))
    tasks.send_files(day=PAID, at=eastern_moment(day=PAID, at=time(17)))
    tasks.read_bank(day=SETTLED, at=eastern_moment(day=SETTLED, at=time(7)))
    tasks.settle_due(day=SETTLED, at=eastern_moment(day=SETTLED, at=time(8)))
    assert Payment.objects.filter(status="settled").count() == count


def list_entries() -> Sequence[FileEntry]:
    """Every debit that went out, with its payment and bank account."""
    return list(FileEntry.objects.select_related("payment__bank_account__sealed").order_by("pk"))


def enroll(*, count: int) -> None:
    """So many members who wait for their first bill."""
    plan, at = make_plan(), noon(ENROLLED)
    members = Member.objects.bulk_create(
        Member(
            member_id=f"0034{number:08d}",
            first_name="Alice",
            last_name="Alvarez",
            date_of_birth=date(1986, 4, 9),
            email=f"member{number}@example.org",
            phone=f"+1617555{number % 10_000:04d}",
            street=f"{number} Beacon Street",
            city="Boston",
            state="MA",
            zip_code="02108",
        )
        for number in range(1, count + 1)
    )
    enrollments = Enrollment.objects.bulk_create(
        Enrollment(
            external_id=f"E{number:09d}",
            member=member,
            plan=plan,
            requested_start=START,
            coverage_start=START,
            window_ends=date(2027, 4, 2),
            enrolled_at=at,
        )
        for number, member in enumerate(members, start=1)
    )
    PremiumRate.objects.bulk_create(
        PremiumRate(
            enrollment=enrollment, from_month=START, premium_cents=PREMIUM, subsidy_cents=0, recorded_at=at
        )
        for enrollment in enrollments
    )


def _pay(account_ids: Sequence[int]) -> None:
    at = noon(PAID)
    numbers = [f"48200{key:07d}" for key in account_ids]
    sealed = SealedValue.objects.bulk_create(seal_number(account_number=number) for number in numbers)
    banks = BankAccount.objects.bulk_create(
        BankAccount(
            holder_name="Alice Alvarez",
            kind="checking",
            routing_number=ROUTING,
            last_four=number[-4:],
            blind_index=index_number(routing_number=ROUTING, account_number=number),
            sealed=value,
            status="valid",
            added_at=at,
        )
        for number, value in zip(numbers, sealed, strict=True)
    )
    BankAccountMove.objects.bulk_create(
        BankAccountMove(bank_account=bank, before="unchecked", after="valid", at=at) for bank in banks
    )
    proofs = Authorization.objects.bulk_create(
        Authorization(
            account_id=key,
            bank_account=bank,
            channel="guest",
            sec_code="WEB",
            amount_cents=PREMIUM,
            debit_on_or_after=PAID,
            text=f"I authorize {settings.EXCHANGE['name']} to take $284.17 once.",
            text_version="single-debit-1",
            language="en",
            payer_name="Alice Alvarez",
            account_last_four=bank.last_four,
            given_at=at,
        )
        for key, bank in zip(account_ids, banks, strict=True)
    )
    payments = Payment.objects.bulk_create(
        Payment(
            confirmation_number=make_number(),
            account_id=key,
            bank_account=bank,
            authorization=proof,
            amount_cents=PREMIUM,
            received_date=PAID,
            channel="guest",
            form_key=uuid4(),
            coverage_sentence="Received today, your coverage starts February 1.",
            recorded_at=at,
        )
        for key, bank, proof in zip(account_ids, banks, proofs, strict=True)
    )
    receipts = [NewReceipt(item.account_id, item.reference, item.amount_cents, PAID) for item in payments]
    apply(receipts=receipts, today=PAID, at=at)
