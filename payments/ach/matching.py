"""Matching: which entry of ours a line of the bank's names, or why nobody can tell."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Coalesce

from payments.ach.contents import ReturnedEntry
from payments.ach.routing_numbers import compute_check_digit
from payments.bank_accounts import index_number
from payments.models import FileEntry

NOT_OURS = "it names another company"
NO_MATCH = "no entry of ours matches"
MANY_MATCH = "more than one entry of ours matches"


@dataclass(frozen=True, slots=True)
class SentEntry:
    """An entry of ours as it went out, its bank account as it is now, and where what it moves stands."""

    id: int
    trace: str
    individual_id: str
    blind_index: str
    amount_cents: int
    routing_number: str
    file_id: int
    file_status: str
    payment_id: int | None
    payment_status: str | None
    prenote_id: int | None
    prenote_outcome: str | None
    refund_id: int | None
    refund_status: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """A line, and the one entry that it names; else why there is none."""

    line: ReturnedEntry
    entry: SentEntry | None = None
    reason: str = ""


Entries = Mapping[str, Sequence[SentEntry]]


def match_lines(*, lines: Sequence[ReturnedEntry]) -> list[Match]:
    """Match each line on original trace, bank, account as it was sent, and amount; failing that on our own number.

    Our number alone names nothing: the trace or the account must agree as well, and for a correction the bank, whose lines carry
    no amount. Where the trace names one entry and our number another of the same account and amount, nobody can tell which it
    is. As many statements for one line as for many.
    """
    indexed = [(line, _index_as_sent(line)) for line in lines]
    by_trace = _read_by("trace", {line.original_trace for line in lines})
    unsure = {_read_number(line) for line, index in indexed if not _list_sure(line, index, by_trace)}
    by_number = _read_by("individual_id", unsure - {""})
    return [_match(line, index, by_trace, by_number) for line, index in indexed]


def _match(line: ReturnedEntry, index: str, by_trace: Entries, by_number: Entries) -> Match:
    if line.company_id != settings.ACH["company_id"].strip():
        return Match(line, reason=NOT_OURS)
    numbered = by_number.get(_read_number(line), ())
    found = _list_sure(line, index, by_trace) or [
        *_list_traced(line, index, by_trace),
        *(entry for entry in numbered if _agrees(line, entry, index)),
    ]
    if len(found) == 1:
        return Match(line, found[0])
    return Match(line, reason=MANY_MATCH if found else NO_MATCH)


def _list_sure(line: ReturnedEntry, index: str, by_trace: Entries) -> list[SentEntry]:
    """The entries that the trace and our number name alike."""
    number = _read_number(line)
    return [entry for entry in _list_traced(line, index, by_trace) if entry.individual_id == number != ""]


def _list_traced(line: ReturnedEntry, index: str, by_trace: Entries) -> list[SentEntry]:
    """The entries with the line's trace, bank, account and amount."""
    traced = by_trace.get(line.original_trace, ())
    return [entry for entry in traced if index == entry.blind_index and _suits_amount(line, entry)]


def _agrees(line: ReturnedEntry, entry: SentEntry, index: str) -> bool:
    """Whether an entry that has our number is the one: banks cut account numbers, and traces change on the way."""
    if entry.blind_index == index:  # which holds the bank too
        return _suits_amount(line, entry)
    if entry.trace != line.original_trace:
        return False
    return _suits_amount(line, entry) and (not line.is_correction or _suits_bank(line, entry))


def _suits_amount(line: ReturnedEntry, entry: SentEntry) -> bool:
    return line.is_correction or entry.amount_cents == line.amount_cents


def _suits_bank(line: ReturnedEntry, entry: SentEntry) -> bool:
    return bool(entry.routing_number) and entry.routing_number[:8] == line.original_rdfi_id


def _index_as_sent(line: ReturnedEntry) -> str:
    """The blind index that the entry had when it went out, had it gone to this bank and account; empty without a bank."""
    rdfi = line.original_rdfi_id
    if not rdfi.isdecimal():
        return ""
    number = line.account_number.replace(" ", "").upper()
    return index_number(routing_number=rdfi + compute_check_digit(digits=rdfi), account_number=number)


def _read_number(line: ReturnedEntry) -> str:
    return line.individual_id.strip().upper()


def _read_by(column: str, values: set[str]) -> Entries:
    """Our entries with one of the traces, or one of our numbers. Asked for both at once, every entry ever sent would be read."""
    routing_number = Coalesce(
        "payment__bank_account__routing_number",
        "prenote__bank_account__routing_number",
        "refund__bank_account__routing_number",
        Value(""),
    )
    rows = FileEntry.objects.filter(**{f"{column}__among": values}).values_list(
        "pk",
        "trace",
        "individual_id",
        "blind_index",
        "amount_cents",
        routing_number,
        "file_id",
        "file__status",
        "payment_id",
        "payment__status",
        "prenote_id",
        "prenote__outcome",
        "refund_id",
        "refund__status",
    )
    entries: defaultdict[str, list[SentEntry]] = defaultdict(list)
    for row in rows.order_by("pk"):
        entry = SentEntry(*row)
        entries[getattr(entry, column)].append(entry)
    return entries
