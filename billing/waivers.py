"""Waivers: staff let a household in hardship off all or part of given months, from the day on which it asked."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.adjustments import NewAdjustment, UnableToAdjust, record_locked
from billing.models import Account, Adjustment, AdjustmentKind
from billing.premiums import UnableToPriceMonth
from billing.rates import read_terms
from members.models import User


class UnableToWaive(ValueError):
    """The waiver cannot be granted so; the text says why, for staff. Nothing was changed."""


def grant_waiver(
    *,
    account_id: int,
    months: Mapping[date, int | None],
    asked_on: date,
    reason: str,
    asked_by: User,
    approved_by: User,
    reference: str,
    today: date,
    at: datetime,
) -> Sequence[Adjustment]:
    """Waive cents of each month, or with None all that is left of it; it counts from the day it was asked for.

    A bill already issued is issued anew, what was paid too much is credit. A first payment can be waived like any other: if
    nothing remains to be paid coverage is active, and a start that was pushed in the meantime is given back. A reference used
    before changes nothing. Raises UnableToWaive.
    """
    if not months:
        raise UnableToWaive("Name the months to waive.")
    if asked_on > today:
        raise UnableToWaive("The day on which it was asked for has not come yet.")
    with transaction.atomic():
        lock_accounts(account_ids=[account_id])
        try:
            return record_locked(
                account_id=account_id,
                adjustments=_list_waived(account_id, months, reference=reference),
                kind=AdjustmentKind.WAIVER,
                counts_from=asked_on,
                reason=reason,
                people=(asked_by, approved_by),
                today=today,
                at=at,
            )
        except (UnableToAdjust, UnableToPriceMonth) as error:
            raise UnableToWaive(str(error)) from error


def _list_waived(
    account_id: int, months: Mapping[date, int | None], *, reference: str
) -> list[NewAdjustment]:
    enrollment_id = Account.objects.values_list("enrollment_id", flat=True).get(pk=account_id)
    terms = read_terms(enrollments={account_id: enrollment_id})[account_id]
    waived = []
    for month, cents in sorted(months.items()):
        asked = terms.find_cents(month=month) if cents is None else cents
        if asked < 0:
            raise UnableToWaive("A waiver takes off; it never adds.")
        waived.append(NewAdjustment(month, -asked, f"waiver:{reference}:{month:%Y-%m}"))
    return waived
