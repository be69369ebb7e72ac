"""What must always hold of each start of coverage: it is what money, waivers, due dates and staff's decisions make it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import F, Max, Sum
from django.db.models.functions import Coalesce

from billing.binders import BinderOf, read_binders, read_first_payments
from billing.due_date_overrides import read_due_dates
from billing.due_dates import DueDate, find_start, first_of_month
from billing.first_payments import FirstPayment
from billing.models import (
    Account,
    Adjustment,
    DueDateOverride,
    Invoice,
    Receipt,
    ReceiptChange,
    StartReview,
    Withdrawal,
)
from connector_pay.lib.clock import business_date
from members.models import EnrollmentStatus, StartMove

CHUNK = 5_000
A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a start is judged by: the first payment, the due dates it is held to, and what we knew when."""

    payment: FirstPayment
    due_dates: tuple[DueDate, ...]
    last_known: date
    last_taken_back: date
    last_extended: date
    is_received: bool
    move: StartMove | None
    reviews: Sequence[StartReview]


def find_wrong_starts() -> Iterator[tuple[int, date, str]]:
    """The enrollments whose start is not what money, waivers, due dates and the requested month make it."""
    accounts = Account.objects.order_by("pk").values_list("pk", flat=True)
    after = 0
    while keys := list(accounts.filter(pk__gt=after)[:CHUNK]):
        yield from _find_wrong(keys)
        after = keys[-1]


def judge_start(*, binder: BinderOf, facts: Facts) -> str:
    """What is wrong with a start, in words; nothing if it is right. A start under review, or fixed by staff, is right."""
    if binder.coverage_start < first_of_month(binder.requested_start):
        return "before the requested month"
    if any(review.decided_at is None for review in facts.reviews):
        return ""
    if binder.coverage_start in {review.decided_start for review in facts.reviews}:
        return ""
    if binder.status == EnrollmentStatus.ACTIVE and facts.last_taken_back >= binder.coverage_start:
        return "" if facts.is_received else "the first payment was taken back, and staff were not asked"
    verdicts = [_judge(binder, replace(facts.payment, due_date=rule), facts) for rule in facts.due_dates]
    return "" if "" in verdicts else verdicts[0]


def _judge(binder: BinderOf, payment: FirstPayment, facts: Facts) -> str:
    if payment.find_covered_on(binder.coverage_start) is None:
        return _judge_uncovered(binder, payment, facts)
    return _judge_covered(binder, payment, facts)


def _judge_covered(binder: BinderOf, payment: FirstPayment, facts: Facts) -> str:
    """A covered binder starts coverage in the first month that was covered in time; had that begun, staff were asked."""
    start = payment.find_earlier_start(than=binder.coverage_start)
    if start < binder.coverage_start:
        if start <= facts.last_known and start in {review.rules_give for review in facts.reviews}:
            return ""
        return f"covered in time for {start}"
    return "" if payment.is_covered_in_time(start=start) else "covered after the due date"


def _judge_uncovered(binder: BinderOf, payment: FirstPayment, facts: Facts) -> str:
    """An uncovered binder stands where it was asked for, or where the last review put it.

    A review gave back what a later due date gave on its own day, not on the day of a push before it.
    """
    expected = first_of_month(binder.requested_start)
    if facts.move:
        reviewed = max(facts.move.business_date, facts.last_extended)
        expected = find_start(requested=expected, received=reviewed, due_date=payment.due_date)
    return "" if binder.coverage_start == expected else f"should start {expected}"


def _find_wrong(account_ids: list[int]) -> Iterator[tuple[int, date, str]]:
    statuses = [EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE]
    binders = read_binders(account_ids=account_ids, statuses=statuses)
    rules = _read_rules(account_ids)
    payments = read_first_payments(binders=binders, due_dates={key: rule[0] for key, rule in rules.items()})
    known, taken = _read_last_known(account_ids), _read_last_taken_back(account_ids)
    extended = _read_last_extended(account_ids)
    open_binders = _read_open_binders(account_ids)
    enrollment_ids = [binder.enrollment_id for binder in binders]
    moves, reviews = _read_last_moves(enrollment_ids), _read_reviews(enrollment_ids)
    for binder in binders:
        key = binder.account_id
        facts = Facts(
            payment=payments[key],
            due_dates=rules[key],
            last_known=known.get(key, date.min),
            last_taken_back=taken.get(key, date.min),
            last_extended=extended.get(key, date.min),
            is_received=key not in open_binders,
            move=moves.get(binder.enrollment_id),
            reviews=reviews.get(binder.enrollment_id, ()),
        )
        wrong = judge_start(binder=binder, facts=facts)
        if wrong:
            yield binder.enrollment_id, binder.coverage_start, wrong


def _read_rules(account_ids: list[int]) -> dict[int, tuple[DueDate, ...]]:
    """The due dates in force; and as they stood before each override that the nightly review has still to look at.

    A payment may have moved a start between two of them.
    """
    waiting = DueDateOverride.objects.filter(reviewed_at=None).order_by("recorded_at")
    moments = waiting.values_list("recorded_at", flat=True).distinct()
    before = [read_due_dates(account_ids=account_ids, known_at=at - A_MOMENT) for at in moments]
    rules = read_due_dates(account_ids=account_ids)
    return {key: (rule, *(known[key] for known in before)) for key, rule in rules.items()}


def _read_last_known(account_ids: list[int]) -> dict[int, date]:
    """The day on which we last came to know of money or a waiver, or held starts to another due date, by account."""
    receipts = Receipt.objects.filter(account__in=account_ids, taken_back_on=None).values("account")
    adjusted = Adjustment.objects.filter(account__in=account_ids).values("account")
    latest = _read_last_extended(account_ids)
    for rows, column in ((receipts, "counted_at"), (adjusted, "recorded_at")):
        _keep_latest(latest, rows.annotate(at=Max(column)).exclude(at=None).values_list("account", "at"))
    changed = ReceiptChange.objects.filter(account_after__in=account_ids)
    _keep_latest(latest, changed.values_list("account_after_id", "at"))
    return latest


def _read_last_extended(account_ids: list[int]) -> dict[int, date]:
    """The day on which a review last held starts to another due date, of everyone or of the account itself."""
    general = DueDateOverride.objects.filter(account=None).aggregate(at=Max("reviewed_at"))["at"]
    latest: dict[int, date] = {}
    _keep_latest(latest, ((key, general) for key in account_ids if general))
    own = DueDateOverride.objects.filter(account__in=account_ids).exclude(reviewed_at=None).values("account")
    _keep_latest(latest, own.annotate(at=Max("reviewed_at")).values_list("account", "at"))
    return latest


def _keep_latest(latest: dict[int, date], moments: Iterable[tuple[int, datetime]]) -> None:
    for key, at in moments:
        day = business_date(moment=at)
        latest[key] = max(latest.get(key, day), day)


def _read_last_moves(enrollment_ids: list[int]) -> dict[int, StartMove]:
    moves = StartMove.objects.filter(enrollment__in=enrollment_ids).order_by("pk")
    return {move.enrollment_id: move for move in moves}


def _read_reviews(enrollment_ids: list[int]) -> dict[int, list[StartReview]]:
    reviews: defaultdict[int, list[StartReview]] = defaultdict(list)
    for review in StartReview.objects.filter(enrollment__in=enrollment_ids).order_by("pk"):
        reviews[review.enrollment_id].append(review)
    return reviews


def _read_open_binders(account_ids: list[int]) -> set[int]:
    """The accounts whose binder is not covered by what lies on it."""
    binders = Invoice.objects.filter(account__in=account_ids, is_binder=True, voided_at=None)
    lying = binders.annotate(received=Coalesce(Sum("allocations__cents"), 0))
    return set(lying.filter(amount_cents__gt=F("received")).values_list("account_id", flat=True))


def _read_last_taken_back(account_ids: list[int]) -> dict[int, date]:
    """The last day on which money of an account was taken back, moved off or dated anew, or a whole payment withdrawn."""
    receipts = Receipt.objects.filter(account__in=account_ids, taken_back_on__isnull=False).values("account")
    days = dict(receipts.annotate(day=Max("taken_back_on")).values_list("account", "day"))
    whole = Withdrawal.objects.filter(receipt__account__in=account_ids, cents=F("receipt__cents"))
    for account_id, at in whole.values_list("receipt__account_id", "at"):
        days[account_id] = max(days.get(account_id, date.min), business_date(moment=at))
    changed = ReceiptChange.objects.filter(account_before__in=account_ids)
    for account_id, day in changed.values_list("account_before_id", "business_date"):
        days[account_id] = max(days.get(account_id, date.min), day)
    return days
