"""Reading bank files: every fault by line and columns, and what a right file says."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.ach.contents import (
    UnableToUseFile,
    parse_batches,
    parse_file_header,
    parse_return_entries,
)
from payments.ach.entries import Entry, FileHeader, PaymentAddenda
from payments.ach.faults import Fault
from payments.ach.nacha import write_file
from payments.ach.plain_letters import write_plainly
from payments.ach.reading import read_file
from payments.ach.routing_numbers import PREFIXES, compute_check_digit
from tests.payments.ach.bank_files import (
    GOLDEN,
    HEADER,
    OUR_BANK,
    THEIR_BANK,
    make_batch,
    make_entry,
    make_returned,
    write_forward,
    write_lines,
    write_returns,
)


def find_faults(lines: list[str]) -> list[Fault]:
    return read_file(source=iter(lines)).faults


def change(lines: list[str], number: int, first: int, text: str) -> list[str]:
    """Write text over a line's columns; numbers count from 1."""
    line = lines[number - 1]
    changed = line[: first - 1] + text + line[first - 1 + len(text) :]
    assert changed != line
    return [*lines[: number - 1], changed, *lines[number:]]


@pytest.mark.parametrize("name", ["premiums_out.ach", "returns_in.ach"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
def test_a_right_file_has_no_fault_whatever_its_line_ends(name: str, line_end: bytes) -> None:
    data = (GOLDEN / name).read_bytes().replace(b"\n", line_end)
    assert read_file(source=data).faults == []
    assert read_file(source=data.removesuffix(line_end) if line_end else data).faults == []


# (line of the file that goes out, first column, text written there, field blamed, columns blamed)
FORWARD_MUTATIONS = [
    (1, 1, "2", "record type", 1, 1),
    (1, 2, "02", "priority code", 2, 3),
    (1, 4, " 011000016", "immediate destination", 4, 13),
    (1, 4, " 000000000", "immediate destination", 4, 13),
    (1, 4, " " * 10, "immediate destination", 4, 13),
    (1, 14, " " * 10, "immediate origin", 14, 23),
    (1, 14, "a", "immediate origin", 14, 23),
    (1, 24, "261301", "file creation date", 24, 29),
    (1, 24, "260230", "file creation date", 24, 29),
    (1, 24, "26 101", "file creation date", 24, 29),
    (1, 30, "2400", "file creation time", 30, 33),
    (1, 30, "1760", "file creation time", 30, 33),
    (1, 34, "a", "file id modifier", 34, 34),
    (1, 34, " ", "file id modifier", 34, 34),
    (1, 35, "095", "record size", 35, 37),
    (1, 38, "20", "blocking factor", 38, 39),
    (1, 40, "2", "format code", 40, 40),
    (1, 41, "\x1f", "immediate destination name", 41, 63),
    (1, 64, "\xc9", "immediate origin name", 64, 86),
    (1, 87, "\x7f", "reference code", 87, 94),
    (2, 2, "280", "service class code", 2, 4),
    (2, 2, "22A", "service class code", 2, 4),
    (2, 5, " " * 16, "company name", 5, 20),
    (2, 5, "0" * 16, "company name", 5, 20),
    (2, 21, "\x00", "company discretionary data", 21, 40),
    (2, 41, " " * 10, "company identification", 41, 50),
    (2, 51, "web", "sec code", 51, 53),
    (2, 51, "XYZ", "sec code", 51, 53),
    (2, 54, " " * 10, "company entry description", 54, 63),
    (2, 54, "Reversal  ", "company entry description", 54, 63),
    (2, 54, "retry pymt", "company entry description", 54, 63),
    (2, 64, "\x1b", "company descriptive date", 64, 69),
    (2, 70, "      ", "effective entry date", 70, 75),
    (2, 70, "000000", "effective entry date", 70, 75),
    (2, 70, "260229", "effective entry date", 70, 75),
    (2, 70, "261132", "effective entry date", 70, 75),
    (2, 76, "367", "settlement date", 76, 78),
    (2, 76, "000", "settlement date", 76, 78),
    (2, 79, "9", "originator status code", 79, 79),
    (2, 80, "99", "originating dfi", 80, 87),
    (2, 80, "0110000A", "originating dfi", 80, 87),
    (2, 88, "000000A", "batch number", 88, 94),
    (8, 88, "0000001", "batch number", 88, 94),
    (3, 1, "4", "record type", 1, 1),
    (3, 2, "99", "transaction code", 2, 3),
    (3, 2, "29", "transaction code", 2, 3),
    (3, 2, "22", "transaction code", 2, 3),
    (4, 2, "36", "transaction code", 2, 3),
    (3, 2, "2A", "transaction code", 2, 3),
    (3, 4, "00", "routing number", 4, 12),
    (3, 4, "13", "routing number", 4, 12),
    (3, 11, "A", "routing number", 4, 12),
    (3, 12, "2", "check digit", 12, 12),
    (3, 13, " " * 17, "account number", 13, 29),
    (3, 13, " ", "account number", 13, 29),
    (3, 15, " ", "account number", 13, 29),
    (3, 13, "\xff", "account number", 13, 29),
    (3, 30, "00000123.5", "amount", 30, 39),
    (3, 30, "      1234", "amount", 30, 39),
    (3, 30, "0" * 10, "amount", 30, 39),
    (6, 39, "1", "amount", 30, 39),
    (3, 40, "\t", "individual identification number", 40, 54),
    (3, 55, " " * 22, "individual name", 55, 76),
    (3, 55, "0" * 22, "individual name", 55, 76),
    (13, 55, " " * 22, "individual name", 55, 76),
    (9, 55, " " * 22, "individual name", 55, 76),
    (3, 77, "  ", "payment type code", 77, 78),
    (3, 77, "r ", "payment type code", 77, 78),
    (3, 77, "ST", "payment type code", 77, 78),
    (13, 77, "X ", "payment type code", 77, 78),
    (3, 79, "2", "addenda record indicator", 79, 79),
    (3, 79, "1", "addenda record indicator", 79, 79),
    (13, 79, "1", "addenda record indicator", 79, 79),
    (3, 80, "02", "trace number", 80, 94),
    (3, 94, "A", "trace number", 80, 94),
    (6, 94, "2", "trace number", 80, 94),
    (6, 94, "1", "trace number", 80, 94),
    (5, 2, "06", "addenda type code", 2, 3),
    (5, 2, "99", "addenda type code", 2, 3),
    (5, 4, "\x80", "payment related information", 4, 83),
    (5, 84, "0002", "addenda sequence number", 84, 87),
    (5, 94, "3", "entry detail sequence number", 88, 94),
    (7, 2, "200", "service class code", 2, 4),
    (7, 5, "000005", "entry addenda count", 5, 10),
    (7, 5, "     4", "entry addenda count", 5, 10),
    (7, 11, "1", "entry hash", 11, 20),
    (7, 32, "1", "total debit", 21, 32),
    (7, 44, "1", "total credit", 33, 44),
    (7, 45, "2", "company identification", 45, 54),
    (7, 55, "X", "message authentication code", 55, 73),
    (7, 74, "X", "reserved", 74, 79),
    (7, 87, "2", "originating dfi", 80, 87),
    (7, 94, "2", "batch number", 88, 94),
    (15, 7, "4", "batch count", 2, 7),
    (15, 13, "3", "block count", 8, 13),
    (15, 21, "8", "entry addenda count", 14, 21),
    (15, 31, "1", "entry hash", 22, 31),
    (15, 43, "5", "total debit", 32, 43),
    (15, 55, "6", "total credit", 44, 55),
    (15, 56, "X", "reserved", 56, 94),
    (16, 94, "8", "padding", 1, 94),
    (16, 1, "0", "record type", 1, 1),
]


@pytest.mark.parametrize(("number", "column", "text", "field", "first", "last"), FORWARD_MUTATIONS)
def test_one_wrong_field_is_blamed_by_line_and_columns(
    number: int, column: int, text: str, field: str, first: int, last: int
) -> None:
    faults = find_faults(change(write_forward(), number, column, text))
    assert (number, first, last, field) in {
        (fault.line, fault.first, fault.last, fault.field) for fault in faults
    }


RETURN_MUTATIONS = [
    (3, 2, "27", "addenda type code", 4, 2, 3),
    (5, 2, "27", "transaction code", 5, 2, 3),
    (3, 79, "0", "addenda record indicator", 3, 79, 79),
    (3, 80, "01", "trace number", 3, 80, 94),
    (4, 2, "05", "addenda type code", 4, 2, 3),
    (4, 4, "C01", "return reason code", 4, 4, 6),
    (4, 4, "R1A", "return reason code", 4, 4, 6),
    (4, 7, " ", "original entry trace number", 4, 7, 21),
    (6, 22, "261301", "date of death", 6, 22, 27),
    (6, 22, "260230", "date of death", 6, 22, 27),
    (4, 28, "        ", "original receiving dfi", 4, 28, 35),
    (4, 94, "9", "trace number", 4, 80, 94),
    (9, 30, "0000000001", "amount", 9, 30, 39),
    (9, 2, "27", "transaction code", 9, 2, 3),
    (10, 2, "99", "addenda type code", 10, 2, 3),
    (10, 4, "X01", "change code", 10, 4, 6),
    (10, 22, "X", "reserved", 10, 22, 27),
    (10, 36, " " * 29, "corrected data", 10, 36, 64),
    (10, 65, "X", "reserved after data", 10, 65, 79),
]


@pytest.mark.parametrize(("number", "column", "text", "field", "blamed", "first", "last"), RETURN_MUTATIONS)
def test_one_wrong_field_of_a_return_is_blamed_by_line_and_columns(
    number: int, column: int, text: str, field: str, blamed: int, first: int, last: int
) -> None:
    faults = find_faults(change(write_returns(), number, column, text))
    assert (blamed, first, last, field) in {
        (fault.line, fault.first, fault.last, fault.field) for fault in faults
    }


def test_a_wrong_field_whose_totals_still_hold_is_the_only_fault() -> None:
    assert find_faults(change(write_forward(), 3, 77, "X ")) == [
        Fault(3, 77, 78, "payment type code", "must be R (recurring) or S (single) and a blank")
    ]


def test_addenda_that_the_entry_does_not_announce_are_blamed_themselves() -> None:
    faults = find_faults(change(write_forward(), 4, 79, "0"))
    assert [(fault.line, fault.first, fault.field) for fault in faults] == [(5, 1, "record type")]


def test_a_changed_amount_shows_in_the_batch_control_and_the_file_control() -> None:
    faults = find_faults(change(write_forward(), 3, 39, "6"))
    assert [(fault.line, fault.field) for fault in faults] == [(7, "total debit"), (15, "total debit")]


@pytest.mark.parametrize("number", range(1, 21))
def test_a_line_left_out_is_a_fault(number: int) -> None:
    lines = write_forward()
    assert find_faults(lines[: number - 1] + lines[number:])


@pytest.mark.parametrize("number", range(1, 21))
def test_a_line_written_twice_is_a_fault(number: int) -> None:
    lines = write_forward()
    assert find_faults(lines[:number] + lines[number - 1 :])


@pytest.mark.parametrize("number", range(1, 15))
def test_two_lines_in_the_wrong_order_are_a_fault(number: int) -> None:
    lines = write_forward()
    lines[number - 1], lines[number] = lines[number], lines[number - 1]
    assert find_faults(lines)


@pytest.mark.parametrize("number", range(1, 21))
def test_a_line_too_short_or_too_long_is_blamed_for_its_length_alone(number: int) -> None:
    lines = write_forward()
    short = find_faults([*lines[: number - 1], lines[number - 1][:-1], *lines[number:]])
    assert Fault(number, 94, 94, "record", "is 93 characters long, must be 94") in short
    long = find_faults([*lines[: number - 1], lines[number - 1] + " ", *lines[number:]])
    assert long == [Fault(number, 95, 95, "record", "is 95 characters long, must be 94")]


def test_a_file_cut_anywhere_is_a_fault() -> None:
    data = (GOLDEN / "returns_in.ach").read_bytes()
    for length in range(len(data) - 1):
        assert read_file(source=data[:length]).faults, length


def test_a_file_with_any_byte_turned_is_read_or_refused_and_never_breaks_the_reader() -> None:
    data = (GOLDEN / "premiums_out.ach").read_bytes()
    for position in range(0, len(data), 7):
        for value in (0, 10, 13, 32, 57, 255):
            turned = data[:position] + bytes([value]) + data[position + 1 :]
            parsed = read_file(source=turned)
            if not parsed.faults:
                assert len(list(parse_batches(parsed=parsed))) == 3


@given(st.binary(max_size=2_000))
def test_nonsense_is_refused_and_never_breaks_the_reader(data: bytes) -> None:
    assert read_file(source=data).faults


def test_faults_never_quote_an_account_number_or_a_name() -> None:
    lines = write_forward()
    for number, column, text, *_ in FORWARD_MUTATIONS:
        words = " ".join(str(fault) for fault in find_faults(change(lines, number, column, text)))
        assert "123456789" not in words
        assert "NUNEZ" not in words


def test_a_file_read_without_keeping_it_has_the_same_faults_and_totals() -> None:
    lines = change(write_forward(), 3, 12, "2")
    kept, dropped = read_file(source=iter(lines)), read_file(source=iter(lines), keep=False)
    assert (kept.faults, kept.totals) == (dropped.faults, dropped.totals)
    assert dropped.batches == []


def test_a_return_says_which_entry_came_back_and_why() -> None:
    returned, died, corrected = parse_return_entries(parsed=read_file(source=iter(write_returns())))
    assert (returned.code, returned.original_trace, returned.amount_cents) == (
        "R01",
        f"{OUR_BANK}0000001",
        12345,
    )
    assert (returned.original_rdfi_id, returned.account_number) == (THEIR_BANK, "123456789")
    assert (returned.individual_id, returned.sec_code) == ("PAY0000001", "WEB")
    assert (returned.settlement_julian, returned.return_trace) == ("331", f"{THEIR_BANK}0000001")
    assert returned.raw_lines == tuple(write_returns()[2:4])
    assert (died.code, died.date_of_death, died.transaction_code) == ("R15", date(2026, 10, 31), "36")
    assert (corrected.is_correction, corrected.code, corrected.amount_cents) == (True, "C06", 0)
    assert corrected.corrected_data == "123456789 111       27       "


def test_a_return_code_that_nobody_knows_is_kept() -> None:
    addenda = replace(make_returned(1).addenda[0], return_code="R99")
    lines = write_lines([(make_batch(odfi_id=THEIR_BANK), [make_returned(1, addenda=(addenda,))])])
    assert [entry.code for entry in parse_return_entries(parsed=read_file(source=iter(lines)))] == ["R99"]


def test_a_returned_prenote_of_zero_is_right() -> None:
    lines = write_lines([(make_batch(odfi_id=THEIR_BANK), [make_returned(1, amount_cents=0)])])
    assert find_faults(lines) == []


def test_nothing_is_taken_from_a_file_with_a_fault() -> None:
    parsed = read_file(source=iter(change(write_returns(), 6, 4, "RXX")))
    with pytest.raises(UnableToUseFile):
        next(parse_return_entries(parsed=parsed))
    with pytest.raises(UnableToUseFile):
        next(parse_batches(parsed=parsed))
    with pytest.raises(UnableToUseFile):
        parse_file_header(parsed=parsed)


PLAIN = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
ANY_NAME = st.text(min_size=1).filter(lambda name: write_plainly(text=name)[:22].strip(" 0"))


@st.composite
def make_any_entry(draw: st.DrawFn) -> Entry:
    digits = draw(st.sampled_from(sorted(PREFIXES))) + f"{draw(st.integers(0, 999_999)):06}"
    code = draw(st.sampled_from(["22", "23", "27", "28", "32", "33", "37", "38"]))
    words = draw(st.none() | st.text(alphabet=st.characters(max_codepoint=255), max_size=20))
    return make_entry(
        transaction_code=code,
        routing_number=digits + compute_check_digit(digits=digits),
        account_number=draw(PLAIN.filter(lambda text: len(text) <= 17)),
        amount_cents=0 if code[1] in "38" else draw(st.integers(1, 9_999_999_999)),
        individual_id=draw(st.text(alphabet="ABCDEFGHIJ0123456789-", max_size=15)),
        individual_name=draw(ANY_NAME),
        discretionary=draw(st.sampled_from("RS")),
        addenda=() if words is None else (PaymentAddenda(information=words),),
    )


def number_entries(entries: list[Entry]) -> list[Entry]:
    return [replace(entry, trace_number=f"{OUR_BANK}{i:07}") for i, entry in enumerate(entries, 1)]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=timedelta(seconds=5), max_examples=60)
@given(st.lists(st.lists(make_any_entry(), max_size=4), max_size=3), st.datetimes(datetime(2026, 1, 1)))
def test_what_was_written_reads_without_fault_and_writes_the_same_again(
    batches: list[list[Entry]], moment: datetime
) -> None:
    header: FileHeader = replace(HEADER, created_at=moment.replace(year=2000 + moment.year % 100))
    numbered = [
        (make_batch(service_class="200", batch_number=number), number_entries(entries))
        for number, entries in enumerate(batches, 1)
    ]
    lines = list(write_file(header=header, batches=numbered))
    parsed = read_file(source=iter(lines))
    assert parsed.faults == []
    again = write_file(header=parse_file_header(parsed=parsed), batches=parse_batches(parsed=parsed))
    assert list(again) == lines
    read = [entry for _, entries in parse_batches(parsed=parsed) for entry in entries]
    written = [entry for _, entries in numbered for entry in entries]
    for ours, theirs in zip(written, read, strict=True):
        assert (ours.amount_cents, ours.trace_number, ours.routing_number, ours.individual_id) == (
            theirs.amount_cents, theirs.trace_number, theirs.routing_number, theirs.individual_id,
        )  # fmt: skip
        assert theirs.account_number == ours.account_number.upper()
