"""`manage.py import_lockbox FILE` applies the bank's lockbox file, once, and says what came of its checks."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib import clock
from payments.channels.lockbox.items import UnableToReadDeposit
from payments.channels.lockbox.posting import AlreadyImported, import_file
from payments.channels.lockbox.words import list_sentences


class Command(BaseCommand):
    """The whole file or nothing; every fault is named by line and column. A file that was applied before changes nothing."""

    help = (
        "Import a lockbox file (BAI, or the CSV of payments/channels/lockbox/csv_items.md): all of it, once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, as the bank left it."""
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *, file: Path, **_options: Any) -> None:
        """Read, match, post, and say how much went where."""
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}", returncode=2) from error
        try:
            applied = import_file(name=file.name, data=data, by=None, today=clock.today(), at=clock.now())
        except UnableToReadDeposit as refusal:
            raise CommandError(f"{file}:\n{refusal}\nNothing was posted.") from refusal
        except AlreadyImported as refusal:
            raise CommandError("\n".join([str(refusal), *list_sentences(file=refusal.file)])) from refusal
        self.stdout.write("\n".join(list_sentences(file=applied)))
