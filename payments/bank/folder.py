"""The folder bank: files change hands in a folder that the bank's own file transfer empties and fills.

`outgoing/` holds what the bank is to fetch, `incoming/` what it left for us, `handed_over/` the sha256 of
all we ever put out.
"""

import hashlib
import os
from pathlib import Path

HIDDEN = "."


class UnableToExchangeFile(Exception):
    """The folder has another file of that name, or no such file, or the name would lead out of the folder."""


class FolderBank:
    """A bank behind a folder. Nothing here deletes: the bank's file transfer takes away what it has
    fetched.
    """

    def __init__(self, *, folder: Path) -> None:
        self.outgoing, self.incoming, self.handed_over = (
            folder / name for name in ("outgoing", "incoming", "handed_over")
        )
        for place in (self.outgoing, self.incoming, self.handed_over):
            place.mkdir(mode=0o770, parents=True, exist_ok=True)

    def put(self, *, name: str, data: bytes) -> None:
        """Hand a file over, whole or not at all; the same file again changes nothing. Raises
        UnableToExchangeFile.
        """
        digest = hashlib.sha256(data).hexdigest()
        known = self.find(name=name)
        if known == digest:
            return
        if known is not None:
            raise UnableToExchangeFile(f"Another file was handed over as {name} before.")
        _write(self.outgoing / _refuse_path(name), data)
        # Written last: after a crash in between, the same bytes go out again under the same name, and the
        # bank refuses a second file with the same header.
        _write(self.handed_over / f"{name}.sha256", digest.encode())

    def find(self, *, name: str) -> str | None:
        """The sha256 of what was handed over under this name, fetched by now or not; None if nothing was."""
        waiting, record = self.outgoing / _refuse_path(name), self.handed_over / f"{name}.sha256"
        if waiting.exists():
            return hashlib.sha256(waiting.read_bytes()).hexdigest()
        return record.read_text() if record.exists() else None

    def list_incoming(self) -> list[str]:
        """The names of the files the bank has left, in order of name; those still being written are hidden
        ones.
        """
        return sorted(
            path.name for path in self.incoming.iterdir() if path.is_file() and path.name[0] != HIDDEN
        )

    def get(self, *, name: str) -> bytes:
        """A file the bank has left. Raises UnableToExchangeFile."""
        try:
            return (self.incoming / _refuse_path(name)).read_bytes()
        except FileNotFoundError as error:
            raise UnableToExchangeFile(f"The bank left no file named {name}.") from error


def _refuse_path(name: str) -> str:
    if not name or name != Path(name).name or name.startswith(HIDDEN):
        raise UnableToExchangeFile(f"{name!r} is not the plain name of a file.")
    return name


def _write(path: Path, data: bytes) -> None:
    """The whole file appears at once, and survives a crash of the machine."""
    unfinished = path.with_name(f"{HIDDEN}{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
