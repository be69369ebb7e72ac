"""Overdue: a binder not covered by its due date pushes the start of coverage, until the window closes.

The start is worked out anew from what was received and when, so a review at any moment, late or repeated,
gives the same start; money that was received in time but came to us late moves a pushed start back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from billing import credit
from billing.accounts import CHUNK, lock_accounts
from billing.binders import BinderOf, read_binders, read_starts
from billing.due_date_overrides import read_due_date
from billing.invoices import BinderMove, reissue_binders, void_invoices
from billing.models import Account, DueDateOverride, Invoice
from connector_pay.lib.jobs import Counts
from members import coverage
from members.models import Enrollment, EnrollmentStatus, StartMove
from members.outbox import Telling, tell


@dataclass(frozen=True, slots=True)
class Way:
    """A way a start moves: why, for its row and the voided bill, and the notice that tells the member."""

    why: str
    event: str


PUSHED = Way("first payment not received by its due date", event="start_pushed")
RESTORED = Way("restored: first payment received in time", event="start_restored")
EXPIRED = "enrollment window closed before the first payment"


def review(*, today: date, at: datetime, run: str, account_ids: Iterable[int] | None = None) -> Counts:
    """Push each waiting start whose binder was not covered by a due date that has passed.

    The old bill is voided, a new one issued, the member told; past its window the enrollment expires. Without
    `account_ids`, everyone whose due date has passed. In chunks, each a transaction; safe to run twice or
    after a crash. `run` names who asked.
    """
    asked = _find_due(today=today) if account_ids is None else account_ids
    counts = Counter(pushed=0, restored=0, expired=0)
    for chunk in _cut(sorted(asked)):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            counts.update(review_locked(account_ids=chunk, today=today, at=at, run=run))
    return counts


def review_locked(*, account_ids: Iterable[int], today: date, at: datetime, run: str) -> Counts:
    """The review of some accounts, inside the transaction of a caller that has locked them."""
    binders = read_binders(account_ids=account_ids, statuses=[EnrollmentStatus.WAITING])
    starts = read_starts(binders=binders, today=today) if binders else {}
    late = [binder for binder in binders if starts[binder.account_id] > binder.coverage_start]
    pushed = [binder for binder in late if starts[binder.account_id] <= binder.last_start]
    expired = [binder for binder in late if starts[binder.account_id] > binder.last_start]
    # A month that has begun is not given back by a run: staff look at it.
    early = [binder for binder in binders if today < starts[binder.account_id] < binder.coverage_start]
    return {
        "pushed": _move_starts(pushed, starts, PUSHED, run=run, today=today, at=at),
        "restored": _move_starts(early, starts, RESTORED, run=run, today=today, at=at),
        "expired": _expire(expired, today=today, at=at),
    }


def _find_due(*, today: date) -> Iterable[int]:
    """The accounts that wait for a first payment and whose due date may have passed."""
    waiting = Account.objects.filter(enrollment__status=EnrollmentStatus.WAITING)
    due_date = read_due_date()
    starts = Enrollment.objects.filter(status=EnrollmentStatus.WAITING).values_list(
        "coverage_start", flat=True
    )
    passed = [start for start in starts.distinct() if due_date(start) < today]
    overridden = DueDateOverride.objects.filter(account__isnull=False).values("account")
    own_dates = Q(enrollment__binder_due_date__isnull=False) | Q(pk__in=overridden)
    due = waiting.filter(Q(enrollment__coverage_start__in=passed) | own_dates)
    return due.values_list("pk", flat=True)


def _cut(account_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(account_ids), CHUNK):
        yield account_ids[start : start + CHUNK]


def _move_starts(
    binders: Sequence[BinderOf],
    starts: Mapping[int, date],
    how: Way,
    *,
    run: str,
    today: date,
    at: datetime,
) -> int:
    """Move the starts, reissue the bills, tell the members; returns how many starts moved."""
    if not binders:
        return 0
    changes = [
        coverage.StartChange(binder.enrollment_id, binder.coverage_start, starts[binder.account_id])
        for binder in binders
    ]
    moved = set(coverage.move_starts(changes=changes, why=how.why, run=run, at=at, today=today))
    kept = [binder for binder in binders if binder.enrollment_id in moved]
    reissue_binders(
        moves=[BinderMove(item.account_id, item.coverage_start, starts[item.account_id]) for item in kept],
        why=how.why,
        today=today,
        at=at,
    )
    _tell_moved(kept, event=how.event, today=today, at=at)
    return len(kept)


def _tell_moved(binders: Sequence[BinderOf], *, event: str, today: date, at: datetime) -> None:
    """Tell each member the old start, the new one, and what is still to be paid by when; once a move."""
    moves = _read_last_moves(binders)
    invoices = Invoice.objects.filter(
        account__in=[binder.account_id for binder in binders], is_binder=True, voided_at=None
    )
    read = invoices.select_related("account__enrollment__member", "account__enrollment__plan").order_by("pk")
    remaining = credit.read_remaining(invoice_ids=[invoice.pk for invoice in read])
    tellings = [
        _tell_one(event, invoice, moves[invoice.account.enrollment_id], cents=remaining[invoice.pk])
        for invoice in read
    ]
    tell(tellings=tellings, at=at, today=today)


def _read_last_moves(binders: Sequence[BinderOf]) -> dict[int, StartMove]:
    """The latest move of each enrollment's start."""
    moves = StartMove.objects.filter(enrollment__in=[binder.enrollment_id for binder in binders])
    latest = moves.order_by("enrollment", "-pk").distinct("enrollment")
    return {move.enrollment_id: move for move in latest}


def _tell_one(event: str, invoice: Invoice, move: StartMove, *, cents: int) -> Telling:
    enrollment = invoice.account.enrollment
    return Telling(
        event=event,
        # The move itself is the subject: a start may be pushed, restored and pushed again on one day.
        subject=f"enrollment:{enrollment.pk}:move:{move.pk}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "start_before": move.start_before,
            "start_after": move.start_after,
            "amount_cents": cents,
            "due_date": invoice.due_date,
        },
    )


def _expire(binders: Sequence[BinderOf], *, today: date, at: datetime) -> int:
    """End the wait: the bill is voided, money received stays as credit, the member is told."""
    if not binders:
        return 0
    moved = coverage.expire(enrollment_ids=[binder.enrollment_id for binder in binders], at=at, why=EXPIRED)
    account_ids = [binder.account_id for binder in binders if binder.enrollment_id in set(moved)]
    void_invoices(account_ids=account_ids, why=EXPIRED, today=today, at=at)
    enrollments = Enrollment.objects.filter(pk__in=moved).select_related("member", "plan")
    tell(tellings=[_tell_expired(enrollment) for enrollment in enrollments], at=at, today=today)
    return len(moved)


def _tell_expired(enrollment: Enrollment) -> Telling:
    return Telling(
        event="enrollment_expired",
        subject=f"enrollment:{enrollment.pk}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "requested_start": enrollment.requested_start,
        },
    )
