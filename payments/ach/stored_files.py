"""Stored bank files: sealed in numbered parts as they are written, opened again only whole and unchanged."""

import hashlib
from collections.abc import Iterator

from django.db import connection

from connector_pay.lib.models import SealedValue
from payments.models import BankFile, FileChunk

BANK_FILE = "bank_file"  # what a part is sealed for
LINES_A_CHUNK = 10_000


class UnableToOpenFile(Exception):
    """The stored bytes are not those that were written."""


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
