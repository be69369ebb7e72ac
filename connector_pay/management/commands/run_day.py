"""`manage.py run_day [DATE]`: lives the demo's days up to DATE, one by default, and prints what each job
did.
"""

import logging
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay import demo_days
from connector_pay.lib import clock, jobs
from connector_pay.lib.arguments import read_day

STOPPED_BY_CTRL_C = 128 + signal.SIGINT


class Command(BaseCommand):
    """Moves the demo's business date forward and runs every job whose moment lies between, in order and at
    most once.
    """

    help = "Live the days up to DATE, one by default: run every job in order, once, and say what it did."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """DATE, as YYYY-MM-DD."""
        parser.add_argument("date", nargs="?", type=read_day, metavar="DATE", help="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a job; ends with an error when a job failed, the days could not be moved, others run the
        jobs, or somebody pressed Ctrl-C.
        """
        day = options["date"] or clock.today() + timedelta(days=1)
        failed = 0
        try:
            with saying_it_once():
                for ran in demo_days.live_until(day=day):
                    self.stdout.write(demo_days.describe(ran))
                    self.stdout.flush()
                    failed += bool(ran.error)
        except (demo_days.UnableToMoveDate, jobs.TimetableAlreadyRunning) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped on {clock.today()}, before {day} was over. Run it again: it goes on from here.",
                returncode=STOPPED_BY_CTRL_C,
            ) from None
        self.stdout.write(f"It is now {clock.today():%A, %B %-d, %Y}.")
        if failed:
            raise CommandError(
                f"{failed} jobs failed. The next run tries again what can be mended; the self-check asks anew each night."
            )


@contextmanager
def saying_it_once() -> Iterator[None]:
    """What the command prints is not logged as well; failures are."""
    jobs_log = logging.getLogger(jobs.__name__)
    level = jobs_log.level
    jobs_log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        jobs_log.setLevel(level)
