"""Waivers: staff let a household in hardship off all or part of given months, from the day on which it asked."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.adjustments import NewAdjustment, UnableToAdjust, read_account_id, record_locked
from billing.due_date_overrides import read_due_date
from billing.models import Account, Adjustment, AdjustmentKind, Correction
from billing.premiums import UnableToPriceMonth
from billing.rates import read_terms
from connector_pay.lib.clock import business_date
from connector_pay.lib.templatetags.exchange import long_date
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
    _refuse_before_enrollment(correction)
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


def is_asked_late(correction: Correction) -> bool:
    """Whether a due date of the account lies between the day on which the member asked and the day it was entered."""
    due_date = read_due_date(account_id=read_account_id(correction))
    return due_date.is_crossed(back_to=correction.asked_on, before=business_date(moment=correction.asked_at))


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


def _refuse_before_enrollment(correction: Correction) -> None:
    enrolled_at = Account.objects.values_list("enrollment__enrolled_at", flat=True)
    enrolled_on = business_date(moment=enrolled_at.get(pk=read_account_id(correction)))
    if correction.asked_on < enrolled_on:
        raise UnableToWaive(
            f"They enrolled on {long_date(enrolled_on)}. It cannot be asked for before that day."
        )
