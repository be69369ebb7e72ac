"""What the tests of incoming files do: write the bank's return files, and leave them where we read."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings

from payments.ach import incoming
from payments.ach.entries import (
    Addenda,
    BatchHeader,
    CorrectionAddenda,
    Entry,
    FileHeader,
    ReturnAddenda,
)
from payments.ach.nacha import write_file
from payments.ach.routing_numbers import compute_check_digit
from payments.models import FileEntry
from tests.payments.paying import GOOD, ROUTING, noon

FRIDAY = date(2027, 1, 15)


class Shelf:
    """A bank that leaves what the test puts on it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def list_incoming(self) -> list[str]:
        return list(self.files)

    def get(self, *, name: str) -> bytes:
        return self.files[name]

    def put(self, *, name: str, data: bytes) -> None:
        raise AssertionError("nothing is sent here")

    def find(self, *, name: str) -> str | None:
        return None


def read_files(files: dict[str, bytes], *, day: date = FRIDAY) -> dict[str, int]:
    """What reading these files did, in the order given."""
    counts = incoming.read_bank(bank=Shelf(files), today=day, at=noon(day))
    return {name: count for name, count in counts.items() if count}


def make_line(
    entry: FileEntry,
    *,
    code: str = "R01",
    data: str = "",
    account: str = GOOD,
    routing: str = ROUTING,
    trace: str = "",
    number: str | None = None,
    cents: int | None = None,
    information: str = "",
) -> Entry:
    """The entry as its bank sends it back, with this code."""
    rdfi, odfi = routing[:8], settings.ACH["odfi"]
    original = trace or entry.trace
    addenda: Addenda = ReturnAddenda(
        return_code=code, original_trace=original, original_rdfi_id=rdfi, information=information
    )
    if code.startswith("C"):
        addenda = CorrectionAddenda(
            change_code=code, original_trace=original, original_rdfi_id=rdfi, corrected_data=data
        )
    sent = entry.amount_cents if cents is None else cents
    is_credit = entry.kind in ("refund", "reversal")
    return Entry(
        transaction_code="21" if is_credit else "26",
        routing_number=odfi + compute_check_digit(digits=odfi),
        account_number=account,
        amount_cents=0 if code.startswith("C") else sent,
        individual_id=entry.individual_id if number is None else number,
        individual_name="ALICE ALVAREZ",
        trace_number="",
        discretionary="S",
        addenda=(addenda,),
    )


def write_incoming(
    *lines: Entry,
    created_at: datetime = datetime(2027, 1, 15, 6, 30),
    modifier: str = "A",
    company_id: str = "",
    **header: Any,
) -> bytes:
    """A file of these returns and corrections, each kind in a batch of its own."""
    groups: dict[tuple[bool, bool], list[Entry]] = {}
    for line in lines:
        is_correction = isinstance(line.addenda[0], CorrectionAddenda)
        groups.setdefault((is_correction, line.transaction_code == "21"), []).append(line)
    batches = [
        _write_batch(key, group, number, company_id) for number, (key, group) in enumerate(groups.items(), 1)
    ]
    facts: dict[str, Any] = {
        "immediate_destination": settings.ACH["immediate_origin"],
        "immediate_origin": settings.ACH["immediate_destination"],
    } | header
    file_header = FileHeader(created_at=created_at, modifier=modifier, **facts)
    return "".join(f"{line}\n" for line in write_file(header=file_header, batches=batches)).encode()


def _write_batch(
    key: tuple[bool, bool], group: Sequence[Entry], number: int, company_id: str
) -> tuple[BatchHeader, list[Entry]]:
    from dataclasses import replace

    is_correction, is_credit = key
    header = BatchHeader(
        service_class="220" if is_credit else "225",
        company_name=settings.ACH["company_name"],
        company_id=company_id or settings.ACH["company_id"],
        sec_code="COR" if is_correction else "WEB",
        entry_description="PREMIUM",
        effective_date=date(2027, 1, 13),
        odfi_id=ROUTING[:8],
        batch_number=number,
        settlement_julian="015",
    )
    return header, [
        replace(line, trace_number=f"{ROUTING[:8]}{number * 1000 + place:07d}")
        for place, line in enumerate(group)
    ]
