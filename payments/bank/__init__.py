"""How files reach a bank and come back: one interface, and the driver that settings.BANK_DRIVER names."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

HIDDEN = "."
LONGEST_NAME_THERE_IS = 255  # on any file system
LONGEST_NAME = 200


class UnableToReachBank(Exception):
    """The bank could not be reached or did not let us in: nothing was handed over, so try again."""


class UnableToTellOutcome(Exception):
    """The connection was lost while a file changed hands: the bank may have it, or not."""


class UnableToExchangeFile(Exception):
    """The bank has another file of that name, or no such file, or the name is not a plain one; nothing was handed over."""


class Bank(Protocol):
    """A bank that takes our files and leaves its own. Never called inside a transaction.

    Each may raise UnableToReachBank, and UnableToExchangeFile for a name that is not plain.
    """

    def put(self, *, name: str, data: bytes) -> None:
        """Hand a file over, whole or not at all. Raises UnableToTellOutcome, and UnableToExchangeFile for another's name."""

    def find(self, *, name: str) -> str | None:
        """The sha256 of the file of ours that the bank is known to have under this name, None if it has none that we see."""

    def rules_out(self, *, name: str) -> bool:
        """Whether a file that is not found was surely never handed over. A bank that takes files away leaves that open."""

    def list_incoming(self) -> list[str]:
        """The names of the files the bank has left, in the order to read them."""

    def get(self, *, name: str) -> bytes:
        """A file the bank has left. Raises UnableToExchangeFile."""


def open_bank(*, at: datetime) -> Bank:
    """The bank of this installation at a moment: the sandbox lives on business time."""
    from payments.bank.folder import FolderBank
    from payments.banking_calendar import read_calendar

    if settings.BANK_DRIVER == "sandbox":
        sandbox: type[Bank] = import_string(settings.SANDBOX_BANK)
        bank: Bank = sandbox(folder=settings.SANDBOX_BANK_DIR, at=at, calendar=read_calendar())  # type: ignore[call-arg]
        return bank
    if settings.BANK_DRIVER == "folder":
        return FolderBank(folder=Path(settings.BANK_FOLDER))
    if settings.BANK_DRIVER == "sftp":
        from payments.bank.sftp import Server, SftpBank

        return SftpBank(server=Server(**settings.SFTP))
    raise ImproperlyConfigured(f"BANK_DRIVER: there is no bank {settings.BANK_DRIVER!r}.")


def refuse_way_out(name: str) -> str:
    """A name that the bank chose: any, unless it leads out of its folder or is hidden. Raises UnableToExchangeFile."""
    leads_out = bool(set(name) & {"/", "\\", "\0"}) or name.startswith(HIDDEN)
    if not name or leads_out or len(name) > LONGEST_NAME_THERE_IS:
        raise UnableToExchangeFile(f"{name!r} is not the plain name of a file.")
    return name


def refuse_path(name: str) -> str:
    """The plain name of a file, and nothing that leads elsewhere or is hidden. Raises UnableToExchangeFile."""
    plain = name.isprintable() and not set(name) & {"/", "\\"} and not name.startswith(HIDDEN)
    if not name or not plain or len(name) > LONGEST_NAME:
        raise UnableToExchangeFile(f"{name!r} is not the plain name of a file.")
    return name
