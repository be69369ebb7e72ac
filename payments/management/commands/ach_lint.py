"""`manage.py ach_lint FILE...` holds bank files against the Nacha format and prints every fault."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from payments.ach.lint import UnableToReadFile, lint_path, write_fault

ALL_VALID, SOME_INVALID, SOME_UNREADABLE = 0, 1, 2


class Command(BaseCommand):
    """Exits with 0 if every file is valid, 1 if one is not, 2 if one cannot be read."""

    help = "Check bank files (Nacha): prints each fault with file, line, columns and field."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one or more files."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check each file and exit with the worst result."""
        result = max(self._lint(path) for path in options["files"])
        if result != ALL_VALID:
            sys.exit(result)

    def _lint(self, path: Path) -> int:
        try:
            faults = lint_path(path=path)
        except UnableToReadFile as error:
            self.stderr.write(str(error))
            return SOME_UNREADABLE
        for fault in faults:
            self.stdout.write(write_fault(path=path, fault=fault))
        return SOME_INVALID if faults else ALL_VALID
