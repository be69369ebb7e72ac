"""Checking any bank file on disk: each fault on a line of its own, as a compiler would print it."""

from collections.abc import Iterator
from pathlib import Path

from payments.ach.faults import Fault
from payments.ach.layouts import RECORD_LENGTH
from payments.ach.reading import read_file, split_records

CHUNK_BYTES = RECORD_LENGTH * 8192


class UnableToReadFile(Exception):
    """The file cannot be opened or read at all: missing, a folder, or not allowed."""


def lint_path(*, path: Path) -> list[Fault]:
    """Give every fault of a file, none if it is valid, in memory that does not grow with it.

    Raises UnableToReadFile if the file cannot be read; a file of nonsense can be read, and is invalid.
    """
    try:
        return read_file(source=split_records(_read_chunks(path)), keep=False).faults
    except OSError as error:
        raise UnableToReadFile(f"{path}: {error.strerror or error}") from error


def write_fault(*, path: Path, fault: Fault) -> str:
    """Write a fault as file:line:first-last field: what is wrong."""
    return f"{path}:{fault.line}:{fault.first}-{fault.last} {fault.field}: {fault.problem}"


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
