"""Binders: the first payment, which decides when coverage starts and makes it active once it has posted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.due_date_overrides import read_due_dates
from billing.due_dates import DueDate, first_of_month
from billing.first_payments import BinderBill, FirstPayment, Money
from billing.models import Account, Invoice, LineReason, Receipt
from billing.premiums import Terms
from billing.rates import read_terms
from billing.start_reviews import NewReview, open_reviews
from connector_pay.lib.clock import business_date
from connector_pay.lib.written_once import write_once
from members import coverage
from members.models import Enrollment, EnrollmentStatus
from members.outbox import Telling, tell

EFFECTUATED = "first payment posted, or none owed"
TAKEN_AWAY = "the first payment was taken back after coverage had started"


@dataclass(frozen=True, slots=True)
class BinderOf:
    """The account of an enrollment and where its coverage start stands."""

    account_id: int
    enrollment_id: int
    status: str
    requested_start: date
    coverage_start: date
    window_ends: date
    ends_on: date | None

    @property
    def last_start(self) -> date:
        """Coverage cannot start after this day: the enrollment window, or the coverage itself, is over."""
        return min(self.window_ends, self.ends_on or self.window_ends)

    @property
    def was_pushed(self) -> bool:
        """Whether its start stands later than it was asked for."""
        return self.coverage_start > first_of_month(self.requested_start)


def find_live_binders() -> QuerySet[Invoice]:
    """The invoices of binders that are not void, for a query about accounts."""
    return Invoice.objects.filter(account=OuterRef("pk"), is_binder=True, voided_at=None)


def read_binders(*, account_ids: Iterable[int], statuses: Iterable[str]) -> list[BinderOf]:
    """Where the starts stand of those enrollments that have a binder, or have expired, and whose status is one of `statuses`.

    An enrollment whose binder is not issued yet has nothing that could be overdue. In the accounts' order.
    """
    wanted = set(statuses)
    binders = [BinderOf(*row) for row in _read_binder_rows(account_ids)]
    return [binder for binder in binders if binder.status in wanted]


@write_once
def _read_binder_rows(account_ids: list[int]) -> QuerySet[Account, Any]:
    accounts = Account.objects.filter(pk__among=account_ids)
    accounts = accounts.filter(Exists(find_live_binders()) | Q(enrollment__status=EnrollmentStatus.EXPIRED))
    columns = ("status", "requested_start", "coverage_start", "window_ends", "ends_on")
    return accounts.order_by("pk").values_list(
        "pk", "enrollment_id", *(f"enrollment__{name}" for name in columns)
    )


def read_first_payments(
    *, binders: Sequence[BinderOf], due_dates: Mapping[int, DueDate] | None = None
) -> dict[int, FirstPayment]:
    """For each account, all that decides its start: money, waivers, bills, rates and due dates.

    As many statements for one as for many.
    """
    if not binders:
        return {}
    keys = [binder.account_id for binder in binders]
    return make_first_payments(
        requested={binder.account_id: binder.requested_start for binder in binders},
        terms=read_terms(enrollments={binder.account_id: binder.enrollment_id for binder in binders}),
        due_dates=due_dates if due_dates is not None else read_due_dates(account_ids=keys),
    )


def make_first_payments(
    *, requested: Mapping[int, date], terms: Mapping[int, Terms], due_dates: Mapping[int, DueDate]
) -> dict[int, FirstPayment]:
    """The same where terms and due dates are known: of each account by the start that was requested."""
    keys = list(requested)
    money, bills = _read_money(keys), _read_bills(keys)
    return {
        key: FirstPayment(
            requested_start=start,
            due_date=due_dates[key],
            terms=terms[key],
            money=tuple(money.get(key, ())),
            bills=bills.get(key, {}),
        )
        for key, start in requested.items()
    }


def effectuate_paid(*, account_ids: Iterable[int], today: date, at: datetime) -> list[int]:
    """Coverage whose binder is paid in full by cleared money, or owes nothing, becomes active.

    A binder of several months is paid when all of them are. The member is told. Returns the ids of the enrollments that became
    active.
    """
    paid = {
        row.enrollment_id: row.asked_cents
        for row in _read_standing(account_ids)
        if row.enrollment_status == EnrollmentStatus.WAITING and row.is_cleared
    }
    if not paid:
        return []
    moved = coverage.effectuate(enrollment_ids=paid, at=at, why=EFFECTUATED)
    enrollments = Enrollment.objects.filter(pk__in=moved).select_related("member", "plan")
    tellings = [_tell_confirmed(item, asked=paid[item.pk], today=today) for item in enrollments]
    tell(tellings=tellings, at=at, today=today)
    return moved


def await_payment_again(*, account_ids: Iterable[int], today: date, at: datetime, why: str) -> list[int]:
    """Before coverage has started, a binder no longer paid in time, or by cleared money, awaits payment again.

    Once coverage has started it stays active, and staff decide: a review is opened for a binder that money no longer covers.
    Returns the enrollments moved.
    """
    binders = read_binders(account_ids=account_ids, statuses=[EnrollmentStatus.ACTIVE])
    if not binders:
        return []
    payments = read_first_payments(binders=binders)
    standing = {row.enrollment_id: row for row in _read_standing(payments)}
    started = [item for item in binders if item.coverage_start <= today]
    reviews = [
        NewReview(
            item.enrollment_id,
            item.coverage_start,
            payments[item.account_id].find_start(today=today),
            TAKEN_AWAY,
        )
        for item in started
        if not standing[item.enrollment_id].is_received
    ]
    open_reviews(reviews=reviews, today=today, at=at)
    unpaid = [
        item.enrollment_id
        for item in binders
        if item.coverage_start > today
        and not (
            standing[item.enrollment_id].is_cleared
            and payments[item.account_id].is_covered_in_time(start=item.coverage_start)
        )
    ]
    return coverage.await_payment_again(enrollment_ids=unpaid, at=at, why=why) if unpaid else []


@dataclass(frozen=True, slots=True)
class _Standing:
    """How much of an account's binder is received, and is final."""

    enrollment_id: int
    enrollment_status: str
    asked_cents: int
    is_received: bool
    is_cleared: bool


def _read_standing(account_ids: Iterable[int]) -> list[_Standing]:
    """The live binders, each as a whole, by the enrollment."""
    bills: defaultdict[tuple[int, str], list[tuple[int, int, int]]] = defaultdict(list)
    for enrollment_id, status, amount, received, final in _read_standing_rows(account_ids):
        bills[enrollment_id, status].append((amount, received, final))
    return [
        _Standing(
            enrollment_id,
            status,
            asked_cents=sum(amount for amount, _received, _final in parts),
            is_received=all(received >= amount for amount, received, _final in parts),
            is_cleared=all(final >= amount for amount, _received, final in parts),
        )
        for (enrollment_id, status), parts in bills.items()
    ]


@write_once
def _read_standing_rows(account_ids: list[int]) -> QuerySet[Invoice, Any]:
    invoices = Invoice.objects.filter(account__among=account_ids, is_binder=True, voided_at=None)
    cleared = Sum("allocations__cents", filter=Q(allocations__receipt__cleared_on__isnull=False))
    rows = invoices.annotate(received=Coalesce(Sum("allocations__cents"), 0), cleared=Coalesce(cleared, 0))
    columns = ("account__enrollment_id", "account__enrollment__status", "amount_cents", "received", "cleared")
    return rows.order_by("pk").values_list(*columns)


def _read_money(account_ids: list[int]) -> dict[int, list[Money]]:
    """The receipts that stand, and what went back of them and stayed there, each with its day."""
    money: defaultdict[int, list[Money]] = defaultdict(list)
    rows = _read_receipt_rows(account_ids)
    # A receipt comes once for each of its withdrawals, and once where it has none.
    for account_id, day, cents in {row[0]: row[1:4] for row in rows}.values():
        money[account_id].append(Money(day, cents))
    back = {reference for *_receipt, reference, _at, _cents in rows}
    for _key, account_id, _day, _cents, reference, at, gone in rows:
        # A refund that came back was never made.
        if gone and gone > 0 and f"{reference}:put_back" not in back:
            money[account_id].append(Money(business_date(moment=at), -gone))
    return dict(money)


@write_once
def _read_receipt_rows(account_ids: list[int]) -> QuerySet[Receipt, Any]:
    receipts = Receipt.objects.filter(account__among=account_ids, taken_back_on=None)
    withdrawn = ("withdrawals__reference", "withdrawals__at", "withdrawals__cents")
    return receipts.values_list("pk", "account_id", "received_date", "cents", *withdrawn)


def _read_bills(account_ids: list[int]) -> dict[int, dict[date, dict[date, list[BinderBill]]]]:
    """Every bill of every binder, void or not, before waivers: by account, start and month, as they were issued."""
    bills: defaultdict[int, dict[date, dict[date, list[BinderBill]]]] = defaultdict(dict)
    for account_id, start, month, issued_on, cents in _read_bill_rows(account_ids):
        versions = bills[account_id].setdefault(start, {}).setdefault(month, [])
        versions.append(BinderBill(issued_on, cents))
    return dict(bills)


@write_once
def _read_bill_rows(account_ids: list[int]) -> QuerySet[Invoice, Any]:
    waived = Coalesce(Sum("lines__cents", filter=Q(lines__why=LineReason.WAIVER)), 0)
    binders = Invoice.objects.filter(account__among=account_ids, binder_start__isnull=False)
    rows = binders.annotate(gross=F("amount_cents") - waived).order_by("pk")
    return rows.values_list("account_id", "binder_start", "coverage_month", "issued_on", "gross")


def _tell_confirmed(enrollment: Enrollment, *, asked: int, today: date) -> Telling:
    """Once a day at most: coverage may be confirmed again after a first payment was returned."""
    return Telling(
        event="coverage_confirmed",
        subject=f"enrollment:{enrollment.pk}:{today}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "coverage_start": enrollment.coverage_start,
            "amount_cents": asked,
        },
    )
