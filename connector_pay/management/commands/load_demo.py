"""`manage.py load_demo --url URL`: loads the demo exchange, once, and writes `.data/demo.json`: whom to
sign in as and try.
"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connector_pay import demo


class Command(BaseCommand):
    """Safe to repeat: people, passwords and payments stay; the list of what is due is brought up to date."""

    help = "Load the demo exchange through import_enrollments, and write whom to try into .data/demo.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the portal answers."""
        parser.add_argument("--url", required=True, help="the portal's address, like http://127.0.0.1:8000")

    def handle(self, *, url: str, **_options: Any) -> None:
        """Load, then say what there is."""
        if not settings.DEMO_MODE:
            raise CommandError("The demo exchange is for DEMO_MODE=true only.")
        self.stdout.write(f"The demo exchange: {demo.HOUSEHOLDS} made-up households")
        self.stdout.flush()
        try:
            people = demo.load_demo(url=url)
        except demo.UnableToLoadExchange as error:
            raise CommandError(str(error)) from error
        if not demo.has_everybody(people):
            self.stdout.write("Too few are left who owe anything: make run FRESH=1 begins anew.")
        counts = ", ".join(
            f"{len(people[kind])} {kind.replace('_', ' ')}" for kind in people if kind != "url"
        )
        self.stdout.write(f"{settings.DATA_DIR / 'demo.json'}: {counts}")
