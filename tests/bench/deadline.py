"""B2b: how long Pay takes through the running server while a night's run works, beside the same with nothing else going on."""

import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import connection

from connector_pay.lib.clock import today
from connector_pay.lib.models import DemoClock
from members.models import Member
from payments.models import Payment
from tests import databases
from tests.bench import invoices, pushes
from tests.bench.crowd import Month, make_crowd
from tests.bench.measuring import Figure
from tests.plain_browser import Browser, open_review
from tests.portal import Portal, start_portal

SCRATCH = "bench_deadline"
PAYERS, AT_ONCE = 400, 4  # four payments at any moment are the peak of a deadline day
# Everybody owes something on the day of the run: their first bill, or the one of this month.
SCENES = {
    "pushes": ("the review of first bills", pushes.DAY, pushes.START, "waiting", pushes.UNPAID),
    "invoices": (
        "a month's invoices",
        invoices.DAY,
        invoices.BEFORE[0].month,
        "active",
        (invoices.BEFORE[0], Month(date(2027, 2, 1), date(2027, 1, 1), date(2027, 1, 23))),
    ),
}


@dataclass(frozen=True)
class Ready:
    """A payer who has only to press Pay."""

    browser: Browser
    address: str
    form: dict[str, list[str]]

    def pay(self) -> float | None:
        """Press it; returns the seconds until the receipt, nothing where the run was first and Review came back."""
        start = time.perf_counter()
        where = self.browser.send(self.address, self.form)
        seconds = time.perf_counter() - start
        return seconds if where else None


def measure(*, size: int) -> Iterator[Figure]:
    """Half of the payers pay with nothing else going on, then the others for as long as the run lasts."""
    for name, (words, day, start, status, months) in SCENES.items():
        make_crowd(name=SCRATCH, count=size, start=start, status=status, months=months)
        folder = Path(tempfile.mkdtemp(prefix="connector-pay-bench-"))
        with databases.another_database(SCRATCH):
            DemoClock.advance(days=(day - today()).days)
            portal = start_portal(name=SCRATCH, folder=folder)
            try:
                yield _compare(portal, name=name, words=words, size=size)
            finally:
                portal.process.send_signal(signal.SIGTERM)
                portal.process.wait(timeout=30)
        shutil.rmtree(folder)
        connection.close()
        databases.drop(SCRATCH)


def _compare(portal: Portal, *, name: str, words: str, size: int) -> Figure:
    # What is due changes as the month is billed: there the run comes to the payers last.
    members = list(Member.objects.order_by("-pk")[:PAYERS])
    if name == "pushes":
        members = list(Member.objects.order_by("pk")[:: max(size // PAYERS, 1)][:PAYERS])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ready = list(pool.map(lambda member: _make_ready(portal, member), members))
        idle = [seconds for seconds in pool.map(Ready.pay, ready[::2]) if seconds is not None]
        command = [sys.executable, "-m", "tests.bench.growth", name, "-1"]
        environment = databases.environment_of(SCRATCH)
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
            busy = list(pool.map(lambda item: item.pay() if run.poll() is None else None, ready[1::2]))
            assert run.wait() == 0
    during = [seconds for seconds in busy if seconds is not None]
    assert Payment.objects.count() == len(idle) + len(during)
    slow = [find_p99(idle), find_p99(during)]
    middles = [statistics.median(idle), statistics.median(during)]
    detail = (
        f"p99 {slow[0] * 1000:.0f} and {slow[1] * 1000:.0f} ms of {len(idle)} and {len(during)}, "
        f"medians {middles[0] * 1000:.0f} and {middles[1] * 1000:.0f} ms"
    )
    return Figure(
        "B2b", f"p99 of Pay while {words} goes on / idle", f"{size:,}", slow[1] / slow[0], "-", 2, detail
    )


def find_p99(seconds: Sequence[float]) -> float:
    """What 99 in a hundred stay below."""
    return statistics.quantiles(seconds, n=100)[-1]


def _make_ready(portal: Portal, member: Member) -> Ready:
    browser = Browser(portal.url)
    return Ready(browser, *open_review(browser, member=member, account=f"48200{member.pk:07d}"))
