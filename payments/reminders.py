"""Reminders: what nobody has paid or scheduled yet, told a week and two days before it is due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from billing.accounts import CHUNK
from billing.balances import OpenInvoice, Standing, read_standings
from billing.due_date_overrides import read_due_date
from billing.due_dates import next_month
from billing.models import Account, DueDateOverride, Invoice
from members.models import Member
from members.outbox import Telling, tell
from payments.autopay.amounts import read_announced, sum_due
from payments.autopay.days import find_draft_day, find_following
from payments.banking_calendar import read_calendar
from payments.coverage_sentences import find_start_if_paid, waits_for_first_payment
from payments.mandates import find_live
from payments.models import DraftAnnouncement, Mandate, MandateStatus, Payment
from payments.recording import UNDER_WAY

DAYS_BEFORE = (7, 2)


def remind(*, today: date, at: datetime) -> int:
    """Remind of each open bill due in 7 or in 2 days, once each; returns how many notices are new.

    Not where AutoPay drafts the account within what was authorized, nor where what is scheduled covers what is due by then.
    In chunks, safe to run twice.
    """
    asked = sorted(_find_due(today=today))
    return sum(
        _remind(account_ids=asked[start : start + CHUNK], today=today, at=at)
        for start in range(0, len(asked), CHUNK)
    )


def _find_due(*, today: date) -> Iterable[int]:
    """The accounts on which a bill may be due on one of the days, by whichever word names its date."""
    due_date, days = read_due_date(), {today + timedelta(days=count) for count in DAYS_BEFORE}
    moved = DueDateOverride.objects.filter(due_date__in=days)
    near = {next_month(today, count=count) for count in range(3)}  # a policy's day may lie in any of these
    months = {month for month in near if due_date(month) in days}
    months.update(moved.filter(account=None).values_list("coverage_month", flat=True))
    own = Q(account__enrollment__binder_due_date__in=days) | Q(account__in=moved.values("account"))
    drafted = _find_drafting(today=today).exclude(Exists(_find_above(today=today))).values("account")
    asked = Invoice.objects.filter(Q(coverage_month__in=months) | own, voided_at=None)
    return asked.exclude(account__in=drafted).values_list("account", flat=True).distinct()


def _find_drafting(*, today: date) -> QuerySet[Mandate]:
    """The mandates whose draft of this month is still to come and was announced; one that was not takes nothing."""
    draft = find_draft_day(month=today, calendar=read_calendar()).received_date
    announced = DraftAnnouncement.objects.filter(account=OuterRef("account"), draft_date=draft)
    on = find_live().filter(Exists(announced), status=MandateStatus.ON, drafts_from__lte=draft)
    return on if today < draft else on.none()


def _find_above(*, today: date) -> QuerySet[DraftAnnouncement]:
    """What was announced of the mandates' drafts, of the last month and to come, above what was authorized."""
    return DraftAnnouncement.objects.filter(
        account=OuterRef("account"),
        draft_date__gt=today - timedelta(days=31),
        amount_cents__gt=OuterRef("authorization__amount_cents"),
    )


def _remind(*, account_ids: Sequence[int], today: date, at: datetime) -> int:
    with transaction.atomic():
        standings = read_standings(account_ids=account_ids, today=today)
        scheduled = _read_scheduled(account_ids, after=today)
        members = _read_members(account_ids)
        drafted = _find_drafted(standings, scheduled, today=today)
        tellings = [
            telling
            for key, standing in standings.items()
            if key not in drafted
            for telling in _list_tellings(standing, members[key], scheduled.get(key, ()), today=today)
        ]
        return tell(tellings=tellings, at=at, today=today)


def _find_drafted(
    standings: Mapping[int, Standing], scheduled: Mapping[int, Sequence[tuple[date, int]]], *, today: date
) -> set[int]:
    """The accounts whose draft takes all that is due: within what was authorized, else it takes nothing, and as announced."""
    mandates = _find_drafting(today=today).filter(account__in=list(standings))
    most = dict(mandates.values_list("account", "authorization__amount_cents"))
    if not most:
        return set()
    calendar = read_calendar()
    draft = find_draft_day(month=today, calendar=calendar)
    following = find_following(draft=draft, calendar=calendar).received_date
    announced = read_announced(account_ids=most, draft_date=draft.received_date)
    return {
        key
        for key, most_cents in most.items()
        if sum_due(standing=standings[key], following=following)
        - sum(cents for _day, cents in scheduled.get(key, ()))
        <= min(most_cents, announced.get(key, 0))
    }


def _list_tellings(
    standing: Standing, member: Member, scheduled: Sequence[tuple[date, int]], *, today: date
) -> Iterator[Telling]:
    """What is due up to a bill's day and not scheduled by then is asked for in one reminder, of several due together too."""
    owed, last = 0, {bill.due_date: bill.id for bill in standing.open_invoices}
    for bill in standing.open_invoices:
        owed += bill.remaining_cents
        days = (bill.due_date - today).days
        missing = owed - sum(cents for day, cents in scheduled if day <= bill.due_date)
        if days in DAYS_BEFORE and missing > 0 and bill.id == last[bill.due_date]:
            yield _make_telling(standing, member, bill, cents=missing, days=days, today=today)


def _make_telling(
    standing: Standing, member: Member, bill: OpenInvoice, *, cents: int, days: int, today: date
) -> Telling:
    return Telling(
        event="due_reminder",
        # By its day: a due date that is moved is worth a reminder of its own.
        subject=f"invoice:{bill.id}:due:{bill.due_date}:{days}",
        member=member,
        facts={
            "product": standing.product,
            "plan_name": standing.plan_name,
            "amount_cents": cents,
            "due_date": bill.due_date,
        }
        | _find_start(standing, bill, today=today),
    )


def _find_start(standing: Standing, bill: OpenInvoice, *, today: date) -> dict[str, date]:
    """While the first bill waits for money: the start of coverage that is kept by paying it in time."""
    binder = standing.binder
    if binder is None or binder.due_date != bill.due_date or not waits_for_first_payment(standing=standing):
        return {}
    return {"coverage_start": find_start_if_paid(standing=standing, received_date=today, today=today)}


def _read_scheduled(account_ids: Sequence[int], *, after: date) -> Mapping[int, Sequence[tuple[date, int]]]:
    """By account, what will count later: on which day how much. It may be at the bank already."""
    waiting = Payment.objects.filter(account__in=account_ids, status__in=UNDER_WAY, received_date__gt=after)
    rows = waiting.values_list("account", "received_date").annotate(cents=Sum("amount_cents"))
    scheduled: dict[int, list[tuple[date, int]]] = {}
    for account_id, day, cents in rows.order_by("account", "received_date"):
        scheduled.setdefault(account_id, []).append((day, cents))
    return scheduled


def _read_members(account_ids: Sequence[int]) -> Mapping[int, Member]:
    accounts = Account.objects.filter(pk__in=account_ids).select_related("enrollment__member")
    return {account.pk: account.enrollment.member for account in accounts}
