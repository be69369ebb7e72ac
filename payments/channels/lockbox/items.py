"""What a lockbox file says, whatever its format: its day, the checks of its envelopes, and those that the bank returned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from members import member_id
from payments.models import CheckKind

LONGEST_WAIT_DAYS = 10  # from the day a check is received to its deposit
SCAN_LINE_BEGINS_AT = 20  # so many digits or more are a coupon's scan line, well or badly read
MONEY_ORDER = "MO"
FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file: line and columns count from 1, last column included; the words quote nobody's data."""

    line: int
    first: int
    last: int
    field: str
    problem: str

    def __str__(self) -> str:
        columns = f"column {self.first}" if self.first == self.last else f"columns {self.first}-{self.last}"
        return f"line {self.line}, {columns}, {self.field}: {self.problem}"


class UnableToReadDeposit(ValueError):
    """The file is not as it must be; says where, one fault a line. Nothing was posted."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        shown = [str(fault) for fault in faults[:FAULTS_SHOWN]]
        more = len(faults) - len(shown)
        super().__init__("\n".join([*shown, f"and {more} more"] if more else shown))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Item:
    """One check or money order of a lockbox file; `line` is where the file says it, `number` its place in its batch."""

    line: int
    lockbox: str
    batch: int
    number: int
    kind: str
    cents: int
    routing_number: str
    account_number: str
    check_number: str
    received_on: date
    remitter: str
    member_ids: tuple[str, ...] = ()
    scan_lines: tuple[str, ...] = ()
    memo: str = ""

    @property
    def words(self) -> str:
        """All that was written on it and on what came with it."""
        return " ".join([*self.member_ids, *self.scan_lines, *self.memo.split()])


@dataclass(frozen=True, slots=True)
class ReturnedItem:
    """One check that the bank returned, as the file says it; `why` is the bank's reason, in its words."""

    line: int
    lockbox: str
    check_number: str
    cents: int
    routing_number: str
    account_number: str
    received_on: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """The checks of one day's deposit, and those that the bank returned, in the order of the file."""

    deposit_on: date
    items: tuple[Item, ...]
    returns: tuple[ReturnedItem, ...] = ()

    @property
    def cents(self) -> int:
        """What was deposited."""
        return sum(item.cents for item in self.items)

    @property
    def papers(self) -> Sequence[Item | ReturnedItem]:
        """All of both."""
        return [*self.items, *self.returns]

    @property
    def returned_cents(self) -> int:
        """What came back."""
        return sum(item.cents for item in self.returns)

    @property
    def says_mail(self) -> bool:
        """Whether it tells what the mail of its day brought; a file of returned checks alone tells nothing of it."""
        return bool(self.items or not self.returns)


@dataclass(frozen=True, slots=True)
class Words:
    """What words from an envelope are: Member IDs, scan lines, the mark of a money order, and the rest."""

    member_ids: tuple[str, ...]
    scan_lines: tuple[str, ...]
    kind: str
    memo: str


def sort_words(words: Iterable[str]) -> Words:
    """12 digits are a Member ID, many more a scan line, MO says that it is a money order; anything else is a memo."""
    ids, lines, memo, kind = list[str](), list[str](), list[str](), CheckKind.CHECK
    for word in words:
        if word == MONEY_ORDER:
            kind = CheckKind.MONEY_ORDER
        elif word.isdigit() and len(word) == member_id.LENGTH:
            ids.append(word)
        elif word.isdigit() and len(word) >= SCAN_LINE_BEGINS_AT:
            lines.append(word)
        else:
            memo.append(word)
    return Words(tuple(ids), tuple(lines), kind.value, " ".join(memo))


def find_day_fault(*, received_on: date, deposit_on: date) -> str:
    """Why a check of this deposit cannot have been received on this day; empty if it can."""
    if received_on > deposit_on:
        return "is after the day of deposit"
    if received_on < deposit_on - timedelta(LONGEST_WAIT_DAYS):
        return f"is more than {LONGEST_WAIT_DAYS} days before the day of deposit"
    return ""
