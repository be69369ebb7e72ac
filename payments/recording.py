"""Recording a payment: what the payer authorized is kept, the money counts as received, all or nothing, once a form."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from billing.allocation import NewReceipt, apply_locked, lock_accounts, take_back
from billing.balances import Standing, read_standings_of
from billing.models import Account, Receipt
from connector_pay.lib.lanes import run_in_lanes
from connector_pay.lib.money import format_dollars
from members.models import EnrollmentStatus, User
from payments.bank_accounts import BankDetails, refuse_unusable, register
from payments.confirmation import make_number
from payments.models import (
    Authorization,
    BankAccount,
    Payment,
    PaymentChannel,
    PaymentStatus,
)
from payments.payables import are_in_progress
from payments.payment_notices import tell_recorded
from payments.statements import AUTHORIZATION_VERSION, amount_limits

CHUNK = 2_000  # payments, or accounts, a transaction
ATTEMPTS = 3
ONE_PER_FORM = "one_payment_per_form"
SEC_CODES = {PaymentChannel.PHONE.value: "TEL"}  # of authorizations given elsewhere than on the internet
PAYS_TODAY = (PaymentChannel.GUEST, PaymentChannel.PHONE)
UNDER_WAY = (PaymentStatus.RECORDED, PaymentStatus.SENDING, PaymentStatus.SENT)


class UnableToRecord(ValueError):
    """The payment cannot be taken as it is; the text says why, for the page. Nothing was recorded."""


@dataclass(frozen=True)
class Payer:
    """Who pays, and from where: what the proof of authorization keeps."""

    channel: str
    user: User | None
    name: str
    session_digest: str = ""
    address: str | None = None
    browser: str = ""
    language: str = "en"
    receipt_email: str = ""
    taken_by: User | None = None


@dataclass(frozen=True)
class PaymentItem:
    """One debit that the payer authorized: cents, the day it counts as received, what they were told and what they agreed to.

    `due_was_shown` is False for a guest who was shown nothing of the account: only the flat limits hold.
    """

    account_id: int
    amount_cents: int
    received_date: date
    coverage_sentence: str
    authorization_text: str
    due_was_shown: bool = True
    text_version: str = AUTHORIZATION_VERSION


Prepare = Callable[[Mapping[int, Standing], Sequence[Payment]], Sequence[PaymentItem]]


def record_payments(
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    items: Sequence[PaymentItem],
    form_key: UUID,
    today: date,
    at: datetime,
) -> list[Payment]:
    """Record each item's payment with its authorization, all or none; what is received today counts at once.

    A form key that was used before records nothing and returns what it made then.
    Raises UnableToRecord, UnableToUseBankAccount.
    """
    return record_as_told(
        payer=payer,
        bank=bank,
        account_ids=[item.account_id for item in items],
        prepare=lambda standings, in_progress: items,
        form_key=form_key,
        today=today,
        at=at,
    )


def record_as_told(
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    account_ids: Sequence[int],
    beside: Iterable[int] = (),
    prepare: Prepare,
    form_key: UUID,
    today: date,
    at: datetime,
) -> list[Payment]:
    """`record_payments` of what `prepare` makes under the lock, from the standings and payments in progress it finds there.

    It raises UnableToRecord if what the payer was told no longer holds. The standings of the accounts `beside` are read as
    well: they decide what a bill is called.
    """
    if not account_ids or len(set(account_ids)) < len(account_ids):
        raise UnableToRecord(_("Choose what to pay, each bill once"))
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                lock_accounts(account_ids=account_ids)
                return _record(
                    payer=payer,
                    bank=bank,
                    account_ids=account_ids,
                    beside=beside,
                    prepare=prepare,
                    form_key=form_key,
                    today=today,
                    at=at,
                )
        except IntegrityError as error:
            constraint = _name_constraint(error)
            if constraint == ONE_PER_FORM:
                return find_recorded(form_key=form_key)
            if "confirmation_number" not in constraint:
                raise
    raise UnableToRecord(_("We could not give your payment a confirmation number. Try again"))


def find_recorded(*, form_key: UUID) -> list[Payment]:
    """The payments that this form has made, none if it has not been sent before."""
    payments = Payment.objects.filter(form_key=form_key).select_related(
        "account__enrollment__plan", "account__enrollment__member", "bank_account", "authorization"
    )
    return list(payments.order_by("pk"))


def credit_due(*, today: date, at: datetime) -> int:
    """Count scheduled payments whose received date has come; returns how many. Safe to run twice, resumes in chunks.

    A few chunks of accounts at once, each a transaction: all that counts for one account counts together, or a run that comes
    late would judge its start by half of the money.
    """
    waiting = find_uncounted(Q(received_date__lte=today)).order_by("account_id")
    keys = list(waiting.values_list("account_id", flat=True).distinct())
    chunks = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
    return sum(run_in_lanes(work=partial(_credit_chunk, today=today, at=at), parts=chunks))


def _credit_chunk(account_ids: Sequence[int], *, today: date, at: datetime) -> int:
    """Count what waits for these accounts; returns how many payments."""
    with transaction.atomic():
        lock_accounts(account_ids=account_ids)
        # Read only under the lock: one of them may have been canceled meanwhile.
        return _credit_locked(account_ids, today=today, at=at)


def _credit_locked(account_ids: Sequence[int], *, today: date, at: datetime) -> int:
    due = find_uncounted(Q(account__among=list(account_ids), received_date__lte=today))
    rows = due.order_by("account_id", "received_date", "pk").values_list(
        "account_id", "pk", "amount_cents", "received_date"
    )
    receipts = [NewReceipt(account_id, f"payment:{key}", cents, day) for account_id, key, cents, day in rows]
    if receipts:
        apply_locked(receipts=receipts, today=today, at=at)
    return len(receipts)


def take_back_counted(
    *, payment_ids: Iterable[int], settled: bool, why: str, today: date, at: datetime
) -> None:
    """Take back the money of those payments that has been counted; a scheduled one may never have been."""
    references = [f"payment:{key}" for key in payment_ids]
    counted = Receipt.objects.filter(reference__among=references).values_list("reference", flat=True)
    if counted:
        take_back(references=list(counted), settled=settled, why=why, today=today, at=at)


def find_accounts(*, payment_ids: Iterable[int]) -> set[int]:
    """The accounts to lock before these payments move: theirs, and those for which staff found their money to be."""
    ids = list(payment_ids)
    references = [f"payment:{key}" for key in ids]
    receipts = Receipt.objects.filter(reference__among=references)
    payments = Payment.objects.filter(pk__among=ids)
    return {*payments.values_list("account_id", flat=True), *receipts.values_list("account_id", flat=True)}


def read_with_people(*, payment_ids: Iterable[int]) -> list[Payment]:
    """The payments with all that a notice about them names, in the order of their ids."""
    payments = Payment.objects.filter(pk__in=list(payment_ids)).select_related(
        "account__enrollment__plan", "account__enrollment__member", "bank_account__owner", "authorization"
    )
    return list(payments.order_by("pk"))


def find_uncounted(which: Q) -> QuerySet[Payment]:
    """Those of the payments under way that are not counted yet: scheduled ones, and AutoPay's drafts until their day."""
    # Each is looked up by its reference, so that what is past costs nothing.
    reference = Concat(Value("payment:"), Cast(OuterRef("pk"), CharField()))
    receipt = Subquery(Receipt.objects.filter(reference=reference).values("pk")[:1])
    under_way = Payment.objects.filter(which, status__in=UNDER_WAY)
    return under_way.annotate(receipt=receipt).filter(receipt=None)


def find_bank_account(bank: BankDetails | BankAccount, *, payer: Payer, at: datetime) -> BankAccount:
    """A saved account of the payer's own, or the typed one registered. Raises UnableToRecord, UnableToUseBankAccount."""
    if isinstance(bank, BankDetails):
        return register(details=bank, owner=payer.user, at=at)
    saved = BankAccount.objects.get(pk=bank.pk)
    if payer.user is None or saved.owner_id != payer.user.pk or saved.hidden_at:
        raise UnableToRecord(_("Choose one of your own bank accounts"))
    refuse_unusable(bank_account=saved)
    return saved


def _record(
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    account_ids: Sequence[int],
    beside: Iterable[int],
    prepare: Prepare,
    form_key: UUID,
    today: date,
    at: datetime,
) -> list[Payment]:
    # Read under the lock: this form, another payment or the nightly review may have come first.
    known = list(Payment.objects.filter(Q(form_key=form_key) | are_in_progress(account_ids=account_ids)))
    if any(payment.form_key == form_key for payment in known):
        return find_recorded(form_key=form_key)
    # What was scheduled for a day that has come is first in line, though the night's run has not counted it yet.
    if any(payment.received_date <= today and payment.status in UNDER_WAY for payment in known):
        _credit_locked(account_ids, today=today, at=at)
    accounts = Account.objects.select_related("enrollment__plan", "enrollment__member").in_bulk(
        {*account_ids, *beside}
    )
    standings = read_standings_of(accounts=accounts.values(), today=today)
    for key in account_ids:
        _refuse_expired(standings[key].enrollment_status == EnrollmentStatus.EXPIRED)
    items = prepare(standings, known)
    for item in items:
        _refuse_day(item, payer=payer, today=today)
        _refuse_item(item, standings[item.account_id], today=today)
    payments = _write_payments(items, accounts, payer=payer, bank=bank, form_key=form_key, at=at)
    received = [_make_receipt(payment) for payment in payments if payment.received_date == today]
    if received:
        # Money a moment too late for the last month of the enrollment window ends the enrollment.
        reviewed = apply_locked(receipts=received, standings=standings, today=today, at=at)
        _refuse_expired(reviewed["expired"] > 0)
    tell_recorded(payments=payments, today=today, at=at)
    return payments


def _write_payments(
    items: Sequence[PaymentItem],
    accounts: Mapping[int, Account],
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    form_key: UUID,
    at: datetime,
) -> list[Payment]:
    """The rows, each payment with its proof. Raises UnableToRecord, UnableToUseBankAccount."""
    bank_account = find_bank_account(bank, payer=payer, at=at)
    authorizations = Authorization.objects.bulk_create(
        _make_authorization(item, payer=payer, bank_account=bank_account, at=at) for item in items
    )
    return Payment.objects.bulk_create(
        _make_payment(
            item,
            proof,
            account=accounts[item.account_id],
            payer=payer,
            bank_account=bank_account,
            form_key=form_key,
            at=at,
        )
        for item, proof in zip(items, authorizations, strict=True)
    )


def _refuse_expired(has_expired: bool) -> None:
    """Raises UnableToRecord for an enrollment that has expired."""
    if has_expired:
        raise UnableToRecord(_("This enrollment has ended. Call us before you pay"))


def _refuse_day(item: PaymentItem, *, payer: Payer, today: date) -> None:
    """Raises UnableToRecord for a day that has passed, or a later day of who is not signed in."""
    if item.received_date < today:
        raise UnableToRecord(_("The payment date has passed. Choose today or a later day"))
    if item.received_date > today and payer.channel in PAYS_TODAY:
        raise UnableToRecord(_("To schedule a payment for a later day, sign in"))


def _refuse_item(item: PaymentItem, standing: Standing, *, today: date) -> None:
    """Raises UnableToRecord for an amount out of bounds, or a day after the due date."""
    limits = amount_limits(standing=standing if item.due_was_shown else None)
    if item.amount_cents < limits.minimum:
        raise UnableToRecord(_("Enter an amount of at least %s") % format_dollars(limits.minimum))
    if item.amount_cents > limits.maximum:
        raise UnableToRecord(_("Enter an amount of %s or less") % format_dollars(limits.maximum))
    last_day = max(today, standing.due_date or today)
    if item.received_date > last_day:
        raise UnableToRecord(_("Choose a payment date up to the due date"))


def _make_authorization(
    item: PaymentItem, *, payer: Payer, bank_account: BankAccount, at: datetime
) -> Authorization:
    return Authorization(
        account_id=item.account_id,
        bank_account=bank_account,
        channel=payer.channel,
        sec_code=SEC_CODES.get(payer.channel, "WEB"),
        amount_cents=item.amount_cents,
        debit_on_or_after=item.received_date,
        text=item.authorization_text,
        text_version=item.text_version,
        language=payer.language,
        payer_name=payer.name[:80],
        account_last_four=bank_account.last_four,
        given_at=at,
        given_by=payer.user,
        taken_by=payer.taken_by,
        address=payer.address,
        browser=payer.browser[:300],
    )


def _make_payment(
    item: PaymentItem,
    authorization: Authorization,
    *,
    account: Account,
    payer: Payer,
    bank_account: BankAccount,
    form_key: UUID,
    at: datetime,
) -> Payment:
    return Payment(
        confirmation_number=make_number(),
        account=account,
        bank_account=bank_account,
        authorization=authorization,
        amount_cents=item.amount_cents,
        received_date=item.received_date,
        channel=payer.channel,
        form_key=form_key,
        session_digest=payer.session_digest,
        coverage_sentence=item.coverage_sentence,
        receipt_email=payer.receipt_email,
        recorded_at=at,
    )


def _make_receipt(payment: Payment) -> NewReceipt:
    return NewReceipt(
        account_id=payment.account_id,
        reference=payment.reference,
        cents=payment.amount_cents,
        received_date=payment.received_date,
    )


def _name_constraint(error: IntegrityError) -> str:
    """The constraint that PostgreSQL names; empty for a failure of another kind."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
