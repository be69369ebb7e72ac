"""Building a bank file: what was claimed is written, read back strictly, sealed and stored, all in one transaction."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from string import ascii_uppercase, digits
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from connector_pay.lib.clock import EASTERN
from payments.ach.banking_days import is_banking_day, next_banking_day
from payments.ach.claiming import TRACES_A_CYCLE, Claim, claim_waiting, move_payments
from payments.ach.entries import BatchHeader, Entry, FileHeader
from payments.ach.nacha import write_file
from payments.ach.reading import read_file
from payments.ach.stored_files import LINES_A_CHUNK, store_chunk, take_file_id
from payments.bank_accounts import open_account_number
from payments.models import (
    AccountKind,
    BankFile,
    FileEntry,
    FileStatus,
    Payment,
    PaymentStatus,
)

READ_AT_ONCE = 2_000
MODIFIERS = ascii_uppercase + digits
_LOCK_KEY = 7_336_010
_DEBIT_CODES = {AccountKind.CHECKING: "27", AccountKind.SAVINGS: "37"}


class UnableToBuildFile(Exception):
    """The file would not pass the bank's checks, or the minute has no free name left; nothing was stored."""


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
        claims = claim_waiting(effective, at=at)
        if not claims:
            return None
        file = _write(claims, effective=effective, today=today, at=at)
        move_payments(
            ids=[item.payment_id for item in claims],
            before=PaymentStatus.RECORDED,
            after=PaymentStatus.SENDING,
            at=at,
            changes={"effective_date": effective},
        )
    return file


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
        for item in part:
            payment = payments[item.payment_id]
            entry = _make_entry(payment, item)
            storing.waiting.append((item, entry, payment.bank_account.blind_index))
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
