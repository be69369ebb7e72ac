"""CSV files for spreadsheets: written row by row as they are read, and no cell is ever run as a formula."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

# A cell that begins with one of these is run as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """What a csv writer writes into: it hands each line back at once."""

    def write(self, line: str) -> str:
        return line


def make_safe(cell: object) -> str:
    """A cell as text; an apostrophe keeps it text where a spreadsheet would reckon."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def write_lines(*, columns: Mapping[str, Callable[[Any], object]], rows: Iterable[Any]) -> Iterator[str]:
    """The heading, then a line for each row, one at a time."""
    writer = csv.writer(_Line())
    yield writer.writerow([make_safe(heading) for heading in columns])
    for row in rows:
        yield writer.writerow([make_safe(read(row)) for read in columns.values()])
