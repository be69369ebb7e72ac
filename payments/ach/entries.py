"""What a bank file is made of: its header, its batches, their entries, and what is added to an entry."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """Who sends a file to whom, and when (`created_at` is the bank's wall clock, Eastern time).

    Destination and origin are ten characters, or nine digits that get a blank in front.
    """

    immediate_destination: str
    immediate_origin: str
    created_at: datetime
    modifier: str
    destination_name: str = ""
    origin_name: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """What the entries of a batch have in common; `odfi_id` is the sending bank's first eight digits."""

    service_class: str
    company_name: str
    company_id: str
    sec_code: str
    entry_description: str
    effective_date: date
    odfi_id: str
    batch_number: int
    company_discretionary: str = ""
    descriptive_date: str = ""
    settlement_julian: str = ""
    originator_status: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAddenda:
    """What a payment is for, in the words of the payer's statement (type 05)."""

    information: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionAddenda:
    """A notification of change: the payer's bank corrects what an entry of ours said (type 98)."""

    change_code: str
    original_trace: str
    original_rdfi_id: str
    corrected_data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAddenda:
    """Why the payer's bank sends an entry of ours back (type 99)."""

    return_code: str
    original_trace: str
    original_rdfi_id: str
    information: str = ""
    date_of_death: date | None = None


Addenda = PaymentAddenda | CorrectionAddenda | ReturnAddenda


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement on one account; cents, zero in a prenote; `discretionary` is R or S on the web."""

    transaction_code: str
    routing_number: str
    account_number: str
    amount_cents: int
    individual_id: str
    individual_name: str
    trace_number: str
    discretionary: str = ""
    addenda: tuple[Addenda, ...] = ()
