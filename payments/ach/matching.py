"""Matching: which entry of ours a line of the bank's names, or why nobody can tell."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from payments.ach.contents import ReturnedEntry
from payments.ach.routing_numbers import compute_check_digit
from payments.bank_accounts import index_number
from payments.models import FileEntry

NOT_OURS = "it names another company"
NO_MATCH = "no entry of ours matches"
MANY_MATCH = "more than one entry of ours matches"


@dataclass(frozen=True)
class Match:
    """A line, and the one entry that it names; else why there is none."""

    line: ReturnedEntry
    entry: FileEntry | None = None
    reason: str = ""


def match_lines(*, lines: Sequence[ReturnedEntry]) -> list[Match]:
    """Match each line on original trace, bank, account as it was sent, and amount; failing that on our own number.

    Our number alone names nothing: the trace or the account must agree as well, and for a correction the bank, whose lines carry
    no amount. Where the trace names one entry and our number another of the same account and amount, nobody can tell which it
    is. As many statements for one line as for many.
    """
    by_trace, by_number = _find_candidates(lines)
    return [
        _match(line, by_trace[line.original_trace], by_number[_read_number(line)])
        if line.company_id == settings.ACH["company_id"].strip()
        else Match(line, reason=NOT_OURS)
        for line in lines
    ]


def _match(line: ReturnedEntry, traced: Sequence[FileEntry], numbered: Sequence[FileEntry]) -> Match:
    index = _index_as_sent(line)
    by_trace = [entry for entry in traced if index == entry.blind_index and _suits_amount(line, entry)]
    by_number = [entry for entry in numbered if _agrees(line, entry, index)]
    found = [entry for entry in by_trace if entry in by_number] or [*by_trace, *by_number]
    if len(found) == 1:
        return Match(line, found[0])
    return Match(line, reason=MANY_MATCH if found else NO_MATCH)


def _agrees(line: ReturnedEntry, entry: FileEntry, index: str) -> bool:
    """Whether an entry that has our number is the one: banks cut account numbers, and traces change on the way."""
    if entry.blind_index == index:  # which holds the bank too
        return _suits_amount(line, entry)
    if entry.trace != line.original_trace:
        return False
    return _suits_amount(line, entry) and (not line.is_correction or _suits_bank(line, entry))


def _suits_amount(line: ReturnedEntry, entry: FileEntry) -> bool:
    return line.is_correction or entry.amount_cents == line.amount_cents


def _suits_bank(line: ReturnedEntry, entry: FileEntry) -> bool:
    thing = entry.payment or entry.prenote or entry.refund
    account = thing.bank_account if thing else None
    return account is not None and account.routing_number[:8] == line.original_rdfi_id


def _index_as_sent(line: ReturnedEntry) -> str:
    """The blind index that the entry had when it went out, had it gone to this bank and account; empty without a bank."""
    rdfi = line.original_rdfi_id
    if not rdfi.isdecimal():
        return ""
    number = line.account_number.replace(" ", "").upper()
    return index_number(routing_number=rdfi + compute_check_digit(digits=rdfi), account_number=number)


def _read_number(line: ReturnedEntry) -> str:
    return line.individual_id.strip().upper()


def _find_candidates(
    lines: Sequence[ReturnedEntry],
) -> tuple[Mapping[str, list[FileEntry]], Mapping[str, list[FileEntry]]]:
    """Our entries with one of the traces, and those with one of our numbers."""
    traces = {line.original_trace for line in lines}
    numbers = {_read_number(line) for line in lines} - {""}
    # Asked one after the other: both at once would read every entry ever sent.
    keys = {*FileEntry.objects.filter(trace__in=traces).values_list("pk", flat=True)}
    keys.update(FileEntry.objects.filter(individual_id__in=numbers).values_list("pk", flat=True))
    by_trace: defaultdict[str, list[FileEntry]] = defaultdict(list)
    by_number: defaultdict[str, list[FileEntry]] = defaultdict(list)
    for entry in _read(keys):
        by_trace[entry.trace].append(entry)
        by_number[entry.individual_id].append(entry)
    return by_trace, by_number


def _read(keys: set[int]) -> Iterator[FileEntry]:
    entries = FileEntry.objects.filter(pk__in=keys).select_related(
        "file",
        "payment__bank_account__owner__member",
        "payment__account__enrollment__member",
        "payment__authorization",
        "prenote__bank_account",
        "refund__bank_account",
    )
    return iter(entries.prefetch_related("return_lines").order_by("pk"))
