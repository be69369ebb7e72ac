"""Outages: a time in which people could not pay is written down; where it hit a due date, everyone is to get more time."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction

from billing.corrections import NewCorrection, UnableToCorrect, ask
from billing.due_date_overrides import read_due_date
from billing.due_dates import DueDate, first_of_month, next_month
from billing.models import CorrectionKind, CorrectionStatus, Outage
from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from members.models import User

LONGEST = timedelta(days=30)
A_MOMENT = timedelta(microseconds=1)


class UnableToRecordOutage(ValueError):
    """The outage cannot be written down so; the text says why, for staff. Nothing was changed."""


def find_moved(*, began_at: datetime, ended_at: datetime, due_date: DueDate) -> dict[date, date]:
    """The months that were due on a day of the outage, each with its new due date: the day after the outage's last.

    Pure: from the outage and the rule of due dates.
    """
    first, last = business_date(moment=began_at), business_date(moment=ended_at - A_MOMENT)
    month, moved = first_of_month(first), {}
    while month <= next_month(last, count=3):
        if first <= due_date(month) <= last:
            moved[month] = last + timedelta(days=read_policy().outage_days)
        month = next_month(month)
    return moved


def read_moved(*, began_at: datetime, ended_at: datetime) -> Mapping[date, date]:
    """The same by the due dates in force for everyone. Raises UnableToRecordOutage."""
    if not timedelta(0) < ended_at - began_at <= LONGEST:
        raise UnableToRecordOutage(f"An outage ends after it began, and within {LONGEST.days} days.")
    return find_moved(began_at=began_at, ended_at=ended_at, due_date=read_due_date())


def record_outage(
    *,
    began_at: datetime,
    ended_at: datetime,
    what: str,
    public_words: str,
    form_key: UUID,
    by: User,
    today: date,
    at: datetime,
) -> Outage:
    """Write an outage down, and ask for more time for everyone whose due date it hit; another person approves that.

    The same form again records nothing more. Raises UnableToRecordOutage.
    """
    if ended_at > at:
        raise UnableToRecordOutage("Record it once it is over: its end has not come yet.")
    moved = read_moved(began_at=began_at, ended_at=ended_at)
    facts = {"began_at": began_at, "ended_at": ended_at, "what": what, "public_words": public_words}
    with transaction.atomic():
        outage, is_new = Outage.objects.get_or_create(
            form_key=form_key, defaults={**facts, "recorded_by": by, "recorded_at": at}
        )
        for month, due_date in moved.items() if is_new else ():
            _ask(outage, month, due_date, by=by, today=today, at=at)
    return outage


def read_public_words(*, today: date) -> str:
    """What everyone may read of an outage for which they have more time, until that time is over; else nothing."""
    extended = Outage.objects.filter(
        corrections__status=CorrectionStatus.APPLIED, corrections__new_date__gte=today
    )
    return extended.order_by("-pk").values_list("public_words", flat=True).first() or ""


def _ask(outage: Outage, month: date, due_date: date, *, by: User, today: date, at: datetime) -> None:
    kind = CorrectionKind.MONTH_DUE_DATE
    new = NewCorrection(kind, month=month, new_date=due_date, outage_id=outage.pk)
    try:
        ask(
            new=new,
            why=f"outage: {outage.what}"[:200],
            form_key=uuid5(outage.form_key, month.isoformat()),
            by=by,
            today=today,
            at=at,
        )
    except UnableToCorrect as refusal:
        raise UnableToRecordOutage(str(refusal)) from refusal
