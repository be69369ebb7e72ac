"""A whole exchange for the large benchmarks, written by generated SQL: intake would take an hour, and is not measured here."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import connection, transaction

from connector_pay.lib.clock import eastern_moment
from tests import databases
from tests.people import make_plan

FULL_SIZE = 400_000
PEOPLE = """
INSERT INTO members_member (member_id, first_name, last_name, date_of_birth, email, phone, language, street, city, state,
                            zip_code, paperless_bills, paperless_notices)
    SELECT '0034' || lpad(n::text, 8, '0'), 'Alice', 'Alvarez', %(born)s, 'member' || n || '@example.org',
           '+1617' || lpad((n %% 10000000)::text, 7, '0'), CASE WHEN n %% 7 = 0 THEN 'es' ELSE 'en' END,
           n || ' Beacon Street', 'Boston', 'MA', lpad((2108 + n %% 300)::text, 5, '0'), n %% 2 = 0, n %% 3 = 0
    FROM generate_series(1, %(count)s) AS n;
INSERT INTO members_enrollment (external_id, member_id, plan_id, status, requested_start, coverage_start, window_ends, subsidized,
                                enrolled_at)
    SELECT 'E' || lpad(member.id::text, 9, '0'), member.id, CASE WHEN member.id %% 5 = 0 THEN %(dental)s ELSE %(health)s END,
           %(status)s, %(start)s, %(start)s, %(start)s::date + 60, member.id %% 3 = 0, %(at)s
    FROM members_member AS member ORDER BY member.id;
INSERT INTO members_premiumrate (enrollment_id, from_month, premium_cents, subsidy_cents, recorded_at)
    SELECT id, requested_start, 20000 + id * 37 %% 50000, CASE WHEN subsidized THEN 10000 + id * 37 %% 5000 ELSE 0 END, %(at)s
    FROM members_enrollment ORDER BY id;
INSERT INTO billing_account (enrollment_id, opened_at) SELECT id, %(at)s FROM members_enrollment ORDER BY id
"""
BILLS = """
WITH issued AS (
    INSERT INTO billing_invoice (account_id, coverage_month, due_date, premium_cents, subsidy_cents, amount_cents, is_binder,
                                 binder_start, issued_on, issued_at, void_reason)
        SELECT account.id, %(month)s, %(due_date)s, premium_cents, subsidy_cents, premium_cents - subsidy_cents,
               coverage_start = %(month)s, CASE WHEN coverage_start = %(month)s THEN coverage_start END, %(day)s, %(at)s, ''
        FROM billing_account AS account JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
        JOIN members_premiumrate AS rate ON rate.enrollment_id = enrollment.id ORDER BY account.id
    RETURNING id, account_id, amount_cents
)
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'receivable', 'premiums', amount_cents, account_id, 'invoice:' || id || ':issued', %(day)s, %(at)s
    FROM issued ORDER BY id
"""
MONEY = """
CREATE TEMPORARY TABLE paid ON COMMIT DROP AS
    SELECT id, account_id, amount_cents AS cents FROM billing_invoice WHERE coverage_month = %(month)s;
INSERT INTO billing_receipt (account_id, reference, cents, received_date, counted_at, cleared_on)
    SELECT account_id, 'earlier:' || id, cents, %(day)s, %(at)s, %(day)s::date + 5 FROM paid ORDER BY id;
INSERT INTO billing_allocation (receipt_id, invoice_id, cents, reference, at)
    SELECT receipt.id, paid.id, paid.cents, receipt.reference || ':1', %(at)s
    FROM paid JOIN billing_receipt AS receipt ON receipt.reference = 'earlier:' || paid.id ORDER BY paid.id;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT move.debit, move.credit, cents, account_id, 'earlier:' || id || ':' || move.what, %(day)s, %(at)s
    FROM paid, (VALUES ('in_transit', 'receivable', 'received'), ('bank', 'in_transit', 'settled')) AS move (debit, credit, what)
    ORDER BY id
"""


@dataclass(frozen=True)
class Month:
    """A coverage month of everybody: when its bill was issued, by when it is due, and when it was paid, if it was."""

    month: date
    issued_on: date
    due_date: date
    paid_on: date | None = None


def noon(day: date) -> datetime:
    """Noon Eastern of a day."""
    return eastern_moment(day=day, at=time(12))


def make_crowd(*, name: str, count: int, start: date, status: str, months: tuple[Month, ...]) -> None:
    """A scratch database of that name: so many members, all enrolled from one start, billed and paid for these months."""
    databases.clone(template=databases.prepare_template(), name=name)
    with databases.another_database(name):
        plans = {product: make_plan(product=product).pk for product in ("health", "dental")}
        facts = {"born": date(1986, 4, 9), "count": count, "start": start, "status": status}
        _run(PEOPLE, **facts, **plans, at=noon(months[0].issued_on))
        for item in months:
            days = {"month": item.month, "due_date": item.due_date}
            _run(BILLS, **days, day=item.issued_on, at=noon(item.issued_on))
            if item.paid_on:
                _run(MONEY, month=item.month, day=item.paid_on, at=noon(item.paid_on))
    connection.close()
    databases.vacuum(name)


def renew(*, template: str, name: str) -> None:
    """A fresh copy of a scratch database; the connection to the last one is closed."""
    connection.close()
    databases.clone(template=template, name=name)


def _run(statements: str, **facts: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements, facts)
