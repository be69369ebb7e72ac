"""Extensions: a due date is moved to a later day by policy, for one account at once, for everyone from the next review."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing.accounts import lock_accounts
from billing.due_date_overrides import note_reviewed, read_due_date, read_first_due_date
from billing.due_dates import first_of_month, next_month
from billing.models import Account, Correction, DueDateOverride, Invoice
from billing.overdue import find_touched, review_locked
from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from connector_pay.lib.templatetags.exchange import long_date


class UnableToExtend(ValueError):
    """The due date cannot be moved so; the text says why, for staff. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many a due date of a month for everyone concerns: bills still to pay, and starts that it may give back."""

    due_date: date
    unpaid_bills: int
    starts: int


def extend(*, correction: Correction, today: date, at: datetime) -> DueDateOverride:
    """Give an account, or everyone, until a later day to pay for a month. It is only ever moved later: people were told it.

    However often an account is given more time, it is never more than the longest extension past what holds for others.
    A start that was pushed past the month, with its first payment received by the new day, is given back: one account's at
    once, everyone's in the next nightly review. A correction extends once. Raises UnableToExtend.
    """
    account_id = correction.account_id
    with transaction.atomic():
        if account_id is not None:
            lock_accounts(account_ids=[account_id])
        known = DueDateOverride.objects.filter(correction=correction).first()
        if known is not None:
            return known
        month, due_date = _read_what(correction)
        _refuse(account_id, month=month, due_date=due_date)
        override = DueDateOverride.objects.create(
            coverage_month=month,
            account_id=account_id,
            due_date=due_date,
            reason=correction.why,
            correction=correction,
            recorded_at=at,
        )
        if account_id is not None:
            run = f"due date extended to {due_date}"
            review_locked(account_ids=[account_id], today=today, at=at, run=run)
            note_reviewed(overrides=[override], at=at)
    return override


def takes_two_to_extend(correction: Correction) -> bool:
    """Whether another must approve more time for one account: its due date has passed, or was moved for it before."""
    month = correction.month
    if month is None:
        return True
    moved = DueDateOverride.objects.filter(account=correction.account_id, coverage_month=month)
    asked_on = business_date(moment=correction.asked_at)
    return read_due_date(account_id=correction.account_id)(month) < asked_on or moved.exists()


def find_reach(*, month: date) -> Reach:
    """Whom the due date of a month for everyone concerns. A few statements, however many they are."""
    unpaid = Invoice.objects.filter(voided_at=None, coverage_month=month, is_binder=False) | (
        Invoice.objects.filter(voided_at=None, binder_start=month)
    )
    received = Coalesce(Sum("allocations__cents"), 0)
    unpaid = unpaid.annotate(received=received).exclude(amount_cents__lte=received)
    touched = Account.objects.filter(find_touched(override=DueDateOverride(coverage_month=month)))
    return Reach(due_date=read_due_date()(month), unpaid_bills=unpaid.count(), starts=touched.count())


def _read_what(correction: Correction) -> tuple[date, date]:
    if correction.month is None or correction.new_date is None:
        raise UnableToExtend("Name the month and the new due date.")
    return correction.month, correction.new_date


def _refuse(account_id: int | None, *, month: date, due_date: date) -> None:
    if month != first_of_month(month):
        raise UnableToExtend("Name the month by its first day.")
    if account_id is not None:
        _refuse_account(account_id, month=month)
    stands = read_due_date(account_id=account_id)(month)
    if due_date <= stands:
        raise UnableToExtend(
            f"{month:%B %Y} is due on {long_date(stands)}. A due date is only moved to a later day."
        )
    first = stands if account_id is None else read_first_due_date(account_id=account_id)(month)
    last = first + timedelta(days=read_policy().longest_extension_days)
    if due_date > last:
        raise UnableToExtend(f"Choose a day up to {long_date(last)}.")


def _refuse_account(account_id: int, *, month: date) -> None:
    begun = Account.objects.filter(pk=account_id, enrollment__requested_start__lt=next_month(month))
    if not begun.exclude(enrollment__ends_on__lt=month).exists():
        raise UnableToExtend(f"{month:%B %Y} is no month of this enrollment.")
