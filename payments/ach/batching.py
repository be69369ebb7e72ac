"""Bank files going out: payments claimed, written, sealed and stored, then handed over; stored bytes never change."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from string import ascii_uppercase, digits
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from connector_pay.lib.clock import EASTERN
from connector_pay.lib.models import SealedValue
from payments.ach.banking_days import is_banking_day, next_banking_day
from payments.ach.entries import BatchHeader, Entry, FileHeader
from payments.ach.nacha import write_file
from payments.ach.reading import read_file
from payments.bank import Bank
from payments.bank_accounts import open_account_number
from payments.models import (
    FILE_MOVES,
    PAYMENT_MOVES,
    AccountKind,
    BankAccountStatus,
    BankFile,
    FileChunk,
    FileEntry,
    FileMove,
    FileStatus,
    Payment,
    PaymentMove,
    PaymentStatus,
)

log = structlog.get_logger(__name__)
BANK_FILE = "bank_file"  # what a chunk is sealed for
LINES_A_CHUNK = 10_000
READ_AT_ONCE = 2_000
TRACES_A_CYCLE = 10_000_000
MODIFIERS = ascii_uppercase + digits
_LOCK_KEY = 7_336_010
_DEBIT_CODES = {AccountKind.CHECKING: "27", AccountKind.SAVINGS: "37"}


class UnableToBuildFile(Exception):
    """The file would not pass the bank's checks, or the minute has no free name left; nothing was stored."""


class UnableToSendFile(Exception):
    """The bank has another file under this name, or the stored bytes are not those that were written."""


@dataclass(frozen=True)
class Claim:
    """A payment taken into the file, with the trace number given to it; `cycle` counts how often the traces have wrapped."""

    payment_id: int
    sec_code: str
    recurring: bool
    trace_number: int

    @property
    def cycle(self) -> int:
        """Seven digits of trace run out; the cycle tells the next round from the last."""
        return self.trace_number // TRACES_A_CYCLE

    @property
    def batch_key(self) -> tuple[str, bool, int]:
        """What the entries of one batch share; traces ascend within it, so a wrap begins another."""
        return (self.sec_code, self.recurring, self.cycle)


@dataclass
class _Storing:
    """The file while its lines pass by: what is not yet sealed, and the running sha256."""

    file_id: int
    lines: list[str] = field(default_factory=list)
    waiting: deque[tuple[Claim, Entry, str]] = field(default_factory=deque)
    entries: list[FileEntry] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)
    line_count: int = 0
    chunk_count: int = 0

    def take(self, line: str) -> None:
        """Keep a line, and the debit that it holds; seal a chunk once it is full."""
        self.line_count += 1
        self.lines.append(line)
        if line.startswith("6"):
            claim, entry, blind_index = self.waiting.popleft()
            self.entries.append(
                FileEntry(
                    file_id=self.file_id,
                    line=self.line_count,
                    kind=FileEntry.Kind.DEBIT,
                    payment_id=claim.payment_id,
                    trace=entry.trace_number,
                    cycle=claim.cycle,
                    amount_cents=entry.amount_cents,
                    individual_id=entry.individual_id,
                    blind_index=blind_index,
                )
            )
        if len(self.lines) == LINES_A_CHUNK:
            self.seal()

    def seal(self) -> None:
        """Store the lines so far as one sealed chunk, and the debits on them."""
        if not self.lines:
            return
        clear = "".join(f"{line}\n" for line in self.lines).encode("ascii")
        self.digest.update(clear)
        store_chunk(file_id=self.file_id, number=self.chunk_count, clear=clear)
        FileEntry.objects.bulk_create(self.entries)
        self.chunk_count += 1
        self.lines, self.entries = [], []


def build_file(*, today: date, at: datetime) -> BankFile | None:
    """Put every payment recorded before `at`, its bank account valid, its day come, into one file due the next banking day.

    One transaction: the payments go to SENDING with the stored bytes, or nothing happens. None where there is nothing to send,
    or on a day that is no banking day. Raises UnableToBuildFile.
    """
    if not is_banking_day(day=today):
        return None
    effective = next_banking_day(day=today)
    with transaction.atomic():
        # One builder at a time: it takes the file's modifier and the next traces.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        claims = _claim(effective, at=at)
        if not claims:
            return None
        file = _write(claims, effective=effective, today=today, at=at)
        _move_payments(
            [claim.payment_id for claim in claims],
            before=PaymentStatus.RECORDED,
            after=PaymentStatus.SENDING,
            at=at,
            changes={"effective_date": effective},
        )
    return file


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
        _move_payments(ids, before=PaymentStatus.SENDING, after=PaymentStatus.SENT, at=at)


def send_waiting(*, bank: Bank, at: datetime) -> int:
    """Send every file that is stored and not known to have been sent, oldest first; returns how many."""
    waiting = BankFile.objects.filter(direction=BankFile.Direction.OUT, status=FileStatus.SENDING)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for file_id in ids:
        send_file(file_id=file_id, bank=bank, at=at)
    return len(ids)


def open_file(*, file: BankFile) -> bytes:
    """The clear bytes of a stored file. Raises UnableToOpen, UnableToSendFile where they are not those that were written."""
    data = b"".join(open_chunks(file=file))
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise UnableToSendFile(f"The stored bytes of {file.name} do not have the sha256 kept at writing.")
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


def _claim(effective: date, *, at: datetime) -> list[Claim]:
    """Lock the payments that can go, passing over those that another transaction holds, and give each its trace."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payment.id, proof.sec_code, proof.recurring FROM payments_payment AS payment "
            "JOIN payments_authorization AS proof ON proof.id = payment.authorization_id "
            "JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id "
            "WHERE payment.status = %s AND payment.received_date <= %s AND bank.status = %s AND payment.recorded_at < %s "
            "ORDER BY proof.sec_code, proof.recurring, payment.id FOR NO KEY UPDATE OF payment SKIP LOCKED",
            [PaymentStatus.RECORDED, effective, BankAccountStatus.VALID, at],
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT nextval('payments_trace') FROM generate_series(1, %s)", [len(rows)])
        traces = [trace for (trace,) in cursor.fetchall()]
    return [
        Claim(payment_id=key, sec_code=sec_code, recurring=recurring, trace_number=trace)
        for (key, sec_code, recurring), trace in zip(rows, traces, strict=True)
    ]


def _write(claims: Sequence[Claim], *, effective: date, today: date, at: datetime) -> BankFile:
    """Write, read back strictly and store in one pass, so that memory stays flat and only a sound file is kept."""
    header = _make_header(at)
    storing = _Storing(file_id=take_file_id())

    def pass_lines() -> Iterator[str]:
        for line in write_file(header=header, batches=_list_batches(claims, effective, storing)):
            storing.take(line)
            yield line

    parsed = read_file(source=pass_lines(), keep=False)
    if parsed.faults:
        raise UnableToBuildFile(f"Our own file has faults, the first: {parsed.faults[0]}")
    storing.seal()
    return BankFile.objects.create(
        id=storing.file_id,
        name=f"CP-{header.created_at:%Y%m%d-%H%M}-{header.modifier}.ach",
        direction=BankFile.Direction.OUT,
        kind=BankFile.Kind.ENTRIES,
        status=FileStatus.SENDING,
        business_date=today,
        origin=header.immediate_origin,
        created_on=header.created_at.date(),
        created_time=f"{header.created_at:%H%M}",
        modifier=header.modifier,
        sha256=storing.digest.hexdigest(),
        line_count=storing.line_count,
        entry_count=parsed.totals.entry_count,
        debit_cents=parsed.totals.debit_cents,
        credit_cents=parsed.totals.credit_cents,
        stored_at=at,
    )


def _make_header(at: datetime) -> FileHeader:
    """Who we are, the minute of the bank's clock, and the first modifier still free in it. Raises UnableToBuildFile."""
    created_at = at.astimezone(EASTERN).replace(tzinfo=None)
    origin = settings.ACH["immediate_origin"]
    used = BankFile.objects.filter(
        direction=BankFile.Direction.OUT,
        origin=origin,
        created_on=created_at.date(),
        created_time=f"{created_at:%H%M}",
    ).values_list("modifier", flat=True)
    free = [modifier for modifier in MODIFIERS if modifier not in set(used)]
    if not free:
        raise UnableToBuildFile("This minute's 36 files have been written. Try again in a minute.")
    return FileHeader(
        immediate_destination=settings.ACH["immediate_destination"],
        immediate_origin=origin,
        created_at=created_at,
        modifier=free[0],
        destination_name=settings.ACH["destination_name"],
        origin_name=settings.ACH["origin_name"],
    )


def _list_batches(
    claims: Sequence[Claim], effective: date, storing: _Storing
) -> Iterator[tuple[BatchHeader, Iterable[Entry]]]:
    for number, (key, group) in enumerate(groupby(claims, key=lambda claim: claim.batch_key), start=1):
        header = BatchHeader(
            service_class="225",
            company_name=settings.ACH["company_name"],
            company_id=settings.ACH["company_id"],
            sec_code=key[0],
            entry_description=settings.ACH["entry_description"],
            effective_date=effective,
            odfi_id=settings.ACH["odfi"],
            batch_number=number,
        )
        yield header, _list_entries(list(group), storing)


def _list_entries(claims: Sequence[Claim], storing: _Storing) -> Iterator[Entry]:
    for start in range(0, len(claims), READ_AT_ONCE):
        part = claims[start : start + READ_AT_ONCE]
        payments = Payment.objects.select_related("bank_account__sealed").in_bulk(
            [c.payment_id for c in part]
        )
        for claim in part:
            payment = payments[claim.payment_id]
            entry = _make_entry(payment, claim)
            storing.waiting.append((claim, entry, payment.bank_account.blind_index))
            yield entry


def _make_entry(payment: Payment, claim: Claim) -> Entry:
    account = payment.bank_account
    return Entry(
        transaction_code=_DEBIT_CODES[AccountKind(account.kind)],
        routing_number=account.routing_number,
        account_number=open_account_number(bank_account=account),
        amount_cents=payment.amount_cents,
        individual_id=payment.confirmation_number,
        individual_name=account.holder_name,
        trace_number=f"{settings.ACH['odfi']}{claim.trace_number % TRACES_A_CYCLE:07d}",
        discretionary="R" if claim.recurring else "S",
    )


def _move_payments(
    ids: Sequence[int],
    *,
    before: PaymentStatus,
    after: PaymentStatus,
    at: datetime,
    changes: dict[str, object] | None = None,
) -> None:
    for start in range(0, len(ids), LINES_A_CHUNK):
        PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids[start : start + LINES_A_CHUNK],
            before=before,
            after=after,
            at=at,
            changes=changes,
        )
