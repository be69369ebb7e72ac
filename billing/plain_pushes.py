"""Plain pushes: starts that move because nothing was ever received, written where the rows lie.

The night after a due date nearly every start that moves is one: no money, no waiver, no due date of the account's own, one bill.
Where the rules put the start is decided here, once for all who asked for the same one; PostgreSQL applies it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from billing.due_date_overrides import read_due_date
from billing.due_dates import DueDate
from billing.first_payments import find_binder_start
from billing.plain_bills import ADDRESSED, BILL, CHARTS, RATES, find_plan_month, find_rate_month, tell_bills
from members.alike import write_alike
from members.models import EnrollmentStatus


@dataclass(frozen=True, slots=True)
class _Alike:
    """Accounts whose start stands in one month and was asked for in one, whose rates, and plans, began in the same months."""

    requested: date
    before: date
    began: str
    planned: str
    last_start: date
    account_ids: dict[int, int]  # by the enrollment


@dataclass(frozen=True, slots=True)
class Plain:
    """The accounts that were pushed, and those whose start stands where it should."""

    pushed: frozenset[int] = frozenset()
    standing: frozenset[int] = frozenset()


def push_plain(
    *, account_ids: Sequence[int], why: str, event: str, run: str, today: date, at: datetime
) -> Plain:
    """Push the starts that move for want of any money, reissue their bills, tell the members.

    What is neither pushed nor standing is left to the review. Inside the transaction of a caller that has locked the accounts.
    """
    due_date = read_due_date()
    pushed: set[int] = set()
    standing: set[int] = set()
    for alike in _read_alike(account_ids):
        start = find_unpaid_start(requested=alike.requested, today=today, due_date=due_date)
        if start == alike.before:
            standing.update(alike.account_ids.values())
        elif alike.before < start <= alike.last_start and start > today:
            facts = {
                "start": start,
                "due_date": due_date(start),
                "why": why,
                "run": run,
                "today": today,
                "at": at,
            }
            pushed |= _write(alike, event=event, facts=facts)
    return Plain(frozenset(pushed), frozenset(standing))


def find_unpaid_start(*, requested: date, today: date, due_date: DueDate) -> date:
    """The start of a first bill for which nothing was received: the first month that can still be paid in time."""
    return find_binder_start(
        requested=requested, today=today, due_date=due_date, covered_on=lambda month: None
    )


# A bill of nothing is covered without money; one for a later month than the live one was moved back before.
PLAIN = f"""
    SELECT account.id, enrollment.id, enrollment.requested_start, enrollment.coverage_start, rates.began,
        coalesce(rates.planned, ''), LEAST(enrollment.window_ends, enrollment.ends_on)
    FROM billing_account AS account
    CROSS JOIN LATERAL (
        SELECT * FROM members_enrollment WHERE members_enrollment.id = account.enrollment_id OFFSET 0
    ) AS enrollment CROSS JOIN LATERAL ({RATES}) AS rates CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE voided_at IS NULL) AS live, min(amount_cents) AS least_cents,
            max(coverage_month) AS latest, max(binder_start) FILTER (WHERE voided_at IS NULL) AS binder_start
        FROM billing_invoice WHERE account_id = account.id
    ) AS bills
    WHERE account.id = ANY(%(account_ids)s) AND enrollment.status = %(waiting)s AND enrollment.binder_due_date IS NULL
        AND rates.least_cents > 0 AND bills.least_cents > 0 AND bills.live = 1
        AND bills.latest = enrollment.coverage_start AND bills.binder_start = enrollment.coverage_start
        AND NOT EXISTS (SELECT FROM billing_receipt WHERE account_id = account.id)
        AND NOT EXISTS (SELECT FROM billing_adjustment WHERE account_id = account.id)
        AND NOT EXISTS (SELECT FROM billing_duedateoverride WHERE account_id = account.id)
        AND NOT EXISTS (SELECT FROM billing_startreview WHERE enrollment_id = enrollment.id)
    ORDER BY account.id
"""


def _read_alike(account_ids: Sequence[int]) -> list[_Alike]:
    groups: defaultdict[tuple[date, date, str, str, date], dict[int, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(PLAIN, {"account_ids": list(account_ids), "waiting": EnrollmentStatus.WAITING.value})
        for key, enrollment_id, *alike in cursor.fetchall():
            groups[tuple(alike)][enrollment_id] = key
    return [_Alike(*alike, account_ids) for alike, account_ids in groups.items()]


# Swapped where it still stands: whoever moved a start first has moved it.
PUSHED = f"""
    WITH moved AS (
        UPDATE members_enrollment SET coverage_start = %(start)s
        WHERE id = ANY(%(enrollment_ids)s) AND status = %(waiting)s AND coverage_start = %(before)s RETURNING id
    ), asked AS (
        SELECT account.id AS account_id, moved.id AS enrollment_id FROM moved CROSS JOIN LATERAL (
            SELECT id FROM billing_account WHERE enrollment_id = moved.id OFFSET 0
        ) AS account
    ), move AS (
        INSERT INTO members_startmove (enrollment_id, start_before, start_after, why, run, at, business_date)
        SELECT enrollment_id, %(before)s, %(start)s, %(why)s, %(run)s, %(at)s, %(today)s FROM asked ORDER BY enrollment_id
        RETURNING id, enrollment_id
    ), void AS (
        UPDATE billing_invoice SET voided_at = %(at)s, void_reason = %(why)s
        WHERE account_id = ANY(ARRAY(SELECT account_id FROM asked)) AND voided_at IS NULL
        RETURNING id, account_id, amount_cents
    ), taken_off AS (
        INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
        SELECT %(premiums)s, %(receivable)s, amount_cents, account_id, 'invoice:' || id || ':voided', %(today)s, %(at)s FROM void
    ), {BILL}
"""
MOVE_FACTS = {
    "product": "plan.product",
    "plan_name": "plan.name",
    "start_before": "%(before)s::date",
    "start_after": "%(start)s::date",
    "amount_cents": "bill.amount_cents",
    "due_date": "bill.due_date",
}


def _write(alike: _Alike, *, event: str, facts: dict[str, Any]) -> set[int]:
    bills = tell_bills(at=facts["at"], today=facts["today"])
    moves = write_alike(
        event=event,
        subject="'enrollment:' || enrollment.id || ':move:' || move.id",
        facts=MOVE_FACTS,
        source=f"{ADDRESSED} JOIN move ON move.enrollment_id = enrollment.id",
        at=facts["at"],
        today=facts["today"],
    )
    values: dict[str, Any] = {
        **facts,
        "before": alike.before,
        "enrollment_ids": list(alike.account_ids),
        "waiting": EnrollmentStatus.WAITING.value,
        "month": facts["start"],
        "binder_start": facts["start"],
        "rate_month": find_rate_month(began=alike.began, month=facts["start"]),
        "plan_month": find_plan_month(planned=alike.planned, month=facts["start"]),
        **CHARTS,
        **bills.values,
        **moves.values,
    }
    told = f"told AS ({bills.statement}), told_moved AS ({moves.statement})"
    with connection.cursor() as cursor:
        cursor.execute(f"{PUSHED}, {told} SELECT account_id FROM asked", values)
        return {row[0] for row in cursor.fetchall()}
