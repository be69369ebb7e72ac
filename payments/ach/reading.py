"""Reading a bank file strictly: every fault with its line and columns, and every record kept as it came."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from payments.ach.batch_rules import TRANSACTION_CODES, BatchTally, FileTotals
from payments.ach.faults import (
    Fault,
    blame,
    find_addenda_faults,
    find_batch_control_faults,
    find_batch_header_faults,
    find_entry_faults,
    find_file_control_faults,
    find_file_header_faults,
    find_sending_point_faults,
)
from payments.ach.layouts import (
    ADDENDA,
    BATCH_CONTROL,
    BATCH_HEADER,
    BLOCKING_FACTOR,
    ENTRY,
    FILE_CONTROL,
    FILE_HEADER,
    PADDING,
    RECORD_LENGTH,
    Layout,
)

LINE_END_WITHIN = 1024


@dataclass(slots=True)
class Record:
    """One line of a bank file as it came, and the layout that reads it."""

    layout: Layout
    number: int
    line: str

    def __getitem__(self, name: str) -> str:
        """Give a field without the blanks that fill it up."""
        return self.layout.read(self.line, name).rstrip(" ")

    def read_raw(self, name: str) -> str:
        """Give a field's columns as they stand."""
        return self.layout.read(self.line, name)


@dataclass(slots=True)
class ParsedEntry:
    """An entry and the addenda that follow it."""

    record: Record
    addenda: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class ParsedBatch:
    """A batch: its header, its entries, and its control once it was read."""

    header: Record
    entries: list[ParsedEntry] = field(default_factory=list)
    control: Record | None = None


@dataclass(slots=True)
class ParsedFile:
    """A whole file. With any fault at all its records are only for looking at, never for acting on."""

    faults: list[Fault] = field(default_factory=list)
    header: Record | None = None
    batches: list[ParsedBatch] = field(default_factory=list)
    control: Record | None = None
    totals: FileTotals = field(default_factory=FileTotals)


class State(Enum):
    """Where in a file the reader stands, and what it must see next."""

    START = "a file header (1)"
    FILE = "a batch header (5) or the file control (9)"
    BATCH = "an entry (6), an addenda (7) or the batch control (8)"
    CLOSED = "a line of 94 nines, as padding"


def split_records(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cut a file, given in pieces, into its records: by line ends, LF or CRLF, or every 94 bytes without any.

    Whether it has line ends is seen near its beginning. Each byte becomes one character, so that columns are
    the bank's columns.
    """
    rest, has_line_ends = "", None
    for chunk in chunks:
        text = rest + chunk.decode("latin-1")
        if has_line_ends is None:
            has_line_ends = "\n" in text[:LINE_END_WITHIN]
        *records, rest = text.split("\n") if has_line_ends else _cut(text)
        yield from (record.removesuffix("\r") for record in records)
    if rest:
        yield rest.removesuffix("\r") if has_line_ends else rest


def _cut(text: str) -> list[str]:
    pieces = [text[start : start + RECORD_LENGTH] for start in range(0, len(text), RECORD_LENGTH)]
    return pieces or [""]


def read_file(*, source: bytes | Iterable[str], keep: bool = True) -> ParsedFile:
    """Read a file from its bytes, or from its records without line ends.

    Nothing is raised for a bad file: look at `faults`, in the order of the file. With keep=False only the
    faults and totals are kept, so that memory does not grow with the file.
    """
    reader = _Reader(keep=keep)
    return reader.read(split_records([source]) if isinstance(source, bytes) else source)


class _Reader:
    """The state of one reading."""

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.file = ParsedFile()
        self.faults = self.file.faults
        self.state = State.START
        self.number = 0
        self.header: Record | None = None
        self.batch: ParsedBatch | None = None
        self.tally: BatchTally | None = None
        # the line of the last entry of the open batch, empty before its first, and its number
        self.entry_line = ""
        self.entry_number = 0
        self.last_batch_number = ""
        self.control_number = 0
        self.sending_point_checked = False

    def read(self, records: Iterable[str]) -> ParsedFile:
        for line in records:
            self.number += 1
            if not self._read_sound_entry(line):
                self._read_record(line)
        self._finish()
        self.faults.sort()
        return self.file

    def _read_sound_entry(self, line: str) -> bool:
        """Take the quick road for what nearly every line is; in doubt the slow one says what is wrong."""
        tally = self.tally
        if tally is None or tally.kind is None or tally.addenda_due:
            return False
        match = tally.kind.layout.match(line)
        if match is None or len(line) != RECORD_LENGTH:
            return False
        code, routing, amount, indicator, trace = match.groups()
        if not tally.take_entry(code, routing, int(amount), trace):
            return False
        tally.addenda_due = indicator == "1"
        self.entry_line, self.entry_number = line, self.number
        if self.keep:
            self._keep_entry(line)
        return True

    def _keep_entry(self, line: str) -> None:
        if self.keep and self.batch:
            self.batch.entries.append(ParsedEntry(Record(ENTRY, self.number, line)))

    def _read_record(self, line: str) -> None:
        before = len(self.faults)
        readers = {
            "1": self._read_file_header,
            "5": self._read_batch_header,
            "6": self._read_entry,
            "7": self._read_addenda,
            "8": self._read_batch_control,
            "9": self._read_nines,
        }
        sized = line[:RECORD_LENGTH].ljust(RECORD_LENGTH)
        read = readers.get(line[:1])
        if read:
            read(sized)
        else:
            self._add_fault(1, 1, "record type", f"is none of 1, 5, 6, 7, 8, 9; expected {self.state.value}")
        if len(line) != RECORD_LENGTH:
            # the columns after the missing or added character mean nothing, so only the length is reported
            del self.faults[before:]
            self._blame_length(len(line))

    def _blame_length(self, length: int) -> None:
        first, last = (RECORD_LENGTH + 1, length) if length > RECORD_LENGTH else (length + 1, RECORD_LENGTH)
        self._add_fault(first, last, "record", f"is {length} characters long, must be {RECORD_LENGTH}")

    def _add_fault(self, first: int, last: int, name: str, problem: str) -> None:
        self.faults.append(Fault(self.number, first, last, name, problem))

    def _expect(self, *states: State) -> bool:
        if self.state in states:
            return True
        self._add_fault(1, 1, "record type", f"is out of order: expected {self.state.value}")
        return False

    def _settle_addenda(self) -> None:
        """Blame the last entry if it announced addenda and something else follows."""
        if self.tally and self.tally.addenda_due:
            problem = "is 1, but no addenda record follows"
            self.faults.append(blame(ENTRY, "addenda_record_indicator", self.entry_number, problem))
            self.tally.addenda_due = False

    def _read_file_header(self, line: str) -> None:
        self.faults += find_file_header_faults(line=line, number=self.number)
        if self._expect(State.START):
            self.state = State.FILE
            self.header = self.file.header = Record(FILE_HEADER, self.number, line)

    def _read_batch_header(self, line: str) -> None:
        self._settle_addenda()
        self._expect(State.FILE)
        self._close_batch()
        self.faults += find_batch_header_faults(line=line, number=self.number)
        self.state = State.BATCH
        self.entry_line = ""
        record = Record(BATCH_HEADER, self.number, line)
        self.batch = ParsedBatch(record)
        if self.keep:
            self.file.batches.append(self.batch)
        self.tally = BatchTally(
            sec_code=record["sec_code"],
            service_class=record["service_class_code"],
            description=record["company_entry_description"],
            originating_dfi=record.read_raw("originating_dfi"),
        )

    def _read_entry(self, line: str) -> None:
        self._settle_addenda()
        if not self._expect(State.BATCH) or self.tally is None:
            self.faults += find_entry_faults(line=line, number=self.number, tally=None)
            return
        if self.tally.kind is None:
            self._begin_entries(line)
        self.faults += find_entry_faults(line=line, number=self.number, tally=self.tally)
        self.entry_line, self.entry_number = line, self.number
        self._keep_entry(line)
        self._count_entry(line)

    def _begin_entries(self, line: str) -> None:
        """Check what depends on the direction of a batch, which its first entry tells."""
        if self.tally is None or self.batch is None:
            return
        if self.tally.open_for(transaction_code=line[1:3]).is_return:
            return
        if self.header and not self.sending_point_checked:
            self.sending_point_checked = True
            self.faults += find_sending_point_faults(line=self.header.line, number=self.header.number)
        header = self.batch.header
        if header["batch_number"] <= self.last_batch_number:
            problem = "must be higher than that of the batch before it"
            self.faults.append(blame(BATCH_HEADER, "batch_number", header.number, problem))
        self.last_batch_number = header["batch_number"]

    def _count_entry(self, line: str) -> None:
        """Count an entry that has faults as far as it can be read, so that totals blame nothing twice."""
        if self.tally is None:
            return
        code = TRANSACTION_CODES.get(ENTRY.read(line, "transaction_code"))
        routing, amount = ENTRY.read(line, "routing_number")[:8], ENTRY.read(line, "amount")
        trace = ENTRY.read(line, "trace_number")
        is_ours = trace.isdecimal() and trace.startswith(self.tally.originating_dfi)
        self.tally.count_entry(
            is_debit=bool(code and code.is_debit),
            hash_part=int(routing) if routing.isdecimal() else 0,
            amount_cents=int(amount) if amount.isdecimal() else 0,
            trace_number=max(trace, self.tally.last_trace) if is_ours else self.tally.last_trace,
        )
        self.tally.addenda_due = ENTRY.read(line, "addenda_record_indicator") == "1"

    def _read_addenda(self, line: str) -> None:
        if not self._expect(State.BATCH) or self.tally is None:
            return
        self.tally.addenda_count += 1
        if not self.entry_line or self.tally.kind is None:
            self._add_fault(1, 1, "record type", "is an addenda with no entry above it")
            return
        if not self.tally.addenda_due:
            self._add_fault(1, 1, "record type", "is an addenda that the entry above it does not announce")
        self.tally.addenda_due = False
        self.faults += find_addenda_faults(
            line=line, number=self.number, entry=self.entry_line, kind=self.tally.kind
        )
        layout = ADDENDA.get(line[1:3])
        if self.keep and layout and self.batch and self.batch.entries:
            self.batch.entries[-1].addenda.append(Record(layout, self.number, line))

    def _read_batch_control(self, line: str) -> None:
        self._settle_addenda()
        if self._expect(State.BATCH) and self.batch and self.tally:
            self.batch.control = Record(BATCH_CONTROL, self.number, line)
            self.faults += find_batch_control_faults(
                line=line, number=self.number, header=self.batch.header.line, tally=self.tally
            )
        self._close_batch()
        self.state = State.FILE

    def _close_batch(self) -> None:
        if self.tally:
            self.file.totals.add_batch(self.tally)
        self.tally = self.batch = None

    def _read_nines(self, line: str) -> None:
        if self.state is not State.CLOSED:
            self._read_file_control(line)
        elif line != PADDING:
            self._add_fault(1, RECORD_LENGTH, "padding", "must be 94 nines")

    def _read_file_control(self, line: str) -> None:
        self._settle_addenda()
        self._expect(State.FILE)
        self._close_batch()
        self.state = State.CLOSED
        self.control_number = self.number
        self.file.control = Record(FILE_CONTROL, self.number, line)
        self.faults += find_file_control_faults(line=line, number=self.number, totals=self.file.totals)

    def _finish(self) -> None:
        self.file.totals.line_count = self.number
        if self.state is not State.CLOSED:
            self._settle_addenda()
            self.number += 1
            self._add_fault(1, 1, "record type", f"is missing: the file ends, expected {self.state.value}")
            return
        padded = -(-self.control_number // BLOCKING_FACTOR) * BLOCKING_FACTOR
        if self.number != padded:
            self._add_fault(1, RECORD_LENGTH, "padding", f"ends at line {self.number}, must end at {padded}")
