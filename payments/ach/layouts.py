"""The record layouts of a Nacha file as tables: each field's columns, kind and requirement.

Each table compiles, when the module loads, into a template that writes a record and a pattern that a right
record matches; a file is written and read by the same rows.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

RECORD_LENGTH = 94
BLOCKING_FACTOR = 10
PADDING = "9" * RECORD_LENGTH


class Kind(Enum):
    """How a field is filled."""

    ALPHA = "text, left-justified"
    RIGHT = "text, right-justified"
    NUMBER = "a number, zero-filled"
    DIGITS = "digits that are a name, not a number"
    FIXED = "always the same"
    RESERVED = "blank"


class Need(Enum):
    """What becomes of an entry or file whose field is wrong."""

    MANDATORY = "the operator refuses it"
    REQUIRED = "the receiving bank may return it"
    OPTIONAL = "nobody checks it"


ALPHA, RIGHT, NUMBER, DIGITS, FIXED, RESERVED = Kind
MANDATORY, REQUIRED, OPTIONAL = Need


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: columns first to last, counted from 1, last included.

    `content` is what a FIXED field holds. `pattern` and `meaning` narrow what the kind allows. A `cut` field
    may be shortened to fit.
    """

    name: str
    first: int
    last: int
    kind: Kind
    need: Need
    content: str = ""
    pattern: str = ""
    meaning: str = ""
    cut: bool = False

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.last - self.first + 1

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")

    @property
    def template(self) -> str:
        """The printf-style part that writes the field; a fixed field writes itself."""
        if self.kind is FIXED:
            return self.content
        if self.kind is RESERVED:
            return " " * self.width
        cut = f".{self.width}" if self.cut else ""
        return {
            NUMBER: f"%0{self.width}d",
            DIGITS: f"%{self.width}s",
            RIGHT: f"%{self.width}s",
            ALPHA: f"%-{self.width}{cut}s",
        }[self.kind]

    @property
    def regex(self) -> str:
        """The pattern that the columns must match."""
        if self.pattern:
            return f"(?:{self.pattern})"
        if self.kind is FIXED:
            return re.escape(self.content)
        if self.kind is RESERVED:
            return f" {{{self.width}}}"
        if self.kind in (NUMBER, DIGITS):
            return f"[0-9]{{{self.width}}}"
        empty = {MANDATORY: "[^ 0]", REQUIRED: "[^ ]", OPTIONAL: ""}[self.need]
        # nearly every name begins at once, so its first column is tried before the rest of it
        filled = f"(?={empty}|.{{1,{self.width - 1}}}?{empty})" if empty else ""
        return filled + f"[ -~]{{{self.width}}}"

    @property
    def rule(self) -> str:
        """What the field must hold, in plain words."""
        if self.meaning:
            return self.meaning
        if self.kind is FIXED:
            return f"must be {self.content}"
        if self.kind is RESERVED:
            return "must be blank"
        if self.kind in (NUMBER, DIGITS):
            return f"must be {self.width} digits" if self.width > 1 else "must be a digit"
        empty = {MANDATORY: "must not be blank or zeros, and ", REQUIRED: "must not be blank, and "}
        return empty.get(self.need, "") + "may hold only plain ASCII characters"

    def find_in(self, line: str) -> str:
        """Cut the field's columns out of a record."""
        return line[self.first - 1 : self.last]


class Layout:
    """The fields of one kind of record, in order, covering all 94 columns.

    `template` writes the fields named in `slots`, in their order. `match` holds one record against all its
    fields, `match_lines` many at once, each with a line feed; their length is for the caller to check.
    """

    def __init__(self, name: str, *fields: Field, captured: tuple[str, ...] = ()) -> None:
        self.name = name
        self.fields = fields
        self.by_name = {field.name: field for field in fields}
        self.slots = {field.name: i for i, field in enumerate(f for f in fields if "%" in f.template)}
        self.template = "".join(field.template for field in fields)
        self.captured = captured
        record = "".join(field.regex for field in fields)
        self.match = re.compile("".join(self._capture(field) for field in fields), re.DOTALL).fullmatch
        self.match_lines = re.compile(f"(?:{record}\n)*+", re.DOTALL).fullmatch
        self.patterns = tuple((field, re.compile(field.regex, re.DOTALL).fullmatch) for field in fields)

    def _capture(self, field: Field) -> str:
        return f"({field.regex})" if field.name in self.captured else field.regex

    def narrow(self, **changes: dict[str, Any]) -> "Layout":
        """Make the same layout with some fields' rules changed, for one kind of batch."""
        fields = (replace(field, **changes.get(field.name, {})) for field in self.fields)
        return Layout(self.name, *fields, captured=self.captured)

    def read(self, line: str, name: str) -> str:
        """Cut one field's columns, untrimmed, out of a record."""
        return self.by_name[name].find_in(line)


DATE = "[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
DATE_MEANING = "must be a date YYMMDD"
DAY_OF_YEAR = "   |00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6]"


def _describe_start(record_type: str) -> Field:
    return Field("record_type", 1, 1, FIXED, MANDATORY, content=record_type)


FILE_HEADER = Layout(
    "file header",
    _describe_start("1"),
    Field("priority_code", 2, 3, FIXED, REQUIRED, content="01"),
    Field("immediate_destination", 4, 13, RIGHT, MANDATORY, pattern="(?![ 0]{10})[A-Z0-9 ][A-Z0-9]{9}",
          meaning="must be a blank and 9 digits, or the 10 capital letters or digits agreed with the bank"),
    Field("immediate_origin", 14, 23, RIGHT, MANDATORY, pattern="(?![ 0]{10})[A-Z0-9 ][A-Z0-9]{9}",
          meaning="must be a blank and 9 digits, or the 10 capital letters or digits agreed with the bank"),
    Field("file_creation_date", 24, 29, DIGITS, MANDATORY, pattern=DATE, meaning=DATE_MEANING),
    Field("file_creation_time", 30, 33, DIGITS, OPTIONAL, pattern=" {4}|(?:[01][0-9]|2[0-3])[0-5][0-9]",
          meaning="must be a time HHMM or blank"),
    Field("file_id_modifier", 34, 34, ALPHA, MANDATORY, pattern="[A-Z0-9]",
          meaning="must be one of A-Z or 0-9, in capitals"),
    Field("record_size", 35, 37, FIXED, MANDATORY, content="094"),
    Field("blocking_factor", 38, 39, FIXED, MANDATORY, content="10"),
    Field("format_code", 40, 40, FIXED, MANDATORY, content="1"),
    Field("immediate_destination_name", 41, 63, ALPHA, OPTIONAL),
    Field("immediate_origin_name", 64, 86, ALPHA, OPTIONAL),
    Field("reference_code", 87, 94, ALPHA, OPTIONAL),
)  # fmt: skip

BATCH_HEADER = Layout(
    "batch header",
    _describe_start("5"),
    Field("service_class_code", 2, 4, DIGITS, MANDATORY, pattern="200|220|225",
          meaning="must be 200 (mixed), 220 (credits only) or 225 (debits only)"),
    Field("company_name", 5, 20, ALPHA, MANDATORY),
    Field("company_discretionary_data", 21, 40, ALPHA, OPTIONAL),
    Field("company_identification", 41, 50, ALPHA, MANDATORY),
    Field("sec_code", 51, 53, ALPHA, MANDATORY, pattern="WEB|TEL|PPD|COR",
          meaning="must be WEB, TEL, PPD or COR, in capitals"),
    Field("company_entry_description", 54, 63, ALPHA, MANDATORY),
    Field("company_descriptive_date", 64, 69, ALPHA, OPTIONAL),
    Field("effective_entry_date", 70, 75, DIGITS, REQUIRED, pattern=DATE, meaning=DATE_MEANING),
    Field("settlement_date", 76, 78, ALPHA, OPTIONAL, pattern=DAY_OF_YEAR,
          meaning="must be blank or the day of the year, 001 to 366"),
    Field("originator_status_code", 79, 79, DIGITS, MANDATORY, pattern="[012]", meaning="must be 0, 1 or 2"),
    Field("originating_dfi", 80, 87, DIGITS, MANDATORY),
    Field("batch_number", 88, 94, NUMBER, MANDATORY),
)  # fmt: skip

ENTRY = Layout(
    "entry",
    _describe_start("6"),
    Field("transaction_code", 2, 3, DIGITS, MANDATORY),
    # the receiving bank's 8 digits and their check digit: two fields in the rules, one number elsewhere
    Field("routing_number", 4, 12, DIGITS, MANDATORY),
    # any run of characters and then blanks: the columns on both sides and the record's length fix its width
    Field("account_number", 13, 29, ALPHA, REQUIRED, pattern="[!-~]+ *",
          meaning="must begin at its first column, without blanks inside, in plain ASCII characters"),
    Field("amount", 30, 39, NUMBER, MANDATORY),
    Field("individual_identification_number", 40, 54, ALPHA, OPTIONAL),
    Field("individual_name", 55, 76, ALPHA, OPTIONAL, cut=True),
    Field("payment_type_code", 77, 78, ALPHA, OPTIONAL),
    Field("addenda_record_indicator", 79, 79, DIGITS, MANDATORY, pattern="[01]", meaning="must be 0 or 1"),
    Field("trace_number", 80, 94, DIGITS, MANDATORY),
    captured=("transaction_code", "routing_number", "amount", "addenda_record_indicator", "trace_number"),
)  # fmt: skip

WEB_ENTRY = ENTRY.narrow(
    individual_name={"need": MANDATORY},
    payment_type_code={"need": REQUIRED, "pattern": "[RS] ",
                       "meaning": "must be R (recurring) or S (single) and a blank"},
)  # fmt: skip
TEL_ENTRY = ENTRY.narrow(
    individual_name={"need": MANDATORY},
    payment_type_code={"pattern": "[RS ] ", "meaning": "must be R (recurring), S (single) or blank"},
    addenda_record_indicator={"pattern": "0", "meaning": "must be 0: TEL takes no addenda"},
)
PPD_ENTRY = ENTRY.narrow(individual_name={"need": REQUIRED})
RETURN_ENTRY = ENTRY.narrow(
    account_number={"pattern": "[ -~]{17}", "meaning": "may hold only plain ASCII characters"},
    addenda_record_indicator={"pattern": "1", "meaning": "must be 1: a return carries its addenda"},
)

PAYMENT_ADDENDA = Layout(
    "payment addenda",
    _describe_start("7"),
    Field("addenda_type_code", 2, 3, FIXED, MANDATORY, content="05"),
    Field("payment_related_information", 4, 83, ALPHA, OPTIONAL),
    Field("addenda_sequence_number", 84, 87, FIXED, MANDATORY, content="0001"),
    Field("entry_detail_sequence_number", 88, 94, DIGITS, MANDATORY),
)

CORRECTION_ADDENDA = Layout(
    "correction addenda",
    _describe_start("7"),
    Field("addenda_type_code", 2, 3, FIXED, MANDATORY, content="98"),
    Field("change_code", 4, 6, ALPHA, MANDATORY, pattern="C[0-9]{2}", meaning="must be C and 2 digits"),
    Field("original_entry_trace_number", 7, 21, DIGITS, MANDATORY),
    Field("reserved", 22, 27, RESERVED, OPTIONAL),
    Field("original_receiving_dfi", 28, 35, DIGITS, REQUIRED),
    Field("corrected_data", 36, 64, ALPHA, MANDATORY),
    Field("reserved_after_data", 65, 79, RESERVED, OPTIONAL),
    Field("trace_number", 80, 94, DIGITS, MANDATORY),
)

RETURN_ADDENDA = Layout(
    "return addenda",
    _describe_start("7"),
    Field("addenda_type_code", 2, 3, FIXED, MANDATORY, content="99"),
    Field("return_reason_code", 4, 6, ALPHA, MANDATORY, pattern="R[0-9]{2}",
          meaning="must be R and 2 digits"),
    Field("original_entry_trace_number", 7, 21, DIGITS, MANDATORY),
    Field("date_of_death", 22, 27, ALPHA, OPTIONAL, pattern=" {6}|0{6}|" + DATE,
          meaning="must be blank or a date YYMMDD"),
    Field("original_receiving_dfi", 28, 35, DIGITS, REQUIRED),
    Field("addenda_information", 36, 79, ALPHA, OPTIONAL),
    Field("trace_number", 80, 94, DIGITS, MANDATORY),
)  # fmt: skip

# Between banks (R61-R77, C61-C69) other things stand in these columns, not the same at every bank: kept for staff.
ANYTHING: dict[str, Any] = {"kind": ALPHA, "need": OPTIONAL, "pattern": "", "meaning": ""}
DISPUTED_RETURN_ADDENDA = RETURN_ADDENDA.narrow(
    original_entry_trace_number=ANYTHING, date_of_death=ANYTHING, original_receiving_dfi=ANYTHING
)
REFUSED_CORRECTION_ADDENDA = CORRECTION_ADDENDA.narrow(
    original_entry_trace_number=ANYTHING,
    reserved=ANYTHING,
    original_receiving_dfi=ANYTHING,
    corrected_data=ANYTHING,
    reserved_after_data=ANYTHING,
)
# A change that staff look at may say nothing (C08-C14): it spoils no file.
STAFF_CORRECTION_ADDENDA = CORRECTION_ADDENDA.narrow(corrected_data={"need": OPTIONAL})

ADDENDA = {"05": PAYMENT_ADDENDA, "98": CORRECTION_ADDENDA, "99": RETURN_ADDENDA}

BATCH_CONTROL = Layout(
    "batch control",
    _describe_start("8"),
    Field("service_class_code", 2, 4, DIGITS, MANDATORY),
    Field("entry_addenda_count", 5, 10, NUMBER, MANDATORY),
    Field("entry_hash", 11, 20, NUMBER, MANDATORY),
    Field("total_debit", 21, 32, NUMBER, MANDATORY),
    Field("total_credit", 33, 44, NUMBER, MANDATORY),
    Field("company_identification", 45, 54, ALPHA, REQUIRED),
    Field("message_authentication_code", 55, 73, ALPHA, OPTIONAL, pattern=" {19}", meaning="must be blank"),
    Field("reserved", 74, 79, RESERVED, OPTIONAL),
    Field("originating_dfi", 80, 87, DIGITS, MANDATORY),
    Field("batch_number", 88, 94, NUMBER, MANDATORY),
)

FILE_CONTROL = Layout(
    "file control",
    _describe_start("9"),
    Field("batch_count", 2, 7, NUMBER, MANDATORY),
    Field("block_count", 8, 13, NUMBER, MANDATORY),
    Field("entry_addenda_count", 14, 21, NUMBER, MANDATORY),
    Field("entry_hash", 22, 31, NUMBER, MANDATORY),
    Field("total_debit", 32, 43, NUMBER, MANDATORY),
    Field("total_credit", 44, 55, NUMBER, MANDATORY),
    Field("reserved", 56, 94, RESERVED, OPTIONAL),
)

RECORDS = (
    FILE_HEADER, BATCH_HEADER, ENTRY, WEB_ENTRY, TEL_ENTRY, PPD_ENTRY, RETURN_ENTRY, PAYMENT_ADDENDA,
    CORRECTION_ADDENDA, RETURN_ADDENDA, BATCH_CONTROL, FILE_CONTROL,
)  # fmt: skip
