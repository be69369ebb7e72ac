"""Accounts that lack an invoice they should have by now: found by their ids, some at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from billing.accounts import CHUNK, EVERY_ACCOUNT, Span
from billing.due_dates import first_of_month, next_month
from members.models import EnrollmentStatus

# A waiting enrollment needs its binder, an active one the last month up to `last` that its coverage reaches.
# LEAST passes over a missing end. OFFSET 0: looked up row by row, or each chunk might read every enrollment there is.
LACKING = """
    SELECT * FROM (
        SELECT account.id AS account_id, enrollment.id, enrollment.coverage_start, enrollment.ends_on, latest.month AS billed,
            CASE WHEN enrollment.status = %(waiting)s THEN enrollment.coverage_start ELSE GREATEST(
                enrollment.coverage_start, LEAST(%(last)s, date_trunc('month', enrollment.ends_on)::date)
            ) END AS needed, enrollment.status, enrollment.binder_due_date
        FROM billing_account AS account CROSS JOIN LATERAL (
            SELECT * FROM members_enrollment WHERE members_enrollment.id = account.enrollment_id OFFSET 0
        ) AS enrollment LEFT JOIN LATERAL (
            SELECT invoice.coverage_month AS month FROM billing_invoice AS invoice
            WHERE invoice.account_id = account.id AND invoice.voided_at IS NULL
            ORDER BY invoice.coverage_month DESC LIMIT 1
        ) AS latest ON TRUE
        WHERE enrollment.status IN (%(waiting)s, %(active)s)
            AND (enrollment.ends_on IS NULL OR enrollment.ends_on >= enrollment.coverage_start)
            AND account.id > %(after)s AND account.id <= %(last_id)s
            AND (%(account_ids)s::bigint[] IS NULL OR account.id = ANY(%(account_ids)s))
    ) AS candidate WHERE coalesce(billed, '-infinity') < needed ORDER BY account_id LIMIT %(limit)s
"""


READ = f"SELECT account_id, id, coverage_start, ends_on, billed, needed FROM ({LACKING}) AS lacking ORDER BY account_id"
# Which they are is all that a chunk is made of: what they lack is read once they are locked.
CHUNKED = f"SELECT account_id FROM ({LACKING}) AS lacking ORDER BY account_id"


@dataclass(frozen=True, slots=True)
class Lacking:
    """An account without the latest invoice it should have; `billed` is the last month that has one."""

    account_id: int
    enrollment_id: int
    coverage_start: date
    ends_on: date | None
    billed: date | None
    needed: date


def read_lacking(*, account_ids: Sequence[int], today: date) -> list[Lacking]:
    """Those of the accounts that lack an invoice, by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(READ, list_facts(account_ids=account_ids, today=today))
        return [Lacking(*row) for row in cursor.fetchall()]


def chunk_lacking(*, account_ids: Sequence[int] | None, span: Span, today: date) -> Iterator[list[int]]:
    """The accounts of a span that lack an invoice, or those among the given, in chunks by their ids; read anew after each."""
    while chunk := _read_chunk(account_ids, span=span, today=today):
        yield chunk
        span = Span(chunk[-1], span.last)


def _read_chunk(account_ids: Sequence[int] | None, *, span: Span, today: date) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(CHUNKED, list_facts(account_ids=account_ids, today=today, span=span))
        return [key for (key,) in cursor.fetchall()]


def list_facts(
    *, account_ids: Sequence[int] | None, today: date, span: Span = EVERY_ACCOUNT
) -> dict[str, Any]:
    """What the query of the accounts that lack an invoice is asked with."""
    return {
        "waiting": EnrollmentStatus.WAITING.value,
        "active": EnrollmentStatus.ACTIVE.value,
        "last": next_month(first_of_month(today)),
        "account_ids": None if account_ids is None else list(account_ids),
        "after": span.after,
        "last_id": span.last,
        "limit": CHUNK,
    }
