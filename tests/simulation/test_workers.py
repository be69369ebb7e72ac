"""The workers of a simulation: one that dies leaves nothing half done, and only a bad day of the bank excuses a failure."""

from dataclasses import replace

import pytest
from django.db import connection

from billing.models import Invoice
from connector_pay.lib.models import JobRun
from connector_pay.self_check import find_violations
from connector_pay.simulation import workers
from connector_pay.simulation.facts import hash_facts
from payments.bank import UnableToReachBank
from tests import people
from tests.diary import eastern

SEED = 1
MOMENT = eastern(2027, 1, 6, 0, 30)
pytestmark = pytest.mark.usefixtures("committed_db")


def fail(error: Exception):
    """A job that cannot do its work."""

    def run(**_when):
        raise error

    return run


class TestDying:
    def test_a_worker_dies_before_its_statement_and_the_next_one_does_the_rest(self):
        people.make_enrollment()
        statements = iter(range(1, 200))
        issued = []
        while not JobRun.objects.filter(job="review_overdue", finished_at__isnull=False):
            workers.die_working(timetable=workers.list_jobs(), moment=MOMENT, die_at=next(statements))
            assert find_violations() == []
            issued.append(Invoice.objects.count())
        assert issued == sorted(issued)
        assert (issued[0], issued[-1]) == (0, 1)
        assert len(issued) > 10

    def test_one_that_is_to_die_later_finishes(self):
        people.make_enrollment()
        workers.die_working(timetable=workers.list_jobs(), moment=MOMENT, die_at=10_000)
        assert Invoice.objects.count() == 1
        assert not JobRun.objects.filter(finished_at=None).exists()

    def test_the_session_of_whoever_forked_it_lives_on(self):
        connection.ensure_connection()
        session = connection.connection
        workers.die_working(timetable=workers.list_jobs(), moment=MOMENT, die_at=5)
        assert connection.connection is session
        assert Invoice.objects.count() == 0


class TestFailing:
    def test_a_bad_day_of_the_bank_is_excused(self, monkeypatch):
        self.replace_job(monkeypatch, "credit_due", UnableToReachBank("down"))
        workers.run_jobs(seed=SEED, moment=MOMENT)
        left = set(JobRun.objects.filter(finished_at=None).values_list("job", flat=True))
        assert {"credit_due", "review_overdue"} <= left  # and the review that waits for it
        assert "issue_invoices" not in left

    def test_anything_else_is_named(self, monkeypatch):
        self.replace_job(monkeypatch, "credit_due", ZeroDivisionError("no"))
        with pytest.raises(workers.UnableToRunJob, match="2027-01-06 credit_due: ZeroDivisionError: no"):
            workers.run_jobs(seed=SEED, moment=MOMENT)

    def replace_job(self, monkeypatch, name: str, error: Exception) -> None:
        timetable = [
            replace(job, run=fail(error)) if job.name == name else job for job in workers.list_jobs()
        ]
        monkeypatch.setattr(workers, "list_jobs", lambda: timetable)


class TestResting:
    def test_workers_rest_on_some_days_of_a_year_and_work_on_most(self):
        days = [eastern(2027, month, day, 12) for month in range(1, 13) for day in range(1, 29)]
        rests = [workers.are_resting(seed=SEED, moment=moment) for moment in days]
        assert 5 < sum(rests) < 60


def test_the_self_check_is_not_run_every_night():
    assert "self_check" not in [job.name for job in workers.list_jobs()]


def test_equal_facts_have_the_same_hash_and_other_facts_another():
    before = hash_facts()
    assert before == hash_facts()
    people.make_enrollment()
    assert hash_facts() != before
