"""Handing stored bank files to the bank: the same bytes under the same name, however often it takes."""

from datetime import datetime

from django.db import transaction

from payments.ach.claiming import move_payments
from payments.ach.stored_files import open_file
from payments.bank import Bank
from payments.models import FILE_MOVES, BankFile, FileEntry, FileMove, FileStatus, PaymentStatus


class UnableToSendFile(Exception):
    """The bank has another file under this name."""


def send_file(*, file_id: int, bank: Bank, at: datetime) -> None:
    """Hand a stored file over, unless the bank already has it, and note that it has; no transaction is open meanwhile.

    Safe to run again after a crash anywhere. Raises UnableToSendFile.
    """
    file = BankFile.objects.get(pk=file_id)
    known = bank.find(name=file.name)
    if known is None:
        bank.put(name=file.name, data=open_file(file=file))
    elif known != file.sha256:
        raise UnableToSendFile(f"The bank has another file named {file.name}.")
    note_sent(file_id=file.pk, at=at, why="the bank had it already" if known else "")


def note_sent(*, file_id: int, at: datetime, why: str = "") -> None:
    """Write down that the bank has the file, and so its debits; a file known to be sent is left as it is."""
    with transaction.atomic():
        moved = FILE_MOVES.move(
            model=BankFile,
            history=FileMove,
            ids=[file_id],
            before=FileStatus.SENDING,
            after=FileStatus.SENT,
            at=at,
            why=why,
        )
        entries = FileEntry.objects.filter(file__in=moved).order_by("line")
        ids = list(entries.values_list("payment_id", flat=True))
        move_payments(ids=ids, before=PaymentStatus.SENDING, after=PaymentStatus.SENT, at=at)


def send_waiting(*, bank: Bank, at: datetime) -> int:
    """Send every file that is stored and not known to have been sent, oldest first; returns how many."""
    waiting = BankFile.objects.filter(direction=BankFile.Direction.OUT, status=FileStatus.SENDING)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for file_id in ids:
        send_file(file_id=file_id, bank=bank, at=at)
    return len(ids)
