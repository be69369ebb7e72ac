"""What goes into the next bank files: claimed under a lock, in the order of its batches; and the trace numbers it gets."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import structlog
from django.db import connection

from payments.ach.banking_days import BankingCalendar
from payments.ach.stored_files import Placed
from payments.models import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    BankAccountStatus,
    FileEntry,
    FileStatus,
    Payment,
    PaymentMove,
    PaymentStatus,
    Prenote,
    Refund,
    RefundMethod,
    RefundMove,
    RefundStatus,
)

log = structlog.get_logger(__name__)
TRACES_A_CYCLE = 10_000_000
DRAWN_AT_ONCE = 2_000
REVERSAL_BANKING_DAYS = 5  # from the settlement of the debit until its bank must have the reversal
SEC_CODES = ("WEB", "TEL", "PPD")
Kind = FileEntry.Kind
_SUBJECTS = {
    Kind.DEBIT: "payment",
    Kind.RETRY: "payment",
    Kind.PRENOTE: "prenote",
    Kind.REFUND: "refund",
    Kind.REVERSAL: "refund",
}
_KIND_PLACES = {kind: place for place, kind in enumerate(_SUBJECTS)}
_SEC_PLACES = {sec_code: place for place, sec_code in enumerate(SEC_CODES)}

# Looked up row by row on purpose: a planner that does not yet know of a day's many new payments may join them in n * n steps.
_DEBITS = """
    SELECT payment.id, payment.retry_of_id IS NOT NULL,
           (SELECT sec_code FROM payments_authorization WHERE id = payment.authorization_id),
           (SELECT recurring FROM payments_authorization WHERE id = payment.authorization_id)
    FROM payments_payment AS payment
    WHERE payment.status = %s AND payment.received_date <= %s AND payment.recorded_at < %s AND NOT payment.is_held
      AND (SELECT status FROM payments_bankaccount WHERE id = payment.bank_account_id) = %s
    ORDER BY payment.id FOR NO KEY UPDATE OF payment SKIP LOCKED
"""
# A prenote goes out as the debits will for which its account was given.
_PRENOTES = """
    SELECT prenote.id, coalesce(proof.sec_code, 'WEB'), coalesce(proof.recurring, FALSE)
    FROM payments_prenote AS prenote JOIN payments_bankaccount AS bank ON bank.id = prenote.bank_account_id
    LEFT JOIN LATERAL (
        SELECT sec_code, recurring FROM payments_authorization
        WHERE bank_account_id = bank.id ORDER BY id DESC LIMIT 1
    ) AS proof ON TRUE
    WHERE prenote.effective_date IS NULL AND prenote.outcome = '' AND bank.status = %s AND prenote.asked_at <= %s
    ORDER BY prenote.id FOR NO KEY UPDATE OF prenote SKIP LOCKED
"""
# The debit is held too: it cannot come back while its refund goes out.
_REFUNDS = """
    SELECT refund.id, refund.method, refund.cents, payment.status, payment.amount_cents, payment.effective_date,
           proof.sec_code, proof.recurring, file.status
    FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
    JOIN payments_authorization AS proof ON proof.id = payment.authorization_id
    LEFT JOIN payments_fileentry AS entry ON entry.payment_id = payment.id
    LEFT JOIN payments_bankfile AS file ON file.id = entry.file_id
    WHERE refund.status = %s AND refund.method IN (%s, %s) AND refund.decided_at < %s
    ORDER BY refund.id FOR NO KEY UPDATE OF refund SKIP LOCKED FOR SHARE OF payment SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class BatchKind:
    """What the entries of one batch share; no two of these ever share a batch. `recurring` parts only debits on the web."""

    kind: FileEntry.Kind
    sec_code: str
    recurring: bool = False

    @property
    def place(self) -> tuple[int, int, str, bool]:
        """Where the batch stands in a file: by kind, then web, phone and paper, then single before recurring."""
        return (_KIND_PLACES[self.kind], _SEC_PLACES.get(self.sec_code, 9), self.sec_code, self.recurring)


class Claim(NamedTuple):
    """One payment, refund or prenote taken into a file. There may be hundreds of thousands, so this is all that is held."""

    batch: BatchKind
    row_id: int
    recurring: bool

    @property
    def subject(self) -> str:
        """What the id names: a payment, a refund or a prenote."""
        return _SUBJECTS[self.batch.kind]


class _RefundRow(NamedTuple):
    """A refund that was approved, and the debit that it undoes."""

    row_id: int
    method: str
    cents: int
    payment_status: str
    payment_cents: int
    settles_on: date | None
    sec_code: str
    recurring: bool
    file_status: str | None

    def find_obstacle(self, *, oldest: date) -> str | None:
        """Why the money may not go back this way, or None. `oldest`: the first settlement day that is not too long ago."""
        if self.payment_status == PaymentStatus.RETURNED or self.file_status == FileStatus.REJECTED:
            return "its debit did not bring the money"
        if self.method == RefundMethod.ACH:
            settled = self.payment_status in (PaymentStatus.SETTLED, PaymentStatus.POSTED)
            return None if settled else "its debit has not settled"
        if self.settles_on is None:
            return "its debit never went out"
        if self.cents != self.payment_cents:
            return "a reversal takes back the whole debit"
        if self.settles_on < oldest:
            return f"a reversal reaches the bank within {REVERSAL_BANKING_DAYS} banking days of its debit's settlement"
        return None


class Traces:
    """Trace numbers from the database's own sequence: ascending, each given once, whatever crashes.

    Seven digits run out; the cycle, which counts how often, tells the next round from the last.
    """

    def __init__(self, *, expected: int) -> None:
        self._expected = expected
        self._drawn: deque[int] = deque()

    def peek(self) -> int:
        """The number that will be given next; some thousands are drawn at a time, as far as they are expected."""
        if not self._drawn:
            count = max(1, min(DRAWN_AT_ONCE, self._expected))
            self._expected -= count
            self._drawn.extend(
                trace
                for (trace,) in _ask("SELECT nextval('payments_trace') FROM generate_series(1, %s)", [count])
            )
        return self._drawn[0]

    def take(self) -> int:
        """Give the next number, and never again."""
        trace = self.peek()
        self._drawn.popleft()
        return trace


def claim_waiting(*, effective: date, at: datetime, calendar: BankingCalendar) -> list[Claim]:
    """Lock what can go out, in the order of its batches, passing over what another transaction holds.

    Debits first, then retries, prenotes, refunds and reversals. Refunds that may not go out are left and named to staff.
    """
    oldest = calendar.add(effective, -REVERSAL_BANKING_DAYS)
    claims = [*_claim_debits(effective, at), *_claim_prenotes(at), *_claim_refunds(oldest, at)]
    claims.sort(key=lambda claim: claim.batch.place)
    return claims


def move_into_file(*, entries: Iterable[Placed], effective: date, at: datetime) -> None:
    """What stands in a file is being sent, and settles on the file's effective date."""
    rows = list(entries)
    PAYMENT_MOVES.move(
        model=Payment,
        history=PaymentMove,
        ids=[row.payment_id for row in rows if row.payment_id],
        before=PaymentStatus.RECORDED,
        after=PaymentStatus.SENDING,
        at=at,
        changes={"effective_date": effective},
    )
    REFUND_MOVES.move(
        model=Refund,
        history=RefundMove,
        ids=[row.refund_id for row in rows if row.refund_id],
        before=RefundStatus.APPROVED,
        after=RefundStatus.SENDING,
        at=at,
        changes={"effective_date": effective},
    )
    prenotes = [row.prenote_id for row in rows if row.prenote_id]
    Prenote.objects.filter(pk__in=prenotes, effective_date=None).update(effective_date=effective)


def _ask(question: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def _claim_debits(effective: date, at: datetime) -> Iterator[Claim]:
    values = [PaymentStatus.RECORDED, effective, at, BankAccountStatus.VALID]
    kinds = _Kinds()
    for row_id, is_retry, sec_code, recurring in _ask(_DEBITS, values):
        parted = recurring and sec_code == "WEB" and not is_retry
        batch = kinds[(Kind.RETRY if is_retry else Kind.DEBIT, sec_code, parted)]
        yield Claim(batch, row_id, recurring)


def _claim_prenotes(at: datetime) -> Iterator[Claim]:
    kinds = _Kinds()
    for row_id, sec_code, recurring in _ask(_PRENOTES, [BankAccountStatus.UNCHECKED, at]):
        yield Claim(kinds[(Kind.PRENOTE, sec_code, False)], row_id, recurring)


def _claim_refunds(oldest: date, at: datetime) -> Iterator[Claim]:
    kinds = _Kinds()
    values = [RefundStatus.APPROVED, RefundMethod.ACH, RefundMethod.REVERSAL, at]
    for row in map(_RefundRow._make, _ask(_REFUNDS, values)):
        if row.payment_status == PaymentStatus.SENDING:
            continue  # nobody knows yet whether the bank has the debit
        obstacle = row.find_obstacle(oldest=oldest)
        if obstacle:
            log.error("a refund cannot go out and needs staff", refund=row.row_id, why=obstacle)
        elif row.method == RefundMethod.REVERSAL:
            yield Claim(kinds[(Kind.REVERSAL, row.sec_code, False)], row.row_id, row.recurring)
        else:
            yield Claim(kinds[(Kind.REFUND, "PPD", False)], row.row_id, False)


class _Kinds(dict[tuple[FileEntry.Kind, str, bool], BatchKind]):
    """One object for all the claims of a batch."""

    def __missing__(self, key: tuple[FileEntry.Kind, str, bool]) -> BatchKind:
        return self.setdefault(key, BatchKind(*key))
