"""What a bank file says, in values: its entries as they were written, its returns and corrections."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from payments.ach.entries import (
    Addenda,
    BatchHeader,
    CorrectionAddenda,
    Entry,
    FileHeader,
    PaymentAddenda,
    ReturnAddenda,
)
from payments.ach.faults import Fault, read_date
from payments.ach.layouts import CORRECTION_ADDENDA, PAYMENT_ADDENDA, RETURN_ADDENDA
from payments.ach.reading import ParsedBatch, ParsedEntry, ParsedFile, Record


class UnableToUseFile(Exception):
    """The file has faults, so nothing in it may be acted on; `faults` lists them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults, the first: {faults[0]}")
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedEntry:
    """One entry that came back, returned or with a change, and its lines as the bank sent them.

    `code` is Rnn or Cnn. `corrected_data` keeps its 29 columns, for they are read by position.
    `settlement_julian` is the day of the year on which the return settled, empty if the bank left it out. The
    account number is the member's: seal or drop it, and the raw lines, before anything is stored or shown.
    """

    is_correction: bool
    code: str
    sec_code: str
    transaction_code: str
    original_trace: str
    original_rdfi_id: str
    account_number: str
    amount_cents: int
    individual_id: str
    individual_name: str
    company_id: str
    entry_description: str
    effective_date: date
    settlement_julian: str
    return_trace: str
    line_number: int
    raw_lines: tuple[str, ...]
    addenda_information: str = ""
    date_of_death: date | None = None
    corrected_data: str = ""


def parse_return_entries(*, parsed: ParsedFile) -> Iterator[ReturnedEntry]:
    """Give every return and notification of change of a file, in its order; forward entries are left out.

    Raises UnableToUseFile for a file with any fault: the whole file is refused, never half of it.
    """
    _refuse_faults(parsed)
    for batch in parsed.batches:
        for entry in batch.entries:
            for addenda in entry.addenda:
                if addenda.layout is not PAYMENT_ADDENDA:
                    yield _parse_return_entry(batch.header, entry.record, addenda)


def _parse_return_entry(header: Record, entry: Record, addenda: Record) -> ReturnedEntry:
    is_correction = addenda.layout is CORRECTION_ADDENDA
    death = "" if is_correction else addenda["date_of_death"]
    return ReturnedEntry(
        is_correction=is_correction,
        code=addenda["change_code" if is_correction else "return_reason_code"],
        sec_code=header["sec_code"],
        transaction_code=entry["transaction_code"],
        original_trace=addenda["original_entry_trace_number"],
        original_rdfi_id=addenda["original_receiving_dfi"],
        account_number=entry["account_number"],
        amount_cents=int(entry["amount"]),
        individual_id=entry["individual_identification_number"],
        individual_name=entry["individual_name"],
        company_id=header["company_identification"],
        entry_description=header["company_entry_description"],
        effective_date=_read_sound_date(header["effective_entry_date"]),
        settlement_julian=header["settlement_date"],
        return_trace=entry["trace_number"],
        line_number=entry.number,
        raw_lines=(entry.line, addenda.line),
        addenda_information="" if is_correction else addenda["addenda_information"],
        date_of_death=read_date(death) if death else None,
        corrected_data=addenda.read_raw("corrected_data") if is_correction else "",
    )


def parse_file_header(*, parsed: ParsedFile) -> FileHeader:
    """Give who sent a file to whom, and when by the bank's wall clock. A bad file raises UnableToUseFile."""
    _refuse_faults(parsed)
    if parsed.header is None:
        raise RuntimeError("a file without faults has a header")
    record = parsed.header
    day = _read_sound_date(record["file_creation_date"])
    hour_and_minute = record["file_creation_time"] or "0000"
    return FileHeader(
        immediate_destination=record.read_raw("immediate_destination"),
        immediate_origin=record.read_raw("immediate_origin"),
        created_at=datetime.combine(day, time(int(hour_and_minute[:2]), int(hour_and_minute[2:]))),
        modifier=record["file_id_modifier"],
        destination_name=record["immediate_destination_name"],
        origin_name=record["immediate_origin_name"],
        reference=record["reference_code"],
    )


def parse_batches(*, parsed: ParsedFile) -> Iterator[tuple[BatchHeader, Iterator[Entry]]]:
    """Give the batches and entries of a file for `write_file` to take. A bad file raises UnableToUseFile."""
    _refuse_faults(parsed)
    for batch in parsed.batches:
        yield _parse_batch_header(batch), (_parse_entry(entry) for entry in batch.entries)


def _parse_batch_header(batch: ParsedBatch) -> BatchHeader:
    record = batch.header
    return BatchHeader(
        service_class=record["service_class_code"],
        company_name=record["company_name"],
        company_id=record["company_identification"],
        sec_code=record["sec_code"],
        entry_description=record["company_entry_description"],
        effective_date=_read_sound_date(record["effective_entry_date"]),
        odfi_id=record["originating_dfi"],
        batch_number=int(record["batch_number"]),
        company_discretionary=record["company_discretionary_data"],
        descriptive_date=record["company_descriptive_date"],
        settlement_julian=record["settlement_date"],
        originator_status=record["originator_status_code"],
    )


def _parse_entry(entry: ParsedEntry) -> Entry:
    record = entry.record
    return Entry(
        transaction_code=record["transaction_code"],
        routing_number=record["routing_number"],
        account_number=record["account_number"],
        amount_cents=int(record["amount"]),
        individual_id=record["individual_identification_number"],
        individual_name=record["individual_name"],
        trace_number=record["trace_number"],
        discretionary=record["payment_type_code"],
        addenda=tuple(_parse_addenda(addenda) for addenda in entry.addenda),
    )


def _parse_addenda(record: Record) -> Addenda:
    if record.layout is PAYMENT_ADDENDA:
        return PaymentAddenda(information=record["payment_related_information"])
    trace, rdfi = record["original_entry_trace_number"], record["original_receiving_dfi"]
    if record.layout is RETURN_ADDENDA:
        death = record["date_of_death"]
        return ReturnAddenda(
            return_code=record["return_reason_code"],
            original_trace=trace,
            original_rdfi_id=rdfi,
            information=record["addenda_information"],
            date_of_death=read_date(death) if death else None,
        )
    return CorrectionAddenda(
        change_code=record["change_code"],
        original_trace=trace,
        original_rdfi_id=rdfi,
        corrected_data=record.read_raw("corrected_data").rstrip(),
    )


def _read_sound_date(text: str) -> date:
    day = read_date(text)
    if day is None:
        raise RuntimeError("a file without faults has only days of the calendar")
    return day


def _refuse_faults(parsed: ParsedFile) -> None:
    if parsed.faults:
        raise UnableToUseFile(parsed.faults)
