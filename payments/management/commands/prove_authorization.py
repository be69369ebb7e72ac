"""`manage.py prove_authorization NUMBER`: the proof of authorization of a debit, by confirmation or trace number, as a PDF."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib import clock
from payments.proofs import UnableToFindDebit, find_debit, make_filename, prove_authorization


class Command(BaseCommand):
    """Writes one file and says where; an existing file is never overwritten."""

    help = "Write the proof of authorization of a debit, found by its confirmation or trace number, as a PDF."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number, and where to write."""
        parser.add_argument("number", help="confirmation number or trace number")
        parser.add_argument(
            "--output", type=Path, help="the file to write; proof-NUMBER.pdf here if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, draw, write."""
        try:
            payment = find_debit(number=options["number"])
        except UnableToFindDebit as error:
            raise CommandError(str(error)) from error
        path: Path = options["output"] or Path(make_filename(payment=payment))
        document = prove_authorization(payment=payment, at=clock.now())
        try:
            with path.open("xb") as file:
                file.write(document)
        except FileExistsError as error:
            raise CommandError(f"{path} exists already. Name another file with --output.") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{path}: {len(document):,} bytes")
