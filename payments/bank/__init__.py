"""How files reach a bank and come back: one interface, and the driver that settings.BANK_DRIVER names."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Bank(Protocol):
    """A bank that takes our files and leaves its own. Never called inside a transaction."""

    def put(self, *, name: str, data: bytes) -> None:
        """Hand a file over, whole or not at all."""

    def find(self, *, name: str) -> str | None:
        """The sha256 of the file the bank has under this name, None if it has none."""

    def list_incoming(self) -> list[str]:
        """The names of the files the bank has left, in the order to read them."""

    def get(self, *, name: str) -> bytes:
        """A file the bank has left."""


def open_bank(*, at: datetime) -> Bank:
    """The bank of this installation at a moment: the sandbox lives on business time."""
    from payments.bank.folder import FolderBank
    from payments.bank.sandbox import SandboxBank

    if settings.BANK_DRIVER == "sandbox":
        return SandboxBank(folder=settings.SANDBOX_BANK_DIR, at=at)
    if settings.BANK_DRIVER == "folder":
        return FolderBank(folder=Path(settings.BANK_FOLDER))
    raise ImproperlyConfigured(f"BANK_DRIVER: there is no bank {settings.BANK_DRIVER!r}.")
