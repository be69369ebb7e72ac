"""`manage.py import_routing_directory FILE` puts the Federal Reserve's directory of routing numbers in place of the last one."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib import clock
from payments.routing_directory import UnableToReadDirectory, import_directory


class Command(BaseCommand):
    """The whole file or nothing; the first fault is named by line and column."""

    help = "Import the routing directory (155 characters a line), in place of what was imported before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, as the Federal Reserve gives it out."""
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *, file: Path, **_options: Any) -> None:
        """Read, replace, and say how many there are."""
        try:
            with file.open("rb") as lines:
                count = import_directory(lines=lines, at=clock.now())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}", returncode=2) from error
        except UnableToReadDirectory as fault:
            raise CommandError(f"{file}: {fault} Nothing was changed.") from fault
        self.stdout.write(f"Routing numbers: {count:,}")
