"""The scan line: the public sample's check digit, what is written is read, and every misreading says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.scan_line import (
    LENGTH,
    ScanLine,
    UnableToReadScanLine,
    UnableToWriteScanLine,
    compute_check_digit,
    format_scan_line,
    read_scan_line,
    write_scan_line,
)

LINE = ScanLine("003456789011", "health", "0000000042", 284_17)
DIGITS = st.characters(min_codepoint=ord("0"), max_codepoint=ord("9"))
lines = st.builds(
    ScanLine,
    st.text(DIGITS, min_size=12, max_size=12),
    st.sampled_from(["health", "dental"]),
    st.text(DIGITS, min_size=10, max_size=10),
    st.integers(0, 10**10 - 1),
)


def test_the_public_sample_has_the_check_digit_8() -> None:
    assert compute_check_digit("00345678901110296000000000010000000001000") == 8


def test_the_parts_stand_in_their_order() -> None:
    digits = write_scan_line(line=LINE)
    assert digits[:-1] == "003456789011" + "1" + "0000000042" + "0000028417"
    assert len(digits) == LENGTH == 34
    assert format_scan_line(digits) == f"003456789011 1 0000000042 0000028417 {digits[-1]}"


@given(lines)
def test_what_is_written_is_read(line: ScanLine) -> None:
    digits = write_scan_line(line=line)
    assert read_scan_line(digits) == line
    assert read_scan_line(format_scan_line(digits)) == line


@given(lines, st.integers(0, LENGTH - 1), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(line: ScanLine, place: int, more: int) -> None:
    digits = write_scan_line(line=line)
    wrong = str((int(digits[place]) + more) % 10)
    with pytest.raises(UnableToReadScanLine):
        read_scan_line(digits[:place] + wrong + digits[place + 1 :])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "has 0 characters"),
        (write_scan_line(line=LINE)[:-1], "has 33 characters"),
        (write_scan_line(line=LINE) + "0", "has 35 characters"),
        (write_scan_line(line=LINE).replace("42", "4O"), "digits only"),
        ("٣" * LENGTH, "digits only"),
        ("0" * 33 + "5", "check digit is 5 and should be 0"),
        ("0" * 34, "product is 0; it must be one of 1, 2"),
    ],
)
def test_a_misreading_says_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(UnableToReadScanLine, match=wrong):
        read_scan_line(text)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (ScanLine("3456789011", "health", "0000000042", 1), "Member ID 3456789011 is not 12 digits"),
        (ScanLine("003456789011", "vision", "0000000042", 1), "no product 'vision'"),
        (ScanLine("003456789011", "dental", "42", 1), "invoice number 42 is not 10 digits"),
        (ScanLine("003456789011", "dental", "0000000042", 10**10), "amount 10000000000 is not 10 digits"),
        (ScanLine("003456789011", "dental", "0000000042", -1), "amount -000000001 is not 10 digits"),
    ],
)
def test_what_does_not_fit_is_not_written(line: ScanLine, wrong: str) -> None:
    with pytest.raises(UnableToWriteScanLine, match=wrong):
        write_scan_line(line=line)
