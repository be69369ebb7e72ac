"""Building bank files: what was claimed is written, read back strictly, sealed and stored, all in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from string import ascii_uppercase, digits

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from connector_pay.lib.clock import EASTERN
from connector_pay.lib.jobs import Counts
from payments.ach.batch_rules import LARGEST_ENTRY_COUNT, FileTotals
from payments.ach.claiming import (
    TRACES_A_CYCLE,
    BatchKind,
    Claim,
    Kind,
    Traces,
    claim_waiting,
    move_into_file,
)
from payments.ach.entries import BatchHeader, Entry, FileHeader
from payments.ach.layouts import BLOCKING_FACTOR
from payments.ach.nacha import LINE_ENDS, write_file
from payments.ach.offsets import LARGEST_OFFSET_CENTS, OffsetAccount, make_offset, read_offset_account
from payments.ach.preparing import CREDITS, Ready, make_batch_header, prepare
from payments.ach.reading import read_file
from payments.ach.stored_files import Placed, Storing, take_file_id
from payments.banking_calendar import read_calendar
from payments.models import BankFile, FileEntry, FileStatus

MODIFIERS = ascii_uppercase + digits
_LOCK_KEY = 7_336_010
_FILE_LINES, _BATCH_LINES = 2, 2  # a header and a control


class UnableToBuildFile(Exception):
    """The file would not pass the bank's checks, or has no room for a single entry; nothing was stored."""


@dataclass(frozen=True)
class _Run:
    """One build: its day and moment, when its entries settle, and what the bank wants of a file."""

    today: date
    at: datetime
    effective: date
    offset: OffsetAccount | None
    most_lines: int
    line_end: str


class _Queue:
    """The entries still to be written, in order; `first` is the next of them, None once all are taken."""

    def __init__(self, entries: Iterator[Ready]) -> None:
        self._entries = entries
        self.first = next(entries, None)

    def take(self) -> Ready:
        """The next entry, taken out."""
        taken, self.first = self.first, next(self._entries, None)
        if taken is None:
            raise RuntimeError("nothing is taken from an empty queue")
        return taken


def build_files(*, today: date, at: datetime) -> list[BankFile]:
    """Put every payment recorded before `at`, its bank account valid, its day come, into files due the next banking day,
    with the prenotes, refunds and reversals that wait.

    One transaction: all go to SENDING with the stored bytes, or nothing happens. No file where there is nothing to send, or on
    a day that is no banking day. An entry that no bank would take is left out, an alarm for staff. Raises UnableToBuildFile.
    """
    calendar = read_calendar()
    if not calendar.is_banking_day(today):
        return []
    effective = calendar.add(today, 1)
    run = _Run(
        today=today,
        at=at,
        effective=effective,
        offset=read_offset_account(text=settings.ACH_OFFSET_ACCOUNT),
        most_lines=settings.ACH_LINES_PER_FILE // BLOCKING_FACTOR * BLOCKING_FACTOR,
        line_end=LINE_ENDS[settings.ACH_LINE_END],
    )
    with transaction.atomic():
        _wait_for_turn()
        claims = claim_waiting(effective=effective, at=at, calendar=calendar)
        return list(_write_files(claims, run))


def _wait_for_turn() -> None:
    """One builder at a time, until it commits: it takes the files' modifiers and the next traces."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def count_entries(*, files: Sequence[BankFile]) -> Counts:
    """How many debits, credits and prenotes the files hold, and how much they move; offsets move nothing of anybody's."""
    is_debit, is_credit = Q(kind__in=(Kind.DEBIT, Kind.RETRY)), Q(kind__in=CREDITS)
    found = FileEntry.objects.filter(file__in=files).aggregate(
        debits=Count("pk", filter=is_debit),
        debit_cents=Sum("amount_cents", filter=is_debit, default=0),
        credits=Count("pk", filter=is_credit),
        credit_cents=Sum("amount_cents", filter=is_credit, default=0),
        prenotes=Count("pk", filter=Q(kind=Kind.PRENOTE)),
    )
    return {name: int(number) for name, number in found.items()}


def _write_files(claims: Sequence[Claim], run: _Run) -> Iterator[BankFile]:
    traces = Traces(expected=len(claims))
    queue = _Queue(prepare(claims=claims, effective=run.effective))
    while queue.first is not None:
        yield _write(queue, traces, run)


def _write(queue: _Queue, traces: Traces, run: _Run) -> BankFile:
    """Write, read back strictly and store in one pass, so that memory stays flat and only a sound file is kept."""
    header = _make_header(run.at)
    storing = Storing(
        file_id=take_file_id(),
        line_end=run.line_end,
        on_seal=lambda entries: move_into_file(entries=entries, effective=run.effective, at=run.at),
    )
    layout = _Layout(queue=queue, traces=traces, run=run, storing=storing)

    def pass_lines() -> Iterator[str]:
        for line in write_file(header=header, batches=layout.list_batches()):
            storing.take(line)
            yield line

    parsed = read_file(source=pass_lines(), keep=False)
    if parsed.faults:
        raise UnableToBuildFile(f"Our own file has faults, the first: {parsed.faults[0]}")
    if not parsed.totals.entry_count:
        raise UnableToBuildFile("ACH_LINES_PER_FILE leaves no room for an entry.")
    storing.seal()
    return _store(header, storing, parsed.totals, run)


def _store(header: FileHeader, storing: Storing, totals: FileTotals, run: _Run) -> BankFile:
    return BankFile.objects.create(
        id=storing.file_id,
        name=f"CP-{header.created_at:%Y%m%d-%H%M}-{header.modifier}.ach",
        direction=BankFile.Direction.OUT,
        kind=BankFile.Kind.ENTRIES,
        status=FileStatus.SENDING,
        business_date=run.today,
        origin=header.immediate_origin,
        created_on=header.created_at.date(),
        created_time=f"{header.created_at:%H%M}",
        modifier=header.modifier,
        sha256=storing.digest.hexdigest(),
        line_count=storing.line_count,
        entry_count=totals.entry_count,
        debit_cents=totals.debit_cents,
        credit_cents=totals.credit_cents,
        stored_at=run.at,
    )


def _make_header(at: datetime) -> FileHeader:
    """Who we are, the minute of the bank's clock, and the first modifier still free in it; a 37th file bears the next minute."""
    origin = settings.ACH["immediate_origin"]
    created_at = at.astimezone(EASTERN).replace(tzinfo=None)
    while not (free := _list_free_modifiers(origin, created_at)):
        created_at += timedelta(minutes=1)
    return FileHeader(
        immediate_destination=settings.ACH["immediate_destination"],
        immediate_origin=origin,
        created_at=created_at,
        modifier=free[0],
        destination_name=settings.ACH["destination_name"],
        origin_name=settings.ACH["origin_name"],
    )


def _list_free_modifiers(origin: str, created_at: datetime) -> list[str]:
    used = BankFile.objects.filter(
        direction=BankFile.Direction.OUT,
        origin=origin,
        created_on=created_at.date(),
        created_time=f"{created_at:%H%M}",
    )
    taken = set(used.values_list("modifier", flat=True))
    return [modifier for modifier in MODIFIERS if modifier not in taken]


@dataclass
class _Batch:
    """A batch while it is laid out. `balanced`: an offset will close it."""

    kind: BatchKind
    cycle: int
    balanced: bool
    records: int = 0
    cents: int = 0


@dataclass
class _Layout:
    """One file while it is laid out: the next entries of the queue in their batches, as far as lines and totals reach."""

    queue: _Queue
    traces: Traces
    run: _Run
    storing: Storing
    lines: int = _FILE_LINES

    def list_batches(self) -> Iterator[tuple[BatchHeader, Iterable[Entry]]]:
        """Batch after batch, until nothing waits or the file is full; each must be taken whole before the next."""
        for number in count(1):
            batch = self._begin()
            if batch is None:
                return
            header = make_batch_header(
                batch=batch.kind, effective=self.run.effective, number=number, balanced=batch.balanced
            )
            yield header, self._list_entries(batch)

    def _begin(self) -> _Batch | None:
        """Open the batch of the next entry, if the file has room for it."""
        first = self.queue.first
        if first is None:
            return None
        kind = first.claim.batch
        balanced = self.run.offset is not None and kind.kind != Kind.PRENOTE
        lines = self.lines + _BATCH_LINES + balanced
        if lines >= self.run.most_lines:
            return None
        self.lines = lines
        if balanced and _ends_cycle(self.traces.peek()):
            self.traces.take()  # the offset must come after an entry, under a higher trace
        return _Batch(kind, self.traces.peek() // TRACES_A_CYCLE, balanced)

    def _list_entries(self, batch: _Batch) -> Iterator[Entry]:
        while self._has_room(batch):
            yield self._place(self.queue.take(), batch)
        if self.run.offset and batch.balanced:
            self.storing.waiting.append(None)
            yield make_offset(
                account=self.run.offset,
                cents=batch.cents,
                is_debit=batch.kind.kind in CREDITS,
                name=settings.ACH["company_name"],
                discretionary="" if batch.kind.sec_code == "PPD" else "S",
                trace_number=_write_trace(self.traces.take()),
            )

    def _has_room(self, batch: _Batch) -> bool:
        """Whether the next entry belongs into this batch, and fits its lines, its totals and its round of traces."""
        first = self.queue.first
        if first is None or first.claim.batch != batch.kind or self.lines == self.run.most_lines:
            return False
        trace = self.traces.peek()
        if trace // TRACES_A_CYCLE != batch.cycle or batch.records + batch.balanced >= LARGEST_ENTRY_COUNT:
            return False
        if not batch.balanced:
            return True
        return not _ends_cycle(trace) and batch.cents + first.entry.amount_cents <= LARGEST_OFFSET_CENTS

    def _place(self, ready: Ready, batch: _Batch) -> Entry:
        """Give an entry its trace and its place in the batch."""
        trace = self.traces.take()
        entry = replace(ready.entry, trace_number=_write_trace(trace))
        self.lines += 1
        batch.records += 1
        batch.cents += entry.amount_cents
        self.storing.waiting.append(
            Placed(
                kind=batch.kind.kind,
                trace=entry.trace_number,
                cycle=batch.cycle,
                amount_cents=entry.amount_cents,
                individual_id=entry.individual_id,
                blind_index=ready.blind_index,
                **{f"{ready.claim.subject}_id": ready.claim.row_id},
            )
        )
        return entry


def _ends_cycle(trace: int) -> bool:
    return trace % TRACES_A_CYCLE == TRACES_A_CYCLE - 1


def _write_trace(trace: int) -> str:
    return f"{settings.ACH['odfi']}{trace % TRACES_A_CYCLE:07d}"
