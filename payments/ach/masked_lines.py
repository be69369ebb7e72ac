"""Lines of bank files as staff may read them: every column but those that hold, or may hold, an account number."""

import re

from payments.ach.stored_files import BANK_FILE, LINES_A_CHUNK
from payments.models import FileChunk, FileEntry, ReturnLine

SHOWN_DIGITS = 4
ACCOUNT_NUMBER = slice(12, 29)  # of an entry
FREE_TEXT = slice(35, 79)  # of an addenda: a corrected account number may stand here
RETURN_LINE = "return_line"  # what the raw lines of a return are sealed for


def mask_line(line: str) -> str:
    """The line with an account number as stars and its last four; the free text of an addenda as stars alone."""
    if line.startswith("6"):
        return _replace(line, ACCOUNT_NUMBER, _mask_number(line[ACCOUNT_NUMBER]))
    if line.startswith("7"):
        return _replace(line, FREE_TEXT, re.sub(r"\S", "*", line[FREE_TEXT]))
    return line


def read_entry_line(*, entry: FileEntry) -> str:
    """The one line of a bank file on which an entry went out, masked. Raises UnableToOpen."""
    number, place = divmod(entry.line - 1, LINES_A_CHUNK)
    chunk = FileChunk.objects.select_related("sealed").get(file=entry.file_id, number=number)
    clear = chunk.sealed.open(purpose=BANK_FILE).decode("ascii")
    return mask_line(clear.splitlines()[place])


def read_return_lines(*, line: ReturnLine) -> list[str]:
    """The lines of a return or correction as the bank sent them, masked. Raises UnableToOpen."""
    clear = line.sealed.open(purpose=RETURN_LINE).decode("ascii", errors="replace")
    return [mask_line(raw) for raw in clear.splitlines()]


def _mask_number(columns: str) -> str:
    number = columns.strip()
    shown = number[-SHOWN_DIGITS:]
    return columns.replace(number, "*" * (len(number) - len(shown)) + shown) if number else columns


def _replace(line: str, columns: slice, text: str) -> str:
    return line[: columns.start] + text + line[columns.stop :]
