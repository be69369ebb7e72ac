"""Entries made ready for a bank file, some thousands at a time; one that no bank would take is left out, not everybody's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

import structlog
from django.conf import settings

from connector_pay.lib.sealed import UnableToOpen
from payments.ach.claiming import SEC_CODES, BatchKind, Claim, Kind
from payments.ach.entries import BatchHeader, Entry
from payments.ach.nacha import find_refusals
from payments.bank_accounts import open_number
from payments.models import AccountKind, Payment, Prenote, Refund

log = structlog.get_logger(__name__)
READ_AT_ONCE = 2_000
_DESCRIPTIONS = {Kind.RETRY: "RETRY PYMT", Kind.REFUND: "REFUND", Kind.REVERSAL: "REVERSAL"}
_DEBIT = {AccountKind.CHECKING: "27", AccountKind.SAVINGS: "37"}
_PRENOTE = {AccountKind.CHECKING: "28", AccountKind.SAVINGS: "38"}
_CREDIT = {AccountKind.CHECKING: "22", AccountKind.SAVINGS: "32"}
_CODES = {
    Kind.DEBIT: _DEBIT,
    Kind.RETRY: _DEBIT,
    Kind.PRENOTE: _PRENOTE,
    Kind.REFUND: _CREDIT,
    Kind.REVERSAL: _CREDIT,
}
CREDITS = (Kind.REFUND, Kind.REVERSAL)
_OF_BANK = tuple(
    f"bank_account__{name}"
    for name in ("holder_name", "kind", "routing_number", "blind_index", "sealed_id", "sealed__token")
)


@dataclass(frozen=True, slots=True)
class Source:
    """What an entry is made of: cents, our own number for it, and the bank account, its number still sealed."""

    cents: int
    individual_id: str
    holder_name: str
    kind: str
    routing_number: str
    blind_index: str
    sealed_id: UUID
    token: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry that the bank will take, as soon as it has its trace number; until then it has one for show."""

    claim: Claim
    entry: Entry
    blind_index: str


def make_batch_header(
    *, batch: BatchKind, effective: date, number: int = 1, balanced: bool = False
) -> BatchHeader:
    """The header of a batch of this kind; a retry or a reversal is known by its description, all else is the original's.

    A reversal of a debit is a credit, so the operator takes it only under a service class that allows credits.
    """
    service_class = "200" if balanced else "220" if batch.kind in CREDITS else "225"
    return BatchHeader(
        service_class=service_class,
        company_name=settings.ACH["company_name"],
        company_id=settings.ACH["company_id"],
        sec_code=batch.sec_code,
        entry_description=_DESCRIPTIONS.get(batch.kind, settings.ACH["entry_description"]),
        effective_date=effective,
        odfi_id=settings.ACH["odfi"],
        batch_number=number,
    )


def prepare(*, claims: Sequence[Claim], effective: date) -> Iterator[Ready]:
    """Read the claims a part at a time, in their order, and give the entries that the bank will take.

    What no bank would take is left out and named to staff by its id alone; it stays as it is, and is tried again next time.
    """
    for batch, group in groupby(claims, key=lambda claim: claim.batch):
        mine = list(group)
        for start in range(0, len(mine), READ_AT_ONCE):
            yield from _prepare_part(batch, mine[start : start + READ_AT_ONCE], effective)


def _prepare_part(batch: BatchKind, claims: Sequence[Claim], effective: date) -> Iterator[Ready]:
    if batch.sec_code not in SEC_CODES:
        for claim in claims:
            _leave_out(claim, "the SEC code must be WEB, TEL or PPD")
        return
    sources = _READERS[batch.kind]([claim.row_id for claim in claims])
    ready = [
        item
        for place, claim in enumerate(claims, start=1)
        if (item := _make_ready(claim, sources[claim.row_id], place))
    ]
    header = make_batch_header(batch=batch, effective=effective)
    refusals = find_refusals(header=header, entries=[item.entry for item in ready])
    for place, item in enumerate(ready):
        if place in refusals:
            _leave_out(item.claim, f"{refusals[place].field}: {refusals[place].problem}")
        else:
            yield item


def _make_ready(claim: Claim, source: Source, place: int) -> Ready | None:
    try:
        number = open_number(token=source.token, row=source.sealed_id)
        code = _CODES[claim.batch.kind][AccountKind(source.kind)]
    except UnableToOpen:
        _leave_out(claim, "the account number cannot be opened")
        return None
    except ValueError:
        _leave_out(claim, "the account is neither checking nor savings")
        return None
    entry = Entry(
        transaction_code=code,
        routing_number=source.routing_number,
        account_number=number,
        amount_cents=source.cents,
        individual_id=source.individual_id,
        individual_name=source.holder_name,
        trace_number=f"{settings.ACH['odfi']}{place:07d}",
        discretionary=_say_how_often(claim),
    )
    return Ready(claim, entry, source.blind_index)


def _say_how_often(claim: Claim) -> str:
    """The payment type code: recurring or single. Paper has none."""
    if claim.batch.sec_code == "PPD":
        return ""
    return "R" if claim.recurring else "S"


def _leave_out(claim: Claim, why: str) -> None:
    said = {claim.subject: claim.row_id, "why": why}
    log.error("an entry cannot be written and was left out of the bank file", **said)


def _read_payments(ids: Sequence[int]) -> dict[int, Source]:
    rows = Payment.objects.filter(pk__among=ids).values_list(
        "pk", "amount_cents", "confirmation_number", *_OF_BANK
    )
    return {key: Source(*made_of) for key, *made_of in rows}


def _read_prenotes(ids: Sequence[int]) -> dict[int, Source]:
    rows = Prenote.objects.filter(pk__among=ids).values_list("pk", *_OF_BANK)
    return {key: Source(0, f"PN{key:013d}", *bank) for key, *bank in rows}


def _read_refunds(ids: Sequence[int]) -> dict[int, Source]:
    to_banks = Refund.objects.filter(pk__among=ids, bank_account__isnull=False)
    rows = to_banks.values_list("pk", "cents", *_OF_BANK)
    return {key: Source(cents, f"RF{key:013d}", *bank) for key, cents, *bank in rows}


_READERS: dict[Kind, Callable[[Sequence[int]], dict[int, Source]]] = {
    Kind.DEBIT: _read_payments,
    Kind.RETRY: _read_payments,
    Kind.PRENOTE: _read_prenotes,
    Kind.REFUND: _read_refunds,
    Kind.REVERSAL: _read_refunds,
}
