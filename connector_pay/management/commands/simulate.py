"""`manage.py simulate --members N --months M --seed S`: a made-up exchange lives M months in minutes, on a
scratch database.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib.arguments import read_count
from connector_pay.simulation import exchange, helper, scratch, workers

BROKEN = (
    exchange.UnableToHold,
    exchange.UnableToFinish,
    helper.UnableToHelp,
    workers.UnableToRunJob,
    scratch.UnableToMakeScratch,
)
STOPPED_BY_CTRL_C = 130


class Command(BaseCommand):
    """People pay on time, late, twice and too little, banks have bad days, workers die; ends with an error
    as soon as anything that must always hold does not. The last line is the sha256 of the end state.
    """

    help = (
        "Live months of a made-up exchange on a scratch database of its own, and say what came of it. "
        "The same numbers give the same last line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many households, for how long, and which ones."""
        parser.add_argument("--members", type=read_count, default=1000, help="how many households (1000)")
        parser.add_argument("--months", type=read_count, default=12, help="how many months (12)")
        parser.add_argument("--seed", type=int, default=1, help="which year: another seed, another year (1)")

    def handle(self, *, members: int, months: int, seed: int, **_options: Any) -> None:
        """What is lived, one line a month, then the figures, then the hash."""
        try:
            with scratch.scratch_exchange(seed=seed):
                self._say(f"Seed {seed}: {members:,} households, {months} months, on a scratch database")
                outcome = exchange.simulate(members=members, months=months, seed=seed, say=self._say)
        except BROKEN as problem:
            raise CommandError(f"Seed {seed}, {members} members: {problem}") from problem
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. The scratch database is gone.", returncode=STOPPED_BY_CTRL_C
            ) from None
        self._say(exchange.describe(outcome))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
