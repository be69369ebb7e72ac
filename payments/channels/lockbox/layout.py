"""The BAI lockbox layout as a table: the fields of record types 1 2 5 6 4 7 8 9, and which record may follow which.

Banks agree on the records and differ in widths: another bank's file is another table, read and written by the same code.
One record a line; blanks at its end may be cut off.
"""

from payments.ach.layouts import (
    ALPHA,
    DATE,
    DATE_MEANING,
    DIGITS,
    FIXED,
    MANDATORY,
    NUMBER,
    OPTIONAL,
    RESERVED,
    Field,
    Layout,
)

LENGTH = 82
DATA_WIDTH = 30  # of the words in one record 4
MORE, LAST = "0", "9"  # whether another record 4 follows for the same check
PARTY = "[A-Z0-9 ]{10}"
PARTY_MEANING = "must be 10 capital letters, digits or blanks"


def _layout(name: str, record_type: str, *fields: Field) -> Layout:
    """The layout, its type before and blanks behind."""
    filler = [Field("end", fields[-1].last + 1, LENGTH, RESERVED, OPTIONAL)]
    end = filler if fields[-1].last < LENGTH else []
    start = Field("record_type", 1, 1, FIXED, MANDATORY, content=record_type)
    return Layout(name, start, *fields, *end)


FILE_HEADER = _layout(
    "file header", "1",
    Field("priority", 2, 3, DIGITS, OPTIONAL),
    Field("destination", 4, 13, ALPHA, OPTIONAL, pattern=PARTY, meaning=PARTY_MEANING),
    Field("origin", 14, 23, ALPHA, OPTIONAL, pattern=PARTY, meaning=PARTY_MEANING),
    Field("date", 24, 29, DIGITS, MANDATORY, pattern=DATE, meaning=DATE_MEANING),
    Field("time", 30, 33, DIGITS, OPTIONAL, pattern=" {4}|(?:[01][0-9]|2[0-3])[0-5][0-9]",
          meaning="must be a time HHMM or blank"),
)  # fmt: skip
SERVICE = _layout(
    "service header", "2",
    Field("destination", 2, 11, ALPHA, OPTIONAL, pattern=PARTY, meaning=PARTY_MEANING),
    Field("origin", 12, 21, ALPHA, OPTIONAL, pattern=PARTY, meaning=PARTY_MEANING),
    Field("reference", 22, 31, ALPHA, OPTIONAL),
    Field("service_type", 32, 34, ALPHA, OPTIONAL),
)  # fmt: skip
BATCH_HEADER = _layout(
    "batch header", "5",
    Field("batch", 2, 4, NUMBER, MANDATORY),
    Field("reference", 5, 7, ALPHA, OPTIONAL),
    Field("lockbox", 8, 14, DIGITS, MANDATORY),
    Field("deposit_date", 15, 20, DIGITS, MANDATORY, pattern=DATE, meaning=DATE_MEANING),
)  # fmt: skip
CHECK = _layout(
    "check", "6",
    Field("batch", 2, 4, NUMBER, MANDATORY),
    Field("item", 5, 7, NUMBER, MANDATORY),
    Field("amount", 8, 17, NUMBER, MANDATORY, pattern="(?!0{10})[0-9]{10}",
          meaning="must be 10 digits, more than nothing"),
    Field("routing_number", 18, 26, DIGITS, MANDATORY),
    Field("account_number", 27, 36, DIGITS, MANDATORY),
    Field("check_number", 37, 46, NUMBER, MANDATORY),
    Field("received_date", 47, 52, DIGITS, OPTIONAL, pattern=f"0{{6}}|{DATE}",
          meaning="must be a date YYMMDD, or zeros where it is the day of deposit"),
    Field("remitter", 53, 82, ALPHA, OPTIONAL, cut=True),
)  # fmt: skip
WORDS = _layout(
    "words of a check", "4",
    Field("batch", 2, 4, NUMBER, MANDATORY),
    Field("item", 5, 7, NUMBER, MANDATORY),
    Field("type", 8, 8, FIXED, MANDATORY, content="6"),
    Field("sequence", 9, 10, NUMBER, MANDATORY),
    Field("last", 11, 11, DIGITS, MANDATORY, pattern=f"[{MORE}{LAST}]", meaning="must be 9 on the last, else 0"),
    Field("data", 12, 41, ALPHA, OPTIONAL),
)  # fmt: skip
BATCH_TOTAL = _layout(
    "batch total", "7",
    Field("batch", 2, 4, NUMBER, MANDATORY),
    Field("reference", 5, 7, ALPHA, OPTIONAL),
    Field("lockbox", 8, 14, DIGITS, MANDATORY),
    Field("deposit_date", 15, 20, DIGITS, MANDATORY, pattern=DATE, meaning=DATE_MEANING),
    Field("checks", 21, 23, NUMBER, MANDATORY),
    Field("dollars", 24, 33, NUMBER, MANDATORY),
)  # fmt: skip
LOCKBOX_TOTAL = _layout(
    "lockbox total", "8",
    Field("reserved", 2, 7, RESERVED, OPTIONAL, pattern="[0 ]{6}", meaning="must be blanks or zeros"),
    Field("lockbox", 8, 14, DIGITS, MANDATORY),
    Field("deposit_date", 15, 20, DIGITS, MANDATORY, pattern=DATE, meaning=DATE_MEANING),
    Field("checks", 21, 24, NUMBER, MANDATORY),
    Field("dollars", 25, 34, NUMBER, MANDATORY),
)  # fmt: skip
FILE_TOTAL = _layout("file total", "9", Field("records", 2, 7, NUMBER, MANDATORY))

LAYOUTS = {
    "1": FILE_HEADER,
    "2": SERVICE,
    "5": BATCH_HEADER,
    "6": CHECK,
    "4": WORDS,
    "7": BATCH_TOTAL,
    "8": LOCKBOX_TOTAL,
    "9": FILE_TOTAL,
}
# Which records may follow each; nothing has gone before the first.
FOLLOWS = {"": "1", "1": "2", "2": "59", "5": "67", "6": "467", "4": "467", "7": "58", "8": "59", "9": ""}
