"""Binders: the first payment, which decides when coverage starts and makes it active once it has posted."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from billing.credit import sum_withdrawn
from billing.due_date_overrides import read_due_dates
from billing.due_dates import DueDate, first_of_month, next_month
from billing.models import Account, Invoice, Receipt
from billing.premiums import Rate, find_rate
from billing.rates import read_rates
from members import coverage
from members.models import Enrollment, EnrollmentStatus
from members.outbox import Telling, tell

CoveredOn = Callable[[date], date | None]
Received = tuple[date, int]  # received date, cents
EFFECTUATED = "first payment posted, or none owed"


@dataclass(frozen=True, slots=True)
class BinderOf:
    """The account of an enrollment and where its coverage start stands."""

    account_id: int
    enrollment_id: int
    requested_start: date
    coverage_start: date
    window_ends: date
    ends_on: date | None

    @property
    def last_start(self) -> date:
        """Coverage cannot start after this day: the enrollment window, or the coverage itself, is over."""
        return min(self.window_ends, self.ends_on or self.window_ends)


def find_binder_start(*, requested: date, today: date, due_date: DueDate, covered_on: CoveredOn) -> date:
    """The first month, from the requested one on, whose binder was covered by its due date or still can be.

    `covered_on` gives the received date on which money first covered the binder of a month, or None. What
    decides is that date, never the day on which we came to know of the money.
    """
    month = first_of_month(requested)
    while due_date(month) < today and not is_covered_in_time(
        month=month, due_date=due_date, covered_on=covered_on
    ):
        month = next_month(month)
    return month


def is_covered_in_time(*, month: date, due_date: DueDate, covered_on: CoveredOn) -> bool:
    """Whether the month's binder was covered in full by money received no later than its due date."""
    covered = covered_on(month)
    return covered is not None and covered <= due_date(month)


def find_covered_on(*, receipts: Sequence[Received], cents: int) -> date | None:
    """The received date on which the money first came to `cents`; partial payments hold nothing before."""
    total = 0
    for received, amount in sorted(receipts):
        total += amount
        if total >= cents:
            return received
    return None


def read_binders(*, account_ids: Iterable[int], statuses: Iterable[str]) -> list[BinderOf]:
    """Where the starts stand of those enrollments that have a binder and whose status is one of `statuses`.

    An enrollment whose binder is not issued yet has nothing that could be overdue. In the accounts' order.
    """
    accounts = Account.objects.filter(pk__among=list(account_ids), enrollment__status__in=list(statuses))
    accounts = accounts.filter(invoices__is_binder=True, invoices__voided_at=None)
    columns = ("requested_start", "coverage_start", "window_ends", "ends_on")
    rows = accounts.order_by("pk").values_list(
        "pk", "enrollment_id", *(f"enrollment__{name}" for name in columns)
    )
    return [BinderOf(*row) for row in rows]


def read_starts(*, binders: Sequence[BinderOf], today: date) -> dict[int, date]:
    """For each account, the start that its receipts, due dates and requested month give today.

    Until the requested month's due date has passed, receipts decide nothing and are not read.
    """
    due_dates = read_due_dates(account_ids=[binder.account_id for binder in binders])
    late = [
        binder
        for binder in binders
        if due_dates[binder.account_id](first_of_month(binder.requested_start)) < today
    ]
    covered = read_covered_on(binders=late) if late else {}
    return {
        binder.account_id: find_binder_start(
            requested=binder.requested_start,
            today=today,
            due_date=due_dates[binder.account_id],
            covered_on=covered.get(binder.account_id, _never),
        )
        for binder in binders
    }


def read_covered_on(*, binders: Sequence[BinderOf]) -> dict[int, CoveredOn]:
    """For each account with money received, when it first covered the binder of a month as it was billed.

    A month that was never billed counts at the rate of that month.
    """
    receipts = _read_receipts([binder.account_id for binder in binders])
    paying = [binder for binder in binders if binder.account_id in receipts]
    if not paying:
        return {}
    billed = _read_billed([binder.account_id for binder in paying])
    rates = read_rates(enrollment_ids=[binder.enrollment_id for binder in paying])
    return {
        binder.account_id: _make_covered_on(
            receipts=receipts[binder.account_id],
            billed=billed.get(binder.account_id, {}),
            rates=rates[binder.enrollment_id],
        )
        for binder in paying
    }


def effectuate_paid(*, account_ids: Iterable[int], today: date, at: datetime) -> list[int]:
    """Coverage whose binder is paid in full by cleared money, or owes nothing, becomes active.

    The member is told. Returns the ids of the enrollments that became active.
    """
    waiting = Q(account__among=list(account_ids), account__enrollment__status=EnrollmentStatus.WAITING)
    paid = [row for row in _read_cleared(waiting) if row.cleared_cents >= row.amount_cents]
    if not paid:
        return []
    moved = coverage.effectuate(enrollment_ids=[row.enrollment_id for row in paid], at=at, why=EFFECTUATED)
    enrollments = Enrollment.objects.filter(pk__in=moved).select_related("member", "plan")
    tell(
        tellings=[_tell_confirmed(enrollment, today=today) for enrollment in enrollments], at=at, today=today
    )
    return moved


def await_payment_again(*, account_ids: Iterable[int], today: date, at: datetime, why: str) -> list[int]:
    """Before coverage has started, a binder no longer paid by cleared money awaits payment again.

    Once coverage has started it stays active until staff have looked at it. Returns the enrollments moved.
    """
    active = Q(
        account__among=list(account_ids),
        account__enrollment__status=EnrollmentStatus.ACTIVE,
        account__enrollment__coverage_start__gt=today,
    )
    unpaid = [row.enrollment_id for row in _read_cleared(active) if row.cleared_cents < row.amount_cents]
    return coverage.await_payment_again(enrollment_ids=unpaid, at=at, why=why) if unpaid else []


@dataclass(frozen=True, slots=True)
class _Cleared:
    enrollment_id: int
    amount_cents: int
    cleared_cents: int


def _read_cleared(where: Q) -> list[_Cleared]:
    """The live binders, with the cleared money that lies on each."""
    binders = Invoice.objects.filter(where, is_binder=True, voided_at=None).order_by("pk")
    cleared = Sum("allocations__cents", filter=Q(allocations__receipt__cleared_on__isnull=False))
    rows = binders.annotate(cleared=Coalesce(cleared, 0))
    return [_Cleared(*row) for row in rows.values_list("account__enrollment_id", "amount_cents", "cleared")]


def _read_receipts(account_ids: list[int]) -> dict[int, list[Received]]:
    receipts: defaultdict[int, list[Received]] = defaultdict(list)
    live = Receipt.objects.filter(account__among=account_ids, taken_back_on=None)
    kept = live.annotate(kept=F("cents") - sum_withdrawn()).filter(kept__gt=0)
    for account_id, received, cents in kept.values_list("account_id", "received_date", "kept"):
        receipts[account_id].append((received, cents))
    return dict(receipts)


def _read_billed(account_ids: list[int]) -> dict[int, dict[date, int]]:
    """What each month's binder came to when it was last billed, void or not."""
    billed: defaultdict[int, dict[date, int]] = defaultdict(dict)
    binders = Invoice.objects.filter(account__among=account_ids, is_binder=True).order_by("pk")
    for account_id, month, cents in binders.values_list("account_id", "coverage_month", "amount_cents"):
        billed[account_id][month] = cents
    return dict(billed)


def _make_covered_on(
    *, receipts: Sequence[Received], billed: Mapping[date, int], rates: Sequence[Rate]
) -> CoveredOn:
    def covered_on(month: date) -> date | None:
        cents = billed[month] if month in billed else find_rate(rates=rates, month=month).net_cents
        return find_covered_on(receipts=receipts, cents=cents)

    return covered_on


def _never(_: date) -> date | None:
    return None


def _tell_confirmed(enrollment: Enrollment, *, today: date) -> Telling:
    """Once a day at most: coverage may be confirmed again after a first payment was returned."""
    return Telling(
        event="coverage_confirmed",
        subject=f"enrollment:{enrollment.pk}:{today}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "coverage_start": enrollment.coverage_start,
        },
    )
