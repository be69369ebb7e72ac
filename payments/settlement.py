"""Settlement: debits settle, post once the return window is over, or come back; and what a return brings with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from django.db import transaction
from django.utils.translation import override

from billing.allocation import clear, lock_accounts, settle
from billing.balances import read_standings
from billing.policy import read_policy
from connector_pay.lib.jobs import Counts
from members.outbox import Telling, tell
from payments.ach.banking_days import add_banking_days, next_banking_day
from payments.ach.return_codes import find_return_code
from payments.bank_accounts import block, list_waiting, validate_all
from payments.coverage_sentences import describe_after_return
from payments.models import (
    PAYMENT_MOVES,
    BankAccountStatus,
    BankFile,
    FileStatus,
    Payment,
    PaymentMove,
    PaymentStatus,
)
from payments.payment_notices import list_facts, list_readers
from payments.recording import CHUNK, cancel_unsent, credit_due, read_with_people, take_back_counted

log = structlog.get_logger(__name__)
NOT_VALIDATED = "The bank account did not pass validation"
MAY_RETURN = (PaymentStatus.RECORDED, PaymentStatus.SENT, PaymentStatus.SETTLED, PaymentStatus.POSTED)
SETTLED_BEFORE = (PaymentStatus.SETTLED, PaymentStatus.POSTED)


@dataclass(frozen=True)
class PaymentReturn:
    """One payment that the bank sent back: its return code (empty if it never went out), and why in words."""

    payment_id: int
    code: str
    why: str


def settle_due(*, today: date, at: datetime) -> Counts:
    """Debits of an accepted file settle on their effective date, and post on the 3rd banking day after it.

    Posting waits until the bank's return file of every banking day from the one after the effective date through today has
    been read. Safe to run twice; each chunk is a transaction. Returns settled, posted, held, and unaccepted: the debits whose
    day has come, but whose file the bank has not accepted.
    """
    credit_due(today=today, at=at)
    settled = sum(_settle(chunk, today=today, at=at) for chunk in _chunk(_find_settling(today)))
    unaccepted = _count_unaccepted(today)
    posted, held = 0, 0
    for effective in _list_posting_days(today):
        waiting = Payment.objects.filter(status=PaymentStatus.SETTLED, effective_date=effective)
        if list_missing_return_files(effective_date=effective, today=today):
            held += waiting.count()
        else:
            ids = waiting.order_by("pk").values_list("pk", flat=True)
            posted += sum(_post(chunk, today=today, at=at) for chunk in _chunk(ids))
    return {"settled": settled, "posted": posted, "held": held, "unaccepted": unaccepted}


def list_missing_return_files(*, effective_date: date, today: date) -> list[date]:
    """The banking days after the effective date, through today, whose return file has not been read."""
    read = BankFile.objects.filter(
        direction=BankFile.Direction.IN, kind=BankFile.Kind.RETURNS, status=FileStatus.READ
    )
    days = set(read.filter(business_date__gt=effective_date).values_list("business_date", flat=True))
    return [day for day in _list_banking_days(effective_date, today) if day not in days]


def return_payments(*, returns: Sequence[PaymentReturn], today: date, at: datetime) -> list[int]:
    """Payments that came back were never received: credit taken off, bills open again, the member told what to do.

    What the return code says is done to the bank account. A payment already returned or canceled is left as it is. Returns the
    ids of those that are returned now.
    """
    ids = [item.payment_id for item in returns]
    moved: list[int] = []
    with transaction.atomic():
        lock_accounts(account_ids=Payment.objects.filter(pk__in=ids).values_list("account_id", flat=True))
        for before in MAY_RETURN:
            back = _move_back(returns, before=before, at=at)
            settled = before in SETTLED_BEFORE
            why = "returned by the bank" if before != PaymentStatus.RECORDED else NOT_VALIDATED
            take_back_counted(
                payments=read_with_people(payment_ids=back), settled=settled, why=why, today=today, at=at
            )
            moved += back
        done = {item.payment_id: item for item in returns if item.payment_id in set(moved)}
        payments = read_with_people(payment_ids=done)
        _follow_codes(payments, at=at)
        _tell_returned(payments, done, today=today, at=at)
    return sorted(moved)


def validate_waiting(*, today: date, at: datetime, bank_account_ids: Iterable[int] | None = None) -> Counts:
    """Validate the accounts that payments and AutoPay wait for, and stop the payments of those that cannot be used.

    Never inside a transaction: a method may call over a network. Without ids, every account that waits.
    """
    waiting = list_waiting()
    if bank_account_ids is not None:
        waiting = waiting.filter(pk__in=list(bank_account_ids))
    counts = validate_all(bank_accounts=waiting.select_related("sealed"), at=at)
    return {**counts, **stop_unusable(today=today, at=at)}


def stop_unusable(*, today: date, at: datetime) -> Counts:
    """A recorded payment whose bank account failed validation is returned; one whose account was blocked is canceled."""
    recorded = Payment.objects.filter(status=PaymentStatus.RECORDED).order_by("pk")
    failed = recorded.filter(bank_account__status=BankAccountStatus.FAILED).values_list("pk", flat=True)
    blocked = recorded.filter(bank_account__status=BankAccountStatus.BLOCKED).values_list("pk", flat=True)
    returns = [PaymentReturn(payment_id=key, code="", why=NOT_VALIDATED) for key in failed]
    returned = return_payments(returns=returns, today=today, at=at) if returns else []
    ids = list(blocked)
    canceled = (
        cancel_unsent(payment_ids=ids, today=today, at=at, why="the bank account was blocked") if ids else []
    )
    return {"returned": len(returned), "canceled": len(canceled)}


def _find_settling(today: date) -> Iterable[int]:
    due = Payment.objects.filter(
        status=PaymentStatus.SENT, effective_date__lte=today, entry__file__status=FileStatus.ACCEPTED
    )
    return due.order_by("pk").values_list("pk", flat=True)


def _count_unaccepted(today: date) -> int:
    count = Payment.objects.filter(status=PaymentStatus.SENT, effective_date__lte=today).count()
    if count:
        log.error("debits are due in files that the bank has not accepted", count=count)
    return count


def _list_posting_days(today: date) -> list[date]:
    """The effective dates of settled debits that are old enough to post."""
    effective = Payment.objects.filter(status=PaymentStatus.SETTLED).order_by("effective_date")
    days = effective.values_list("effective_date", flat=True).distinct()
    count = read_policy().posting_banking_days
    return [day for day in days if day and add_banking_days(day=day, count=count) <= today]


def _list_banking_days(after: date, until: date) -> Iterator[date]:
    day = next_banking_day(day=after)
    while day <= until:
        yield day
        day = next_banking_day(day=day)


def _chunk(ids: Iterable[int]) -> Iterator[list[int]]:
    keys = list(ids)
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _settle(ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        lock_accounts(account_ids=Payment.objects.filter(pk__in=ids).values_list("account_id", flat=True))
        moved = PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=PaymentStatus.SENT,
            after=PaymentStatus.SETTLED,
            at=at,
        )
        settle(references=[f"payment:{key}" for key in moved], today=today, at=at)
    return len(moved)


def _post(ids: list[int], *, today: date, at: datetime) -> int:
    with transaction.atomic():
        lock_accounts(account_ids=Payment.objects.filter(pk__in=ids).values_list("account_id", flat=True))
        moved = PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=PaymentStatus.SETTLED,
            after=PaymentStatus.POSTED,
            at=at,
            changes={"posted_on": today},
        )
        clear(references=[f"payment:{key}" for key in moved], today=today, at=at)
    return len(moved)


def _move_back(returns: Sequence[PaymentReturn], *, before: PaymentStatus, at: datetime) -> list[int]:
    """Move those that stand in `before`; one statement for each code and reason among them."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for item in returns:
        by_reason.setdefault((item.code, item.why), []).append(item.payment_id)
    return [
        key
        for (code, why), ids in sorted(by_reason.items())
        for key in PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=before,
            after=PaymentStatus.RETURNED,
            at=at,
            why=f"{code} {why}".strip()[:200],
            changes={"return_code": code},
        )
    ]


def _follow_codes(payments: Sequence[Payment], *, at: datetime) -> None:
    """Block the bank accounts whose return code says so; log what staff must look at today."""
    for payment in payments:
        if not payment.return_code:
            continue
        row = find_return_code(code=payment.return_code)
        if row.blocks_account:
            block(bank_account_ids={payment.bank_account_id}, at=at, why=f"{row.code} {row.title}"[:200])
        if row.alarm or not row.is_known:
            log.error("return needs staff", payment=payment.pk, code=row.code, words=row.words_for_staff)


def _tell_returned(
    payments: Sequence[Payment], returns: dict[int, PaymentReturn], *, today: date, at: datetime
) -> None:
    """Each member hears what is owed now and what paying today does; the bank's reason goes only to the payer."""
    account_ids = {payment.account_id for payment in payments}
    standings = read_standings(account_ids=account_ids, today=today)
    tellings = []
    for payment in payments:
        standing = standings[payment.account_id]
        with override(payment.account.enrollment.member.language):
            effect = describe_after_return(
                standing=standing, today=today, due_date_rule=standing.due_date_rule
            )
        facts = list_facts(payment=payment) | {"effect": effect}
        if standing.due_cents:
            facts |= {"due_cents": standing.due_cents, "due_date": standing.due_date}
        tellings += _list_tellings(payment, facts, reason=_find_reason(returns[payment.pk]))
    tell(tellings=tellings, today=today, at=at)


def _list_tellings(payment: Payment, facts: dict[str, object], *, reason: str) -> list[Telling]:
    tellings = []
    for reader in list_readers(payment=payment):
        # What is owed is the member's: a guest who paid is told only what became of the payment.
        told = facts if "member" in reader.who else list_facts(payment=payment) | {"effect": ""}
        why = {"reason": reason} if reader.is_payer else {}
        tellings.append(reader.make_telling(event="payment_returned", facts=told | why))
    return tellings


def _find_reason(returned: PaymentReturn) -> str:
    if not returned.code:
        return "We could not confirm the bank account. Please check the routing and account numbers."
    return find_return_code(code=returned.code).words_for_member
