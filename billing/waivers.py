"""Waivers: staff let a household in hardship off all or part of given months, from the day on which it asked."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.adjustments import NewAdjustment, UnableToAdjust, read_account_id, record_locked
from billing.models import Account, Adjustment, AdjustmentKind, Correction
from billing.premiums import UnableToPriceMonth
from billing.rates import read_terms
from members.models import User


class UnableToWaive(ValueError):
    """The waiver cannot be granted so; the text says why, for staff. Nothing was changed."""


def grant_waiver(
    *, correction: Correction, approved_by: User | None, today: date, at: datetime
) -> Sequence[Adjustment]:
    """Waive cents of each month, or all that is left of it; it counts from the day it was asked for.

    A bill already issued is issued anew, what was paid too much is credit. A first payment can be waived like any other: if
    nothing remains to be paid coverage is active, and a start that was pushed in the meantime is given back. A correction
    waives once. Raises UnableToWaive.
    """
    if correction.asked_on > today:
        raise UnableToWaive("The day on which it was asked for has not come yet.")
    try:
        with transaction.atomic():
            lock_accounts(account_ids=[read_account_id(correction)])
            return record_locked(
                correction=correction,
                adjustments=list_waived(correction=correction),
                kind=AdjustmentKind.WAIVER,
                counts_from=correction.asked_on,
                approved_by=approved_by,
                today=today,
                at=at,
            )
    except UnableToAdjust as error:
        raise UnableToWaive(str(error)) from error


def list_waived(*, correction: Correction) -> list[NewAdjustment]:
    """What a waiver takes off each of its months today. Raises UnableToWaive."""
    account_id = read_account_id(correction)
    enrollment_id = Account.objects.values_list("enrollment_id", flat=True).get(pk=account_id)
    terms = read_terms(enrollments={account_id: enrollment_id})[account_id]
    try:
        return [
            NewAdjustment(
                month,
                -terms.find_cents(month=month) if correction.is_whole else correction.cents,
                f"{correction.reference}:{month:%Y-%m}",
            )
            for month in correction.months
        ]
    except UnableToPriceMonth as error:
        raise UnableToWaive(str(error)) from error
