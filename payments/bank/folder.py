"""The folder bank: files change hands in a folder that the bank's own file transfer empties and fills.

`outgoing/` holds what the bank is to fetch, `incoming/` what it left for us, `handed_over/` the sha256 of
all we ever put out.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from payments.bank import (
    HIDDEN,
    UnableToExchangeFile,
    UnableToReachBank,
    UnableToTellOutcome,
    refuse_path,
    refuse_way_out,
)


class FolderBank:
    """A bank behind a folder. Nothing here deletes: the bank's file transfer takes away what it has
    fetched.
    """

    def __init__(self, *, folder: Path) -> None:
        self.outgoing, self.incoming, self.handed_over = (
            folder / name for name in ("outgoing", "incoming", "handed_over")
        )
        with _reaching():
            for place in (self.outgoing, self.incoming, self.handed_over):
                place.mkdir(mode=0o770, parents=True, exist_ok=True)

    def put(self, *, name: str, data: bytes) -> None:
        """Hand a file over, whole or not at all; the same file again changes nothing. Raises
        UnableToExchangeFile, UnableToReachBank, UnableToTellOutcome.
        """
        digest = hashlib.sha256(data).hexdigest()
        known = self.find(name=name)
        if known == digest:
            return
        if known is not None:
            raise UnableToExchangeFile(f"Another file was handed over as {name} before.")
        self._hand_over(name, data, digest)

    def find(self, *, name: str) -> str | None:
        """The sha256 of what was handed over under this name, fetched by now or not; None if nothing was."""
        waiting, record = self.outgoing / refuse_path(name), self._find_record(name)
        with _reaching():
            data = _read(waiting)
            if data is not None:
                return hashlib.sha256(data).hexdigest()
            # The record comes before the file appears: as long as the hidden one is there, it has not.
            digest = None if _hide(waiting).exists() else _read(record)
            return digest.decode() if digest else None

    def rules_out(self, *, name: str) -> bool:
        """Always: what was handed over is on record, fetched or not."""
        return True

    def list_incoming(self) -> list[str]:
        """The names of the files the bank has left, in order of name; those still being written are hidden
        ones.
        """
        with _reaching():
            return sorted(
                path.name for path in self.incoming.iterdir() if path.is_file() and path.name[0] != HIDDEN
            )

    def get(self, *, name: str) -> bytes:
        """A file the bank has left. Raises UnableToExchangeFile."""
        with _reaching():
            data = _read(self.incoming / refuse_way_out(name))
        if data is None:
            raise UnableToExchangeFile(f"The bank left no file named {name}.")
        return data

    def _hand_over(self, name: str, data: bytes, digest: str) -> None:
        """Hidden first, then on record, then in sight: wherever we die in between, `find` knows which it was."""
        waiting, record = self.outgoing / name, self._find_record(name)
        with _reaching():
            _write(_hide(waiting), data)
            _write(_hide(record), digest.encode())
            _show(record)
        try:
            _show(waiting)
        except OSError as error:
            raise UnableToTellOutcome(
                f"The folder failed while {name} was handed over: {error.strerror}."
            ) from error

    def _find_record(self, name: str) -> Path:
        return self.handed_over / f"{name}.sha256"


@contextmanager
def _reaching() -> Iterator[None]:
    """A folder that fails before a file is in sight is a bank that cannot be reached."""
    try:
        yield
    except OSError as error:
        raise UnableToReachBank(f"The bank's folder cannot be used: {error.strerror}.") from error


def _read(path: Path) -> bytes | None:
    """The bank may take a file away at any moment."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _hide(path: Path) -> Path:
    return path.with_name(f"{HIDDEN}{path.name}.unfinished")


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _keep(path.parent)


def _show(path: Path) -> None:
    """The whole file appears at once."""
    _hide(path).replace(path)
    _keep(path.parent)


def _keep(folder: Path) -> None:
    """What the folder holds survives a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
