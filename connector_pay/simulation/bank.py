"""The sandbox bank on its bad days: down, silent, losing the line, repeating its files or leaving them in any order."""

from datetime import datetime, time
from pathlib import Path

from django.conf import settings

from connector_pay.lib import clock
from connector_pay.simulation.chances import (
    BANK_DOWN,
    BANK_SILENT,
    FILES_REPEATED,
    FILES_SHUFFLED,
    LINE_LOST,
    happens,
    roll,
)
from payments.ach.banking_days import BankingCalendar
from payments.bank import UnableToReachBank, UnableToTellOutcome
from payments.bank.sandbox import SandboxBank

AGAIN = "AGAIN-"
BACK_BY = time(20, 0)  # the line, on a day on which it is lost


class MoodyBank(SandboxBank):
    """The same bank; what goes wrong on a day is drawn from the seed and the date."""

    def __init__(self, *, folder: Path, at: datetime, calendar: BankingCalendar) -> None:
        """As of `at`, for work that may be done late; its moods are those of the day it is now."""
        super().__init__(folder=folder, at=at, calendar=calendar)
        now = clock.now().astimezone(clock.EASTERN)
        self.seed, self.today = settings.SANDBOX_BANK_SEED, now.date()
        self.is_line_lost = now.time() < BACK_BY and self._draws("line", LINE_LOST)

    def put(self, *, name: str, data: bytes) -> None:
        """Lost lines leave the outcome open: half of them after the bank has taken the file."""
        self._answer()
        if not self.is_line_lost:
            return super().put(name=name, data=data)
        if self._draws("taken", 50):
            super().put(name=name, data=data)
        raise UnableToTellOutcome("the line was lost")

    def find(self, *, name: str) -> str | None:
        """While the line is lost nobody can be asked what became of a file that was handed over."""
        self._answer()
        if self.is_line_lost and self._draws("taken", 50) and (self.taken / name).exists():
            raise UnableToReachBank("the line is still lost")
        return super().find(name=name)

    def list_incoming(self) -> list[str]:
        """A silent bank leaves nothing today; another leaves everything again, or in any order."""
        self._answer()
        names = super().list_incoming()
        if self._draws("silent", BANK_SILENT):
            names = [name for name in names if f"{self.today:%Y%m%d}" not in name]
        if self._draws("repeats", FILES_REPEATED):
            names += [f"{AGAIN}{name}" for name in names]
        if self._draws("shuffles", FILES_SHUFFLED):
            roll(self.seed, self.today, "order").shuffle(names)
        return names

    def get(self, *, name: str) -> bytes:
        """The same bytes under the other name."""
        return super().get(name=name.removeprefix(AGAIN))

    def _answer(self) -> None:
        """Raises UnableToReachBank all day long while the bank is down."""
        if self._draws("down", BANK_DOWN):
            raise UnableToReachBank("the bank is down today")

    def _draws(self, what: str, in_a_hundred: int) -> bool:
        return happens(roll(self.seed, "bank", self.today, what), in_a_hundred)
