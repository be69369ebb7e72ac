"""`manage.py close_month YYYY-MM [--folder FOLDER]`: the month-close package as CSV and PDF, from the ledger alone."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.month_close import UnableToCloseMonth, close_month, draw_close, name_file, write_csv
from connector_pay.lib import clock


class Command(BaseCommand):
    """The same month gives the same figures, whenever it is drawn up."""

    help = (
        "Draw up the month-close package of a month that is over: balances, movements by kind, fingerprint."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which month, and where to."""
        parser.add_argument("month", help="the month, like 2027-01")
        parser.add_argument("--folder", type=Path, default=Path(), help="where the two files go")

    def handle(self, *, month: str, folder: Path, **_options: Any) -> None:
        """Sum up, write both files, and say what the ledger's fingerprint is."""
        try:
            first = datetime.strptime(f"{month}-01", "%Y-%m-%d").date()  # noqa: DTZ007  (a date has no zone)
            close = close_month(month=first, today=clock.today())
        except ValueError as error:
            raise CommandError(f"{month} is no month. Write it like 2027-01.") from error
        except UnableToCloseMonth as error:
            raise CommandError(str(error)) from error
        folder.mkdir(parents=True, exist_ok=True)
        csv, pdf = (folder / name_file(close=close, ending=ending) for ending in ("csv", "pdf"))
        csv.write_text(write_csv(close=close), newline="")
        pdf.write_bytes(draw_close(close=close, at=clock.now()))
        self.stdout.write(f"{csv}\n{pdf}\nledger sha256 {close.fingerprint}")
