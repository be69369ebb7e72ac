"""Stored bank files: sealed in numbered parts as they are written, opened again only whole and unchanged."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from billing.rows import insert_all
from connector_pay.lib.models import SealedValue
from payments.models import BankFile, FileChunk, FileEntry

BANK_FILE = "bank_file"  # what a part is sealed for
LINES_A_CHUNK = 10_000
_COLUMNS = (
    *("file", "line", "kind", "payment", "refund", "prenote"),
    *("trace", "cycle", "amount_cents", "individual_id", "blind_index"),
)
NAME_LENGTH = 70  # leaves room for the number that tells equal names apart


class UnableToOpenFile(Exception):
    """The stored bytes are not those that were written."""


@dataclass(slots=True)
class Placed:
    """An entry that is given its place in a file: of one payment, refund or prenote. Its line is known once that comes by."""

    kind: FileEntry.Kind
    trace: str
    cycle: int
    amount_cents: int
    individual_id: str
    blind_index: str
    payment_id: int | None = None
    refund_id: int | None = None
    prenote_id: int | None = None
    line: int = 0


@dataclass
class Storing:
    """A file while its lines pass by: what is not yet sealed, and the running sha256.

    `waiting` holds what is to be known of the entries whose lines have not come yet, in their order; None for an entry that
    is nobody's. `on_seal` is told of the entries of each part once they are stored.
    """

    file_id: int
    line_end: str
    on_seal: Callable[[Sequence[Placed]], None]
    waiting: deque[Placed | None] = field(default_factory=deque)
    lines: list[str] = field(default_factory=list)
    entries: list[Placed] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)
    line_count: int = 0
    chunk_count: int = 0

    def take(self, line: str) -> None:
        """Keep a line, and the entry that it holds; seal a part once it is full."""
        self.line_count += 1
        self.lines.append(line)
        if line.startswith("6"):
            entry = self.waiting.popleft()
            if entry:
                entry.line = self.line_count
                self.entries.append(entry)
        if len(self.lines) == LINES_A_CHUNK:
            self.seal()

    def seal(self) -> None:
        """Store the lines so far as one sealed part, and the entries on them."""
        if not self.lines:
            return
        clear = "".join(f"{line}{self.line_end}" for line in self.lines).encode("ascii")
        self.digest.update(clear)
        store_chunk(file_id=self.file_id, number=self.chunk_count, clear=clear)
        insert_all(model=FileEntry, columns=_COLUMNS, rows=(self._list_values(item) for item in self.entries))
        self.on_seal(self.entries)
        self.chunk_count += 1
        self.lines, self.entries = [], []

    def _list_values(self, entry: Placed) -> tuple[Any, ...]:
        """In the order of the columns."""
        return (
            self.file_id,
            entry.line,
            entry.kind.value,
            entry.payment_id,
            entry.refund_id,
            entry.prenote_id,
            entry.trace,
            entry.cycle,
            entry.amount_cents,
            entry.individual_id,
            entry.blind_index,
        )


def open_file(*, file: BankFile) -> bytes:
    """The clear bytes of a stored file. Raises UnableToOpen, UnableToOpenFile where they are not those that were written."""
    data = b"".join(open_chunks(file=file))
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise UnableToOpenFile(f"The stored bytes of {file.name} do not have the sha256 kept at writing.")
    return data


def open_chunks(*, file: BankFile) -> Iterator[bytes]:
    """The clear bytes of a stored file, a chunk at a time. Raises UnableToOpen."""
    for chunk in file.chunks.select_related("sealed").order_by("number").iterator(chunk_size=1):
        yield chunk.sealed.open(purpose=BANK_FILE)


def store_chunk(*, file_id: int, number: int, clear: bytes) -> None:
    """Seal and store one part of a bank file."""
    sealed = SealedValue.make(clear=clear, purpose=BANK_FILE)
    sealed.save(force_insert=True)
    FileChunk.objects.create(file_id=file_id, number=number, sealed=sealed)


def take_file_id() -> int:
    """The id of a file about to be stored: its parts go in before the row, which is never changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('payments_bankfile', 'id'))")
        return int(cursor.fetchone()[0])


def store_bytes(*, file_id: int, data: bytes) -> None:
    """Seal what the bank left, in parts of at most as many bytes as a part's lines hold: a bad file may have no lines."""
    size = LINES_A_CHUNK * 95
    for number, start in enumerate(range(0, len(data), size)):
        store_chunk(file_id=file_id, number=number, clear=data[start : start + size])


def clean_name(name: str) -> str:
    """A file's name as it is kept: plain letters, whatever the bank's system allows, cut to fit."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)[:NAME_LENGTH]


def find_free_name(*, name: str) -> str:
    """Banks use a name again for another file; ours tells them apart."""
    plain = clean_name(name)
    taken = set(
        BankFile.objects.filter(direction=BankFile.Direction.IN, name__startswith=plain).values_list(
            "name", flat=True
        )
    )
    number = 1
    candidate = plain
    while candidate in taken:
        number += 1
        candidate = f"{plain} ({number})"
    return candidate
