"""The simulated exchange lives its days: intake, payers in the morning and in the evening, workers in between."""

import gc
import time as machine
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from billing.due_dates import first_of_month, next_month
from connector_pay import self_check
from connector_pay.lib import clock
from connector_pay.lib.models import JobRun
from connector_pay.simulation import staff, workers
from connector_pay.simulation.facts import hash_facts
from connector_pay.simulation.figures import Figure, describe_figures, read_figures
from connector_pay.simulation.helper import Helper, Task, helped
from connector_pay.simulation.households import Household, make_household
from connector_pay.simulation.paying import sit
from connector_pay.simulation.plans import Act, plan_month
from members import outbox
from members.activation import draw_up_user
from members.intake import apply_events
from members.models import Member, User

FIRST_DAY = date(2027, 1, 4)
INTAKE_AT, NOON, AFTER_FILES = time(6), time(12), time(17, 30)
SELDOM = 100_000  # objects between two collections of garbage: a twentieth of the time
END_OF_DAY = time(23, 59, 59, 999_999)
CHECKED_WEEKDAY = 6
EMAILS_AT_ONCE = 5_000
DAYS_TO_FINISH = 5

Say = Callable[[str], None]


class UnableToHold(Exception):
    """Something that must always hold does not; the text names it, the day, and the first rows."""


class UnableToFinish(Exception):
    """Jobs of the timetable are left unfinished at the end."""


@dataclass(frozen=True)
class Outcome:
    """How a simulation ended: its figures, and the hash of its end state."""

    figures: list[Figure]
    sha256: str


@dataclass
class Exchange:
    """A simulated exchange: who will enroll, and what each household still means to do this month."""

    seed: int
    homes: dict[int, Household]
    helper: Helper
    acts: list[Act] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def live_day(self, today: date) -> None:
        """One business day, from midnight to midnight."""
        self._work(today, INTAKE_AT)
        self._take_in(today)
        if today.day == 1:
            joined = [home for home in self.homes.values() if home.enrolls_on <= today]
            self._plan(joined, month=today, since=today)
        facts: dict[str, Any] = {
            "seed": self.seed,
            "today": today,
            "at": clock.eastern_moment(day=today, at=INTAKE_AT),
        }
        self.done["checks"] += staff.read_lockbox(**facts)
        if today.day in staff.MAIL_DAYS:
            self._mail(today, at=facts["at"])
        self.done += staff.work(**facts)
        if today.day in staff.RELIEF_DAYS:
            self._relieve(facts)
        self._work(today, NOON)
        self._sit(today, until=AFTER_FILES)
        self._work(today, AFTER_FILES)
        self._sit(today, until=END_OF_DAY)
        self._work(today, END_OF_DAY)

    def _relieve(self, facts: dict[str, Any]) -> None:
        """Staff relieve the households of both processes at the same time, then move due dates."""
        self.helper.ask("relieve", half=1, **facts)
        self.done += staff.relieve(half=0, **facts)
        self.done += self.helper.collect()
        self.done["extend_afterwards"] += staff.extend_afterwards(**facts)

    def _mail(self, today: date, *, at: datetime) -> None:
        """Both processes draw the letters that wait, then staff take them to the mail."""
        batch_id = staff.gather_letters(today=today, at=at)
        if batch_id is None:
            return
        self.helper.ask("draw", batch_id=batch_id, at=at)
        self.done += staff.draw_letters(batch_id=batch_id, at=at)
        self.done += self.helper.collect()
        self.done["mailed"] += staff.mail_letters(batch_id=batch_id, at=at)

    def check(self, today: date) -> None:
        """Everything that must always hold, holds; both processes ask. Raises UnableToHold, UnableToHelp."""
        self.done += self.helper.collect()
        self.helper.ask("check", today=today, computed=False)
        check(today=today, computed=True)
        self.done += self.helper.collect()

    def _work(self, today: date, at: time) -> None:
        """The workers run what is due by now and send what is to be told, unless they rest."""
        moment = clock.eastern_moment(day=today, at=at)
        clock.stand_at(moment)
        if workers.are_resting(seed=self.seed, moment=moment):
            self.done["rests"] += 1
            return
        self.finish(moment)

    def finish(self, moment: datetime) -> None:
        """Run what is due by a moment; what was to be told before is sent meanwhile."""
        clock.stand_at(moment)
        self.helper.ask("send", at=moment)
        self.done["jobs"] += len(workers.run_jobs(seed=self.seed, moment=moment))

    def _take_in(self, today: date) -> None:
        """The exchange's file of the day; those who enroll can sign in, and think of what to pay."""
        coming = [home for home in self.homes.values() if home.enrolls_on <= today]
        lines = [line for home in coming for day, line in home.lines if day == today]
        if not lines:
            return
        at = clock.eastern_moment(day=today, at=INTAKE_AT)
        taken = apply_events(lines=lines, at=at)
        self.done["events"] += taken.applied
        self.done["refused events"] += len(taken.bad)
        new = [home for home in coming if home.enrolls_on == today]
        _let_in(new)
        if today.day > 1:
            self._plan(new, month=first_of_month(today), since=today + timedelta(days=1))

    def _plan(self, homes: Sequence[Household], *, month: date, since: date) -> None:
        self.acts += [act for home in homes for act in plan_month(home=home, month=month, since=since)]
        self.acts.sort(key=lambda act: (act.day, act.at, act.household))

    def _sit(self, today: date, *, until: time) -> None:
        """Whoever meant to do something by now does it."""
        now = [act for act in self.acts if (act.day, act.at) <= (today, until)]
        self.acts = self.acts[len(now) :]
        odd = [act for act in now if act.household % 2]
        if odd:
            self.helper.ask("sit", acts=odd)
        self.done += sit(acts=[act for act in now if not act.household % 2], homes=self.homes)
        self.done += self.helper.collect()


def simulate(*, members: int, months: int, seed: int, say: Say) -> Outcome:
    """Live the months with so many households, checked every week and at each month's end.

    Raises UnableToHold, UnableToFinish, workers.UnableToRunJob.
    """
    last_day = next_month(FIRST_DAY, count=months) - timedelta(days=1)
    numbers = range(1, members + 1)
    homes = {
        number: make_household(number=number, seed=seed, first_day=FIRST_DAY, last_day=last_day)
        for number in numbers
    }
    staff.hire_staff()
    gc.freeze()  # the households stay to the end, and a year leaves few cycles behind
    gc.set_threshold(SELDOM)
    tasks: dict[str, Task] = {
        "sit": partial(sit, homes=homes),
        "send": _send,
        "relieve": staff.relieve,
        "draw": staff.draw_letters,
        "check": check,
    }
    with helped(tasks=tasks) as helper:
        _live(Exchange(seed=seed, homes=homes, helper=helper), last_day=last_day, say=say)
    return Outcome(figures=read_figures(), sha256=hash_facts())


def _live(exchange: Exchange, *, last_day: date, say: Say) -> None:
    began, today = machine.monotonic(), FIRST_DAY
    while today <= last_day:
        exchange.live_day(today)
        tomorrow = today + timedelta(days=1)
        if tomorrow.day == 1 or today.weekday() == CHECKED_WEEKDAY:
            exchange.check(today)
        if tomorrow.day == 1:
            say(_describe_month(exchange, today, seconds=machine.monotonic() - began))
        today = tomorrow
    _end(exchange, today)


def check(*, today: date, computed: bool) -> Counter[str]:
    """The invariants that are computed here, or the others. Raises UnableToHold."""
    broken = self_check.find_violations(computed=computed)
    if broken:
        lines = [f"{item.name} does not hold after {today}: {item.rule}" for item in broken]
        rows = [str(row) for item in broken for row in item.rows[:5]]
        raise UnableToHold("\n".join([*lines, *rows]))
    return Counter()


def _send(*, at: datetime) -> Counter[str]:
    """Send what waits in the outbox, as every minute."""
    sent: Counter[str] = Counter()
    while count := outbox.send_unsent(at=at, limit=EMAILS_AT_ONCE):
        sent["sent"] += count
    return sent


def _end(exchange: Exchange, today: date) -> None:
    """The first minutes of the day after, on which nobody rests: nothing may be left undone. Raises UnableToFinish.

    A bank that is down even then is asked once more on each of the days that follow.
    """
    left = JobRun.objects.filter(finished_at=None).order_by("business_date", "job")
    for days in range(DAYS_TO_FINISH):
        exchange.finish(clock.eastern_moment(day=today + timedelta(days=days), at=time(0, 30)))
        if not left.exists():
            break
    exchange.check(today)
    if left:
        raise UnableToFinish("Unfinished at the end: " + ", ".join(str(run) for run in left[:10]))


def _let_in(homes: Sequence[Household]) -> None:
    """They may sign in; nobody knows a password."""
    members = Member.objects.filter(member_id__in=[home.member_id for home in homes]).order_by("member_id")
    users = [draw_up_user(member=member, email=f"{member.member_id}@example.org") for member in members]
    for user in users:
        user.set_unusable_password()
    User.objects.bulk_create(users)


def _describe_month(exchange: Exchange, today: date, *, seconds: float) -> str:
    done = exchange.done
    days = (today - FIRST_DAY).days + 1
    said = f"{done['paid']:,} paid, {done['refused']:,} refused, {done['canceled']:,} canceled, {done['jobs']:,} jobs"
    return f"{today:%Y-%m}  {said}  ({days / seconds:.1f} days a second)"


def describe(outcome: Outcome) -> str:
    """The table, and the hash in hex as the last line."""
    return f"{describe_figures(outcome.figures)}\n{outcome.sha256}"
