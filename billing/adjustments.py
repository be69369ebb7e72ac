"""Adjustments: what staff take off a month or put on it, beside its rate, by a correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.due_dates import first_of_month
from billing.invoices import correct_locked
from billing.models import Account, Adjustment, AdjustmentKind, Correction
from billing.overdue import review_locked
from billing.premiums import Terms, UnableToPriceMonth
from billing.rates import read_terms
from members.models import User


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """Cents to take off a coverage month (negative) or to put on it, under a reference used once."""

    month: date
    cents: int
    reference: str


class UnableToAdjust(ValueError):
    """The month cannot be adjusted so; the text says why, for staff. Nothing was changed."""


def adjust(
    *, correction: Correction, approved_by: User | None, today: date, at: datetime
) -> Sequence[Adjustment]:
    """Correct what a month comes to: less is given back at once, more goes on the next bill and unpays nothing.

    A bill for a first payment that is not covered yet is issued anew. A correction adjusts once. Raises UnableToAdjust.
    """
    cents = [
        NewAdjustment(month, correction.cents, f"{correction.reference}:{month:%Y-%m}")
        for month in correction.months
    ]
    with transaction.atomic():
        lock_accounts(account_ids=[read_account_id(correction)])
        return record_locked(
            correction=correction,
            adjustments=cents,
            kind=AdjustmentKind.CORRECTION,
            counts_from=today,
            approved_by=approved_by,
            today=today,
            at=at,
        )


def record_locked(
    *,
    correction: Correction,
    adjustments: Sequence[NewAdjustment],
    kind: AdjustmentKind,
    counts_from: date,
    approved_by: User | None,
    today: date,
    at: datetime,
) -> list[Adjustment]:
    """Write adjustments of an account that the caller has locked, and do what they mean for its bills and its start.

    Raises UnableToAdjust.
    """
    references = [item.reference for item in adjustments]
    known = Adjustment.objects.filter(reference__in=references).order_by("pk")
    if known:
        return list(known)
    account_id = read_account_id(correction)
    _refuse(adjustments, terms=_read_terms(account_id))
    made = Adjustment.objects.bulk_create(
        Adjustment(
            account_id=account_id,
            coverage_month=item.month,
            cents=item.cents,
            kind=kind,
            counts_from=counts_from,
            reason=correction.why,
            asked_by=correction.asked_by,
            approved_by=approved_by,
            correction=correction,
            recorded_at=at,
            reference=item.reference,
        )
        for item in adjustments
    )
    review_locked(account_ids=[account_id], today=today, at=at, run=f"{kind.value} granted")
    correct_locked(account_ids=[account_id], today=today, at=at)
    return made


def read_account_id(correction: Correction) -> int:
    """The account that a correction is of. Raises UnableToAdjust for one that is of everyone."""
    if correction.account_id is None:
        raise UnableToAdjust("Name the account.")
    return correction.account_id


def _read_terms(account_id: int) -> Terms:
    enrollment_id = Account.objects.values_list("enrollment_id", flat=True).get(pk=account_id)
    return read_terms(enrollments={account_id: enrollment_id})[account_id]


def _refuse(adjustments: Sequence[NewAdjustment], *, terms: Terms) -> None:
    for item in adjustments:
        if item.month != first_of_month(item.month) or not item.cents:
            raise UnableToAdjust("Name a month by its first day, and an amount that is not nothing.")
        try:
            left = terms.find_cents(month=item.month) + item.cents
        except UnableToPriceMonth as error:
            raise UnableToAdjust(f"{item.month:%B %Y} is no month of this enrollment.") from error
        if left < 0:
            raise UnableToAdjust(f"{item.month:%B %Y} does not come to that much.")
