"""Our own CSV of a lockbox deposit, for banks that write no BAI file: read strictly and written, by one table of columns.

UTF-8, commas, a header row, then five kinds of rows, told by the first column `record`: an `item` for each check, a `batch`
behind the items of each batch with their number and sum; behind the last batch a `return` for each check that the bank returned,
with one `returns` behind them; and one `total` as the last row. The columns stand in COLUMNS below and, for whoever writes such
files, in csv_items.md beside this module.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from itertools import groupby

from payments.channels.lockbox.items import (
    Deposit,
    Fault,
    Item,
    ReturnedItem,
    UnableToReadDeposit,
    find_day_fault,
    sort_words,
)
from payments.models import CheckKind

ITEM, BATCH, TOTAL = "item", "batch", "total"
RETURN, RETURNS = "return", "returns"
ROWS, PAPERS = (ITEM, BATCH, RETURN, RETURNS, TOTAL), (ITEM, RETURN)
LONGEST_REASON = 80
NO_NUMBER = "0" * 9
NO_CONTROLS = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]"
DAY = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the pattern of its cell, what it means in words, and the kinds of rows that fill it."""

    name: str
    pattern: str
    rule: str
    rows: tuple[str, ...] = (ITEM,)

    def find_fault(self, cell: str, row: str) -> str:
        """Why the cell cannot stand in such a row; empty if it can."""
        if row not in self.rows:
            return f"must be empty in a row {row}" if cell else ""
        return "" if re.fullmatch(self.pattern, cell, re.ASCII) else self.rule


COLUMNS = (
    Column("record", "|".join(ROWS), "must be item, batch, return, returns or total", ROWS),
    Column("lockbox", r"\d{7}", "must be the 7 digits of the lockbox", (ITEM, BATCH, RETURN)),
    Column("deposit_date", DAY, "must be a date like 2027-01-22, the same in all rows", ROWS),
    Column("batch", r"\d{1,3}", "must be the number of the batch, up to 3 digits", (ITEM, BATCH)),
    Column(
        "item",
        r"\d{1,6}",
        "must be the check's place in its batch, counted from 1; of a total, how many checks",
        (ITEM, BATCH, RETURNS, TOTAL),
    ),
    Column(
        "received_date",
        rf"({DAY})?",
        "must be the day the lockbox received it, or empty",
        PAPERS,
    ),
    Column("kind", "check|order", "must be check or order, a money order"),
    Column("check_number", r"\d{1,20}", "must be up to 20 digits", PAPERS),
    Column("routing_number", r"(\d{9})?", "must be 9 digits, or empty", PAPERS),
    Column("account_number", r"[0-9A-Za-z]{0,17}", "must be up to 17 letters or digits, or empty", PAPERS),
    Column("amount", r"\d{1,8}\.\d{2}", "must be dollars and cents like 284.17", ROWS),
    Column("remitter", f"{NO_CONTROLS}{{0,80}}", "must be up to 80 letters without control characters"),
    Column("member_id", r"(\d{12})?( \d{12}){0,4}", "must be up to 5 Member IDs of 12 digits, or empty"),
    Column("scan_lines", r"(\d{20,40})?( \d{20,40}){0,4}", "must be up to 5 scan lines of digits, or empty"),
    Column("memo", f"{NO_CONTROLS}{{0,200}}", "must be up to 200 letters without control characters", PAPERS),
)
HEADER = [column.name for column in COLUMNS]
_PLACES = {column.name: place for place, column in enumerate(COLUMNS, start=1)}


def is_csv(*, data: bytes) -> bool:
    """Whether the file begins as ours does."""
    return data.removeprefix(b"\xef\xbb\xbf").startswith(f"{HEADER[0]},{HEADER[1]},".encode())


def read_csv(*, data: bytes) -> Deposit:
    """The deposit that the rows say. Raises UnableToReadDeposit, with every fault that a reading can find."""
    reader = _Reader()
    for line, row in _split(data):
        reader.take(line, row)
    return reader.finish()


def write_csv(*, deposit: Deposit) -> bytes:
    """The file that says this deposit."""
    written = StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(HEADER)
    day = deposit.deposit_on.isoformat()
    for (lockbox, number), of_batch in groupby(deposit.items, key=lambda item: (item.lockbox, item.batch)):
        items = list(of_batch)
        rows.writerows(_write_item(item, day) for item in items)
        cents = sum(item.cents for item in items)
        rows.writerow([BATCH, lockbox, day, number, len(items), *[""] * 5, _write_dollars(cents), *[""] * 4])
    rows.writerows(_write_return(item, day) for item in deposit.returns)
    if deposit.returns:
        rows.writerow(_write_sum(RETURNS, day, len(deposit.returns), deposit.returned_cents))
    rows.writerow(_write_sum(TOTAL, day, len(deposit.items), deposit.cents))
    return written.getvalue().encode()


def _split(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows with the lines that they end at. Raises UnableToReadDeposit for what is no CSV in UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise UnableToReadDeposit([Fault(line, column, column, "file", "is no letter of UTF-8")]) from error
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:
        raise UnableToReadDeposit([Fault(rows.line_num, 1, 1, "row", f"is no CSV: {error}")]) from error


@dataclass
class _Sum:
    checks: int = 0
    cents: int = 0

    def add(self, cents: int) -> None:
        """One check more."""
        self.checks, self.cents = self.checks + 1, self.cents + cents


class _Reader:
    """What was read so far. Faults in a cell leave the totals unasked."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.items: list[Item] = []
        self.returns: list[ReturnedItem] = []
        self.deposit_on: date | None = None
        self.batch, self.open = _Sum(), ("", "")  # lockbox and number of the batch whose total has not come
        self.all, self.returned = _Sum(), _Sum()
        self.are_returns_over = False
        self.closed: set[tuple[str, str]] = set()
        self.line, self.is_over = 0, False

    def take(self, line: int, row: list[str]) -> None:
        """One row."""
        is_first, self.line = not self.line, line
        if is_first:
            if row != HEADER:
                self.faults.append(Fault(line, 1, len(HEADER), "header", f"must be {','.join(HEADER)}"))
            return
        if self.is_over:
            self.faults.append(Fault(line, 1, 1, "record", "must be none: the total is the last row"))
            return
        if len(row) != len(COLUMNS):
            self.faults.append(Fault(line, 1, 1, "record", f"must have {len(COLUMNS)} columns"))
            return
        self.faults += find_cell_faults(row=row, line=line)
        if not self.faults:
            cells = dict(zip(HEADER, row, strict=True))
            self.check_day(cells)
            self.check_place(cells["record"])
            _TAKE[cells["record"]](self, cells)

    def finish(self) -> Deposit:
        """The deposit. Raises UnableToReadDeposit."""
        if not self.is_over and not self.faults:
            self.faults.append(Fault(self.line + 1, 1, 1, "record", "the file ends before its total"))
        if self.faults or self.deposit_on is None:
            raise UnableToReadDeposit(self.faults)
        return Deposit(self.deposit_on, tuple(self.items), tuple(self.returns))

    def take_item(self, cells: dict[str, str]) -> None:
        """A check: the next of its batch."""
        key = (cells["lockbox"], cells["batch"])
        if not self.batch.checks:
            self.open = key
        if key != self.open:
            self.blame("batch", "must be that of the rows before: its total has not come")
        if key in self.closed:
            self.blame("batch", "had its total before")
        if int(cells["item"]) != self.batch.checks + 1:
            self.blame("item", f"must be {self.batch.checks + 1}, the next of the batch")
        cents = self.read_amount(cells)
        self.items.append(self.make_item(cells, cents))
        for total in (self.batch, self.all):
            total.add(cents)

    def make_item(self, cells: dict[str, str], cents: int) -> Item:
        """The check of a row."""
        deposit_on = self.deposit_on or date.min
        received = self.read_day(cells, "received_date") if cells["received_date"] else deposit_on
        if received and (fault := find_day_fault(received_on=received, deposit_on=deposit_on)):
            self.blame("received_date", fault)
        words = sort_words(f"{cells['member_id']} {cells['scan_lines']}".split())
        return Item(
            line=self.line,
            lockbox=cells["lockbox"],
            batch=int(cells["batch"]),
            number=int(cells["item"]),
            kind=(CheckKind.MONEY_ORDER if cells["kind"] == "order" else CheckKind.CHECK).value,
            cents=cents,
            **_read_numbers(cells),
            received_on=received or deposit_on,
            remitter=" ".join(cells["remitter"].split()),
            member_ids=words.member_ids,
            scan_lines=words.scan_lines,
            memo=" ".join(cells["memo"].split()),
        )

    def close_batch(self, cells: dict[str, str]) -> None:
        """The total behind a batch."""
        key = (cells["lockbox"], cells["batch"])
        if key != self.open and self.batch.checks:
            self.blame("batch", "must be that of the rows before")
        if key in self.closed:
            self.blame("batch", "had its total before")
        self.check_totals(cells, self.batch)
        self.closed.add(key)
        self.batch, self.open = _Sum(), ("", "")

    def take_return(self, cells: dict[str, str]) -> None:
        """A check that the bank returned, with the bank's reason."""
        why = " ".join(cells["memo"].split())
        if not 0 < len(why) <= LONGEST_REASON:
            self.blame("memo", f"must be the bank's reason, up to {LONGEST_REASON} letters")
        received = self.read_day(cells, "received_date") if cells["received_date"] else None
        if received and self.deposit_on and received > self.deposit_on:
            self.blame("received_date", "is after the day of the file")
        returned = ReturnedItem(
            line=self.line,
            lockbox=cells["lockbox"],
            cents=self.read_amount(cells),
            **_read_numbers(cells),
            received_on=received,
            why=why,
        )
        self.returns.append(returned)
        self.returned.add(returned.cents)

    def close_returns(self, cells: dict[str, str]) -> None:
        """The total behind the returned checks."""
        if not self.returned.checks:
            self.blame("record", "must follow a return: there is none")
        self.check_totals(cells, self.returned)
        self.are_returns_over = True

    def close_file(self, cells: dict[str, str]) -> None:
        """The last row."""
        if self.returned.checks and not self.are_returns_over:
            self.blame("record", "must be returns: the returns before have no total")
        self.check_totals(cells, self.all)
        self.is_over = True

    def check_place(self, record: str) -> None:
        """Batches first, each with its total; then what came back, with its total; then the total."""
        if self.batch.checks and record not in (ITEM, BATCH):
            self.blame("record", "must be batch: the batch before has no total")
        if self.returned.checks and record in (ITEM, BATCH):
            self.blame("record", "must be return, returns or total: the returns have begun")
        if self.are_returns_over and record in (RETURN, RETURNS):
            self.blame("record", "must be total: the returns had theirs")

    def check_day(self, cells: dict[str, str]) -> None:
        """The file is of one day's deposit."""
        day = self.read_day(cells, "deposit_date")
        self.deposit_on = self.deposit_on or day
        if day != self.deposit_on:
            self.blame("deposit_date", "must be the same in the whole file")

    def read_day(self, cells: dict[str, str], name: str) -> date | None:
        """A cell that is a day; a fault if the calendar has no such day."""
        try:
            return date.fromisoformat(cells[name])
        except ValueError:
            self.blame(name, "is no day of the calendar")
            return None

    def read_amount(self, cells: dict[str, str]) -> int:
        """The cents of a check."""
        cents = _read_cents(cells["amount"])
        if not cents:
            self.blame("amount", "must be more than nothing")
        return cents

    def check_totals(self, cells: dict[str, str], found: _Sum) -> None:
        """What a total says is what there was."""
        if int(cells["item"]) != found.checks:
            self.blame("item", f"says {int(cells['item'])}, there are {found.checks}")
        if _read_cents(cells["amount"]) != found.cents:
            self.blame("amount", f"says {cells['amount']}, its checks make {_write_dollars(found.cents)}")

    def blame(self, name: str, problem: str) -> None:
        """A fault of one cell of the row."""
        self.faults.append(Fault(self.line, _PLACES[name], _PLACES[name], name.replace("_", " "), problem))


_TAKE = {
    ITEM: _Reader.take_item,
    BATCH: _Reader.close_batch,
    RETURN: _Reader.take_return,
    RETURNS: _Reader.close_returns,
    TOTAL: _Reader.close_file,
}


def find_cell_faults(*, row: list[str], line: int) -> list[Fault]:
    """Each cell of a row that is not as its column says; of an unknown kind of row, that it is unknown."""
    if row[0] not in ROWS:
        return [Fault(line, 1, 1, "record", COLUMNS[0].rule)]
    found = [(column, column.find_fault(cell, row[0])) for column, cell in zip(COLUMNS, row, strict=True)]
    return [
        Fault(line, _PLACES[column.name], _PLACES[column.name], column.name.replace("_", " "), problem)
        for column, problem in found
        if problem
    ]


def _write_item(item: Item, day: str) -> list[object]:
    return [
        *(ITEM, item.lockbox, day, item.batch, item.number, item.received_on.isoformat(), item.kind),
        *_write_numbers(item),
        *(item.remitter, " ".join(item.member_ids), " ".join(item.scan_lines), item.memo),
    ]


def _write_return(item: ReturnedItem, day: str) -> list[object]:
    received = item.received_on.isoformat() if item.received_on else ""
    return [RETURN, item.lockbox, day, "", "", received, "", *_write_numbers(item), *[""] * 3, item.why]


def _write_numbers(item: Item | ReturnedItem) -> list[str]:
    routing = "" if item.routing_number == NO_NUMBER else item.routing_number
    return [item.check_number, routing, item.account_number, _write_dollars(item.cents)]


def _write_sum(record: str, day: str, checks: int, cents: int) -> list[object]:
    return [record, "", day, "", checks, *[""] * 5, _write_dollars(cents), *[""] * 4]


def _read_numbers(cells: dict[str, str]) -> dict[str, str]:
    """What is printed on a check."""
    return {
        "routing_number": cells["routing_number"] or NO_NUMBER,
        "account_number": cells["account_number"].lstrip("0"),
        "check_number": str(int(cells["check_number"])),
    }


def _read_cents(cell: str) -> int:
    return int(cell.replace(".", ""))


def _write_dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
