"""The routing directory: which bank a routing number belongs to, and where the entries of a merged bank go.

The file is the Federal Reserve's, of 155 characters a line, supplied by the operator. It is taken whole or not at all.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn

from django.db import connection, transaction
from django.utils.translation import gettext as _

from connector_pay.lib.clock import EASTERN
from payments.ach.routing_numbers import compute_check_digit
from payments.models import RoutingNumber

LINE_LENGTH = 155
MOVED = "2"  # the record type of a bank whose entries go to a new number
LONGEST_CHAIN = 5  # mergers after mergers
NO_DATE = "000000"

# What a column may hold: its first and last place, its form, and that form in words.
COLUMNS = {
    "routing number": (1, 9, r"\d{9}", "9 digits"),
    "office code": (10, 10, r"[OB]", "O or B"),
    "servicing Federal Reserve Bank": (11, 19, r"\d{9}", "9 digits"),
    "record type": (20, 20, r"[012]", "0, 1 or 2"),
    "change date": (21, 26, r"\d{6}", "a date, as MMDDYY"),
    "new routing number": (27, 35, r"\d{9}", "9 digits"),
    "bank name": (36, 71, r"(?! )[ -~]{36}", "a name in plain characters"),
    "address and telephone": (72, 127, r"[ -~]{56}", "plain characters"),
    "state": (128, 129, r"[A-Z]{2}|  ", "two capitals"),
    "what follows the state": (130, 155, r"[ -~]{26}", "plain characters"),
}
COPY = """
    COPY payments_routingnumber (number, bank_name, successor, state, changed_on, imported_at)
    FROM STDIN WITH (FORMAT csv, FORCE_NOT_NULL (successor, state))
"""


class UnableToReadDirectory(ValueError):
    """The file is no routing directory; the text names the line and the column. Nothing was changed."""


@dataclass(frozen=True)
class Listing:
    """One line of the directory. A bank that stands has no successor."""

    number: str
    bank_name: str
    successor: str
    state: str
    changed_on: date | None


@dataclass(frozen=True)
class Bank:
    """The bank of a routing number; `successor` is the number that took its place, if it has merged."""

    name: str
    successor: str = ""

    @property
    def words(self) -> str:
        """Whose number it is, in a sentence, with what a payer should know of it."""
        belongs = _("This routing number belongs to %s.") % self.name
        return f"{belongs} {self.hint}" if self.hint else belongs

    @property
    def hint(self) -> str:
        """What a payer should know of it: nothing, of a bank that stands."""
        if not self.successor:
            return ""
        return _("This bank has merged. Its new routing number is %s.") % self.successor


def find_bank(*, routing_number: str) -> Bank | None:
    """The bank that the directory names; None where it names none, which says nothing against the number."""
    first = RoutingNumber.objects.filter(number=routing_number).first()
    if first is None:
        return None
    successor, seen = first.successor, {first.number}
    while successor and successor not in seen and len(seen) < LONGEST_CHAIN:
        seen.add(successor)
        later = RoutingNumber.objects.filter(number=successor).values_list("successor", flat=True).first()
        successor = later or successor
    return Bank(name=first.bank_name, successor=successor)


def import_directory(*, lines: Iterable[bytes], at: datetime) -> int:
    """Put the file's banks in the place of all that were known; returns how many. Raises UnableToReadDirectory."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    count = 0
    for listing in read_directory(lines=lines):
        changed = listing.changed_on.isoformat() if listing.changed_on else ""
        writer.writerow([listing.number, listing.bank_name, listing.successor, listing.state, changed, at])
        count += 1
    rows.seek(0)
    with transaction.atomic(), connection.cursor() as cursor:
        # One import at a time; who looks a bank up meanwhile sees the old directory.
        cursor.execute("LOCK TABLE payments_routingnumber IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM payments_routingnumber")
        cursor.copy_expert(COPY, rows)
    return count


def read_directory(*, lines: Iterable[bytes]) -> Iterator[Listing]:
    """Each bank of the file, held strictly against its form. Raises UnableToReadDirectory."""
    seen: dict[str, int] = {}
    for place, line in enumerate(lines, start=1):
        listing = _read_line(line, place)
        if listing.number in seen:
            _refuse(place, "routing number", f"stands on line {seen[listing.number]} already")
        seen[listing.number] = place
        yield listing
    if not seen:
        raise UnableToReadDirectory("The file holds no bank.")


def _read_line(line: bytes, place: int) -> Listing:
    text = line.decode("latin-1").removesuffix("\n").removesuffix("\r")
    if len(text) != LINE_LENGTH:
        raise UnableToReadDirectory(f"Line {place} has {len(text)} characters, it must have {LINE_LENGTH}.")
    for name, (_first, _last, form, words) in COLUMNS.items():
        if not re.fullmatch(form, _cut(text, name), re.ASCII):
            _refuse(place, name, f"must be {words}")
    moved = _cut(text, "record type") == MOVED
    return Listing(
        number=_check_digit(text, "routing number", place),
        bank_name=_cut(text, "bank name").rstrip(),
        successor=_check_digit(text, "new routing number", place) if moved else "",
        state=_cut(text, "state").strip(),
        changed_on=_read_date(_cut(text, "change date"), place),
    )


def _cut(text: str, name: str) -> str:
    first, last, *_rest = COLUMNS[name]
    return text[first - 1 : last]


def _check_digit(text: str, name: str, place: int) -> str:
    number = _cut(text, name)
    if number == "0" * 9 or compute_check_digit(digits=number[:8]) != number[8]:
        _refuse(place, name, "must be a routing number with its check digit")
    return number


def _read_date(text: str, place: int) -> date | None:
    if text == NO_DATE:
        return None
    try:
        return datetime.strptime(text, "%m%d%y").replace(tzinfo=EASTERN).date()
    except ValueError:
        _refuse(place, "change date", "must be a date, as MMDDYY")


def _refuse(place: int, name: str, words: str) -> NoReturn:
    """Raises UnableToReadDirectory for a column of a line."""
    first, last, *_rest = COLUMNS[name]
    columns = f"column {first}" if first == last else f"columns {first}-{last}"
    raise UnableToReadDirectory(f"Line {place}, {columns} ({name}): {words}.")
