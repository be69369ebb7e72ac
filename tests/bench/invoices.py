"""B1 and B1b: a month's invoices for everybody, beside bare SQL that writes the same rows; then the same run again."""

import statistics
from collections.abc import Iterator
from datetime import date, time

from django.conf import settings
from django.db import connection, transaction

from billing.invoices import issue_missing
from connector_pay.lib.clock import eastern_moment
from tests import databases
from tests.bench.crowd import Month, make_crowd, renew
from tests.bench.measuring import ROUNDS, Figure, compare, time_once
from tests.bench.same_rows import refuse_other_rows

DAY, MONTH, DUE_DATE = date(2027, 2, 1), date(2027, 3, 1), date(2027, 2, 23)
AT = eastern_moment(day=DAY, at=time(0, 5))
TEMPLATE, SCRATCH = "bench_billed", "bench_invoices"
BEFORE = (
    Month(date(2027, 1, 1), date(2026, 12, 5), date(2026, 12, 23), paid_on=date(2026, 12, 12)),
    Month(date(2027, 2, 1), date(2027, 1, 1), date(2027, 1, 23), paid_on=date(2027, 1, 12)),
)
# What our code writes, in the fewest statements that can: one transaction, nobody's credit, no price change looked for.
YARDSTICK = """
SELECT count(*) FROM (SELECT id FROM billing_account ORDER BY id FOR NO KEY UPDATE) AS locked;
CREATE TEMPORARY TABLE issued (id bigint, account_id bigint, amount_cents int) ON COMMIT DROP;
WITH written AS (
    INSERT INTO billing_invoice (account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents,
                                 amount_cents, is_binder, issued_on, issued_at, void_reason)
        SELECT account.id, %(month)s, %(due_date)s, premium_cents, subsidy_cents, 0, premium_cents - subsidy_cents, false,
               %(day)s, %(at)s, ''
        FROM billing_account AS account JOIN members_premiumrate AS rate ON rate.enrollment_id = account.enrollment_id
        ORDER BY account.id
    RETURNING id, account_id, amount_cents
) INSERT INTO issued SELECT * FROM written;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'receivable', 'premiums', amount_cents, account_id, 'invoice:' || id || ':issued', %(day)s, %(at)s FROM issued;
INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
    SELECT 'bill_ready', 'invoice:' || issued.id, CASE WHEN paperless_bills THEN 'email' ELSE 'letter' END, member.id,
           CASE WHEN paperless_bills THEN email ELSE '' END, language,
           jsonb_build_object('product', product, 'plan_name', plan.name, 'invoice_number', lpad(issued.id::text, 10, '0'),
                              'coverage_month', %(month)s, 'amount_cents', amount_cents, 'due_date', %(due_date)s,
                              'is_free', false),
           %(at)s, %(day)s
    FROM issued JOIN billing_account AS account ON account.id = issued.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    JOIN members_plan AS plan ON plan.id = enrollment.plan_id
    JOIN members_member AS member ON member.id = enrollment.member_id;
"""
WRITTEN = (
    "SELECT account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents, amount_cents, is_binder, "
    "binder_start, issued_on, issued_at, voided_at, void_reason FROM billing_invoice",
    "SELECT movement.account_id, debit, credit, cents, business_date, at FROM billing_movement AS movement "
    "JOIN billing_invoice AS invoice ON reference = 'invoice:' || invoice.id || ':issued'",
    "SELECT event, invoice.account_id, channel, member_id, address, language, facts - 'invoice_number', "
    "facts->>'invoice_number' = lpad(invoice.id::text, 10, '0'), at, business_date FROM members_notice "
    "JOIN billing_invoice AS invoice ON subject = 'invoice:' || invoice.id",
)


def measure(*, size: int, rounds: int = ROUNDS) -> Iterator[Figure]:
    """The run beside the yardstick, each on a fresh copy of the same exchange; then, of what is billed, the run again."""
    make_billed(name=TEMPLATE, count=size)
    with databases.another_database(SCRATCH):
        refuse_other_rows(
            ours=lambda: issue_ours(size),
            yardstick=lambda: write_barely(size),
            prepare=_renew,
            queries=WRITTEN,
        )
        ratio, spread, seconds = compare(
            ours=lambda: issue_ours(size), yardstick=lambda: write_barely(size), prepare=_renew, rounds=rounds
        )
        again = [time_once(lambda: issue_ours(0)) / seconds for _ in range(rounds)]
    for name in (SCRATCH, TEMPLATE):
        databases.drop(name)
    what = "a month's invoices / bare SQL writing the same rows"
    detail = f"{seconds:.2f} s, {seconds / size * 1e6:.0f} µs an account; {settings.RUN_LANES} lanes"
    yield Figure("B1", what, f"{size:,}", ratio, spread, 1.15, detail)
    middle, spread = statistics.median(again), f"{min(again):.3f}-{max(again):.3f}"
    what = "the same run with nothing left to do / the run"
    yield Figure("B1b", what, f"{size:,}", middle, spread, 0.04, f"{middle * seconds:.2f} s")


def make_billed(*, name: str, count: int) -> None:
    """So many members, covered since January, who have paid the bills of January and February."""
    make_crowd(name=name, count=count, start=BEFORE[0].month, status="active", months=BEFORE)


def issue_ours(expected: int | None) -> None:
    """As the job of February 1 does."""
    counts = issue_missing(today=DAY, at=AT)
    assert expected is None or counts["invoices"] == expected, counts


def write_barely(expected: int) -> None:
    """The same rows by set SQL."""
    facts = {"day": DAY, "at": AT, "month": MONTH.isoformat(), "due_date": DUE_DATE.isoformat()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(YARDSTICK, facts)
        assert cursor.rowcount == expected, cursor.rowcount


def _renew() -> None:
    renew(template=TEMPLATE, name=SCRATCH)
