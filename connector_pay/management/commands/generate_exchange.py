"""Print the enrollment events of a believable exchange as JSON Lines: the same for the same seed and date."""

import json
import os
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from connector_pay.lib import clock
from connector_pay.lib.arguments import read_count, read_day
from members.exchange_generator import generate_events


class Command(BaseCommand):
    """What `import_enrollments` reads, made up; no one in it is real."""

    help = "Print made-up enrollment events for import_enrollments, as JSON Lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, which ones, and as of when."""
        parser.add_argument("--households", type=read_count, default=400, help="how many households (400)")
        parser.add_argument(
            "--seed", type=int, default=1, help="which exchange: another seed, other people (1)"
        )
        parser.add_argument("--today", type=read_day, help="YYYY-MM-DD; the business date unless given")

    def handle(self, *, households: int, seed: int, today: date | None, **_options: Any) -> None:
        """One line an event; a reader who has enough, like `head`, ends it."""
        events = generate_events(households=households, seed=seed, today=today or clock.today())
        try:
            for event in events:
                self.stdout.write(json.dumps(event, ensure_ascii=False))
            self.stdout.flush()
        except BrokenPipeError:
            # What is still to be flushed at the end goes nowhere, too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
