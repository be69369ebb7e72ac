"""A file of the bank's cut or altered at any byte: refused whole with line and columns, or each line applied once or parked.

Through the database: what the sandbox bank says of debits and a prenote that it took is damaged and read, and then the good file
is read too. Damaged files that are refused stay, and the good one is read after them all; those that are applied are undone.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from connector_pay.self_check import find_violations
from connector_pay.simulation.facts import read_facts
from payments.ach import layouts
from payments.ach.banking_days import FEDERAL_RESERVE
from payments.ach.stored_files import open_file
from payments.bank import open_bank
from payments.bank.sandbox_returns import list_reports, write_returns
from payments.models import BankFile, FileEntry, FileMove, FileStatus, PaymentStatus, Prenote, ReturnLine
from tests.payments.incoming_files import FRIDAY, read_files
from tests.payments.outgoing import make_bank_account, make_prenote
from tests.payments.paying import TUESDAY, make_account, noon, pay, read, send, settle

WEDNESDAY = date(2027, 1, 13)
SHORT_OF_FUNDS, UNAUTHORIZED, NO_ACCOUNT, CORRECTED = "1000000001", "1000000010", "1000000003", "1000000098"
APPLIED = {"returned": 4, "corrected": 1}
BOOKS = ("movements", "receipts", "allocations", "invoices", "entries")
STORED = {"payments_bankfile", "payments_filechunk", "lib_sealedvalue"}
WRITES = """
    SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
           + pg_stat_get_xact_tuples_deleted(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
PLACE = re.compile(
    r"line \d+, columns \d+-\d+, [a-z ]+: |is no acknowledgement: (line \d+, column \d+: |(acknowledges|sha256|result) )"
)
BY_START = {
    "1": layouts.FILE_HEADER,
    "5": layouts.BATCH_HEADER,
    "6": layouts.ENTRY,
    "798": layouts.CORRECTION_ADDENDA,
    "799": layouts.RETURN_ADDENDA,
    "8": layouts.BATCH_CONTROL,
    "900": layouts.FILE_CONTROL,
}
Alter = Callable[[int], int]
Damaged = tuple[str, bytes]

# What may become of a byte of the file.
ALTERED: dict[str, Alter] = {
    "another digit": lambda byte: ord("0") + (byte - ord("0") + 1) % 10,
    "another letter": lambda byte: ord("A") + (byte - ord("A") + 1) % 26,
    "a line end": lambda byte: ord(" ") if byte == ord("\n") else ord("\n"),
    "its high bit turned": lambda byte: byte ^ 0x80,
}


@dataclass(frozen=True)
class Left:
    """A file that the bank has left; what comes of it, read whole; and which entry of ours each of its lines is about."""

    data: bytes
    did: dict[str, int]
    facts: dict[str, Any]
    entries: dict[int, int]


@dataclass(frozen=True)
class Reading:
    """A damaged file that was read: as it is kept, what reading it did, and how many rows of each table it wrote."""

    file: BankFile
    did: dict[str, int]
    writes: Counter[str]


Check = Callable[[Reading, Left], None]


@pytest.fixture
def returns(books: None) -> Left:
    """Two debits of one account and one amount came back for want of funds, one unauthorized, a prenote; one is corrected."""
    for number in (SHORT_OF_FUNDS, SHORT_OF_FUNDS, UNAUTHORIZED, CORRECTED):
        pay(make_account(), number=number)
    make_prenote(make_bank_account(NO_ACCOUNT, valid=False))
    send(TUESDAY)
    read(WEDNESDAY)
    settle(WEDNESDAY)
    (sent,) = (settings.SANDBOX_BANK_DIR / "from_exchange").iterdir()
    reports = list_reports(data=sent.read_bytes(), calendar=FEDERAL_RESERVE)
    return leave(write_returns(reports=reports, day=FRIDAY))


@pytest.fixture
def acknowledgement(books: None) -> Left:
    """The bank's word on a file of ours that it has."""
    pay(make_account())
    send(TUESDAY)
    bank = open_bank(at=noon(TUESDAY))
    (name,) = (name for name in bank.list_incoming() if name.startswith("ACK"))
    return leave(bank.get(name=name))


def leave(data: bytes) -> Left:
    """Read the whole file, remember what it did, and undo it."""
    with transaction.atomic():
        did = read_files({"whole": data})
        lines = ReturnLine.objects.order_by("line").values_list("line", "entry_id")
        left = Left(data, did, read_facts(), dict(lines))
        transaction.set_rollback(True)
    return left


def cut(data: bytes, places: Iterable[int]) -> Iterator[Damaged]:
    """The file without what stands from each place on."""
    return ((f"cut at {place}", data[:place]) for place in places)


def alter(data: bytes, places: Iterable[int], *kinds: str) -> Iterator[Damaged]:
    """The file with one byte altered at each place, in these ways by turns."""
    for place, kind in zip(places, cycle(kinds), strict=False):
        byte = bytes([ALTERED[kind](data[place])])
        yield f"{kind} at {place}", data[:place] + byte + data[place + 1 :]


def find_boundaries(data: bytes) -> Iterator[int]:
    """Where a record ends, and where each field of it begins."""
    start = 0
    for line in data.decode().splitlines(keepends=True):
        layout = next((layout for text, layout in BY_START.items() if line.startswith(text)), None)
        yield from (start + field.first - 1 for field in (layout.fields if layout else ()))
        start += len(line)
        yield start - 1


def count_writes() -> Counter[str]:
    """How many rows of each table were written in this transaction so far, those undone among them."""
    with connection.cursor() as cursor:
        cursor.execute(WRITES)
        return Counter(dict(cursor.fetchall()))


def check_all(left: Left, files: Iterable[Damaged], check: Check) -> Counter[str]:
    """Read each damaged file, and the good one in the end; tells what reading the damaged ones did."""
    tally: Counter[str] = Counter()
    for name, data in files:
        with transaction.atomic():
            reading = read_damaged(name, data)
            tally.update(reading.did)
            if reading.file.status == FileStatus.REFUSED:
                check_refused(reading)
            else:
                check(reading, left)
                assert find_violations() == [], name
                transaction.set_rollback(True)
    check_nothing_came_of(tally["refused"], left)
    return tally


def read_damaged(name: str, data: bytes) -> Reading:
    """Read a damaged file, whose bytes are kept as they came."""
    before = count_writes()
    did = read_files({name: data})
    file = BankFile.objects.get(direction="in", name=name)
    assert open_file(file=file) == data, name
    return Reading(file, did, count_writes() - before)


def check_refused(reading: Reading) -> None:
    """Nothing was written but the file; what is wrong is named by line and columns, or by the word that is wrong or missing."""
    file = reading.file
    assert reading.did == {"files": 1, "refused": 1}, file.name
    assert set(reading.writes) <= STORED, (file.name, reading.writes)
    assert PLACE.match(file.fault), (file.name, file.fault)


def check_nothing_came_of(refused: int, left: Left) -> None:
    """The good file after all that were refused does what it does without them, and that is all that was ever done."""
    with transaction.atomic():
        assert read_files({"whole": left.data}) == left.did
        assert BankFile.objects.filter(status=FileStatus.REFUSED).count() == refused
        assert read_facts_without_refused() == left.facts
        assert find_violations() == []
        transaction.set_rollback(True)


def check_lines(reading: Reading, left: Left) -> None:
    """Every line was applied once, to the entry that it is about, or parked; the good file then does what is left to do."""
    check_totals(open_file(file=reading.file), reading.file.name)
    name, rows = reading.file.name, list(reading.file.return_lines.order_by("line"))
    applied = {row.line: row.entry_id for row in rows if row.applied}
    assert [row.line for row in rows] == list(left.entries), name
    assert all(row.applied != bool(row.parked_because) for row in rows), name
    assert reading.did == {"files": 1, **count(rows)}, name
    assert applied.items() <= left.entries.items(), name
    assert find_touched() == set(applied.values()), name
    assert find_violations() == [], name
    assert read_files({"whole": left.data})["files"] == 1
    check_done_once(name, left)


def check_totals(data: bytes, name: str) -> None:
    """What the controls of a file of debits say is what its records add up to, counted by columns alone."""
    lines = data.decode("ascii").splitlines()
    entries, batches = ([line for line in lines if line[0] == kind] for kind in "68")
    (control,) = (line for line in lines if line.startswith("90"))
    records = sum(line[0] in "67" for line in lines)
    routing = sum(int(line[3:11]) for line in entries)
    cents = sum(int(line[29:39]) for line in entries)
    assert records == sum(int(line[4:10]) for line in batches) == int(control[13:21]), name
    assert routing == sum(int(line[10:20]) for line in batches) == int(control[21:31]), name
    assert cents == sum(int(line[20:32]) for line in batches) == int(control[31:43]), name


def check_done_once(name: str, left: Left) -> None:
    """Each entry was returned or corrected once, by the damaged file or the good one, and the books are as without the damage."""
    applied = ReturnLine.objects.filter(applied=True).values_list("entry_id", flat=True)
    assert sorted(applied) == sorted(left.entries.values()), name
    assert find_touched() == set(left.entries.values()), name
    facts = read_facts()
    assert {book: facts[book] for book in BOOKS} == {book: left.facts[book] for book in BOOKS}, name
    connection.check_constraints()


def check_word(reading: Reading, left: Left) -> None:
    """The bank's word was taken once, or it is about no file of ours and changed nothing; the good one is taken if it was not."""
    name, taken = reading.file.name, reading.did == left.did
    if taken:
        ours = BankFile.objects.get(direction="out")
        assert {ours.name, ours.sha256} <= set(json.loads(open_file(file=reading.file)).values()), name
    else:
        assert reading.did == {"files": 1, "parked": 1}, name
        assert set(reading.writes) <= STORED, (name, reading.writes)
    assert read_files({"whole": left.data}) == ({"files": 1} if taken else left.did), name
    facts = read_facts_without_refused()
    facts["files"] = [row for row in facts["files"] if row[0] != name]
    assert facts == left.facts, name
    assert FileMove.objects.filter(after=FileStatus.ACCEPTED).count() == 1, name


def count(rows: Iterable[ReturnLine]) -> dict[str, int]:
    """What reading says that it did about these lines."""
    kinds = (
        "parked" if not row.applied else "corrected" if row.code[0] == "C" else "returned" for row in rows
    )
    return dict(Counter(kinds))


def read_facts_without_refused() -> dict[str, Any]:
    """The business facts as they are without the files that were refused."""
    facts = read_facts()
    return facts | {"files": [row for row in facts["files"] if row[3] != FileStatus.REFUSED]}


def find_touched() -> set[int]:
    """Entries whose payment or prenote came back, or whose account has other numbers than they were sent to."""
    entries = FileEntry.objects.select_related("payment__bank_account", "prenote")
    return {
        entry.pk
        for entry in entries
        if (entry.payment and entry.payment.status == PaymentStatus.RETURNED)
        or (entry.payment and entry.payment.bank_account.blind_index != entry.blind_index)
        or (entry.prenote and entry.prenote.outcome == Prenote.Outcome.FAILED)
    }


def test_the_good_files_do_what_they_say(returns: Left) -> None:
    assert returns.did == {"files": 1} | APPLIED
    assert len(set(returns.entries.values())) == len(returns.entries) == 5


def test_a_return_file_cut_at_any_boundary_is_refused_unless_it_is_whole(returns: Left) -> None:
    boundaries = list(find_boundaries(returns.data))
    tally = check_all(returns, cut(returns.data, boundaries), check_lines)
    assert len(boundaries) > 200
    assert tally == {"files": len(boundaries), "refused": len(boundaries) - 1} | APPLIED


def test_a_return_file_altered_here_and_there_is_refused_or_applied_line_by_line(returns: Left) -> None:
    data = returns.data
    at_boundaries = alter(data, find_boundaries(data), "a line end", "its high bit turned")
    anywhere = alter(data, range(7, len(data), 149), "another digit", "another letter")
    tally = check_all(returns, [*at_boundaries, *anywhere], check_lines)
    assert 0 < tally["files"] - tally["refused"] < tally["refused"]


def test_an_acknowledgement_damaged_here_and_there_is_refused_or_taken_once(acknowledgement: Left) -> None:
    data, places = acknowledgement.data, range(0, len(acknowledgement.data), 3)
    files = [*cut(data, places[::2]), *alter(data, places, *ALTERED)]
    tally = check_all(acknowledgement, files, check_word)
    assert min(tally["accepted"], tally["parked"], tally["refused"]) > 0


@pytest.mark.prove
def test_a_return_file_cut_at_any_byte_is_refused_unless_it_is_whole(returns: Left) -> None:
    tally = check_all(returns, cut(returns.data, range(len(returns.data))), check_lines)
    assert tally == {"files": 1900, "refused": 1899} | APPLIED


@pytest.mark.prove
@pytest.mark.parametrize(
    ("kind", "fewest_read"),
    [("another digit", 800), ("another letter", 600), ("a line end", 1), ("its high bit turned", 0)],
)
def test_a_return_file_altered_at_any_byte_is_refused_or_applied_line_by_line(
    returns: Left, kind: str, fewest_read: int
) -> None:
    tally = check_all(returns, alter(returns.data, range(len(returns.data)), kind), check_lines)
    assert tally["files"] - tally["refused"] >= fewest_read
    assert tally["refused"] > 1_000


@pytest.mark.prove
def test_an_acknowledgement_cut_at_any_byte_is_refused_unless_it_is_whole(acknowledgement: Left) -> None:
    data = acknowledgement.data
    tally = check_all(acknowledgement, cut(data, range(len(data))), check_word)
    assert tally == {"files": len(data), "refused": len(data) - 1, "accepted": 1}


@pytest.mark.prove
@pytest.mark.parametrize("kind", ALTERED)
def test_an_acknowledgement_altered_at_any_byte_is_refused_or_taken_once(
    acknowledgement: Left, kind: str
) -> None:
    data = acknowledgement.data
    tally = check_all(acknowledgement, alter(data, range(len(data)), kind), check_word)
    assert tally["files"] == len(data)
    assert tally["refused"] > 0
