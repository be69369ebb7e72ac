"""Coverage moves by compare-and-swap, and each move leaves a row."""

from datetime import UTC, date, datetime

import pytest

from connector_pay.lib.states import UnableToMove
from members import coverage
from members.models import ENROLLMENT_MOVES, Enrollment, EnrollmentMove, StartMove
from tests.people import make_enrollment

pytestmark = pytest.mark.django_db

AT = datetime(2027, 1, 24, 5, 10, tzinfo=UTC)
TODAY = date(2027, 1, 24)
FEBRUARY, MARCH, APRIL = date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)


def push(*changes):
    return coverage.move_starts(
        changes=changes, why="binder unpaid", run="review:2027-01-24", at=AT, today=TODAY
    )


def test_a_pushed_start_moves_and_leaves_a_row_that_says_why_and_by_which_run():
    enrollment = make_enrollment()

    assert push(coverage.StartChange(enrollment.pk, FEBRUARY, MARCH)) == [enrollment.pk]

    enrollment.refresh_from_db()
    assert (enrollment.requested_start, enrollment.coverage_start) == (FEBRUARY, MARCH)
    move = StartMove.objects.get()
    assert (move.start_before, move.start_after) == (FEBRUARY, MARCH)
    assert (move.why, move.run) == ("binder unpaid", "review:2027-01-24")
    assert (move.at, move.business_date) == (AT, TODAY)


def test_a_start_that_no_longer_stands_where_it_was_read_is_left_alone_and_leaves_no_row():
    moved, stale = make_enrollment(), make_enrollment(coverage_start=MARCH)

    changes = [
        coverage.StartChange(stale.pk, FEBRUARY, MARCH),
        coverage.StartChange(moved.pk, FEBRUARY, MARCH),
    ]
    assert push(*changes) == [moved.pk]

    assert list(StartMove.objects.values_list("enrollment_id", flat=True)) == [moved.pk]


def test_the_same_push_again_does_nothing():
    enrollment = make_enrollment()
    push(coverage.StartChange(enrollment.pk, FEBRUARY, MARCH))
    assert push(coverage.StartChange(enrollment.pk, FEBRUARY, MARCH)) == []
    assert StartMove.objects.count() == 1


def test_many_starts_to_different_months_are_pushed_in_two_statements(django_assert_num_queries):
    enrollments = [make_enrollment() for _ in range(40)]
    changes = [
        coverage.StartChange(enrollment.pk, FEBRUARY, MARCH if number % 2 else APRIL)
        for number, enrollment in enumerate(enrollments)
    ]
    # The savepoint and its release are two of the four.
    with django_assert_num_queries(4):
        assert push(*changes) == sorted(enrollment.pk for enrollment in enrollments)
    assert Enrollment.objects.filter(coverage_start=MARCH).count() == 20


def test_nothing_to_push_is_no_fault():
    assert push() == []


@pytest.mark.parametrize("start", [date(2027, 3, 2), FEBRUARY])
def test_a_start_is_pushed_only_to_the_first_of_another_month(start):
    enrollment = make_enrollment()
    with pytest.raises(coverage.UnableToMoveStart):
        push(coverage.StartChange(enrollment.pk, FEBRUARY, start))
    assert not StartMove.objects.exists()


def test_coverage_is_effectuated_once_and_may_wait_for_payment_again():
    enrollment = make_enrollment()

    assert coverage.effectuate(enrollment_ids=[enrollment.pk], at=AT, why="binder posted") == [enrollment.pk]
    assert coverage.effectuate(enrollment_ids=[enrollment.pk], at=AT, why="binder posted") == []
    again = coverage.await_payment_again(enrollment_ids=[enrollment.pk], at=AT, why="payment returned")
    assert again == [enrollment.pk]

    moves = list(EnrollmentMove.objects.order_by("pk").values_list("before", "after", "why"))
    assert moves == [("waiting", "active", "binder posted"), ("active", "waiting", "payment returned")]


def test_only_a_waiting_enrollment_expires():
    waiting, active = make_enrollment(), make_enrollment(status="active")
    ids = [active.pk, waiting.pk]
    assert coverage.expire(enrollment_ids=ids, at=AT, why="the window closed") == [waiting.pk]
    active.refresh_from_db()
    assert active.status == "active"


def test_coverage_is_over_the_day_after_its_last_day_not_on_it():
    active = make_enrollment(status="active", ends_on=date(2027, 2, 28))
    waiting = make_enrollment(ends_on=date(2027, 2, 28))
    make_enrollment(status="active")

    assert coverage.end_passed(today=date(2027, 2, 28), at=AT) == []
    assert coverage.end_passed(today=date(2027, 3, 1), at=AT) == [active.pk, waiting.pk]
    assert coverage.end_passed(today=date(2027, 3, 2), at=AT) == []


def test_the_table_has_no_arrow_out_of_expired_but_back_to_waiting():
    with pytest.raises(UnableToMove):
        ENROLLMENT_MOVES.move(
            model=Enrollment,
            history=EnrollmentMove,
            ids=[1],
            before="expired",
            after="active",
            at=AT,
        )
