"""Parts of a long run are done at once, each over a connection of its own, and fail as one run does."""

import threading

import pytest
from django.db import connection

from connector_pay.lib import clock
from connector_pay.lib.lanes import run_in_lanes
from tests.diary import eastern

PATIENCE_SECONDS = 30


@pytest.fixture(autouse=True)
def _two_lanes(settings) -> None:
    settings.RUN_LANES = 2


def read_session(_part: object = None) -> int:
    """Which of the database's sessions this is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("committed_db")
def test_two_parts_are_done_at_once_each_over_a_connection_of_its_own() -> None:
    both = threading.Barrier(2)

    def meet(part: str) -> tuple[str, int]:
        both.wait(PATIENCE_SECONDS)
        return part, read_session()

    answers = run_in_lanes(work=meet, parts=["first", "second"])
    assert [part for part, _session in answers] == ["first", "second"]
    assert len({read_session(), *(session for _part, session in answers)}) == 3


@pytest.mark.usefixtures("committed_db")
def test_the_first_error_is_raised_and_what_was_not_begun_is_not_done() -> None:
    both, done = threading.Barrier(2), []

    def fail(part: int) -> None:
        done.append(part)
        if part < 2:
            both.wait(PATIENCE_SECONDS)
            raise LookupError(f"part {part}")
        threading.Event().wait(0.2)

    with pytest.raises(LookupError, match="part 0"):
        run_in_lanes(work=fail, parts=range(100))
    assert len(done) < 100


@pytest.mark.django_db
def test_in_a_transaction_the_parts_are_done_one_after_the_other_where_its_rows_are_seen() -> None:
    assert run_in_lanes(work=read_session, parts=["first", "second"]) == [read_session()] * 2


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize(("lanes", "parts"), [(1, 3), (2, 1)], ids=["one lane", "one part"])
def test_a_single_lane_or_part_needs_no_other_connection(settings, lanes: int, parts: int) -> None:
    settings.RUN_LANES = lanes
    assert run_in_lanes(work=read_session, parts=range(parts)) == [read_session()] * parts


@pytest.mark.usefixtures("committed_db")
def test_no_further_part_is_begun_once_one_has_failed_though_another_takes_long() -> None:
    failed, done = threading.Event(), []

    def work(part: int) -> None:
        done.append(part)
        if part == 0:
            failed.wait(PATIENCE_SECONDS)
            threading.Event().wait(0.2)
        elif part == 1:
            failed.set()
            raise LookupError("part 1")
        else:
            threading.Event().wait(0.05)

    with pytest.raises(LookupError, match="part 1"):
        run_in_lanes(work=work, parts=range(100))
    assert len(done) < 10


@pytest.mark.usefixtures("committed_db")
def test_a_lane_stands_where_its_run_stands_in_time() -> None:
    moment = eastern(2027, 1, 23, 23, 59)
    clock.stand_at(moment)
    try:
        assert run_in_lanes(work=lambda _part: clock.now(), parts=range(3)) == [moment] * 3
    finally:
        clock.stand_at(None)
