"""Plain bills: the next month of those about whom nothing else is to be said, written where the rows lie.

Nearly every bill of a month is one: coverage is active, one month is lacking, no price has changed, nothing was adjusted, no
credit lies idle, no due date is the account's own. What a month costs and when it is due is decided here, once for all whose
rates began in the same months; PostgreSQL applies it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from billing.credit import find_with_credit
from billing.due_date_overrides import read_due_date
from billing.due_dates import next_month
from billing.lacking import LACKING, list_facts
from billing.models import Chart
from billing.premiums import Rate, find_rate
from billing.price_changes import COMMITTED_WITHIN_DAYS
from billing.rates import find_latest
from members.alike import ToldAlike, write_alike

CHARTS = {"receivable": Chart.RECEIVABLE.value, "premiums": Chart.PREMIUMS.value}


@dataclass(frozen=True, slots=True)
class _Alike:
    """Accounts that need the same month, whose rates, and whose plans, began in the same months."""

    month: date
    began: str
    planned: str
    account_ids: dict[int, int]  # by the enrollment


def issue_plain(*, account_ids: Collection[int], today: date, at: datetime) -> set[int]:
    """Write, post and tell the bills that are plain; returns the accounts that were billed.

    Inside the transaction of a caller that has locked the accounts.
    """
    credited = find_with_credit(account_ids=account_ids)
    plain = [key for key in account_ids if key not in credited]
    due_date = read_due_date()
    billed: set[int] = set()
    for alike in _read_alike(plain, today=today) if plain else ():
        # Billed after its due date, a month is given more time: that is not plain.
        if due_date(alike.month) >= today:
            _write(alike, due_date=due_date(alike.month), today=today, at=at)
            billed.update(alike.account_ids.values())
    return billed


# The months in which rates began are in the order that decides between them: by month, then as intake said them.
RATES = """
    SELECT string_agg(rate.from_month::text, ' ' ORDER BY rate.from_month, rate.id) AS began,
        string_agg(rate.from_month::text, ' ' ORDER BY rate.from_month, rate.id)
            FILTER (WHERE rate.plan_id IS NOT NULL) AS planned,
        min(rate.premium_cents - rate.subsidy_cents) AS least_cents, count(*) AS said, max(rate.recorded_at) AS said_at
    FROM members_premiumrate AS rate WHERE rate.enrollment_id = enrollment.id
"""
# No more is plain than `price_changes` finds unchanged: what was said since the last bill may be about a month billed before.
PLAIN = f"""
    SELECT enrollment.account_id, enrollment.id, enrollment.billed, enrollment.needed, rates.began, coalesce(rates.planned, '')
    FROM ({LACKING}) AS enrollment CROSS JOIN LATERAL ({RATES}) AS rates
    WHERE enrollment.billed IS NOT NULL AND enrollment.status = %(active)s AND enrollment.binder_due_date IS NULL
        AND (rates.said = 1 OR rates.said_at < (
            SELECT issued_at FROM billing_invoice
            WHERE account_id = enrollment.account_id AND coverage_month = enrollment.billed AND voided_at IS NULL
        ) - %(days)s * interval '1 day')
        AND NOT EXISTS (SELECT FROM billing_adjustment WHERE account_id = enrollment.account_id)
        AND NOT EXISTS (SELECT FROM billing_duedateoverride WHERE account_id = enrollment.account_id)
    ORDER BY enrollment.account_id
"""


def _read_alike(account_ids: Sequence[int], *, today: date) -> list[_Alike]:
    """Those that lack one month, after the last one billed, grouped by what decides its price."""
    groups: defaultdict[tuple[date, date, str, str], dict[int, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        facts = list_facts(account_ids=account_ids, today=today) | {"days": COMMITTED_WITHIN_DAYS}
        cursor.execute(PLAIN, facts)
        for key, enrollment_id, *alike in cursor.fetchall():
            groups[tuple(alike)][enrollment_id] = key
    return [
        _Alike(needed, began, planned, keys)
        for (billed, needed, began, planned), keys in groups.items()
        if next_month(billed) == needed and began
    ]


# Of the accounts that `asked` names, with their enrollments: their bills as `bill`, and what those add to what is owed.
BILL = """
    bill AS (
        INSERT INTO billing_invoice (account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents,
                                     amount_cents, is_binder, binder_start, issued_on, issued_at, void_reason)
        SELECT asked.account_id, %(month)s, %(due_date)s, rate.premium_cents, rate.subsidy_cents, 0,
            rate.premium_cents - rate.subsidy_cents, %(binder_start)s::date IS NOT NULL, %(binder_start)s, %(today)s, %(at)s, ''
        FROM asked CROSS JOIN LATERAL (
            SELECT premium_cents, subsidy_cents FROM members_premiumrate
            WHERE enrollment_id = asked.enrollment_id AND from_month = %(rate_month)s ORDER BY id DESC LIMIT 1
        ) AS rate ORDER BY asked.account_id
        RETURNING id, account_id, coverage_month, due_date, amount_cents
    ), posted AS (
        INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
        SELECT %(receivable)s, %(premiums)s, amount_cents, account_id, 'invoice:' || id || ':issued', %(today)s, %(at)s
        FROM bill WHERE amount_cents > 0
    )
"""
ISSUED = f"""
    WITH asked AS (
        SELECT * FROM unnest(%(account_ids)s::bigint[], %(enrollment_ids)s::bigint[]) AS asked (account_id, enrollment_id)
    ), {BILL}
"""
BILL_FACTS = {
    "product": "plan.product",
    "plan_name": "coalesce(named.name, plan.name)",
    "invoice_number": "lpad(bill.id::text, 10, '0')",
    "coverage_month": "bill.coverage_month",
    "amount_cents": "bill.amount_cents",
    "due_date": "bill.due_date",
    "is_free": "FALSE",
}
# The bill of a month names the plan of that month: the one that came with a rate, where any did.
ADDRESSED = """
    bill JOIN asked ON asked.account_id = bill.account_id AND bill.amount_cents > 0
    CROSS JOIN LATERAL (
        SELECT * FROM members_enrollment WHERE members_enrollment.id = asked.enrollment_id OFFSET 0
    ) AS enrollment JOIN members_plan AS plan ON plan.id = enrollment.plan_id
    CROSS JOIN LATERAL (SELECT * FROM members_member WHERE members_member.id = enrollment.member_id OFFSET 0) AS member
    LEFT JOIN LATERAL (
        SELECT said.name FROM members_premiumrate AS rate JOIN members_plan AS said ON said.id = rate.plan_id
        WHERE rate.enrollment_id = enrollment.id AND rate.plan_id IS NOT NULL AND rate.from_month = %(plan_month)s
        ORDER BY rate.id DESC LIMIT 1
    ) AS named ON TRUE
"""


def tell_bills(*, at: datetime, today: date) -> ToldAlike:
    """The notices of the bills that `BILL` writes."""
    subject = "'invoice:' || bill.id"
    return write_alike(
        event="bill_ready", subject=subject, facts=BILL_FACTS, source=ADDRESSED, at=at, today=today
    )


def find_rate_month(*, began: str, month: date) -> date:
    """From which month the rate in force in a month holds, of those that began in these. Raises UnableToPriceMonth.

    A month, and not a place among them: intake may say another rate before the bill is written.
    """
    days = [date.fromisoformat(day) for day in began.split()]
    rates = [Rate(place, from_month, 0, 0) for place, from_month in enumerate(days)]
    return find_rate(rates=rates, month=month).from_month


def find_plan_month(*, planned: str, month: date) -> date | None:
    """From which month the plan holds that the bill of a month names, of those said in these, in order; none: today's."""
    days = [date.fromisoformat(day) for day in planned.split()]
    return find_latest(said=[(day, day) for day in days], month=month)


def _write(alike: _Alike, *, due_date: date, today: date, at: datetime) -> None:
    told = tell_bills(at=at, today=today)
    facts: dict[str, Any] = {
        "month": alike.month,
        "due_date": due_date,
        "binder_start": None,
        "account_ids": list(alike.account_ids.values()),
        "enrollment_ids": list(alike.account_ids),
        "rate_month": find_rate_month(began=alike.began, month=alike.month),
        "plan_month": find_plan_month(planned=alike.planned, month=alike.month),
        **CHARTS,
        "today": today,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(ISSUED + told.statement, {**facts, **told.values})
