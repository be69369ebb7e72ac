"""The sandbox bank's return files: what its magic accounts send back, in the form in which a real bank tells it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby

from django.conf import settings

from payments.ach.banking_days import BankingCalendar
from payments.ach.entries import (
    BatchHeader,
    CorrectionAddenda,
    Entry,
    FileHeader,
    ReturnAddenda,
)
from payments.ach.faults import read_date
from payments.ach.layouts import BATCH_HEADER, ENTRY
from payments.ach.nacha import write_file
from payments.ach.reading import split_records
from payments.ach.routing_numbers import compute_check_digit
from payments.bank.magic_accounts import MagicAccount, find_magic_account

WRITTEN_AT = time(6, 30)


@dataclass(frozen=True)
class Report:
    """One debit that comes back or is corrected, and from which banking day on the bank says so."""

    due_on: date
    trace: str
    batch_line: str
    entry_line: str
    magic: MagicAccount

    @property
    def rdfi_id(self) -> str:
        """The first eight digits of the payer's bank."""
        return ENTRY.read(self.entry_line, "routing_number")[:8]

    @property
    def is_correction(self) -> bool:
        """Whether the debit is good and only its numbers are corrected."""
        return self.magic.code.startswith("C")

    @property
    def batch_key(self) -> tuple[bool, str, str]:
        """Returns and corrections never share a batch, nor do two banks, nor two batches of ours."""
        return (self.is_correction, self.rdfi_id, self.batch_line)


def list_reports(*, data: bytes, calendar: BankingCalendar) -> Iterator[Report]:
    """What comes of the magic accounts in a file that we sent."""
    batch_line, effective = "", None
    for line in split_records([data]):
        if line.startswith("5"):
            batch_line = line
            effective = read_date(BATCH_HEADER.read(line, "effective_entry_date"))
        elif line.startswith("6") and effective:
            magic = find_magic_account(ENTRY.read(line, "account_number").strip())
            if magic and magic.code:
                due_on = calendar.add(effective, magic.banking_days)
                yield Report(due_on, ENTRY.read(line, "trace_number"), batch_line, line, magic)


def write_returns(*, reports: Iterable[Report], day: date) -> bytes:
    """The return file of a banking day; without reports, a file of header and control alone."""
    ordered = sorted(reports, key=lambda report: (report.batch_key, report.trace))
    groups = [list(group) for _key, group in groupby(ordered, key=lambda report: report.batch_key)]
    header = FileHeader(
        immediate_destination=settings.ACH["immediate_origin"],
        immediate_origin=settings.ACH["immediate_destination"],
        created_at=datetime.combine(day, WRITTEN_AT),
        modifier="A",
        destination_name=settings.ACH["origin_name"],
        origin_name=settings.ACH["destination_name"],
    )
    batches = [_make_batch(group, number=number, day=day) for number, group in enumerate(groups, start=1)]
    return "".join(f"{line}\n" for line in write_file(header=header, batches=batches)).encode("ascii")


def _make_batch(reports: Sequence[Report], *, number: int, day: date) -> tuple[BatchHeader, list[Entry]]:
    """The batch header of the original, but for the sender, the number and the day on which the return settles."""
    first = reports[0]
    line = first.batch_line
    effective = read_date(BATCH_HEADER.read(line, "effective_entry_date"))
    if effective is None:
        raise RuntimeError("a batch is reported on only once its date was read")
    header = BatchHeader(
        service_class="225",
        company_name=BATCH_HEADER.read(line, "company_name").strip(),
        company_id=BATCH_HEADER.read(line, "company_identification").strip(),
        sec_code="COR" if first.is_correction else BATCH_HEADER.read(line, "sec_code"),
        entry_description=BATCH_HEADER.read(line, "company_entry_description").strip(),
        effective_date=effective,
        odfi_id=first.rdfi_id,
        batch_number=number,
        settlement_julian=f"{day:%j}",
    )
    odfi = BATCH_HEADER.read(line, "originating_dfi")
    return header, [
        # One batch a thousand apart: no bank gives two returns of a day the same trace.
        _make_entry(report, odfi=odfi, trace=f"{report.rdfi_id}{number * 10_000 + place:07d}")
        for place, report in enumerate(reports, start=1)
    ]


def _make_entry(report: Report, *, odfi: str, trace: str) -> Entry:
    """The entry as we sent it, addressed to our bank; a correction moves no money."""
    line = report.entry_line
    return Entry(
        transaction_code=f"{ENTRY.read(line, 'transaction_code')[0]}6",
        routing_number=odfi + compute_check_digit(digits=odfi),
        account_number=ENTRY.read(line, "account_number").strip(),
        amount_cents=0 if report.is_correction else int(ENTRY.read(line, "amount")),
        individual_id=ENTRY.read(line, "individual_identification_number").strip(),
        individual_name=ENTRY.read(line, "individual_name").strip(),
        trace_number=trace,
        discretionary=ENTRY.read(line, "payment_type_code").strip(),
        addenda=(_make_addenda(report),),
    )


def _make_addenda(report: Report) -> ReturnAddenda | CorrectionAddenda:
    if report.is_correction:
        return CorrectionAddenda(
            change_code=report.magic.code,
            original_trace=report.trace,
            original_rdfi_id=report.rdfi_id,
            corrected_data=report.magic.corrected_number,
        )
    return ReturnAddenda(
        return_code=report.magic.code, original_trace=report.trace, original_rdfi_id=report.rdfi_id
    )
