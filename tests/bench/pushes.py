"""B2: the nightly review of unpaid first bills, every start pushed and every bill reissued, beside bare SQL for the same rows."""

from collections.abc import Iterator
from datetime import date, time

from django.conf import settings
from django.db import connection, transaction

from billing.overdue import PUSHED, review
from connector_pay.lib.clock import eastern_moment
from tests import databases
from tests.bench.crowd import Month, make_crowd, renew
from tests.bench.measuring import ROUNDS, Figure, compare
from tests.bench.same_rows import refuse_other_rows

DAY, START, MONTH, DUE_DATE = date(2027, 1, 24), date(2027, 2, 1), date(2027, 3, 1), date(2027, 2, 23)
AT = eastern_moment(day=DAY, at=time(0, 10))
RUN = f"review_overdue {DAY}"
TEMPLATE, SCRATCH = "bench_waiting", "bench_pushes"
UNPAID = (Month(START, date(2027, 1, 5), date(2027, 1, 23)),)
# What our code writes, in the fewest statements that can: one transaction, nobody's money, waivers or window looked at.
YARDSTICK = """
SELECT count(*) FROM (SELECT id FROM billing_account ORDER BY id FOR NO KEY UPDATE) AS locked;
UPDATE members_enrollment SET coverage_start = %(month)s WHERE status = 'waiting' AND coverage_start = %(start)s;
INSERT INTO members_startmove (enrollment_id, start_before, start_after, why, run, at, business_date)
    SELECT id, %(start)s, %(month)s, %(why)s, %(run)s, %(at)s, %(day)s FROM members_enrollment ORDER BY id;
CREATE TEMPORARY TABLE void (id bigint, account_id bigint, cents int) ON COMMIT DROP;
WITH voided AS (
    UPDATE billing_invoice SET voided_at = %(at)s, void_reason = %(why)s WHERE coverage_month = %(start)s AND voided_at IS NULL
    RETURNING id, account_id, amount_cents
) INSERT INTO void SELECT * FROM voided;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'premiums', 'receivable', cents, account_id, 'invoice:' || id || ':voided', %(day)s, %(at)s FROM void;
CREATE TEMPORARY TABLE bill (id bigint, account_id bigint, cents int) ON COMMIT DROP;
WITH written AS (
    INSERT INTO billing_invoice (account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents,
                                 amount_cents, is_binder, binder_start, issued_on, issued_at, void_reason)
        SELECT account.id, %(month)s, %(due_date)s, premium_cents, subsidy_cents, 0, premium_cents - subsidy_cents, true,
               %(month)s, %(day)s, %(at)s, ''
        FROM billing_account AS account JOIN members_premiumrate AS rate ON rate.enrollment_id = account.enrollment_id
        ORDER BY account.id
    RETURNING id, account_id, amount_cents
) INSERT INTO bill SELECT * FROM written;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'receivable', 'premiums', cents, account_id, 'invoice:' || id || ':issued', %(day)s, %(at)s FROM bill;
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
    SELECT bill.id AS bill_id, bill.cents, enrollment.id AS enrollment_id, move.id AS move_id, product, plan.name AS plan_name,
           member.id AS member_id, member.email, member.language, paperless_bills
    FROM bill JOIN billing_account AS account ON account.id = bill.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    JOIN members_startmove AS move ON move.enrollment_id = enrollment.id
    JOIN members_plan AS plan ON plan.id = enrollment.plan_id
    JOIN members_member AS member ON member.id = enrollment.member_id;
INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
    SELECT 'bill_ready', 'invoice:' || bill_id, CASE WHEN paperless_bills THEN 'email' ELSE 'letter' END, member_id,
           CASE WHEN paperless_bills THEN email ELSE '' END, language,
           jsonb_build_object('product', product, 'plan_name', plan_name, 'invoice_number', lpad(bill_id::text, 10, '0'),
                              'coverage_month', %(month)s, 'amount_cents', cents, 'due_date', %(due_date)s,
                              'is_free', false),
           %(at)s, %(day)s
    FROM told;
INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
    SELECT 'start_pushed', 'enrollment:' || enrollment_id || ':move:' || move_id, channel, member_id,
           CASE channel WHEN 'email' THEN email ELSE '' END, language,
           jsonb_build_object('product', product, 'plan_name', plan_name, 'start_before', %(start)s, 'start_after', %(month)s,
                              'amount_cents', cents, 'due_date', %(due_date)s),
           %(at)s, %(day)s
    FROM told, unnest(ARRAY['email', 'letter']) AS channel;
"""
WRITTEN = (
    "SELECT id, status, coverage_start FROM members_enrollment",
    "SELECT enrollment_id, start_before, start_after, why, run, at, business_date FROM members_startmove",
    "SELECT account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents, amount_cents, is_binder, "
    "binder_start, issued_on, issued_at, voided_at, void_reason FROM billing_invoice",
    "SELECT movement.account_id, coverage_month, split_part(reference, ':', 3), debit, credit, cents, business_date, at "
    "FROM billing_movement AS movement JOIN billing_invoice AS invoice ON invoice.id = split_part(reference, ':', 2)::bigint",
    "SELECT event, invoice.account_id, channel, member_id, address, language, facts - 'invoice_number', "
    "facts->>'invoice_number' = lpad(invoice.id::text, 10, '0'), at, business_date FROM members_notice "
    "JOIN billing_invoice AS invoice ON subject = 'invoice:' || invoice.id",
    "SELECT event, enrollment_id, channel, member_id, address, language, facts, members_notice.at, "
    "members_notice.business_date FROM members_notice JOIN members_startmove AS move "
    "ON subject = 'enrollment:' || enrollment_id || ':move:' || move.id",
)


def measure(*, size: int, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Our review beside the yardstick, each on a fresh copy of the same exchange the night after the due date."""
    make_waiting(name=TEMPLATE, count=size)
    with databases.another_database(SCRATCH):
        sides = {"ours": lambda: review_ours(size), "yardstick": lambda: write_barely(size)}
        refuse_other_rows(**sides, prepare=_renew, queries=WRITTEN)
        ratio, spread, seconds = compare(**sides, prepare=_renew, rounds=rounds)
    for name in (SCRATCH, TEMPLATE):
        databases.drop(name)
    what = "starts pushed and first bills reissued / bare SQL writing the same rows"
    detail = f"{seconds:.2f} s, {seconds / size * 1e6:.0f} µs an account; {settings.RUN_LANES} lanes"
    yield Figure("B2", what, f"{size:,}", ratio, spread, 1.1, detail)


def make_waiting(*, name: str, count: int) -> None:
    """So many members who asked to start on February 1 and have not paid their first bill."""
    make_crowd(name=name, count=count, start=START, status="waiting", months=UNPAID)


def review_ours(expected: int | None) -> None:
    """As the night of January 24 does."""
    counts = review(today=DAY, at=AT, run=RUN)
    assert expected is None or counts["pushed"] == expected, counts


def write_barely(expected: int) -> None:
    """The same rows by set SQL."""
    facts = {"day": DAY, "at": AT, "why": PUSHED.why, "run": RUN}
    days = {"start": START.isoformat(), "month": MONTH.isoformat(), "due_date": DUE_DATE.isoformat()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(YARDSTICK, {**facts, **days})
        assert cursor.rowcount == 2 * expected, cursor.rowcount


def _renew() -> None:
    renew(template=TEMPLATE, name=SCRATCH)
