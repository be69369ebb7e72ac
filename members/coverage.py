"""Coverage: the day it starts, and whether it is waiting, active, ended or expired; each change leaves a row.

Every function takes many enrollments as easily as one, and returns the ids of those it changed: an enrollment
that another process moved first is left as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from members.models import ENROLLMENT_MOVES, Enrollment, EnrollmentMove, EnrollmentStatus, StartMove


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


def revive(*, enrollment_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """The first payment was in time after all: expired -> waiting."""
    return _move(enrollment_ids, EnrollmentStatus.EXPIRED, EnrollmentStatus.WAITING, at=at, why=why)


def end_passed(*, today: date, at: datetime) -> list[int]:
    """Coverage whose last day has passed is over: active, or still waiting, -> ended."""
    ended: list[int] = []
    for before in (EnrollmentStatus.ACTIVE, EnrollmentStatus.WAITING):
        due = Enrollment.objects.filter(status=before, ends_on__lt=today).values_list("pk", flat=True)
        ended += _move(due, before, EnrollmentStatus.ENDED, at=at, why="the last day of coverage has passed")
    return sorted(ended)


def _move(
    enrollment_ids: Iterable[int],
    before: EnrollmentStatus,
    after: EnrollmentStatus,
    *,
    at: datetime,
    why: str,
) -> list[int]:
    return ENROLLMENT_MOVES.move(
        model=Enrollment,
        history=EnrollmentMove,
        ids=enrollment_ids,
        before=before,
        after=after,
        at=at,
        why=why,
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
