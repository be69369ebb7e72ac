"""The diary: live the exchange's calendar day by day, by the real timetable, and write down what each job did."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import time_machine

from connector_pay import self_check
from connector_pay.celery import read_timetable
from connector_pay.lib.clock import business_date, eastern_moment
from connector_pay.lib.jobs import Ran, run_until

ASKING = "self_check"
END_OF_DAY = time(23, 59, 59, 999_999)


def eastern(year: int, month: int, day: int, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    """A wall-clock moment in America/New_York, in UTC."""
    return eastern_moment(day=date(year, month, day), at=time(hour, minute, second))


@dataclass
class Diary:
    """Where in time the test stands. Time stands still until `walk_to` or `go_to` moves it; jobs run in between.

    The nightly self-check asks on each night after something was done, by the test or by a job; `check` asks at the end.
    """

    traveller: time_machine.Traveller
    moment: datetime
    ran: list[Ran] = field(default_factory=list)
    is_unchecked: bool = True

    @property
    def today(self) -> date:
        """The business date."""
        return business_date(moment=self.moment)

    def go_to(self, moment: datetime) -> None:
        """Live every day up to the moment; each job of the timetable whose time comes is run."""
        self.is_unchecked = True
        while self.today < business_date(moment=moment):
            self._run(moment=eastern_moment(day=self.today, at=END_OF_DAY))
            self._set(eastern_moment(day=self.today + timedelta(days=1), at=time(0)))
        self._run(moment=moment)
        self._set(moment)

    def walk_to(self, day: date, at: time = time(12)) -> None:
        """Live until noon, or the given Eastern time, of a day."""
        self.go_to(eastern_moment(day=day, at=at))

    def find_job(self, name: str) -> list[Ran]:
        """Every run of the job so far."""
        return [ran for ran in self.ran if ran.job == name]

    def check(self) -> None:
        """Everything that must always hold, holds."""
        assert self_check.find_violations() == []

    def _run(self, *, moment: datetime) -> None:
        timetable = [job for job in read_timetable() if self.is_unchecked or not job.only_asks]
        ran = list(run_until(timetable=timetable, moment=moment))
        failed = [item for item in ran if item.error]
        assert not failed, describe(failed)
        self.ran += ran
        has_asked = any(item.job == ASKING for item in ran)
        self.is_unchecked = not has_asked and (self.is_unchecked or any(map(did_something, ran)))

    def _set(self, moment: datetime) -> None:
        self.moment = moment
        self.traveller.move_to(moment)


def did_something(ran: Ran) -> bool:
    """Whether a job changed anything; that the bank left an empty file is no change."""
    return any(count for name, count in ran.counts.items() if name != "files")


def describe(ran: Iterable[Ran]) -> str:
    """One line a job."""
    return "\n".join(f"{item.day} {item.job} {dict(item.counts)} {item.error}" for item in ran)
