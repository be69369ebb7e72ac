"""Import what the exchange sends: enrollment events, one a line; then issue the bills they call for."""

import io
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from billing import overdue
from billing.invoices import issue_missing
from billing.models import Account
from billing.policy import read_policy
from connector_pay.lib import clock
from members.intake import IntakeResult, apply_events

PROGRESS_LINES = 1_000


class Command(BaseCommand):
    """Exits with 0 if every event went in, 1 if a line was bad, 2 if the file cannot be read."""

    help = "Apply a file of enrollment events (members/enrollment_event.schema.json), each at most once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One file, or "-"."""
        parser.add_argument("file", help="JSON Lines, one event a line; - reads the standard input")

    def handle(self, *, file: str, **_options: Any) -> None:
        """Read, apply, issue, report."""
        try:
            with _open(file) as lines:
                result = apply_events(
                    lines=self._show_progress(lines),
                    at=clock.now(),
                    window_days=read_policy().enrollment_window_days,
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}", returncode=2) from error
        self._report(result)
        self._bill()
        if result.bad:
            sys.exit(1)

    def _bill(self) -> None:
        """First bills at once; a start whose due date has passed before we heard of it is pushed at once.

        Only of accounts opened just now: money may be on its way to any other, so those wait for the job
        ledger's review, which counts scheduled money first.
        """
        today, at = clock.today(), clock.now()
        counts = dict(issue_missing(today=today, at=at))
        opened = Account.objects.filter(opened_at=at).values_list("pk", flat=True)
        counts |= overdue.review(today=today, at=at, run="intake", account_ids=opened)
        self.stdout.write("Bills: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))

    def _report(self, result: IntakeResult) -> None:
        for line in result.bad:
            self.stderr.write(f"line {line.number}: {line.reason}")
        self.stdout.write(
            f"Events: applied {result.applied:,}, repeated {result.repeated:,}, bad {len(result.bad):,}"
        )

    def _show_progress(self, lines: Iterable[str]) -> Iterator[str]:
        for number, line in enumerate(lines, start=1):
            yield line
            if number % PROGRESS_LINES == 0:
                self.stdout.write(f"{number:,} lines read")


@contextmanager
def _open(file: str) -> Iterator[TextIO]:
    """The file's lines. A byte that is no UTF-8 spoils its own line, not the file."""
    with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as source:
        yield io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="\n")
