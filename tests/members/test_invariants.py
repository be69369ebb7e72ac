"""The self-check of members: silent over honest history, and it bites on each kind of broken one."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from members import coverage
from members.invariants import INVARIANTS
from members.models import Enrollment, EnrollmentMove, StartMove
from tests.members.events import JANUARY_5, apply, change, enroll
from tests.people import make_enrollment

pytestmark = pytest.mark.django_db
AT = datetime(2027, 1, 24, 5, 10, tzinfo=UTC)
FEBRUARY, MARCH, APRIL = date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)


def broken():
    found = []
    with connection.cursor() as cursor:
        for item in INVARIANTS:
            cursor.execute(item.question)
            if cursor.fetchall():
                found.append(item.name)
    return found


def push(enrollment, before, after):
    changes = [coverage.StartChange(enrollment.pk, before, after)]
    coverage.move_starts(changes=changes, why="unpaid", run="test", at=AT, today=date(2027, 1, 24))


def add_start_move(enrollment, before, after):
    StartMove.objects.create(
        enrollment=enrollment, start_before=before, start_after=after, at=AT, business_date=date(2027, 1, 24)
    )


def add_move(enrollment, before, after):
    EnrollmentMove.objects.create(enrollment=enrollment, before=before, after=after, at=AT, why="test")


def test_honest_history_breaks_nothing():
    apply(enroll(), change(), at=JANUARY_5)
    enrollment = make_enrollment()
    push(enrollment, FEBRUARY, MARCH)
    push(enrollment, MARCH, APRIL)
    coverage.effectuate(enrollment_ids=[enrollment.pk], at=AT, why="posted")
    coverage.await_payment_again(enrollment_ids=[enrollment.pk], at=AT, why="returned")
    for status in ("active", "ended", "expired"):
        make_enrollment(status=status)
    assert broken() == []


def test_a_status_without_its_move_is_found():
    Enrollment.objects.filter(pk=make_enrollment().pk).update(status="active")
    assert broken() == ["I7 enrollments"]


@pytest.mark.parametrize("moves", [[("active", "ended")], [("waiting", "active"), ("waiting", "ended")]])
def test_a_history_with_a_gap_is_found(moves):
    enrollment = make_enrollment()
    for before, after in moves:
        add_move(enrollment, before, after)
    Enrollment.objects.filter(pk=enrollment.pk).update(status="ended")
    assert broken() == ["I7 enrollments"]


def test_an_arrow_that_is_not_in_the_table_is_found():
    enrollment = make_enrollment(status="expired")
    add_move(enrollment, "expired", "active")
    Enrollment.objects.filter(pk=enrollment.pk).update(status="active")
    assert broken() == ["I7 enrollments"]


def test_a_start_that_moved_without_a_row_is_found():
    Enrollment.objects.filter(pk=make_enrollment().pk).update(coverage_start=MARCH)
    assert broken() == ["I12 start moves"]


def test_start_moves_that_do_not_join_are_found():
    enrollment = make_enrollment()
    push(enrollment, FEBRUARY, MARCH)
    add_start_move(enrollment, FEBRUARY, MARCH)
    assert broken() == ["I12 start moves"]


def test_an_enrollment_without_a_price_for_its_first_month_is_found():
    Enrollment.objects.filter(pk=make_enrollment().pk).update(
        requested_start=date(2027, 1, 1), coverage_start=date(2027, 1, 1)
    )
    assert broken() == ["prices"]
