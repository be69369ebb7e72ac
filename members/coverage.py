"""Coverage: the day it starts, and whether it is waiting, active, ended or expired; each change leaves a row.

Every function takes many enrollments as easily as one, and returns the ids of those it changed: an enrollment
that another process moved first is left as it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F, Q

from members.models import ENROLLMENT_MOVES, Enrollment, EnrollmentMove, EnrollmentStatus, StartMove

Day = TypeVar("Day", date, date | None)


@dataclass(frozen=True)
class StartChange:
    """One change of a coverage start: from where it was read to stand, to the first of another month."""

    enrollment_id: int
    start_before: date
    start_after: date


class UnableToMoveStart(ValueError):
    """Coverage starts only on the first of a month, and a change goes to another one."""


def move_starts(
    *, changes: Sequence[StartChange], why: str, run: str, at: datetime, today: date
) -> list[int]:
    """Move starts that still stand where they were read; returns the ids of the enrollments moved, in order.

    `run` names the run or the payment that asked. Raises UnableToMoveStart.
    """
    for change in changes:
        if change.start_after.day != 1 or change.start_after == change.start_before:
            raise UnableToMoveStart(
                f"From {change.start_before} to {change.start_after} is no change of a start."
            )
    with transaction.atomic():
        moved = _swap_starts(changes=changes)
        StartMove.objects.bulk_create(
            StartMove(
                enrollment_id=change.enrollment_id,
                start_before=change.start_before,
                start_after=change.start_after,
                why=why,
                run=run,
                at=at,
                business_date=today,
            )
            for change in sorted(changes, key=lambda change: change.enrollment_id)
            if change.enrollment_id in moved
        )
    return sorted(moved)


def effectuate(*, enrollment_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """Coverage is effectuated once the first payment has posted, or none was owed: waiting -> active."""
    return _move(enrollment_ids, EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE, at=at, why=why)


def await_payment_again(*, enrollment_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """The first payment was returned: active -> waiting."""
    return _move(enrollment_ids, EnrollmentStatus.ACTIVE, EnrollmentStatus.WAITING, at=at, why=why)


def expire(*, enrollment_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """The enrollment window closed before the first payment: waiting -> expired."""
    return _move(enrollment_ids, EnrollmentStatus.WAITING, EnrollmentStatus.EXPIRED, at=at, why=why)


def end_passed(*, today: date, at: datetime) -> list[int]:
    """Coverage whose last day has passed, or comes before its start, is over: active, or still waiting, -> ended."""
    reasons = {
        "coverage ends before it would start": Q(ends_on__lt=F("coverage_start")),
        "the last day of coverage has passed": Q(ends_on__lt=today),
    }
    ended: list[int] = []
    for why, over in reasons.items():
        for before in (EnrollmentStatus.ACTIVE, EnrollmentStatus.WAITING):
            due = Enrollment.objects.filter(over, status=before).values_list("pk", flat=True)
            ended += _move(due, before, EnrollmentStatus.ENDED, at=at, why=why)
    return sorted(ended)


def end_early(*, last_days: Mapping[int, date], at: datetime, why: str) -> None:
    """Coverage ends with an earlier day than it stood to, given for each enrollment: active -> ended.

    Of one that has ended meanwhile the last day alone is moved.
    """
    for last_day, ids in _group_by_day(last_days):
        Enrollment.objects.filter(pk__among=ids, status=EnrollmentStatus.ENDED).update(ends_on=last_day)
        _move(
            ids,
            EnrollmentStatus.ACTIVE,
            EnrollmentStatus.ENDED,
            at=at,
            why=why,
            changes={"ends_on": last_day},
        )


def reinstate(*, last_days: Mapping[int, date | None], at: datetime, why: str) -> list[int]:
    """Coverage that was ended goes on, without an end or until the one given: ended -> active."""
    return [
        key
        for last_day, ids in _group_by_day(last_days)
        for key in _move(
            ids,
            EnrollmentStatus.ENDED,
            EnrollmentStatus.ACTIVE,
            at=at,
            why=why,
            changes={"ends_on": last_day},
        )
    ]


def _group_by_day(last_days: Mapping[int, Day]) -> list[tuple[Day, list[int]]]:
    groups: defaultdict[Day, list[int]] = defaultdict(list)
    for key, last_day in sorted(last_days.items()):
        groups[last_day].append(key)
    return list(groups.items())


def _move(
    enrollment_ids: Iterable[int],
    before: EnrollmentStatus,
    after: EnrollmentStatus,
    *,
    at: datetime,
    why: str,
    changes: Mapping[str, object] | None = None,
) -> list[int]:
    return ENROLLMENT_MOVES.move(
        model=Enrollment,
        history=EnrollmentMove,
        ids=enrollment_ids,
        before=before,
        after=after,
        at=at,
        why=why,
        changes=changes,
    )


def _swap_starts(*, changes: Sequence[StartChange]) -> set[int]:
    """UPDATE ... WHERE coverage_start = start_before: of two racing changes, one moves the start."""
    if not changes:
        return set()
    table = Enrollment._meta.db_table
    columns = zip(
        *((change.enrollment_id, change.start_before, change.start_after) for change in changes), strict=True
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS enrollment SET coverage_start = change.start_after "
            "FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS change (id, start_before, start_after) "
            "WHERE enrollment.id = change.id AND enrollment.coverage_start = change.start_before "
            "RETURNING enrollment.id",
            [list(column) for column in columns],
        )
        return {row[0] for row in cursor.fetchall()}
