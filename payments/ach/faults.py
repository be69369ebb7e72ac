"""What is wrong in a bank file: line, columns, field, and plain words that never quote a member's data."""

from dataclasses import dataclass
from datetime import date

from payments.ach.batch_rules import (
    HASH_MODULUS,
    RESERVED_DESCRIPTIONS,
    TRANSACTION_CODES,
    BatchTally,
    EntryKind,
    FileTotals,
    find_amount_fault,
    find_code_fault,
)
from payments.ach.layouts import (
    ADDENDA,
    BATCH_CONTROL,
    BATCH_HEADER,
    CORRECTION_ADDENDA,
    DISPUTED_RETURN_ADDENDA,
    ENTRY,
    FILE_CONTROL,
    FILE_HEADER,
    RECORD_LENGTH,
    REFUSED_CORRECTION_ADDENDA,
    RETURN_ADDENDA,
    STAFF_CORRECTION_ADDENDA,
    Layout,
)
from payments.ach.routing_numbers import PREFIXES, find_routing_fault


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file: line and columns count from 1, last column included."""

    line: int
    first: int
    last: int
    field: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}, columns {self.first}-{self.last}, {self.field}: {self.problem}"


def blame(layout: Layout, name: str, line_number: int, problem: str) -> Fault:
    """Make a fault of one field of a record."""
    field = layout.by_name[name]
    return Fault(line_number, field.first, field.last, field.label, problem)


def find_field_faults(*, layout: Layout, line: str, number: int) -> list[Fault]:
    """Hold each field of a record against its row of the layout."""
    if len(line) == RECORD_LENGTH and layout.match(line):
        return []
    return [
        Fault(number, field.first, field.last, field.label, field.rule)
        for field, match in layout.patterns
        if not match(field.find_in(line))
    ]


def read_date(text: str) -> date | None:
    """Read YYMMDD as a day of this century; None if there is no such day."""
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def find_file_header_faults(*, line: str, number: int) -> list[Fault]:
    """Check a file header by itself."""
    faults = find_field_faults(layout=FILE_HEADER, line=line, number=number)
    if not faults and read_date(FILE_HEADER.read(line, "file_creation_date")) is None:
        faults.append(blame(FILE_HEADER, "file_creation_date", number, "is no day of the calendar"))
    return faults


def find_sending_point_faults(*, line: str, number: int) -> list[Fault]:
    """Check that a file of forward entries goes to a real routing number, if it names one at all."""
    destination = FILE_HEADER.read(line, "immediate_destination")
    problem = find_routing_fault(routing_number=destination[1:]) if destination[:1] == " " else None
    return [blame(FILE_HEADER, "immediate_destination", number, problem)] if problem else []


def find_batch_header_faults(*, line: str, number: int) -> list[Fault]:
    """Check a batch header by itself."""
    faults = find_field_faults(layout=BATCH_HEADER, line=line, number=number)
    broken = {fault.field for fault in faults}
    effective = BATCH_HEADER.read(line, "effective_entry_date")
    if "effective entry date" not in broken and read_date(effective) is None:
        faults.append(blame(BATCH_HEADER, "effective_entry_date", number, "is no day of the calendar"))
    dfi = BATCH_HEADER.read(line, "originating_dfi")
    if "originating dfi" not in broken and dfi[:2] not in PREFIXES:
        faults.append(blame(BATCH_HEADER, "originating_dfi", number, "must begin with 01-12, 21-32 or 61-72"))
    description = BATCH_HEADER.read(line, "company_entry_description").strip()
    if description.upper() in RESERVED_DESCRIPTIONS and description != description.upper():
        problem = "is a reserved word and must be in capitals"
        faults.append(blame(BATCH_HEADER, "company_entry_description", number, problem))
    return faults


def find_entry_faults(*, line: str, number: int, tally: BatchTally | None) -> list[Fault]:
    """Check an entry by itself and against its batch so far; without a batch, only by itself."""
    kind = tally.open_for(transaction_code=line[1:3]) if tally else None
    faults = find_field_faults(layout=kind.layout if kind else ENTRY, line=line, number=number)
    broken = {fault.field for fault in faults}
    if "routing number" not in broken:
        faults += _find_routing_faults(line, number)
    if tally and kind:
        faults += _find_code_faults(line, number, tally, kind, broken)
        faults += _find_trace_faults(line, number, tally, broken)
    return faults


def _find_routing_faults(line: str, number: int) -> list[Fault]:
    problem = find_routing_fault(routing_number=ENTRY.read(line, "routing_number"))
    if problem is None:
        return []
    if problem.startswith("has check digit"):
        return [Fault(number, 12, 12, "check digit", problem)]
    return [blame(ENTRY, "routing_number", number, problem)]


def _find_code_faults(
    line: str, number: int, tally: BatchTally, kind: EntryKind, broken: set[str]
) -> list[Fault]:
    code = ENTRY.read(line, "transaction_code")
    problem = find_code_fault(
        transaction_code=code, kind=kind, service_class=tally.service_class, description=tally.description
    )
    faults = [blame(ENTRY, "transaction_code", number, problem)] if problem else []
    if code in TRANSACTION_CODES and "amount" not in broken:
        amount = int(ENTRY.read(line, "amount"))
        wrong = find_amount_fault(code=TRANSACTION_CODES[code], kind=kind, amount_cents=amount)
        faults += [blame(ENTRY, "amount", number, wrong)] if wrong else []
    return faults


def _find_trace_faults(line: str, number: int, tally: BatchTally, broken: set[str]) -> list[Fault]:
    trace = ENTRY.read(line, "trace_number")
    if "trace number" in broken:
        return []
    if not trace.startswith(tally.originating_dfi):
        problem = "must begin with the originating DFI of its batch header"
        return [blame(ENTRY, "trace_number", number, problem)]
    if trace <= tally.last_trace:
        return [blame(ENTRY, "trace_number", number, "must be higher than the one before it in the batch")]
    return []


def find_addenda_faults(*, line: str, number: int, entry: str, kind: EntryKind) -> list[Fault]:
    """Check an addenda record against the entry that it follows."""
    layout = ADDENDA.get(line[1:3])
    if layout is None:
        return [Fault(number, 2, 3, "addenda type code", "must be 05, 98 or 99")]
    rules = _find_rules(layout, line[3:6])
    faults = find_field_faults(layout=rules, line=line, number=number)
    if line[1:3] != kind.addenda_type:
        expected = f"must be {kind.addenda_type}" if kind.addenda_type else "must be absent: TEL has none"
        faults.append(Fault(number, 2, 3, "addenda type code", f"{expected} in this batch"))
    trace = ENTRY.read(entry, "trace_number")
    if layout.fields[-1].find_in(line) != trace[-layout.fields[-1].width :]:
        faults.append(blame(layout, layout.fields[-1].name, number, "must be that of the entry above it"))
    if rules is RETURN_ADDENDA:
        death = RETURN_ADDENDA.read(line, "date_of_death")
        if layout.match(line) and death.strip(" 0") and read_date(death) is None:
            faults.append(blame(layout, "date_of_death", number, "is no day of the calendar"))
    return faults


def _find_rules(layout: Layout, code: str) -> Layout:
    """The rules for an addenda of this code: what banks say to each other about a return or a correction is read leniently."""
    if layout is RETURN_ADDENDA and "R61" <= code <= "R77":
        return DISPUTED_RETURN_ADDENDA
    if layout is CORRECTION_ADDENDA and "C61" <= code <= "C69":
        return REFUSED_CORRECTION_ADDENDA
    if layout is CORRECTION_ADDENDA and "C08" <= code <= "C14":
        return STAFF_CORRECTION_ADDENDA
    return layout


def find_batch_control_faults(*, line: str, number: int, header: str, tally: BatchTally) -> list[Fault]:
    """Hold a batch control against its header and the entries between."""
    expected = {
        "entry_addenda_count": tally.record_count,
        "entry_hash": tally.entry_hash % HASH_MODULUS,
        "total_debit": tally.debit_cents,
        "total_credit": tally.credit_cents,
    }
    faults = _find_total_faults(BATCH_CONTROL, line, number, expected)
    for name in ("service_class_code", "company_identification", "originating_dfi", "batch_number"):
        field = BATCH_CONTROL.by_name[name]
        if field.find_in(line) != BATCH_HEADER.read(header, name) and field.label not in {
            fault.field for fault in faults
        }:
            faults.append(blame(BATCH_CONTROL, name, number, "must be the same as in the batch header"))
    return faults


def find_file_control_faults(*, line: str, number: int, totals: FileTotals) -> list[Fault]:
    """Hold a file control against the batches before it; the last record, it fixes the blocks too."""
    expected = {
        "batch_count": totals.batch_count,
        "block_count": -(-number // 10),
        "entry_addenda_count": totals.record_count,
        "entry_hash": totals.entry_hash,
        "total_debit": totals.debit_cents,
        "total_credit": totals.credit_cents,
    }
    return _find_total_faults(FILE_CONTROL, line, number, expected)


def _find_total_faults(layout: Layout, line: str, number: int, expected: dict[str, int]) -> list[Fault]:
    faults = find_field_faults(layout=layout, line=line, number=number)
    broken = {fault.field for fault in faults}
    for name, value in expected.items():
        field = layout.by_name[name]
        if field.label not in broken and int(field.find_in(line)) != value:
            says = int(field.find_in(line))
            faults.append(blame(layout, name, number, f"says {says}, the records add up to {value}"))
    return faults
