"""The routing directory: taken whole or not at all, the fault named by line and column, and what it tells of a bank."""

import time
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.models import RoutingNumber
from payments.routing_directory import (
    LINE_LENGTH,
    Bank,
    UnableToReadDirectory,
    find_bank,
    import_directory,
    read_directory,
)
from payments.routing_directory_generator import (
    DEMO_ROUTING_NUMBER,
    MERGED_ROUTING_NUMBER,
    generate_directory,
    write_line,
)
from tests.payments.paying import TUESDAY, noon

pytestmark = pytest.mark.django_db
AT = noon(TUESDAY)
OTHER = "211370545"
GOOD = write_line(number=DEMO_ROUTING_NUMBER, name="First Bank", changed_on=date(2026, 3, 9)).encode()
THIRD = write_line(number=OTHER, name="Third Bank", changed_on=date(2026, 3, 9)).encode()


def put(line: bytes, first: int, text: bytes) -> bytes:
    """The line with this text from a column on."""
    return line[: first - 1] + text + line[first - 1 + len(text) :]


def test_a_line_says_which_bank_it_is_of() -> None:
    (listing,) = read_directory(lines=[GOOD])
    assert (listing.number, listing.bank_name) == (DEMO_ROUTING_NUMBER, "FIRST BANK (MADE UP)")
    assert (listing.successor, listing.state, listing.changed_on) == ("", "MA", date(2026, 3, 9))


def test_lines_may_end_as_on_either_kind_of_system_and_the_last_not_at_all() -> None:
    lines = [GOOD.replace(b"\n", b"\r\n"), THIRD.removesuffix(b"\n")]
    assert [one.number for one in read_directory(lines=lines)] == [DEMO_ROUTING_NUMBER, OTHER]


FAULTS = {
    "one character short": (GOOD[:-2] + b"\n", f"Line 2 has {LINE_LENGTH - 1} characters, it must have 155"),
    "one character long": (GOOD[:-1] + b" \n", f"Line 2 has {LINE_LENGTH + 1} characters"),
    "empty": (b"\n", "Line 2 has 0 characters"),
    "letters for a number": (
        put(GOOD, 1, b"01100001X"),
        "Line 2, columns 1-9 (routing number): must be 9 digits",
    ),
    "digits of another script": (put(GOOD, 1, b"01100001\xb2"), "Line 2, columns 1-9 (routing number)"),
    "a wrong check digit": (
        put(GOOD, 1, b"011000016"),
        "Line 2, columns 1-9 (routing number): must be a routing number with its check digit",
    ),
    "nothing but zeros": (put(GOOD, 1, b"000000000"), "Line 2, columns 1-9 (routing number)"),
    "another office": (put(GOOD, 10, b"X"), "Line 2, column 10 (office code): must be O or B"),
    "another type": (put(GOOD, 20, b"3"), "Line 2, column 20 (record type): must be 0, 1 or 2"),
    "no such day": (put(GOOD, 21, b"023026"), "Line 2, columns 21-26 (change date): must be a date"),
    "moved to nowhere": (
        put(GOOD, 20, b"2"),
        "Line 2, columns 27-35 (new routing number): must be a routing",
    ),
    "moved to a wrong number": (
        put(put(GOOD, 20, b"2"), 27, b"211370546"),
        "Line 2, columns 27-35 (new routing number)",
    ),
    "no name": (put(GOOD, 36, b" " * 36), "Line 2, columns 36-71 (bank name)"),
    "a name of other letters": (put(GOOD, 36, b"BANQU\xc9"), "Line 2, columns 36-71 (bank name)"),
    "a NUL in the address": (put(GOOD, 80, b"\0"), "Line 2, columns 72-127 (address and telephone)"),
    "no state": (put(GOOD, 128, b"m1"), "Line 2, columns 128-129 (state): must be two capitals"),
    "the same bank twice": (THIRD, "Line 2, columns 1-9 (routing number): stands on line 1 already"),
}


@pytest.mark.parametrize(("line", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_named_by_line_and_column_and_nothing_changes(line: bytes, words: str) -> None:
    import_directory(lines=[GOOD], at=AT)
    with pytest.raises(UnableToReadDirectory) as caught:
        import_directory(lines=[THIRD, line], at=AT)
    assert words in str(caught.value)
    assert RoutingNumber.objects.get().number == DEMO_ROUTING_NUMBER


def test_a_file_without_any_bank_is_refused() -> None:
    import_directory(lines=[GOOD], at=AT)
    with pytest.raises(UnableToReadDirectory, match="holds no bank"):
        import_directory(lines=[], at=AT)
    assert RoutingNumber.objects.count() == 1


def test_a_directory_takes_the_place_of_the_last_one() -> None:
    import_directory(lines=[GOOD], at=AT)
    assert import_directory(lines=[THIRD], at=AT) == 1
    bank = RoutingNumber.objects.get()
    assert (bank.number, bank.bank_name, bank.successor, bank.state) == (
        OTHER,
        "THIRD BANK (MADE UP)",
        "",
        "MA",
    )
    assert (bank.changed_on, bank.imported_at) == (date(2026, 3, 9), AT)


def test_a_bank_that_never_changed_and_one_of_no_state_are_taken() -> None:
    import_directory(lines=[put(put(GOOD, 21, b"000000"), 128, b"  ")], at=AT)
    bank = RoutingNumber.objects.get()
    assert (bank.changed_on, bank.state) == (None, "")


@pytest.mark.parametrize("name", [rb'A "QUOTED", NAME', rb"A \N NAME", rb"\.", rb"O'HARA & SONS; DROP--"])
def test_a_name_is_kept_as_it_stands_whatever_signs_are_in_it(name: bytes) -> None:
    import_directory(lines=[put(GOOD, 36, name.ljust(36))], at=AT)
    assert RoutingNumber.objects.get().bank_name == name.decode()


def test_the_file_is_imported_by_its_command(tmp_path: Path) -> None:
    file, told = tmp_path / "directory.txt", StringIO()
    file.write_bytes(GOOD + THIRD)
    call_command("import_routing_directory", str(file), stdout=told)
    assert told.getvalue() == "Routing numbers: 2\n"
    file.write_bytes(GOOD + THIRD[:-5])
    with pytest.raises(
        CommandError, match=r"directory\.txt: Line 2 has 151 characters.* Nothing was changed"
    ):
        call_command("import_routing_directory", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_routing_directory", str(tmp_path / "other.txt"))
    assert RoutingNumber.objects.count() == 2


def test_twenty_thousand_banks_are_imported_in_seconds_and_few_statements() -> None:
    lines = [line.encode() for line in generate_directory(seed=3, today=TUESDAY, banks=19_998)]
    import_directory(lines=[GOOD, THIRD], at=AT)
    began = time.monotonic()
    with CaptureQueriesContext(connection) as statements:
        assert import_directory(lines=lines, at=AT) == 20_000
    assert time.monotonic() - began < 10
    assert len(statements) < 8
    assert RoutingNumber.objects.count() == 20_000


def test_the_made_up_directory_is_the_same_for_the_same_seed_and_says_what_it_is() -> None:
    once, again = (list(generate_directory(seed=1, today=TUESDAY)) for _ in range(2))
    assert once == again
    assert once != list(generate_directory(seed=2, today=TUESDAY))
    assert all("(MADE UP)" in line for line in once)
    assert len(list(read_directory(lines=[line.encode() for line in once]))) == len(once)


class TestFindingABank:
    def test_a_bank_that_stands_has_its_name_and_no_hint(self) -> None:
        import_directory(lines=[GOOD], at=AT)
        bank = find_bank(routing_number=DEMO_ROUTING_NUMBER)
        assert bank == Bank(name="FIRST BANK (MADE UP)")
        assert bank.hint == ""

    def test_an_unknown_number_says_nothing(self) -> None:
        assert find_bank(routing_number=OTHER) is None

    def test_a_bank_that_has_merged_names_the_number_that_took_its_place(self) -> None:
        import_directory(lines=(line.encode() for line in generate_directory(seed=1, today=TUESDAY)), at=AT)
        bank = find_bank(routing_number=MERGED_ROUTING_NUMBER)
        assert bank.name == "OLD HARBOR BANK (MADE UP)"
        assert bank.hint == "This bank has merged. Its new routing number is 011000015."

    def test_a_merger_after_a_merger_leads_to_the_last_number(self) -> None:
        merged = write_line(
            number=MERGED_ROUTING_NUMBER, name="Old", changed_on=TUESDAY, successor=OTHER
        ).encode()
        again = write_line(
            number=OTHER, name="Newer", changed_on=TUESDAY, successor=DEMO_ROUTING_NUMBER
        ).encode()
        import_directory(lines=[merged, again, GOOD], at=AT)
        assert find_bank(routing_number=MERGED_ROUTING_NUMBER).successor == DEMO_ROUTING_NUMBER

    def test_banks_that_name_each_other_are_not_followed_for_ever(self) -> None:
        pair = [(MERGED_ROUTING_NUMBER, OTHER), (OTHER, MERGED_ROUTING_NUMBER)]
        lines = [
            write_line(number=one, name="Round", changed_on=TUESDAY, successor=other).encode()
            for one, other in pair
        ]
        import_directory(lines=lines, at=AT)
        assert find_bank(routing_number=MERGED_ROUTING_NUMBER).successor

    def test_a_successor_that_the_directory_lacks_is_named_all_the_same(self) -> None:
        line = write_line(number=MERGED_ROUTING_NUMBER, name="Old", changed_on=TUESDAY, successor=OTHER)
        import_directory(lines=[line.encode()], at=AT)
        assert find_bank(routing_number=MERGED_ROUTING_NUMBER).successor == OTHER
