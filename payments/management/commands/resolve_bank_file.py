"""`manage.py resolve_bank_file NAME --sent|--not-sent --why "..."` says what became of a file of unknown outcome."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib import clock
from payments.ach import sending

SAID = {
    True: "{} counts as sent.",
    False: "{} goes out again, the same bytes under the same name, when files are next handed over.",
}


class Command(BaseCommand):
    """Nobody but the bank knows what became of such a file: ask the bank first, then write down here what it said."""

    help = "Resolve a bank file whose outcome is unknown, after asking the bank: it was sent, or it goes out again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file's name, one of the two answers, and who says so."""
        parser.add_argument("name", metavar="NAME", help="the bank file, like CP-20270112-1700-A.ach")
        answer = parser.add_mutually_exclusive_group(required=True)
        answer.add_argument("--sent", action="store_true", dest="sent", help="the bank has it")
        answer.add_argument("--not-sent", action="store_false", dest="sent", help="the bank never had it")
        parser.add_argument(
            "--why", required=True, help="whom you asked and what they said, kept with the file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One sentence, or an error that changes nothing."""
        try:
            sending.resolve_unknown(
                name=options["name"], sent=options["sent"], why=options["why"], at=clock.now()
            )
        except (sending.UnableToResolveFile, sending.AlreadyHandingOver) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(SAID[options["sent"]].format(options["name"]))
