"""The job ledger: once per business date, in order, and nothing forgotten after a failure, a kill or a
long rest.
"""

import threading
from datetime import date, time, timedelta

import pytest
from django.db import connection

from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.jobs import (
    Job,
    Ran,
    TimetableAlreadyRunning,
    describe_counts,
    hold_timetable,
    run_until,
)
from connector_pay.lib.models import JobRun

MONDAY = date(2027, 1, 4)
TUESDAY = MONDAY + timedelta(days=1)
NOON, EVENING, LATE = time(12), time(18), time(23, 45)


class Diary:
    """Jobs that write down what they were asked to do, and fail on demand."""

    def __init__(self) -> None:
        self.done: list[tuple[str, date]] = []
        self.failing: set[tuple[str, date]] = set()

    def make(self, name: str, at: time, **options) -> Job:
        def run(*, day, at):
            if (name, day) in self.failing:
                raise RuntimeError(f"{name} cannot reach account 123456789")
            self.done.append((name, day))
            return {"done": 1}

        return Job(name, at=at, run=run, **options)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def timetable(diary: Diary) -> list[Job]:
    return [
        diary.make("draft", time(0, 1)),
        diary.make("review", time(0, 10), needs=("draft",)),
        diary.make("send", time(17), days=lambda day: day.weekday() < 5),
    ]


def ask(timetable: list[Job], day: date, at: time) -> list[Ran]:
    return list(run_until(timetable=timetable, moment=eastern_moment(day=day, at=at)))


@pytest.mark.django_db
class TestOneDay:
    def test_a_job_runs_at_its_minute_and_not_a_second_before(self, timetable, diary):
        assert ask(timetable, MONDAY, time(0, 0, 59)) == []
        assert [ran.job for ran in ask(timetable, MONDAY, time(0, 1))] == ["draft"]

    def test_each_job_runs_once_however_often_it_is_asked_for(self, timetable, diary):
        for _ in range(3):
            ask(timetable, MONDAY, EVENING)
        assert diary.done == [("draft", MONDAY), ("review", MONDAY), ("send", MONDAY)]

    def test_a_job_runs_as_of_its_own_moment(self, timetable, diary):
        ran = ask(timetable, MONDAY, EVENING)
        assert [item.at for item in ran] == [eastern_moment(day=MONDAY, at=job.at) for job in timetable]

    def test_a_job_rests_on_days_that_are_not_its_own(self, timetable, diary):
        saturday = date(2027, 1, 9)
        ask(timetable, saturday, EVENING)
        assert ("send", saturday) not in diary.done

    def test_a_job_is_not_held_by_one_that_rests_that_day(self, diary):
        never = diary.make("never", time(0, 1), days=lambda day: False)
        ask([never, diary.make("review", time(0, 10), needs=("never",))], MONDAY, NOON)
        assert diary.done == [("review", MONDAY)]


@pytest.mark.django_db
class TestFailure:
    def test_a_failed_job_is_said_and_kept_without_any_number(self, timetable, diary):
        diary.failing = {("draft", MONDAY)}
        ran = ask(timetable, MONDAY, NOON)
        assert ran[0].error == "RuntimeError: draft cannot reach account [number removed]"
        kept = JobRun.objects.get(job="draft").error
        assert "RuntimeError" in kept
        assert "123456789" not in kept

    def test_what_needs_a_failed_job_waits_and_the_others_go_on(self, timetable, diary):
        diary.failing = {("draft", MONDAY)}
        ran = {item.job: item.error for item in ask(timetable, MONDAY, EVENING)}
        assert ran["review"] == "waits for draft"
        assert diary.done == [("send", MONDAY)]

    def test_the_next_asking_mends_both_in_order(self, timetable, diary):
        diary.failing = {("draft", MONDAY)}
        ask(timetable, MONDAY, NOON)
        diary.failing = set()
        ask(timetable, MONDAY, NOON)
        assert diary.done == [("draft", MONDAY), ("review", MONDAY)]
        assert JobRun.objects.get(job="review").finished_at
        assert JobRun.objects.get(job="draft").error == ""

    def test_a_job_that_waited_is_not_forgotten_when_its_need_is_met_days_later(self, timetable, diary):
        diary.failing = {("draft", MONDAY)}
        ask(timetable, MONDAY, NOON)
        ask(timetable, date(2027, 1, 7), NOON)
        diary.failing = set()
        asked = run_until(timetable=timetable, moment=eastern_moment(day=date(2027, 1, 7), at=NOON))
        assert next(asked).job == "draft"
        asked.close()  # killed right after
        ask(timetable, date(2027, 1, 8), NOON)
        assert ("review", MONDAY) in diary.done

    def test_a_kill_between_two_jobs_of_a_day_loses_neither(self, timetable, diary):
        asked = run_until(timetable=timetable, moment=eastern_moment(day=MONDAY, at=EVENING))
        next(asked)
        asked.close()
        ask(timetable, TUESDAY, time(0, 0, 30))
        assert diary.done == [("draft", MONDAY), ("review", MONDAY), ("send", MONDAY)]


@pytest.mark.django_db
class TestAJobThatOnlyAsks:
    """The self-check with a finding: kept and said, and no work for the minutes and days after it."""

    @pytest.fixture
    def asked(self) -> list[date]:
        return []

    @pytest.fixture
    def with_check(self, diary, asked) -> list[Job]:
        def find(*, day, at):
            asked.append(day)
            raise RuntimeError("the books of 123456789 do not balance")

        return [
            diary.make("draft", time(0, 1)),
            Job("check", at=time(23, 30), run=find, only_asks=True),
        ]

    def test_its_finding_is_said_kept_and_not_asked_for_again_that_day(self, with_check, asked):
        ran = [item for _ in range(3) for item in ask(with_check, MONDAY, LATE)]
        assert [item.error for item in ran if item.job == "check"] == [
            "RuntimeError: the books of [number removed] do not balance"
        ]
        run = JobRun.objects.get(job="check")
        assert run.finished_at
        assert "RuntimeError" in run.error
        assert run.counts == {}
        assert asked == [MONDAY]

    def test_after_many_nights_with_a_finding_the_morning_begins_with_todays_money(self, with_check, asked):
        days = [MONDAY + timedelta(days=number) for number in range(9)]
        for day in days[:-1]:
            ask(with_check, day, LATE)
        assert asked == days[:-1]
        assert [item.job for item in ask(with_check, days[-1], time(0, 1))] == ["draft"]
        assert asked == days[:-1]

    def test_killed_while_asking_it_is_asked_again_for_that_day(self, diary, asked):
        def die(*, day, at):
            asked.append(day)
            if len(asked) == 1:
                raise KeyboardInterrupt
            return {}

        timetable = [Job("check", at=time(23, 30), run=die, only_asks=True)]
        with pytest.raises(KeyboardInterrupt):
            ask(timetable, MONDAY, LATE)
        ask(timetable, TUESDAY, NOON)
        assert asked == [MONDAY, MONDAY]


@pytest.mark.django_db
class TestLongRest:
    def test_a_new_installation_begins_with_its_first_day(self, timetable, diary):
        ask(timetable, TUESDAY, NOON)
        assert {day for _, day in diary.done} == {TUESDAY}

    def test_after_thirty_days_every_day_is_lived_in_order(self, timetable, diary):
        ask(timetable, MONDAY, NOON)
        ask(timetable, MONDAY + timedelta(days=30), NOON)
        drafts = [day for job, day in diary.done if job == "draft"]
        assert drafts == [MONDAY + timedelta(days=number) for number in range(31)]
        assert [day for _, day in diary.done] == sorted(day for _, day in diary.done)
        assert ("send", MONDAY) in diary.done


class TestOneRunner:
    def test_who_holds_the_timetable_may_run_it(self, timetable, diary, committed_db):
        with hold_timetable():
            assert len(ask(timetable, MONDAY, NOON)) == 2

    def test_another_process_waits_then_says_so(self, timetable, diary, committed_db):
        with someone_else_holding(seconds=30) as let_go:
            with pytest.raises(TimetableAlreadyRunning):
                hold_timetable(wait_seconds=0.3).__enter__()
            with pytest.raises(TimetableAlreadyRunning):
                ask(timetable, MONDAY, NOON)
        let_go.set()
        assert diary.done == []

    def test_another_process_takes_its_turn_when_the_first_is_done(self, timetable, committed_db):
        with someone_else_holding(seconds=0.5), hold_timetable(wait_seconds=10):
            assert len(ask(timetable, MONDAY, NOON)) == 2


class someone_else_holding:  # noqa: N801  (read as words in a with statement)
    """Another connection that runs the timetable for a while."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds, self.holds, self.let_go = seconds, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        try:
            with hold_timetable():
                self.holds.set()
                self.let_go.wait(self.seconds)
        finally:
            connection.close()

    def __enter__(self) -> threading.Event:
        self.thread.start()
        assert self.holds.wait(10)
        return self.let_go

    def __exit__(self, *_) -> None:
        self.let_go.set()
        self.thread.join()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "nothing to do"),
        ({"files": 0, "debits": 0}, "nothing to do"),
        ({"files": 1, "debits": 1_200, "debit_cents": 852_51}, "files 1, debits 1,200, debit $852.51"),
    ],
)
def test_what_a_job_did_is_said_in_words(counts, words):
    assert describe_counts(counts) == words
