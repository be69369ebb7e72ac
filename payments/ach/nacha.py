"""Writing a bank file in Nacha form: lines of 94 characters, exact totals, and nothing wrong let through."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from payments.ach.batch_rules import (
    HASH_MODULUS,
    LARGEST_ENTRY_COUNT,
    BatchTally,
    FileTotals,
)
from payments.ach.entries import (
    Addenda,
    BatchHeader,
    CorrectionAddenda,
    Entry,
    FileHeader,
    PaymentAddenda,
)
from payments.ach.faults import (
    find_batch_header_faults,
    find_entry_faults,
    find_file_header_faults,
    find_sending_point_faults,
)
from payments.ach.layouts import (
    BATCH_CONTROL,
    BATCH_HEADER,
    BLOCKING_FACTOR,
    CORRECTION_ADDENDA,
    ENTRY,
    FILE_CONTROL,
    FILE_HEADER,
    PADDING,
    PAYMENT_ADDENDA,
    RECORD_LENGTH,
    RETURN_ADDENDA,
    Layout,
)
from payments.ach.plain_letters import write_plainly

LINE_LENGTH = RECORD_LENGTH + 1
ENTRIES_AT_ONCE = 256
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}  # which of them is for the bank to say


class UnableToWriteFile(Exception):
    """The bank would refuse a value; `field` names it, the text never quotes it."""

    def __init__(self, *, where: str, field: str, problem: str) -> None:
        super().__init__(f"{where}, {field}: {problem}")
        self.where = where
        self.field = field
        self.problem = problem


class UnableToWriteBatch(UnableToWriteFile):
    """A batch holds a value that the bank would refuse."""


class UnableToWriteEntry(UnableToWriteFile):
    """An entry or its addenda hold a value that the bank would refuse."""


def write_file(
    *,
    header: FileHeader,
    batches: Iterable[tuple[BatchHeader, Iterable[Entry]]],
    totals: FileTotals | None = None,
) -> Iterator[str]:
    """Write a file line by line, without line ends, in memory that does not grow with it.

    Text is put in plain capitals and names are cut to fit; any other value that does not fit is refused.
    Entries are taken some hundreds ahead of their lines.
    `totals` is filled as the lines are taken and complete after the last. Raises UnableToWriteFile,
    UnableToWriteBatch or UnableToWriteEntry at the line that it cannot write.
    """
    totals = FileTotals() if totals is None else totals
    totals.line_count += 1
    file_header = _write_file_header(header)
    yield file_header
    last_number = 0
    for batch_header, entries in batches:
        if batch_header.batch_number <= last_number:
            raise UnableToWriteBatch(
                where=_name_batch(batch_header),
                field="batch number",
                problem="must be higher than the last one",
            )
        last_number = batch_header.batch_number
        yield from _write_batch(batch_header, entries, totals, file_header)
    totals.line_count += 1
    yield _write_file_control(totals)
    for _ in range(-totals.line_count % BLOCKING_FACTOR):
        totals.line_count += 1
        yield PADDING


def find_refusals(*, header: BatchHeader, entries: Sequence[Entry]) -> dict[int, UnableToWriteEntry]:
    """Tell which entries the bank would refuse in a batch, by their places, and why; each is held against the rules alone.

    Nearly always none is, so they are tried together first. Raises UnableToWriteBatch for a header that cannot be written.
    """
    line = _write_batch_header(header)
    try:
        _try_entries(line, tuple(entries))
    except UnableToWriteEntry:
        return {
            place: refusal
            for place, entry in enumerate(entries)
            if (refusal := _find_refusal(line, entry)) is not None
        }
    return {}


def _find_refusal(header: str, entry: Entry) -> UnableToWriteEntry | None:
    try:
        _try_entries(header, (entry,))
    except UnableToWriteEntry as refusal:
        return refusal
    return None


def _try_entries(header: str, entries: tuple[Entry, ...]) -> None:
    if entries:
        for _ in _write_entries(entries, _open_tally(header)):
            pass


def _write_batch(
    header: BatchHeader, entries: Iterable[Entry], totals: FileTotals, file_header: str
) -> Iterator[str]:
    line = _write_batch_header(header)
    yield line
    tally = _open_tally(line)
    entries = iter(entries)
    while chunk := tuple(islice(entries, ENTRIES_AT_ONCE)):
        if tally.kind is None:
            _check_direction(chunk[0], tally, file_header)
        yield from _write_entries(chunk, tally)
    control = _write_batch_control(header, tally)
    totals.add_batch(tally)
    totals.line_count += tally.record_count + 2
    yield control


def _open_tally(line: str) -> BatchTally:
    return BatchTally(
        sec_code=BATCH_HEADER.read(line, "sec_code"),
        service_class=BATCH_HEADER.read(line, "service_class_code"),
        description=BATCH_HEADER.read(line, "company_entry_description").strip(),
        originating_dfi=BATCH_HEADER.read(line, "originating_dfi"),
    )


def _check_direction(first: Entry, tally: BatchTally, file_header: str) -> None:
    """Settle by its first entry what a batch holds; forward entries must go to a routing number."""
    if not tally.open_for(transaction_code=first.transaction_code).is_return:
        for fault in find_sending_point_faults(line=file_header, number=1):
            raise UnableToWriteFile(where="file header", field=fault.field, problem=fault.problem)


def _write_entries(chunk: tuple[Entry, ...], tally: BatchTally) -> Iterator[str]:
    """Write some entries: the lines are held against the layout, all at once or, if that fails, one by one.

    Each is then held against the batch and counted. The quick road for nearly every entry of every file.
    """
    layout = tally.open_for(transaction_code=chunk[0].transaction_code).layout
    lines = [
        ENTRY.template
        % (
            entry.transaction_code,
            entry.routing_number,
            entry.account_number,
            entry.amount_cents,
            entry.individual_id,
            entry.individual_name,
            entry.discretionary,
            "1" if entry.addenda else "0",
            entry.trace_number,
        )
        for entry in chunk
    ]
    typed = "\n".join([*lines, ""])
    text = typed.upper()
    all_match = len(text) == LINE_LENGTH * len(chunk) and layout.match_lines(text)
    if text != typed:
        lines = text.split("\n")[:-1] if all_match else [line.upper() for line in lines]
    if all_match and not any(entry.addenda for entry in chunk) and tally.take_entries(chunk):
        yield from lines
        return
    take_entry = tally.take_entry
    for entry, line in zip(chunk, lines, strict=True):
        if (all_match or (len(line) == RECORD_LENGTH and layout.match(line))) and take_entry(
            entry.transaction_code, entry.routing_number, entry.amount_cents, entry.trace_number
        ):
            yield line
        else:
            yield _write_doubtful_entry(entry, tally)
        if entry.addenda:
            yield _write_addenda(entry, tally)


def _write_doubtful_entry(entry: Entry, tally: BatchTally) -> str:
    """Write an entry whose text needs plain letters, or say which field is wrong."""
    where = f"entry {entry.trace_number}"
    values = _list_entry_values(entry)
    if type(entry.amount_cents) is not int or entry.amount_cents < 0:
        raise UnableToWriteEntry(where=where, field="amount", problem="must be whole cents, zero or more")
    line = _render(ENTRY, values, where, UnableToWriteEntry)
    for fault in find_entry_faults(line=line, number=0, tally=tally):
        raise UnableToWriteEntry(where=where, field=fault.field, problem=fault.problem)
    if not tally.take_entry(
        entry.transaction_code, entry.routing_number, entry.amount_cents, entry.trace_number
    ):
        raise UnableToWriteEntry(where=where, field="entry", problem="does not suit its batch")
    return line


def _list_entry_values(entry: Entry) -> dict[str, str | int]:
    return {
        "transaction_code": entry.transaction_code,
        "routing_number": entry.routing_number,
        "account_number": entry.account_number.replace(" ", ""),
        "amount": entry.amount_cents,
        "individual_identification_number": entry.individual_id,
        "individual_name": entry.individual_name,
        "payment_type_code": entry.discretionary,
        "addenda_record_indicator": "1" if entry.addenda else "0",
        "trace_number": entry.trace_number,
    }


def _write_addenda(entry: Entry, tally: BatchTally) -> str:
    where = f"addenda of entry {entry.trace_number}"
    if len(entry.addenda) > 1:
        raise UnableToWriteEntry(where=where, field="addenda", problem="must be at most one")
    layout, values = _list_addenda_values(entry.addenda[0], entry.trace_number)
    addenda_type = layout.by_name["addenda_type_code"].content
    if tally.kind is None or addenda_type != tally.kind.addenda_type:
        raise UnableToWriteEntry(where=where, field="addenda type code", problem="does not suit its batch")
    line = _render(layout, values, where, UnableToWriteEntry)
    if not layout.match(line):
        _refuse(layout, line, where, UnableToWriteEntry)
    tally.addenda_count += 1
    return line


def _list_addenda_values(addenda: Addenda, trace_number: str) -> tuple[Layout, dict[str, str | int]]:
    if isinstance(addenda, PaymentAddenda):
        return PAYMENT_ADDENDA, {
            "payment_related_information": addenda.information,
            "entry_detail_sequence_number": trace_number[-7:],
        }
    values: dict[str, str | int] = {
        "original_entry_trace_number": addenda.original_trace,
        "original_receiving_dfi": addenda.original_rdfi_id,
        "trace_number": trace_number,
    }
    if isinstance(addenda, CorrectionAddenda):
        return CORRECTION_ADDENDA, values | {
            "change_code": addenda.change_code,
            "corrected_data": addenda.corrected_data,
        }
    return RETURN_ADDENDA, values | {
        "return_reason_code": addenda.return_code,
        "date_of_death": f"{addenda.date_of_death:%y%m%d}" if addenda.date_of_death else "",
        "addenda_information": addenda.information,
    }


def _write_file_header(header: FileHeader) -> str:
    values: dict[str, str | int] = {
        "immediate_destination": header.immediate_destination,
        "immediate_origin": header.immediate_origin,
        "file_creation_date": f"{header.created_at:%y%m%d}",
        "file_creation_time": f"{header.created_at:%H%M}",
        "file_id_modifier": header.modifier,
        "immediate_destination_name": header.destination_name,
        "immediate_origin_name": header.origin_name,
        "reference_code": header.reference,
    }
    line = _render(FILE_HEADER, values, "file header", UnableToWriteFile)
    for fault in find_file_header_faults(line=line, number=1):
        raise UnableToWriteFile(where="file header", field=fault.field, problem=fault.problem)
    return line


def _write_batch_header(header: BatchHeader) -> str:
    values: dict[str, str | int] = {
        "service_class_code": header.service_class,
        "company_name": header.company_name,
        "company_discretionary_data": header.company_discretionary,
        "company_identification": header.company_id,
        "sec_code": header.sec_code,
        "company_entry_description": header.entry_description,
        "company_descriptive_date": header.descriptive_date,
        "effective_entry_date": f"{header.effective_date:%y%m%d}",
        "settlement_date": header.settlement_julian,
        "originator_status_code": header.originator_status,
        "originating_dfi": header.odfi_id,
        "batch_number": header.batch_number,
    }
    line = _render(BATCH_HEADER, values, _name_batch(header), UnableToWriteBatch)
    for fault in find_batch_header_faults(line=line, number=0):
        raise UnableToWriteBatch(where=_name_batch(header), field=fault.field, problem=fault.problem)
    return line


def _write_batch_control(header: BatchHeader, tally: BatchTally) -> str:
    where = f"control of {_name_batch(header)}"
    if tally.record_count > LARGEST_ENTRY_COUNT:
        problem = f"must be at most {LARGEST_ENTRY_COUNT}"
        raise UnableToWriteBatch(where=where, field="entry addenda count", problem=problem)
    if type(tally.debit_cents + tally.credit_cents) is not int:
        raise UnableToWriteBatch(where=where, field="amount", problem="of every entry must be whole cents")
    values: dict[str, str | int] = {
        "service_class_code": header.service_class,
        "entry_addenda_count": tally.record_count,
        "entry_hash": tally.entry_hash % HASH_MODULUS,
        "total_debit": tally.debit_cents,
        "total_credit": tally.credit_cents,
        "company_identification": header.company_id,
        "message_authentication_code": "",
        "originating_dfi": header.odfi_id,
        "batch_number": header.batch_number,
    }
    return _render(BATCH_CONTROL, values, where, UnableToWriteBatch)


def _write_file_control(totals: FileTotals) -> str:
    values: dict[str, str | int] = {
        "batch_count": totals.batch_count,
        "block_count": totals.block_count,
        "entry_addenda_count": totals.record_count,
        "entry_hash": totals.entry_hash,
        "total_debit": totals.debit_cents,
        "total_credit": totals.credit_cents,
    }
    return _render(FILE_CONTROL, values, "file control", UnableToWriteFile)


def _name_batch(header: BatchHeader) -> str:
    return f"batch {header.batch_number}"


def _render(
    layout: Layout, values: dict[str, str | int], where: str, refusal: type[UnableToWriteFile]
) -> str:
    """Fill a layout with values in plain capitals; one too long for its columns is refused, never shifted."""
    plain = {
        name: write_plainly(text=value) if isinstance(value, str) else value for name, value in values.items()
    }
    for name, value in plain.items():
        field = layout.by_name[name]
        width = len(field.template % value)
        if width > field.width:
            problem = f"takes {width} columns, has {field.width}"
            raise refusal(where=where, field=field.label, problem=problem)
    return layout.template % tuple(plain[name] for name in layout.slots)


def _refuse(layout: Layout, line: str, where: str, refusal: type[UnableToWriteFile]) -> None:
    for field, match in layout.patterns:
        if not match(field.find_in(line)):
            raise refusal(where=where, field=field.label, problem=field.rule)
