"""What may stand together in one batch of a bank file, and what it adds up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import lt

from payments.ach.entries import Entry
from payments.ach.layouts import PPD_ENTRY, RETURN_ENTRY, TEL_ENTRY, WEB_ENTRY, Layout
from payments.ach.routing_numbers import HASH_PARTS

ACCOUNT_KINDS = {"2": "checking", "3": "savings", "4": "general ledger", "5": "loan"}
REVERSAL = "REVERSAL"

# Company entry descriptions with a meaning of their own, which must be in capitals
RESERVED_DESCRIPTIONS = frozenset(
    {
        REVERSAL, "RETRY PYMT", "RETURN FEE", "ACCTVERIFY", "PAYROLL", "PURCHASE", "RECLAIM", "NONSETTLED",
        "AUTOENROLL", "REDEPCHECK", "NO CHECK", "HCCLAIMPMT",
    }
)  # fmt: skip

HASH_MODULUS = 10**10
LARGEST_ENTRY_COUNT = 999_999


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """Two digits that say what an entry does to which kind of account."""

    code: str
    is_debit: bool
    is_prenote: bool = False
    is_return: bool = False

    @property
    def account_kind(self) -> str:
        """The kind of account: checking, savings, general ledger or loan."""
        return ACCOUNT_KINDS[self.code[0]]


TRANSACTION_CODES = {
    row.code: row
    for kind in "234"
    for row in (
        TransactionCode(kind + "1", is_debit=False, is_return=True),
        TransactionCode(kind + "2", is_debit=False),
        TransactionCode(kind + "3", is_debit=False, is_prenote=True),
        TransactionCode(kind + "6", is_debit=True, is_return=True),
        TransactionCode(kind + "7", is_debit=True),
        TransactionCode(kind + "8", is_debit=True, is_prenote=True),
    )
} | {
    row.code: row
    for row in (
        TransactionCode("51", is_debit=False, is_return=True),
        TransactionCode("52", is_debit=False),
        TransactionCode("53", is_debit=False, is_prenote=True),
        TransactionCode("55", is_debit=True),
        TransactionCode("56", is_debit=True, is_return=True),
    )
}


@dataclass(frozen=True, slots=True)
class EntryKind:
    """What the entries of one kind of batch are: their layout, and the addenda that may follow them."""

    name: str
    layout: Layout
    is_return: bool
    addenda_type: str
    is_correction: bool = False


FORWARD = {
    "WEB": EntryKind("WEB", WEB_ENTRY, is_return=False, addenda_type="05"),
    "TEL": EntryKind("TEL", TEL_ENTRY, is_return=False, addenda_type=""),
    "PPD": EntryKind("PPD", PPD_ENTRY, is_return=False, addenda_type="05"),
}
RETURN = EntryKind("return", RETURN_ENTRY, is_return=True, addenda_type="99")
CORRECTION = EntryKind("correction", RETURN_ENTRY, is_return=True, addenda_type="98", is_correction=True)


def find_entry_kind(*, sec_code: str, transaction_code: str) -> EntryKind:
    """Tell what a batch holds, from its SEC code and the transaction code of its first entry.

    COR is a notification of change whatever its transaction codes; a return uses the same codes under the SEC
    code of the original. An SEC code that nobody knows is read as PPD.
    """
    if sec_code == "COR":
        return CORRECTION
    known = TRANSACTION_CODES.get(transaction_code)
    if known and known.is_return:
        return RETURN
    return FORWARD.get(sec_code, FORWARD["PPD"])


def find_code_fault(
    *, transaction_code: str, kind: EntryKind, service_class: str, description: str
) -> str | None:
    """Say why a transaction code may not stand in a batch, or None if it may.

    Credits by phone and debits of a loan are refused by the receiving bank unless they reverse an entry; a mixed batch by phone
    holds the credit that balances it.
    """
    row = TRANSACTION_CODES.get(transaction_code)
    if row is None:
        return "is no transaction code for WEB, TEL or PPD"
    if row.is_return != kind.is_return:
        return "mixes returned and forward entries in one batch"
    if service_class == "220" and row.is_debit:
        return "is a debit in a batch of credits"
    if service_class == "225" and not row.is_debit:
        return "is a credit in a batch of debits"
    if description != REVERSAL and kind.name == "TEL" and not row.is_debit and service_class != "200":
        return "is a credit by phone, allowed only as a reversal"
    if description != REVERSAL and transaction_code == "55":
        return "is a debit of a loan, allowed only as a reversal"
    return None


def find_amount_fault(*, code: TransactionCode, kind: EntryKind, amount_cents: int) -> str | None:
    """Say why an amount does not suit its transaction code, or None; a return keeps its original amount."""
    if kind.is_correction:
        return "must be zero in a notification of change" if amount_cents else None
    if kind.is_return:
        return None
    if code.is_prenote:
        return "must be zero in a prenote" if amount_cents else None
    return None if amount_cents else "must not be zero in a live entry"


@lru_cache(maxsize=1024)
def find_allowed_codes(
    kind: EntryKind, service_class: str, description: str, amount_cents: int
) -> dict[str, bool]:
    """Give the transaction codes that may stand in a batch with such an amount, and if each is a debit."""
    return {
        code: row.is_debit
        for code, row in TRANSACTION_CODES.items()
        if not find_code_fault(
            transaction_code=code, kind=kind, service_class=service_class, description=description
        )
        and not find_amount_fault(code=row, kind=kind, amount_cents=amount_cents)
    }


class BatchTally:
    """The running totals of one batch, and the test that a sound entry passes.

    The writer and the reader count by the same tally, so nothing is written that would not be read.
    """

    __slots__ = (
        "_live_codes", "_zero_codes", "addenda_count", "addenda_due", "credit_cents", "debit_cents",
        "description", "entry_count", "entry_hash", "highest_trace", "kind", "last_trace", "originating_dfi",
        "sec_code", "service_class",
    )  # fmt: skip

    def __init__(self, *, sec_code: str, service_class: str, description: str, originating_dfi: str) -> None:
        self.sec_code = sec_code
        self.service_class = service_class
        self.description = description
        self.originating_dfi = originating_dfi
        self.kind: EntryKind | None = None
        self._zero_codes: dict[str, bool] = {}
        self._live_codes: dict[str, bool] = {}
        # compared as text: a trace of this bank sorts after its 8 digits and before its 8 digits and a colon
        self.last_trace = originating_dfi
        self.highest_trace = originating_dfi + ":"
        self.entry_count = self.addenda_count = self.entry_hash = self.debit_cents = self.credit_cents = 0
        self.addenda_due = False

    @property
    def record_count(self) -> int:
        """The entries and addenda together, as the controls count them."""
        return self.entry_count + self.addenda_count

    def open_for(self, *, transaction_code: str) -> EntryKind:
        """Settle what the batch holds, by its first entry, and give it; later entries change nothing."""
        if self.kind is None:
            self.kind = find_entry_kind(sec_code=self.sec_code, transaction_code=transaction_code)
            self._zero_codes = find_allowed_codes(self.kind, self.service_class, self.description, 0)
            self._live_codes = find_allowed_codes(self.kind, self.service_class, self.description, 1)
        return self.kind

    def take_entries(self, entries: Sequence[Entry]) -> bool:
        """Count entries whose fields are well-formed, if all are sound here, live, and of one direction; if not, none.

        As `take_entry` does for each, but in steps that each run over all of them: nearly every file is nothing else.
        """
        directions = {self._live_codes.get(entry.transaction_code) for entry in entries}
        amounts = [entry.amount_cents for entry in entries]
        parts = [HASH_PARTS[entry.routing_number] for entry in entries]
        traces = [self.last_trace, *[entry.trace_number for entry in entries], self.highest_trace]
        if len(directions) > 1 or None in directions or 0 in amounts or None in parts:
            return False
        if not all(map(lt, traces, traces[1:])):
            return False
        self.last_trace = traces[-2]
        self.entry_count += len(amounts)
        self.entry_hash += sum(filter(None, parts))
        if directions == {True}:
            self.debit_cents += sum(amounts)
        else:
            self.credit_cents += sum(amounts)
        return True

    def take_entry(
        self, transaction_code: str, routing_number: str, amount_cents: int, trace_number: str
    ) -> bool:
        """Count an entry whose fields are well-formed, if it is sound here; if not, give False."""
        is_debit = (self._live_codes if amount_cents else self._zero_codes).get(transaction_code)
        hash_part = HASH_PARTS[routing_number]
        if is_debit is None or hash_part is None or not self.last_trace < trace_number < self.highest_trace:
            return False
        # as count_entry does, spelled out: this runs once for every entry of every file
        self.last_trace = trace_number
        self.entry_count += 1
        self.entry_hash += hash_part
        if is_debit:
            self.debit_cents += amount_cents
        else:
            self.credit_cents += amount_cents
        return True

    def count_entry(self, is_debit: bool, hash_part: int, amount_cents: int, trace_number: str) -> None:
        """Add an entry that has faults to the totals."""
        self.last_trace = trace_number
        self.entry_count += 1
        self.entry_hash += hash_part
        if is_debit:
            self.debit_cents += amount_cents
        else:
            self.credit_cents += amount_cents


@dataclass(slots=True)
class FileTotals:
    """What a whole file adds up to; amounts in cents, the hash cut to its last ten digits."""

    batch_count: int = 0
    entry_count: int = 0
    record_count: int = 0
    entry_hash: int = 0
    debit_cents: int = 0
    credit_cents: int = 0
    line_count: int = 0

    @property
    def block_count(self) -> int:
        """The number of blocks of ten lines, the last one padded."""
        return -(-self.line_count // 10)

    def add_batch(self, tally: BatchTally) -> None:
        """Add a finished batch."""
        self.batch_count += 1
        self.entry_count += tally.entry_count
        self.record_count += tally.record_count
        self.entry_hash = (self.entry_hash + tally.entry_hash % HASH_MODULUS) % HASH_MODULUS
        self.debit_cents += tally.debit_cents
        self.credit_cents += tally.credit_cents
