"""What goes into the next bank file: claimed under a lock, each with a trace number of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from payments.models import PAYMENT_MOVES, BankAccountStatus, Payment, PaymentMove, PaymentStatus

TRACES_A_CYCLE = 10_000_000
MOVED_AT_ONCE = 10_000


@dataclass(frozen=True)
class Claim:
    """A payment taken into the file, with the trace number given to it; `cycle` counts how often the traces have wrapped."""

    payment_id: int
    sec_code: str
    recurring: bool
    trace_number: int

    @property
    def cycle(self) -> int:
        """Seven digits of trace run out; the cycle tells the next round from the last."""
        return self.trace_number // TRACES_A_CYCLE

    @property
    def batch_key(self) -> tuple[str, bool, int]:
        """What the entries of one batch share; traces ascend within it, so a wrap begins another."""
        return (self.sec_code, self.recurring, self.cycle)


def claim_waiting(effective: date, *, at: datetime) -> list[Claim]:
    """Lock the payments that can go, passing over those that another transaction holds, and give each its trace."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payment.id, proof.sec_code, proof.recurring FROM payments_payment AS payment "
            "JOIN payments_authorization AS proof ON proof.id = payment.authorization_id "
            "JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id "
            "WHERE payment.status = %s AND payment.received_date <= %s AND bank.status = %s AND payment.recorded_at < %s "
            "ORDER BY proof.sec_code, proof.recurring, payment.id FOR NO KEY UPDATE OF payment SKIP LOCKED",
            [PaymentStatus.RECORDED, effective, BankAccountStatus.VALID, at],
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT nextval('payments_trace') FROM generate_series(1, %s)", [len(rows)])
        traces = [trace for (trace,) in cursor.fetchall()]
    return [
        Claim(payment_id=key, sec_code=sec_code, recurring=recurring, trace_number=trace)
        for (key, sec_code, recurring), trace in zip(rows, traces, strict=True)
    ]


def move_payments(
    *,
    ids: Sequence[int],
    before: PaymentStatus,
    after: PaymentStatus,
    at: datetime,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Move the payments of a file, some thousands at a time."""
    for start in range(0, len(ids), MOVED_AT_ONCE):
        PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids[start : start + MOVED_AT_ONCE],
            before=before,
            after=after,
            at=at,
            changes=changes,
        )
