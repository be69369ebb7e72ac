"""A BAI lockbox file read strictly and written: every total held against what it counts, every fault by line and column."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from payments.ach.faults import read_date
from payments.ach.layouts import Layout
from payments.channels.lockbox.items import (
    MONEY_ORDER,
    Deposit,
    Fault,
    Item,
    UnableToReadDeposit,
    find_day_fault,
    sort_words,
)
from payments.channels.lockbox.layout import (
    BATCH_HEADER,
    BATCH_TOTAL,
    CHECK,
    DATA_WIDTH,
    FILE_HEADER,
    FILE_TOTAL,
    FOLLOWS,
    LAST,
    LAYOUTS,
    LENGTH,
    LOCKBOX_TOTAL,
    MORE,
    SERVICE,
    WORDS,
)
from payments.models import CheckKind


class UnableToWriteDeposit(ValueError):
    """The layout has no record for what the deposit says. Nothing was written."""


def read_bai(*, data: bytes) -> Deposit:
    """The deposit that the records say. Raises UnableToReadDeposit, with every fault that a reading can find."""
    reader = _Reader()
    for number, line in enumerate(_split(data), start=1):
        reader.take(number, line)
        if reader.is_lost:
            break
    return reader.finish()


def write_bai(*, deposit: Deposit) -> bytes:
    """The file that says this deposit: batches in their order, each check with the words that came with it.

    Raises UnableToWriteDeposit for one with returned checks.
    """
    if deposit.returns:
        raise UnableToWriteDeposit("A BAI file has no record for a returned check. Write our CSV instead.")
    lines = list(_write_records(deposit))
    lines.append(FILE_TOTAL.template % (len(lines) + 1))
    return "".join(f"{line.rstrip()}\n" for line in lines).encode("ascii")


def _split(data: bytes) -> list[str]:
    """The records; a byte that is no ASCII stays one letter, for its column to be named."""
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip(" "):
        lines.pop()
    return [line.rstrip(" ").ljust(LENGTH) for line in lines]


@dataclass
class _Batch:
    number: int
    lockbox: str
    checks: int = 0
    cents: int = 0


class _Reader:
    """What was read so far, and what the totals must say. Faults in a field leave the totals unasked."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.items: list[Item] = []
        self.deposit_on: date | None = None
        self.file_date: date | None = None
        self.batch: _Batch | None = None
        self.batches: list[_Batch] = []  # of the lockbox that is open
        self.seen: set[tuple[str, int]] = set()
        self.closed: set[str] = set()
        self.words: list[str] = []
        self.last, self.number, self.line = "", 0, ""
        self.layout = FILE_HEADER
        self.is_lost = False

    def take(self, number: int, line: str) -> None:
        """One record."""
        self.number, self.line, kind = number, line, line[0]
        allowed = FOLLOWS[self.last]
        if kind not in allowed or not allowed:
            self.is_lost = True
            shown = " or ".join(allowed) if allowed else "nothing: the file was over"
            self.faults.append(Fault(number, 1, 1, "record type", f"must be {shown}"))
            return
        self.layout, self.last = LAYOUTS[kind], kind
        self.faults += find_field_faults(layout=self.layout, line=line, number=number)
        if not self.faults:
            _TAKE[kind](self)

    def finish(self) -> Deposit:
        """The deposit. Raises UnableToReadDeposit."""
        if self.last != "9" and not self.is_lost:
            problem = f"the file ends before it; {' or '.join(FOLLOWS[self.last])} must follow"
            self.faults.append(Fault(self.number + 1, 1, 1, "record type", problem))
        if self.faults:
            raise UnableToReadDeposit(self.faults)
        deposit_on = self.deposit_on or self.file_date
        if deposit_on is None:
            raise UnableToReadDeposit([Fault(1, 24, 29, "date", "is missing")])
        return Deposit(deposit_on, tuple(self.items))

    def open_file(self) -> None:
        """1."""
        self.file_date = self.read_day("date")

    def open_batch(self) -> None:
        """5: of the lockbox that is open, with a number of its own, of the file's one day of deposit."""
        self.check_day()
        batch = _Batch(self.read_number("batch"), self.read("lockbox"))
        if self.batches and self.batches[0].lockbox != batch.lockbox:
            self.blame("lockbox", "must be that of the batches before: its total has not come")
        if batch.lockbox in self.closed:
            self.blame("lockbox", "had its total before")
        if (batch.lockbox, batch.number) in self.seen:
            self.blame("batch", "was there before")
        self.seen.add((batch.lockbox, batch.number))
        self.batches.append(batch)
        self.batch = batch

    def take_check(self) -> None:
        """6: the next of its batch."""
        self.check_words_are_over()
        batch, number = self.check_batch(), self.read_number("item")
        if number != batch.checks + 1:
            self.blame("item", f"must be {batch.checks + 1}, the next of the batch")
        received = self.read_received()
        item = Item(
            line=self.number,
            lockbox=batch.lockbox,
            batch=batch.number,
            number=number,
            kind=CheckKind.CHECK.value,
            cents=self.read_number("amount"),
            routing_number=self.read("routing_number"),
            account_number=self.read("account_number").lstrip("0"),
            check_number=str(self.read_number("check_number")),
            received_on=received,
            remitter=" ".join(self.read("remitter").split()),
        )
        self.items.append(item)
        batch.checks, batch.cents = batch.checks + 1, batch.cents + item.cents

    def take_words(self) -> None:
        """4: words of the check before, the next in their order; all of them together are read at the last."""
        self.check_batch()
        item = self.items[-1]
        if self.read_number("item") != item.number:
            self.blame("item", "must be that of the check before")
        if self.read_number("sequence") != len(self.words) + 1:
            self.blame("sequence", f"must be {len(self.words) + 1}")
        self.words.append(self.read("data"))
        if self.read("last") == LAST:
            words = sort_words("".join(self.words).split())
            self.items[-1] = replace(
                item,
                member_ids=item.member_ids + words.member_ids,
                scan_lines=item.scan_lines + words.scan_lines,
                memo=words.memo,
                kind=words.kind,
            )
            self.words = []

    def close_batch(self) -> None:
        """7."""
        self.check_words_are_over()
        batch = self.check_batch()
        self.check_day()
        self.check_same("lockbox", self.read("lockbox") == batch.lockbox, "must be that of the batch")
        self.check_totals(batch.checks, batch.cents)

    def close_lockbox(self) -> None:
        """8."""
        lockbox = self.batches[0].lockbox
        self.check_day()
        self.check_same("lockbox", self.read("lockbox") == lockbox, "must be that of its batches")
        self.check_totals(
            sum(batch.checks for batch in self.batches), sum(batch.cents for batch in self.batches)
        )
        self.closed.add(lockbox)
        self.batches = []

    def close_file(self) -> None:
        """9: it counts every record, itself too."""
        said = self.read_number("records")
        self.check_same("records", said == self.number, f"says {said}, the file has {self.number}")

    def check_batch(self) -> _Batch:
        """The batch that is open; the record must name it."""
        if self.batch is None:
            raise UnableToReadDeposit([Fault(self.number, 2, 4, "batch", "is not open")])
        self.check_same("batch", self.read_number("batch") == self.batch.number, "must be that of the batch")
        return self.batch

    def check_words_are_over(self) -> None:
        """The words of the check before are all there."""
        if self.words:
            self.faults.append(
                Fault(self.number, 1, 1, "record type", "must be 4: more words were announced")
            )
            self.words = []

    def check_day(self) -> None:
        """The file is of one day's deposit."""
        day = self.read_day("deposit_date")
        self.deposit_on = self.deposit_on or day
        self.check_same("deposit_date", day == self.deposit_on, "must be the same in the whole file")
        if self.file_date and day and (late := find_day_fault(received_on=day, deposit_on=self.file_date)):
            self.blame("deposit_date", late.replace("day of deposit", "day of the file"))

    def check_totals(self, checks: int, cents: int) -> None:
        """What a total says is what there was."""
        for name, said, found in (
            ("checks", self.read_number("checks"), checks),
            ("dollars", self.read_number("dollars"), cents),
        ):
            self.check_same(name, said == found, f"says {said}, its checks make {found}")

    def check_same(self, name: str, is_so: bool, problem: str) -> None:
        """A fault unless it is so."""
        if not is_so:
            self.blame(name, problem)

    def read(self, name: str) -> str:
        """The columns of a field of the record."""
        return self.layout.read(self.line, name)

    def read_number(self, name: str) -> int:
        """A field that is a number."""
        return int(self.read(name))

    def read_day(self, name: str) -> date | None:
        """A field that is a day; a fault if the calendar has no such day."""
        day = read_date(self.read(name))
        if day is None:
            self.blame(name, "is no day of the calendar")
        return day

    def read_received(self) -> date:
        """The day of a check; the deposit's where it has none."""
        deposit_on = self.deposit_on or date.min
        if not self.read("received_date").strip("0"):
            return deposit_on
        day = self.read_day("received_date") or deposit_on
        if fault := find_day_fault(received_on=day, deposit_on=deposit_on):
            self.blame("received_date", fault)
        return day

    def blame(self, name: str, problem: str) -> None:
        """A fault of one field of the record."""
        field = self.layout.by_name[name]
        self.faults.append(Fault(self.number, field.first, field.last, field.label, problem))


_TAKE = {
    "1": _Reader.open_file,
    "2": lambda _reader: None,
    "5": _Reader.open_batch,
    "6": _Reader.take_check,
    "4": _Reader.take_words,
    "7": _Reader.close_batch,
    "8": _Reader.close_lockbox,
    "9": _Reader.close_file,
}


def find_field_faults(*, layout: Layout, line: str, number: int) -> list[Fault]:
    """Each field of a record that is not as its row of the layout says."""
    if len(line) > LENGTH:
        return [Fault(number, LENGTH + 1, len(line), "record", f"must end at column {LENGTH}")]
    if layout.match(line):
        return []
    return [
        Fault(number, field.first, field.last, field.label, field.rule)
        for field, match in layout.patterns
        if not match(field.find_in(line))
    ]


def _write_records(deposit: Deposit) -> Iterator[str]:
    day = f"{deposit.deposit_on:%y%m%d}"
    blank = " " * 10
    yield FILE_HEADER.template % ("01", blank, blank, day, "    ")
    yield SERVICE.template % (blank, blank, "", "")
    for lockbox, of_lockbox in groupby(deposit.items, key=lambda item: item.lockbox):
        items = list(of_lockbox)
        for number, of_batch in groupby(items, key=lambda item: item.batch):
            batch = list(of_batch)
            yield BATCH_HEADER.template % (number, "", lockbox, day)
            for item in batch:
                yield from _write_check(item)
            cents = sum(item.cents for item in batch)
            yield BATCH_TOTAL.template % (number, "", lockbox, day, len(batch), cents)
        yield LOCKBOX_TOTAL.template % (lockbox, day, len(items), sum(item.cents for item in items))


def _write_check(item: Item) -> Iterator[str]:
    account = item.account_number.rjust(10, "0")
    received = f"{item.received_on:%y%m%d}"
    yield CHECK.template % (
        *(item.batch, item.number, item.cents, item.routing_number, account),
        *(int(item.check_number), received, item.remitter),
    )
    mark = MONEY_ORDER if item.kind == CheckKind.MONEY_ORDER else ""
    words = f"{mark} {item.words}".strip()
    starts = range(0, len(words), DATA_WIDTH)
    for sequence, start in enumerate(starts, start=1):
        last = LAST if sequence == len(starts) else MORE
        yield WORDS.template % (item.batch, item.number, sequence, last, words[start : start + DATA_WIDTH])
