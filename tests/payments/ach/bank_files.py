"""Bank files for the tests: one that goes out and one that comes back, small, with every kind of batch."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from payments.ach.entries import (
    BatchHeader,
    CorrectionAddenda,
    Entry,
    FileHeader,
    PaymentAddenda,
    ReturnAddenda,
)
from payments.ach.nacha import write_file

GOLDEN = Path(__file__).parents[2] / "files"

OUR_BANK = "01100001"
THEIR_BANK = "07640125"
COMPANY = {"company_name": "Health Connector", "company_id": "1043210987", "entry_description": "Premium"}

HEADER = FileHeader(
    immediate_destination="011000015",
    immediate_origin="1043210987",
    created_at=datetime(2026, 11, 23, 17, 0),
    modifier="A",
    destination_name="Commonwealth Bank",
    origin_name="Health Connector",
)
RETURN_HEADER = replace(
    HEADER,
    immediate_destination="1043210987",
    immediate_origin="011000015",
    created_at=datetime(2026, 11, 27, 6, 30),
    destination_name="Health Connector",
    origin_name="Commonwealth Bank",
)


def make_batch(**changes: Any) -> BatchHeader:
    """Make the header of a batch of web debits."""
    values: dict[str, Any] = {
        "service_class": "225",
        **COMPANY,
        "sec_code": "WEB",
        "effective_date": date(2026, 11, 24),
        "odfi_id": OUR_BANK,
        "batch_number": 1,
    }
    return BatchHeader(**values | changes)


def make_entry(sequence: int = 1, **changes: Any) -> Entry:
    """Make a debit of a checking account on the web, 123.45."""
    values: dict[str, Any] = {
        "transaction_code": "27",
        "routing_number": "076401251",
        "account_number": "123456789",
        "amount_cents": 12345,
        "individual_id": f"PAY{sequence:07}",
        "individual_name": "José Núñez",
        "discretionary": "R",
        "trace_number": f"{OUR_BANK}{sequence:07}",
    }
    return Entry(**values | changes)


def make_returned(sequence: int, **changes: Any) -> Entry:
    """Make the return of a debit of ours: to our bank, traced by theirs, R01."""
    values: dict[str, Any] = {
        "transaction_code": "26",
        "routing_number": "011000015",
        "trace_number": f"{THEIR_BANK}{sequence:07}",
        "addenda": (
            ReturnAddenda(
                return_code="R01", original_trace=f"{OUR_BANK}{sequence:07}", original_rdfi_id=THEIR_BANK
            ),
        ),
    }
    return make_entry(sequence, **values | changes)


def list_forward_batches() -> list[tuple[BatchHeader, list[Entry]]]:
    """List the batches of the file that goes out."""
    web = [
        make_entry(1),
        make_entry(2, transaction_code="37", account_number="98-7654 321", discretionary="S",
                   addenda=(PaymentAddenda(information="Premium for December"),)),
        make_entry(3, transaction_code="28", amount_cents=0),
    ]  # fmt: skip
    ppd = [
        make_entry(4, transaction_code="22", discretionary=""),
        make_entry(5, discretionary="", individual_name="A name longer than its twenty-two columns"),
    ]
    tel = [make_entry(6, discretionary="", amount_cents=9_999_999_999)]
    return [
        (make_batch(), web),
        (make_batch(service_class="200", sec_code="PPD", batch_number=2), ppd),
        (make_batch(sec_code="TEL", batch_number=3), tel),
    ]


def list_return_batches() -> list[tuple[BatchHeader, list[Entry]]]:
    """List the batches of the file that comes back: two returns and a notification of change."""
    died = ReturnAddenda(
        return_code="R15",
        original_trace=f"{OUR_BANK}0000002",
        original_rdfi_id=THEIR_BANK,
        date_of_death=date(2026, 10, 31),
    )
    change = CorrectionAddenda(
        change_code="C06",
        original_trace=f"{OUR_BANK}0000003",
        original_rdfi_id=THEIR_BANK,
        corrected_data="123456789 111       27",
    )
    theirs = {"odfi_id": THEIR_BANK, "settlement_julian": "331"}
    return [
        (make_batch(**theirs), [make_returned(1), make_returned(2, transaction_code="36", addenda=(died,))]),
        (
            make_batch(**theirs, sec_code="COR", batch_number=2),
            [make_returned(3, amount_cents=0, addenda=(change,))],
        ),
    ]


def write_lines(
    batches: Iterable[tuple[BatchHeader, Iterable[Entry]]], header: FileHeader = HEADER
) -> list[str]:
    """Write a whole file as a list of lines."""
    return list(write_file(header=header, batches=batches))


def write_forward() -> list[str]:
    """Write the file that goes out."""
    return write_lines(list_forward_batches())


def write_returns() -> list[str]:
    """Write the file that comes back."""
    return write_lines(list_return_batches(), RETURN_HEADER)
