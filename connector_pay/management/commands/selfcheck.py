"""`manage.py selfcheck`: asks the database everything that must always hold, and prints each answer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay import self_check

ROWS_SHOWN = 5


class Command(BaseCommand):
    """Prints each invariant with "ok", or with the first of the rows that break it."""

    help = "Ask the database everything that must always hold. Ends with an error if anything does not."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line an invariant."""
        broken = 0
        for item, rows in self_check.ask_each():
            self.stdout.write(f"{'BROKEN' if rows else 'ok':<6}  {item.name:<16}  {item.rule}")
            for row in rows[:ROWS_SHOWN]:
                self.stdout.write(f"                          {', '.join(str(value) for value in row)}")
            if len(rows) > ROWS_SHOWN:
                self.stdout.write(f"                          and {len(rows) - ROWS_SHOWN:,} rows more")
            broken += bool(rows)
        if broken:
            raise CommandError(f"{broken} of what must always hold does not.")
        self.stdout.write(f"All {self_check.count_invariants()} hold.")
