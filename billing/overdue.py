"""Overdue: a binder not covered by its due date pushes the start of coverage, until the window closes.

The start is worked out anew from what was received and when, so a review at any moment, late or repeated,
gives the same start; money that was received in time but came to us late, a waiver or a due date extended moves a
pushed start back, and an expired enrollment comes to life again. A month that has begun is left to staff.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Q

from billing import credit
from billing.accounts import CHUNK, EVERY_ACCOUNT, Span, lock_accounts, split_accounts
from billing.binders import BinderOf, read_binders, read_first_payments
from billing.due_date_overrides import note_reviewed, read_due_date, read_due_dates, read_unreviewed
from billing.due_dates import first_of_month
from billing.first_payments import FirstPayment
from billing.invoices import BinderMove, reissue_binders
from billing.models import Account, DueDateOverride, Invoice
from billing.plain_pushes import push_plain
from billing.start_reviews import NewReview, list_known, open_reviews
from billing.voiding import void_invoices
from connector_pay.lib.jobs import Counts
from connector_pay.lib.lanes import run_in_lanes
from members import coverage
from members.models import Enrollment, EnrollmentMove, EnrollmentStatus, StartMove
from members.outbox import Telling, tell


@dataclass(frozen=True, slots=True)
class Way:
    """A way a start moves: why, for its row and the voided bill, and the notice that tells the member."""

    why: str
    event: str


@dataclass(frozen=True, slots=True)
class Given:
    """The start that the rules give an enrollment today; of a covered binder, what it asks for and whether it was in time."""

    binder: BinderOf
    start: date
    asks: int | None = None
    is_in_time: bool = False


PUSHED = Way("first payment not received by its due date", event="start_pushed")
RESTORED = Way("restored: first payment received in time", event="start_restored")
EXPIRED = "enrollment window closed before the first payment"
REVIVED = "restored: the enrollment window had not closed after all"
BEGUN = "the rules give a month that has begun"
REVIEWED = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE, EnrollmentStatus.EXPIRED)


def review(*, today: date, at: datetime, run: str, account_ids: Iterable[int] | None = None) -> Counts:
    """Push each waiting start whose binder was not covered by a due date that has passed; give back what was pushed wrongly.

    The old bill is voided, a new one issued, the member told; past its window the enrollment expires. Without
    `account_ids`, everyone whose due date has passed, whose start was pushed and is still to come, or whose due date was
    moved since the last review. In chunks, each a transaction, on a few spans of accounts at once; safe to run twice or after a
    crash. `run` names who asked.
    """
    overrides = read_unreviewed() if account_ids is None else []
    due = (
        _find_due(today=today, overrides=overrides) if account_ids is None else Q(pk__among=set(account_ids))
    )
    counts = Counter(pushed=0, restored=0, expired=0)
    spans = split_accounts() if account_ids is None else [EVERY_ACCOUNT]
    for done in run_in_lanes(work=partial(_review_span, due=due, today=today, at=at, run=run), parts=spans):
        counts.update(done)
    note_reviewed(overrides=overrides, at=at)
    return counts


def _review_span(span: Span, *, due: Q, today: date, at: datetime, run: str) -> Counter[str]:
    """The review of a span's accounts that are due: the plain pushes at once, then the others."""
    counts: Counter[str] = Counter()
    for chunk in _chunk_accounts(due, span=span):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            how = {"why": PUSHED.why, "event": PUSHED.event, "run": run}
            plain = push_plain(account_ids=chunk, **how, today=today, at=at)
            counts["pushed"] += len(plain.pushed)
            others = [key for key in chunk if key not in plain.pushed and key not in plain.standing]
            if others:
                counts.update(review_locked(account_ids=others, today=today, at=at, run=run))
    return counts


def review_locked(*, account_ids: Iterable[int], today: date, at: datetime, run: str) -> Counts:
    """The review of some accounts, inside the transaction of a caller that has locked them.

    Returns how many starts were pushed and restored and how many enrollments expired; and, where there are any, how many
    came to life again or wait for staff.
    """
    binders = _read_movable(account_ids)
    given = _find_given(binders, today=today) if binders else []
    late = [item for item in given if _is_late(item)]
    early = _leave_later([item for item in given if _is_early(item)], today=today)
    counts = {
        "pushed": _move_starts(
            [item for item in late if item.start <= item.binder.last_start],
            PUSHED,
            run=run,
            today=today,
            at=at,
        ),
        "restored": _move_starts(
            [item for item in early if item.start > today], RESTORED, run=run, today=today, at=at
        ),
        "expired": _expire(
            [item.binder for item in late if item.start > item.binder.last_start], today=today, at=at
        ),
    }
    alive = [item for item in given if _is_alive(item)]
    more = {
        "revived": _revive([item for item in alive if item.start > today], run=run, today=today, at=at),
        # A month that has begun is not given back by a run: staff look at it.
        "for_staff": _ask_staff([item for item in early + alive if item.start <= today], today=today, at=at),
    }
    return {**counts, **{name: count for name, count in more.items() if count}}


def find_late(*, account_ids: Iterable[int], today: date) -> dict[int, date | None]:
    """The starts that a review of `today` pushes, and where to; None where the enrollment expires. Nothing is written."""
    binders = _read_movable(account_ids)
    late = [item for item in _find_given(binders, today=today) if _is_late(item)] if binders else []
    return {
        item.binder.account_id: item.start if item.start <= item.binder.last_start else None for item in late
    }


def _is_late(item: Given) -> bool:
    waiting = item.binder.status == EnrollmentStatus.WAITING
    return waiting and item.start > item.binder.coverage_start


def _is_early(item: Given) -> bool:
    expired = item.binder.status == EnrollmentStatus.EXPIRED
    return not expired and item.start < item.binder.coverage_start


def _leave_later(early: Sequence[Given], *, today: date) -> list[Given]:
    """A run that comes days late knows less than what moved a start since its day: it gives back only what was paid in time."""
    moves = _read_last_moves([item.binder for item in early]) if early else {}
    known = {key: move.business_date for key, move in moves.items()}
    return [item for item in early if item.is_in_time or known.get(item.binder.enrollment_id, today) <= today]


def _is_alive(item: Given) -> bool:
    """Whether an enrollment that has expired has a start within its window after all."""
    return item.binder.status == EnrollmentStatus.EXPIRED and item.start <= item.binder.last_start


def _read_movable(account_ids: Iterable[int]) -> list[BinderOf]:
    """Those of the accounts whose start could move: active coverage that started when asked for stays as it is."""
    return [
        binder
        for binder in read_binders(account_ids=account_ids, statuses=REVIEWED)
        if binder.status != EnrollmentStatus.ACTIVE or binder.was_pushed
    ]


def _find_given(binders: Sequence[BinderOf], *, today: date) -> list[Given]:
    """The start that the rules give each of them today.

    Until the requested month's due date has passed, money decides nothing and is not read, unless a start was pushed.
    """
    due_dates = read_due_dates(account_ids=[binder.account_id for binder in binders])
    late, given = [], []
    for binder in binders:
        requested = first_of_month(binder.requested_start)
        is_waiting = binder.status != EnrollmentStatus.ACTIVE and not binder.was_pushed
        if due_dates[binder.account_id](requested) < today or not is_waiting:
            late.append(binder)
        else:
            given.append(Given(binder, requested))
    payments = read_first_payments(binders=late, due_dates=due_dates) if late else {}
    given += [_find_one(binder, payments[binder.account_id], today=today) for binder in late]
    return sorted(given, key=lambda item: item.binder.account_id)


def _find_one(binder: BinderOf, payment: FirstPayment, *, today: date) -> Given:
    """Active coverage moves only to a month that was paid for in time; it waits for no more money."""
    if binder.status == EnrollmentStatus.ACTIVE:
        start = payment.find_earlier_start(than=binder.coverage_start)
    else:
        start = payment.find_start(today=today)
    held = payment.find_held(start=start) if start != binder.coverage_start else None
    is_in_time = held is not None and held.day <= payment.due_date(start)
    return Given(binder, start, held.cents if held else None, is_in_time)


def _find_due(*, today: date, overrides: Sequence[DueDateOverride]) -> Q:
    """The accounts that wait for a first payment and whose due date may have passed, and those whose start may move back."""
    due_date = read_due_date()
    starts = Enrollment.objects.filter(status=EnrollmentStatus.WAITING).values_list(
        "coverage_start", flat=True
    )
    passed = [start for start in starts.distinct() if due_date(start) < today]
    overridden = DueDateOverride.objects.filter(account__isnull=False).values("account")
    own_dates = Q(enrollment__binder_due_date__isnull=False) | Q(pk__in=overridden)
    waiting = Q(enrollment__status=EnrollmentStatus.WAITING)
    due = waiting & (Q(enrollment__coverage_start__in=passed) | own_dates) | _find_pushed(today=today)
    for override in overrides:
        due |= find_touched(override=override)
    return due


def _find_pushed(*, today: date) -> Q:
    """The accounts whose coverage starts later than asked for and has not started."""
    alive = Q(
        enrollment__status__in=(EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE),
        enrollment__coverage_start__gt=today,
    )
    return alive & Q(enrollment__coverage_start__gt=F("enrollment__requested_start"))


def find_touched(*, override: DueDateOverride) -> Q:
    """The accounts whose start an override may give back: it moves the due date of a month they were pushed past."""
    asked = Q(enrollment__requested_start__lte=override.coverage_month)
    if override.account_id is not None:
        asked &= Q(pk=override.account_id)
    pushed = Q(
        enrollment__status__in=(EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE),
        enrollment__coverage_start__gt=override.coverage_month,
    )
    expired = Q(
        enrollment__status=EnrollmentStatus.EXPIRED, enrollment__window_ends__gte=override.coverage_month
    )
    return asked & (pushed | expired)


def _chunk_accounts(which: Q, *, span: Span) -> Iterator[list[int]]:
    """A span's accounts by their ids, some at a time, so that memory stays flat; read anew after each chunk."""
    after, accounts = span.after, Account.objects.filter(which, pk__lte=span.last).order_by("pk")
    while chunk := list(accounts.filter(pk__gt=after).values_list("pk", flat=True)[:CHUNK]):
        yield chunk
        after = chunk[-1]


def _move_starts(given: Sequence[Given], how: Way, *, run: str, today: date, at: datetime) -> int:
    """Move the starts, reissue the bills, tell the members; returns how many starts moved."""
    if not given:
        return 0
    moved = _swap_starts(given, why=how.why, run=run, today=today, at=at)
    kept = [item for item in given if item.binder.enrollment_id in moved]
    reissue_binders(
        moves=[
            BinderMove(item.binder.account_id, item.binder.coverage_start, item.start, item.asks)
            for item in kept
        ],
        why=how.why,
        today=today,
        at=at,
    )
    _tell_moved([item.binder for item in kept], event=how.event, today=today, at=at)
    return len(kept)


def _swap_starts(given: Sequence[Given], *, why: str, run: str, today: date, at: datetime) -> set[int]:
    changes = [
        coverage.StartChange(item.binder.enrollment_id, item.binder.coverage_start, item.start)
        for item in given
        if item.start != item.binder.coverage_start
    ]
    return set(coverage.move_starts(changes=changes, why=why, run=run, at=at, today=today))


def _ask_staff(given: Sequence[Given], *, today: date, at: datetime) -> int:
    """Open a review for each start that staff have not been asked about before; returns how many."""
    if not given:
        return 0
    known = list_known(enrollment_ids=[item.binder.enrollment_id for item in given])
    reviews = [
        NewReview(item.binder.enrollment_id, item.binder.coverage_start, item.start, BEGUN)
        for item in given
        if (item.binder.enrollment_id, item.start) not in known
    ]
    return len(open_reviews(reviews=reviews, today=today, at=at))


def _tell_moved(binders: Sequence[BinderOf], *, event: str, today: date, at: datetime) -> None:
    """Tell each member the old start, the new one, and what is still to be paid by when; once a move."""
    moves = _read_last_moves(binders)
    tellings = [
        _tell_one(event, invoice, moves[invoice.account.enrollment_id], cents=cents)
        for invoice, cents in _read_asked(binders)
    ]
    tell(tellings=tellings, at=at, today=today)


def _read_asked(binders: Sequence[BinderOf]) -> list[tuple[Invoice, int]]:
    """The first invoice of each binder, and what is still to be received for the whole of it."""
    invoices = Invoice.objects.filter(
        account__in=[binder.account_id for binder in binders], is_binder=True, voided_at=None
    )
    read = list(
        invoices.select_related("account__enrollment__member", "account__enrollment__plan").order_by(
            "account", "coverage_month"
        )
    )
    remaining = credit.read_remaining(invoice_ids=[invoice.pk for invoice in read])
    asked: Counter[int] = Counter()
    for invoice in read:
        asked[invoice.account_id] += remaining[invoice.pk]
    first = {invoice.account_id: invoice for invoice in reversed(read)}
    return [(invoice, asked[key]) for key, invoice in sorted(first.items())]


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


def _revive(given: Sequence[Given], *, run: str, today: date, at: datetime) -> int:
    """Money received in time but found later, a waiver or a later due date: the enrollment waits again, its bill is issued."""
    if not given:
        return 0
    enrollment_ids = [item.binder.enrollment_id for item in given]
    revived = set(coverage.revive(enrollment_ids=enrollment_ids, at=at, why=REVIVED))
    kept = [item for item in given if item.binder.enrollment_id in revived]
    _swap_starts(kept, why=REVIVED, run=run, today=today, at=at)
    moves = [BinderMove(item.binder.account_id, None, item.start, item.asks) for item in kept]
    reissue_binders(moves=moves, why=REVIVED, today=today, at=at)
    last = EnrollmentMove.objects.filter(enrollment__in=revived, after=EnrollmentStatus.WAITING)
    latest = dict(last.order_by("pk").values_list("enrollment_id", "pk"))
    tellings = [
        _tell_revived(invoice, latest[invoice.account.enrollment_id], cents=cents)
        for invoice, cents in _read_asked([item.binder for item in kept])
    ]
    tell(tellings=tellings, at=at, today=today)
    return len(kept)


def _tell_revived(invoice: Invoice, move_id: int, *, cents: int) -> Telling:
    enrollment = invoice.account.enrollment
    return Telling(
        event="enrollment_restored",
        subject=f"enrollment:{enrollment.pk}:restored:{move_id}",
        member=enrollment.member,
        facts={
            "product": enrollment.plan.product,
            "plan_name": enrollment.plan.name,
            "coverage_start": enrollment.coverage_start,
            "amount_cents": cents,
            "due_date": invoice.due_date,
        },
    )


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
