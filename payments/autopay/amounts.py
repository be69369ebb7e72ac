"""Draft amounts: what a draft takes of what is due and was announced, and what the next drafts are expected to take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from django.db.models import Max, Q, Sum

from billing.balances import OpenInvoice, Standing
from billing.due_dates import find_start, next_month
from billing.models import Account
from billing.policy import read_policy
from billing.premiums import Line, Terms
from billing.price_changes import read_changes
from billing.rates import read_terms
from members.models import EnrollmentStatus
from payments.autopay.days import DraftDay
from payments.models import DraftAnnouncement, PaymentStatus
from payments.recording import find_uncounted

AT_BANK = (PaymentStatus.SENDING, PaymentStatus.SENT)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one draft is expected to take; an estimate where it counts on a bill that is not issued yet."""

    day: DraftDay
    cents: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What drafts are expected of an account: its standing, money that is on its way but not counted, and what months cost.

    `carried` are the increases of earlier months that the next bill asks for; `ends_on` is the last day of coverage, where that
    is known.
    """

    standing: Standing
    scheduled_cents: int
    terms: Terms
    ends_on: date | None = None
    carried: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """Money of an account that counts for nothing yet: in all, and how much of it is in a bank file already."""

    cents: int = 0
    at_bank_cents: int = 0


@dataclass(frozen=True, slots=True)
class _Bill:
    due_date: date
    cents: int
    is_issued: bool


def find_draft_cents(*, due_cents: int, scheduled_cents: int, announced_cents: int) -> int:
    """What is due less what is already on its way, and never more than was announced; nothing where nothing is left."""
    return max(0, min(due_cents - scheduled_cents, announced_cents))


def sum_due(*, standing: Standing, following: date) -> int:
    """What a draft is for: every open bill that falls due before the following draft day."""
    return sum(bill.remaining_cents for bill in standing.open_invoices if bill.due_date < following)


def find_last_announcing(*, draft_date: date) -> date:
    """The last day on which an amount can be announced for a draft: 10 days before it."""
    return draft_date - timedelta(days=read_policy().autopay_notice_days)


def read_outlooks(*, standings: Mapping[int, Standing]) -> dict[int, Outlook]:
    """What is known of each account's drafts to come; as many statements for one account as for many."""
    scheduled = read_scheduled(account_ids=standings)
    terms = read_terms(enrollments={key: standing.enrollment_id for key, standing in standings.items()})
    carried = {item.account_id: item.carried for item in read_changes(account_ids=standings)}
    ends = dict(Account.objects.filter(pk__in=list(standings)).values_list("pk", "enrollment__ends_on"))
    return {
        key: Outlook(standing, scheduled.get(key, 0), terms[key], ends[key], carried.get(key, ()))
        for key, standing in standings.items()
    }


def read_scheduled(*, account_ids: Iterable[int]) -> dict[int, int]:
    """By account, the cents that are on their way and count for nothing yet: scheduled payments, and drafts until their day."""
    waiting = find_uncounted(Q(account__among=list(account_ids))).order_by().values("account")
    return dict(waiting.annotate(cents=Sum("amount_cents")).values_list("account", "cents"))


def read_on_its_way(*, account_ids: Iterable[int]) -> dict[int, OnItsWay]:
    """By account, what is on its way and counts for nothing yet; every account that was asked for has an answer."""
    keys = list(account_ids)
    at_bank = Sum("amount_cents", filter=Q(status__in=AT_BANK), default=0)
    waiting = find_uncounted(Q(account__among=keys)).order_by().values("account")
    summed = waiting.annotate(cents=Sum("amount_cents"), at_bank=at_bank)
    rows = summed.values_list("account", "cents", "at_bank")
    found = {account_id: OnItsWay(cents, at_bank_cents) for account_id, cents, at_bank_cents in rows}
    return {key: found.get(key, OnItsWay()) for key in keys}


def read_announced(*, account_ids: Iterable[int], draft_date: date, since: date = date.min) -> dict[int, int]:
    """By account, the most that its payer was told of a draft, in cents; `since` leaves out what was told before."""
    told = DraftAnnouncement.objects.filter(
        account__among=list(account_ids), draft_date=draft_date, announced_on__gte=since
    )
    return dict(
        told.order_by().values("account").annotate(most=Max("amount_cents")).values_list("account", "most")
    )


def forecast(
    *, outlook: Outlook, days: Sequence[DraftDay], first_cents_at_most: int | None = None
) -> list[Forecast]:
    """What the drafts of these days are expected to take; the last of the days only bounds the one before it.

    `first_cents_at_most` is what was announced for the first, where nothing more can be; the rest waits for the next.
    """
    bills = _subtract(_list_bills(outlook, days), outlook.scheduled_cents)
    found: list[Forecast] = []
    left_cents = 0
    for day, following in pairwise(days):
        mine = [bill for bill in bills if bill.due_date < following.received_date]
        bills = [bill for bill in bills if bill.due_date >= following.received_date]
        due_cents = left_cents + sum(bill.cents for bill in mine)
        is_capped = not found and first_cents_at_most is not None
        cents = min(due_cents, first_cents_at_most or 0) if is_capped else due_cents
        left_cents = due_cents - cents
        found.append(Forecast(day, cents, any(not bill.is_issued for bill in mine)))
    return found


def list_missed(*, outlook: Outlook, forecasts: Sequence[Forecast], most_cents: int) -> list[OpenInvoice]:
    """The open bills that no draft pays in full by their due date: too early for the first, or above the most that is taken."""
    missed, on_its_way = [], outlook.scheduled_cents
    for bill in outlook.standing.open_invoices:
        left = max(0, bill.remaining_cents - on_its_way)
        on_its_way = max(0, on_its_way - bill.remaining_cents)
        in_time = [item for item in forecasts if item.day.received_date <= bill.due_date]
        if left and (not in_time or in_time[-1].cents > most_cents):
            missed.append(bill)
    return missed


def _list_bills(outlook: Outlook, days: Sequence[DraftDay]) -> list[_Bill]:
    """The open bills, then one for each month to come that the days reach; credit pays the first of those."""
    standing, rule = outlook.standing, outlook.standing.due_date_rule
    bills = [_Bill(bill.due_date, bill.remaining_cents, True) for bill in standing.open_invoices]
    latest, binder = standing.latest_invoice, standing.binder
    month = next_month(latest.coverage_month) if latest else standing.coverage_start
    if _will_move(outlook, first=days[0].received_date) and binder:
        start = find_start(requested=standing.coverage_start, received=days[0].received_date, due_date=rule)
        left = max(0, outlook.terms.find_cents(month=start) - binder.received_cents)
        bills, month = [_Bill(rule(start), left, True)], next_month(start)
    to_come, carried = [], outlook.carried
    while rule(month) < days[-1].received_date and not _is_after(month, outlook.ends_on):
        price = outlook.terms.find_price(month=month, carried=carried)
        to_come.append(_Bill(rule(month), price.amount_cents, False))
        month, carried = next_month(month), ()
    return bills + _subtract(to_come, standing.credit_cents)


def _will_move(outlook: Outlook, *, first: date) -> bool:
    """Whether the first bill is replaced by one of a later month: unpaid by its due date, which comes before the first draft."""
    standing = outlook.standing
    binder, is_waiting = standing.binder, standing.enrollment_status == EnrollmentStatus.WAITING
    is_left = binder is not None and binder.remaining_cents > outlook.scheduled_cents
    return bool(is_waiting and is_left and binder and binder.due_date < first)


def _is_after(month: date, ends_on: date | None) -> bool:
    return ends_on is not None and month > ends_on


def _subtract(bills: Sequence[_Bill], cents: int) -> list[_Bill]:
    """What is left of the bills once so much has landed on them, oldest first."""
    left = []
    for bill in bills:
        paid = min(bill.cents, cents)
        cents -= paid
        left.append(_Bill(bill.due_date, bill.cents - paid, bill.is_issued))
    return left
