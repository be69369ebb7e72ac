"""Every job of the timetable twice, by two workers at once, and three days late: the business facts are the same.

On Wednesday, February 24, 2027, each job has something to do, but for two of AutoPay's: they have days of their own. The
self-check is lived where it is what is tested; elsewhere the state is checked at the end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from billing import invoices
from billing.models import Account
from connector_pay.celery import read_timetable
from connector_pay.lib import clock
from connector_pay.lib.jobs import Job, run_until
from connector_pay.lib.models import JobRun
from connector_pay.self_check import find_violations
from connector_pay.simulation.facts import read_facts
from members.models import Enrollment, EnrollmentMove, Notice
from payments.drafts import Contents, start_draft
from payments.models import PaymentDraft
from tests import people
from tests.billing.correcting import make_override
from tests.crash_points import Stage
from tests.diary import END_OF_DAY, Diary, eastern
from tests.journeys.living import CLOSED_ACCOUNT, NO_MONEY, pay
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import make_details
from tests.races.together import run_together

EVE, DAY, ALL_POSTED = date(2027, 2, 23), date(2027, 2, 24), date(2027, 3, 16)
ANNOUNCED, CUT, DRAFT_POSTED = date(2027, 2, 9), date(2027, 2, 19), date(2027, 2, 27)
FEBRUARY, APRIL = date(2027, 2, 1), date(2027, 4, 1)
OF_OTHER_DAYS = {"announce_drafts": ANNOUNCED, "draft_autopay": CUT}  # they find nothing to do on the 24th
JOBS = [job.name for job in read_timetable()]
# Late at these, debits go out or are known of on later days: the same money, other days of the bank.
MOVE_THE_BANKS_DAYS = {"read_bank", "settle_due", "make_retries", "draft_autopay", "send_files"}
# What only asks how things are is not asked anew for a day that has passed. Until every one of those debits
# has posted, weeks pass.
THAT_WORK = [
    pytest.param(job.name, marks=pytest.mark.prove if job.name in MOVE_THE_BANKS_DAYS else ())
    for job in read_timetable()
    if not job.only_asks
]
Facts = dict[str, list[tuple[Any, ...]]]


def noon(day: int) -> Diary:
    """Noon of a day in February, as the stories' people see it."""
    return Diary(traveller=None, moment=eastern(2027, 2, day))


def enroll(day: int, name: str, **facts: Any) -> Account:
    """Somebody whose first bill is due on the 23rd, unless told otherwise."""
    member = people.make_member(first_name=name, member_id=f"0034{abs(hash_name(name)):08d}")
    facts = {"requested_start": date(2027, 3, 1), "external_id": name, "member": member} | facts
    enrollment = people.make_enrollment(at=eastern(2027, 2, day), **facts)
    invoices.issue_missing(today=date(2027, 2, day), at=eastern(2027, 2, day))
    return Account.objects.get(enrollment=enrollment)


def hash_name(name: str) -> int:
    """A number of the name's own."""
    return int.from_bytes(name.encode()[:3], "big")


def live_until_the_eve() -> None:
    """People enroll and pay so that each job finds something on the 24th; the days before are over."""
    enroll(16, "Alice")  # never pays: pushed on the 24th
    bob, carol, dan, erin = (enroll(16, name) for name in ("Bob", "Carol", "Dan", "Erin"))
    frank = enroll(16, "Frank", requested_start=APRIL)
    ivan = enroll(16, "Ivan", premium_cents=0, requested_start=FEBRUARY, ends_on=EVE)
    turn_on(ivan, at=eastern(2027, 2, 16))  # ends with the coverage
    judy = enroll(16, "Judy", premium_cents=0, requested_start=FEBRUARY)
    behind = enroll(16, "Liz", premium_cents=0, requested_start=FEBRUARY).enrollment
    people.make_rate(enrollment=behind, month=date(2027, 3, 1), premium_cents=284_17)  # due on the 23rd
    kim, gina = enroll(16, "Kim"), enroll(16, "Gina")
    make_override(  # reminded two days before
        account=kim,
        coverage_month=date(2027, 3, 1),
        due_date=date(2027, 2, 26),
        reason="a bill that came late",
        recorded_at=eastern(2027, 2, 16),
    )
    pay(noon(16), erin, number=NO_MONEY)  # returned on the 22nd, sent again on the 24th
    pay(noon(16), frank, on=DAY)
    live(date(2027, 2, 16), date(2027, 2, 17))
    pay(noon(18), bob)  # settles on the 19th, posts on the 24th
    live(date(2027, 2, 18))
    pay(noon(19), dan, number=CLOSED_ACCOUNT)  # settles on the 22nd, returned on the 24th
    live(date(2027, 2, 19), date(2027, 2, 22))
    pay(noon(23), carol)  # settles on the 24th
    live(EVE)
    Enrollment.objects.filter(account=judy).update(ends_on=date(2027, 2, 28))  # the bill for March is void
    pay(Diary(traveller=None, moment=eastern(2027, 2, 23, 19)), gina)  # in the 24th's file
    people.make_enrollment(external_id="Hank", requested_start=APRIL, at=eastern(2027, 2, 23, 20))
    start_draft(user=None, session_digest="a browser's", contents=Contents(), at=eastern(2027, 2, 23, 21))


def turn_on_the_day_before_it_is_announced() -> None:
    """Nora's first bill becomes dearer once she has turned AutoPay on: the difference is announced in the night."""
    nora = enroll(8, "Nora")
    turn_on(nora, at=eastern(2027, 2, 8))
    live(date(2027, 2, 8))
    people.make_rate(
        enrollment=nora.enrollment,
        month=date(2027, 3, 1),
        premium_cents=300_00,
        at=eastern(2027, 2, 8, 20),
    )


def turn_on_the_day_before_the_cut() -> None:
    """Olga turns AutoPay on, so that her first bill is drafted tomorrow; Paul's allows too little."""
    turn_on(enroll(18, "Olga"), at=eastern(2027, 2, 18))
    turn_on(enroll(18, "Paul"), at=eastern(2027, 2, 18), bank=make_details("77003456"), ceiling_cents=100_00)
    live(date(2027, 2, 18))


STORIES: dict[date, Callable[[], None]] = {
    DAY: live_until_the_eve,
    ANNOUNCED: turn_on_the_day_before_it_is_announced,
    CUT: turn_on_the_day_before_the_cut,
}


def find_day(name: str) -> date:
    """The day on which a job has something to do."""
    return OF_OTHER_DAYS.get(name, DAY)


def live(first: date, last: date | None = None, *, timetable: Sequence[Job] = ()) -> None:
    """Run the timetable day by day; some jobs may fail."""
    day = first
    while day <= (last or first):
        moment = clock.eastern_moment(day=day, at=END_OF_DAY)
        clock.stand_at(moment)
        for _ in run_until(timetable=timetable or list_working(), moment=moment):
            pass
        day += timedelta(days=1)


def list_working(beside: str = "") -> list[Job]:
    """The timetable without what only asks, but for the one named."""
    return [job for job in read_timetable() if not job.only_asks or job.name == beside]


def replace_job(name: str, run: Callable[..., Any]) -> list[Job]:
    """The timetable with another way to run one of its jobs."""
    return [replace(job, run=run) if job.name == name else job for job in list_working(beside=name)]


def find_job(name: str) -> Job:
    """A line of the timetable."""
    return next(job for job in read_timetable() if job.name == name)


def live_the_day(day: str) -> None:
    """The day of a job, whole."""
    live(date.fromisoformat(day), timetable=read_timetable())


def run_twice(name: str) -> None:
    """Its day, on which one job does its work twice."""
    job = find_job(name)

    def twice(**when: Any) -> Any:
        job.run(**when)
        return job.run(**when)

    live(find_day(name), timetable=replace_job(name, twice))


def run_at_once(name: str) -> None:
    """Its day, on which two workers do one job's work at the same time, and then a third."""
    job, day = find_job(name), find_day(name)
    moment = job.read_moment(day)

    def work() -> None:
        clock.stand_at(moment)
        job.run(day=day, at=moment)

    def at_once(**when: Any) -> Any:
        assert run_together(work, work) == [None, None]
        return job.run(**when)

    live(day, timetable=replace_job(name, at_once))


def run_three_days_late(name: str) -> None:
    """Nobody can do one job's work for three days; what needs it waits."""
    day = find_day(name)
    later = day + timedelta(days=3)

    def fail(**when: Any) -> Any:
        raise ConnectionError("the worker for this is down")

    live(day, later - timedelta(days=1), timetable=replace_job(name, fail))
    assert JobRun.objects.filter(job=name, business_date__gte=day, finished_at=None).exists()
    live(later, find_end(name))


def live_in_time(name: str) -> None:
    """Every job in its time."""
    live(find_day(name), find_end(name))


def find_end(name: str) -> date:
    """A day later all is as it would have been; where the bank's days are others, once every debit has posted."""
    day = find_day(name)
    posted = DRAFT_POSTED if day == CUT else ALL_POSTED
    return posted if name in MOVE_THE_BANKS_DAYS else day + timedelta(days=4)


def read_state() -> Facts:
    """The business facts, and what else the jobs of the day change."""
    left = JobRun.objects.filter(finished_at=None).values_list("job", "business_date")
    more = {
        "drafts": list(PaymentDraft.objects.values_list("pk")),
        "moves": sorted(EnrollmentMove.objects.values_list("enrollment__external_id", "after")),
        "told": sorted(Notice.objects.values_list("event", "member__first_name", "channel")),
        "unfinished": list(left),
        "broken": [(item.name, row) for item in find_violations() for row in item.rows],
    }
    return read_facts() | more


def find_like(name: str) -> str:
    """A job of the same day and end: in time, all of those are the same."""
    return next(
        other for other in JOBS if (find_day(other), find_end(other)) == (find_day(name), find_end(name))
    )


def leave_out_the_banks_days(facts: Facts) -> Facts:
    """Who has paid what and is covered from when, whatever day a file went out or a debit became final."""
    kept = ("enrollments", "starts", "invoices", "withdrawals", "moves", "told", "unfinished", "broken")
    payments = sorted((who, cents, status, code) for who, cents, _, status, _, _, code in facts["payments"])
    return {name: facts[name] for name in kept} | {"payments": payments}


def leave_out_when_it_was_told(facts: Facts) -> Facts:
    """What is announced late is dated when it is told."""
    told = sorted((who, draft, cents) for who, draft, cents, _announced_on in facts["announcements"])
    return facts | {"announcements": told}


@pytest.fixture(scope="module")
def find_eve(
    template_database, django_db_setup, django_db_blocker, tmp_path_factory
) -> Iterator[Callable[[date], Stage]]:
    """The exchange on the evening before a day, as in production but for the bank; lived once."""
    policy, eves = {"retry_returns": True}, dict[date, Stage]()
    with (
        django_db_blocker.unblock(),
        override_settings(DEMO_MODE=False, PREMIUM_POLICY=policy),
        ExitStack() as stack,
    ):

        def find(day: date) -> Stage:
            if day not in eves:
                name = f"eve_{day:%m%d}_{settings.DATABASES['default']['NAME']}"
                stage = Stage(name=name, folder=tmp_path_factory.mktemp("eve"))
                stack.enter_context(stage.opened(template=template_database, bank=None))
                stage.fork(STORIES[day], effects=())
                eves[day] = stage
            return eves[day]

        yield find


@pytest.fixture(scope="module")
def live_from(find_eve: Callable[[date], Stage], tmp_path_factory) -> Callable[..., Facts]:
    """What comes of the exchange where it lives on from the eve of a day in some way; each way is lived once."""
    known: dict[str, Facts] = {}

    def live_on(day: date, way: Callable[..., None], word: str) -> Facts:
        key = " ".join([str(day), way.__name__, word])
        if key not in known:
            eve = find_eve(day)
            stage = Stage(name=f"{eve.name}_on", folder=tmp_path_factory.mktemp("bank"))
            with stage.opened(template=eve.name, bank=eve.folder):
                stage.fork(lambda: way(word), effects=())
                known[key] = stage.fork(read_state, effects=()).result
        return known[key]

    return live_on


@pytest.mark.parametrize("day", STORIES)
def test_every_job_has_something_to_do_on_its_day(
    find_eve: Callable[[date], Stage], tmp_path, day: date
) -> None:
    eve = find_eve(day)
    stage = Stage(name=f"{eve.name}_counts", folder=tmp_path)
    with stage.opened(template=eve.name, bank=eve.folder):
        stage.fork(lambda: live_the_day(str(day)), effects=())
        runs = stage.fork(lambda: list(JobRun.objects.filter(business_date=day)), effects=()).result
    ours = {name for name in JOBS if find_day(name) == day}
    assert ours <= {run.job for run in runs if any(run.counts.values())}


class TestEveryJob:
    @pytest.mark.parametrize("name", JOBS)
    def test_twice_is_the_same_as_once(self, live_from, name: str) -> None:
        day = find_day(name)
        assert live_from(day, run_twice, name) == live_from(day, live_the_day, str(day))

    @pytest.mark.parametrize("name", JOBS)
    def test_by_two_workers_at_once_is_the_same_as_by_one(self, live_from, name: str) -> None:
        day = find_day(name)
        assert live_from(day, run_at_once, name) == live_from(day, live_the_day, str(day))

    @pytest.mark.parametrize("name", THAT_WORK)
    def test_three_days_late_is_the_same_as_in_time(self, live_from, name: str) -> None:
        day = find_day(name)
        some_job = find_like(name)
        late, in_time = live_from(day, run_three_days_late, name), live_from(day, live_in_time, some_job)
        if name in MOVE_THE_BANKS_DAYS:
            late, in_time = leave_out_the_banks_days(late), leave_out_the_banks_days(in_time)
        if name == "announce_drafts":
            late, in_time = leave_out_when_it_was_told(late), leave_out_when_it_was_told(in_time)
        assert late == in_time


def test_the_day_leaves_nothing_broken_and_nothing_undone(live_from) -> None:
    for facts in (live_from(DAY, live_the_day, str(DAY)), live_from(DAY, live_in_time, "credit_due")):
        assert (facts["broken"], facts["unfinished"], facts["drafts"]) == ([], [], [])
