"""What must always hold among billing: each cent on the ledger once, each start as its receipts make it."""

from typing import Any

from django.conf import settings
from django.db import connection

from billing.correction_invariants import CORRECTION_INVARIANTS
from billing.episode_invariants import EPISODE_INVARIANTS
from billing.models import CORRECTION_MOVES, EPISODE_MOVES
from billing.paper_invariants import PAPER_INVARIANTS
from billing.price_changes import find_changed
from billing.start_invariants import find_wrong_starts
from connector_pay.lib.grants import Guarded, find_unguarded_moves
from connector_pay.lib.invariants import Invariant

NEVER_CHANGED = [
    *(
        "billing_movement",
        "billing_allocation",
        "billing_withdrawal",
        "billing_adjustment",
        "billing_invoiceline",
    ),
    *("billing_printedletter", "billing_episodemove", "billing_receiptchange"),
    *("billing_correctionmove", "billing_outage", "billing_duedateoverrideevent"),
]
NEVER_REMOVED = [
    *(
        *NEVER_CHANGED,
        "billing_invoice",
        "billing_receipt",
        "billing_episode",
        "billing_startreview",
        "billing_duedateoverride",
        "billing_correction",
    ),
]
CHANGING = [
    *("voided_at", "void_reason", "cleared_on", "taken_back_on"),
    *("status", "kind", "ended_on", "planned_end", "decided_by_id", "decided_on"),
    *("decided_at", "decision", "reviewed_at"),
    *("billing_receipt.account_id", "billing_receipt.received_date"),
]

GUARDED = {
    "billing_episode": Guarded("open", EPISODE_MOVES),
    "billing_correction": Guarded("asked", CORRECTION_MOVES),
}

# Money that was moved was received on the account it counted for first.
RECEIPTS_ON_LEDGER = """
    WITH counted AS (
        SELECT DISTINCT ON (receipt_id) receipt_id, account_before_id FROM billing_receiptchange ORDER BY receipt_id, id
    ), expected AS (
        SELECT reference || ':received' AS reference, coalesce(counted.account_before_id, account_id) AS account_id, cents
        FROM billing_receipt AS receipt LEFT JOIN counted ON counted.receipt_id = receipt.id
        UNION ALL
        SELECT reference || ':returned', account_id, cents FROM billing_receipt
        WHERE taken_back_on IS NOT NULL
    ), posted AS (
        SELECT reference, account_id, cents FROM billing_movement
        WHERE reference ~ ':(received|returned)$' AND reference !~ '^(refund|unmatched):'
    )
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE (expected.account_id, expected.cents) IS DISTINCT FROM (posted.account_id, posted.cents)
"""
INVOICES_ON_LEDGER = """
    WITH expected AS (
        SELECT 'invoice:' || id || ':issued' AS reference, account_id, amount_cents AS cents
        FROM billing_invoice WHERE amount_cents > 0
        UNION ALL
        SELECT 'invoice:' || id || ':voided', account_id, amount_cents
        FROM billing_invoice WHERE amount_cents > 0 AND voided_at IS NOT NULL
    ), posted AS (
        SELECT reference, account_id, cents FROM billing_movement WHERE reference LIKE 'invoice:%'
    )
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE (expected.account_id, expected.cents) IS DISTINCT FROM (posted.account_id, posted.cents)
"""
REFERENCES_FIT = """
    SELECT id, reference, debit, credit FROM billing_movement WHERE (CASE debit || ' <- ' || credit
        WHEN 'receivable <- premiums' THEN reference ~ '^invoice:[0-9]+:issued$'
        WHEN 'premiums <- receivable' THEN reference ~ '^invoice:[0-9]+:voided$'
        WHEN 'in_transit <- receivable' THEN reference ~ '^[a-z]+:[^:]+:received$'
        WHEN 'in_transit <- suspense' THEN reference ~ '^unmatched:[0-9]+:received$'
        WHEN 'suspense <- in_transit' THEN reference ~ '^unmatched:[0-9]+:(matched|returned|sent_back)$'
        WHEN 'suspense <- bank' THEN reference ~ '^unmatched:[0-9]+:(matched|returned|sent_back)$'
        WHEN 'bank <- in_transit' THEN reference ~ '^[a-z]+:[^:]+:settled$'
        WHEN 'receivable <- in_transit' THEN reference ~ '^[a-z]+:[^:]+:returned$'
        WHEN 'receivable <- bank' THEN reference ~ '^[a-z]+:[^:]+:returned$'
        WHEN 'receivable <- suspense' THEN reference ~ '^moved:[0-9]+:off$'
        WHEN 'suspense <- receivable' THEN reference ~ '^moved:[0-9]+:on$'
        WHEN 'receivable <- refunds' THEN reference ~ '^refund:[0-9]+:approved$'
        WHEN 'refunds <- bank' THEN reference ~ '^refund:[0-9]+:(settled|printed)$'
        WHEN 'bank <- refunds' THEN reference ~ '^refund:[0-9]+:returned$'
        WHEN 'refunds <- receivable' THEN reference ~ '^refund:[0-9]+:put_back$'
    END) IS NOT TRUE
"""
MONEY_IN = """
    WITH books AS (
        SELECT coalesce(sum(CASE WHEN debit IN ('bank', 'in_transit') THEN cents ELSE 0 END), 0)
             - coalesce(sum(CASE WHEN credit IN ('bank', 'in_transit') THEN cents ELSE 0 END), 0) AS cents
        FROM billing_movement
    ), suspense AS (
        SELECT coalesce(sum(CASE WHEN credit = 'suspense' THEN cents ELSE -cents END), 0) AS cents
        FROM billing_movement WHERE 'suspense' IN (debit, credit) AND reference ~ '^(unmatched|moved):'
    ), received AS (SELECT coalesce(sum(cents), 0) AS cents FROM billing_receipt WHERE taken_back_on IS NULL),
    paid_out AS (
        SELECT coalesce(sum(CASE WHEN credit = 'bank' THEN cents ELSE -cents END), 0) AS cents
        FROM billing_movement WHERE (debit = 'refunds' AND credit = 'bank') OR (debit = 'bank' AND credit = 'refunds')
    )
    SELECT books.cents, received.cents, suspense.cents, paid_out.cents FROM books, received, suspense, paid_out
    WHERE books.cents <> received.cents + suspense.cents - paid_out.cents
"""
WITHDRAWALS_ON_LEDGER = """
    WITH expected AS (
        SELECT CASE WHEN withdrawal.cents > 0 THEN withdrawal.reference || ':approved' ELSE withdrawal.reference END
            AS reference, receipt.account_id, abs(withdrawal.cents) AS cents
        FROM billing_withdrawal AS withdrawal JOIN billing_receipt AS receipt ON receipt.id = withdrawal.receipt_id
    ), posted AS (
        SELECT reference, account_id, cents FROM billing_movement WHERE reference ~ ':(approved|put_back)$'
    )
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE (expected.account_id, expected.cents) IS DISTINCT FROM (posted.account_id, posted.cents)
"""
# By reference: paid out at most once, in full and of what was withdrawn; back on the account only once the bank has it again.
PAID_OUT_OF_WITHDRAWN = """
    WITH refund AS (
        SELECT regexp_replace(reference, ':[a-z_]+$', '') AS reference,
            sum(cents) FILTER (WHERE reference LIKE '%:approved') AS approved,
            coalesce(sum(cents) FILTER (WHERE reference ~ ':(settled|printed)$'), 0) AS paid,
            coalesce(sum(cents) FILTER (WHERE reference LIKE '%:returned'), 0) AS returned,
            coalesce(sum(cents) FILTER (WHERE reference LIKE '%:put_back'), 0) AS put_back
        FROM billing_movement WHERE reference LIKE 'refund:%' GROUP BY 1
    )
    SELECT * FROM refund WHERE approved IS NULL OR paid NOT IN (0, approved) OR put_back NOT IN (0, approved)
        OR returned <> CASE WHEN put_back > 0 THEN paid ELSE 0 END
"""
RECEIVABLE = """
    WITH books AS (
        SELECT account_id, sum(CASE WHEN debit = 'receivable' THEN cents ELSE -cents END) AS cents
        FROM billing_movement WHERE 'receivable' IN (debit, credit) GROUP BY account_id
    ), billed AS (
        SELECT account_id, sum(amount_cents) AS cents FROM billing_invoice
        WHERE voided_at IS NULL GROUP BY account_id
    ), received AS (
        SELECT account_id, sum(cents) AS cents FROM billing_receipt
        WHERE taken_back_on IS NULL GROUP BY account_id
    ), withdrawn AS (
        SELECT receipt.account_id, sum(withdrawal.cents) AS cents FROM billing_withdrawal AS withdrawal
        JOIN billing_receipt AS receipt ON receipt.id = withdrawal.receipt_id GROUP BY receipt.account_id
    )
    SELECT account_id, books.cents, billed.cents, received.cents, withdrawn.cents
    FROM books FULL JOIN billed USING (account_id) FULL JOIN received USING (account_id)
        FULL JOIN withdrawn USING (account_id)
    WHERE coalesce(books.cents, 0)
        <> coalesce(billed.cents, 0) - coalesce(received.cents, 0) + coalesce(withdrawn.cents, 0)
"""
ONE_INVOICE = """
    SELECT account_id, coverage_month, count(*) FROM billing_invoice WHERE voided_at IS NULL
    GROUP BY account_id, coverage_month HAVING count(*) > 1
"""
# Each of its invoices but the first has the month before it in the binder, too.
BINDER_AT_START = """
    SELECT invoice.id, invoice.binder_start, enrollment.coverage_start
    FROM billing_invoice AS invoice JOIN billing_account AS account ON account.id = invoice.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    WHERE invoice.is_binder AND invoice.voided_at IS NULL AND (
        invoice.binder_start <> enrollment.coverage_start OR enrollment.status = 'expired' OR (
            invoice.coverage_month > invoice.binder_start AND NOT EXISTS (
                SELECT FROM billing_invoice AS earlier
                WHERE earlier.account_id = invoice.account_id AND earlier.voided_at IS NULL AND earlier.is_binder
                    AND earlier.coverage_month = (invoice.coverage_month - interval '1 month')::date
            )
        )
    )
"""
ADJUSTMENT_IN_LINES = """
    SELECT invoice.id, invoice.adjustment_cents, sum(line.cents)
    FROM billing_invoice AS invoice LEFT JOIN billing_invoiceline AS line ON line.invoice_id = invoice.id
    WHERE invoice.adjustment_cents <> 0 OR line.id IS NOT NULL
    GROUP BY invoice.id HAVING invoice.adjustment_cents <> coalesce(sum(line.cents), 0)
"""
OVERCHARGED = """
    WITH spoken_of AS (
        SELECT account.id FROM billing_account AS account
        JOIN members_premiumrate AS rate ON rate.enrollment_id = account.enrollment_id
        GROUP BY account.id HAVING count(*) > 1
        UNION SELECT account_id FROM billing_adjustment
    ), live AS (
        SELECT * FROM billing_invoice WHERE voided_at IS NULL AND account_id IN (SELECT id FROM spoken_of)
    ), charged AS (
        SELECT account_id, month, sum(cents) AS cents FROM (
            SELECT account_id, coverage_month AS month, premium_cents - subsidy_cents AS cents FROM live
            UNION ALL SELECT live.account_id, line.for_month, line.cents
            FROM live JOIN billing_invoiceline AS line ON line.invoice_id = live.id
        ) AS part GROUP BY account_id, month
    ), adjusted AS (
        SELECT account_id, coverage_month AS month, sum(cents) AS cents FROM billing_adjustment GROUP BY 1, 2
    )
    SELECT charged.account_id, charged.month, charged.cents, price.cents, adjusted.cents
    FROM charged JOIN billing_account AS account ON account.id = charged.account_id
    CROSS JOIN LATERAL (
        SELECT rate.premium_cents - rate.subsidy_cents AS cents FROM members_premiumrate AS rate
        WHERE rate.enrollment_id = account.enrollment_id AND rate.from_month <= charged.month
        ORDER BY rate.from_month DESC, rate.id DESC LIMIT 1
    ) AS price
    LEFT JOIN adjusted ON adjusted.account_id = charged.account_id AND adjusted.month = charged.month
    WHERE charged.cents > greatest(price.cents + coalesce(adjusted.cents, 0), 0)
"""
RETURNED_IS_OFF = """
    SELECT allocation.invoice_id, receipt.id, sum(allocation.cents)
    FROM billing_allocation AS allocation
    JOIN billing_receipt AS receipt ON receipt.id = allocation.receipt_id
    WHERE receipt.taken_back_on IS NOT NULL
    GROUP BY allocation.invoice_id, receipt.id HAVING sum(allocation.cents) <> 0
"""
RECEIPT_NOT_OVERSPENT = """
    WITH placed AS (SELECT receipt_id, sum(cents) AS cents FROM billing_allocation GROUP BY receipt_id),
    withdrawn AS (SELECT receipt_id, sum(cents) AS cents FROM billing_withdrawal GROUP BY receipt_id)
    SELECT receipt.id, receipt.cents, placed.cents, withdrawn.cents
    FROM placed FULL JOIN withdrawn USING (receipt_id) JOIN billing_receipt AS receipt ON receipt.id = receipt_id
    WHERE placed.cents < 0 OR withdrawn.cents < 0
        OR coalesce(placed.cents, 0) + coalesce(withdrawn.cents, 0) > receipt.cents
"""
INVOICE_NOT_OVERPAID = """
    SELECT invoice.id, invoice.amount_cents, sum(allocation.cents)
    FROM billing_invoice AS invoice
    JOIN billing_allocation AS allocation ON allocation.invoice_id = invoice.id
    GROUP BY invoice.id HAVING sum(allocation.cents)
        NOT BETWEEN 0 AND CASE WHEN invoice.voided_at IS NULL THEN invoice.amount_cents ELSE 0 END
"""
ONE_ACCOUNT = """
    SELECT receipt.id, invoice.id, sum(allocation.cents) FROM billing_allocation AS allocation
    JOIN billing_invoice AS invoice ON invoice.id = allocation.invoice_id
    JOIN billing_receipt AS receipt ON receipt.id = allocation.receipt_id
    WHERE invoice.account_id <> receipt.account_id
    GROUP BY receipt.id, invoice.id HAVING sum(allocation.cents) <> 0
"""
CHANGES_LEAD_HERE = """
    WITH chain AS (
        SELECT receipt_id, id, account_before_id, account_after_id, received_before, received_after,
            lag(account_after_id) OVER history AS last_account, lag(received_after) OVER history AS last_day,
            lead(id) OVER history AS next
        FROM billing_receiptchange WINDOW history AS (PARTITION BY receipt_id ORDER BY id)
    )
    SELECT chain.receipt_id, chain.id FROM chain JOIN billing_receipt AS receipt ON receipt.id = chain.receipt_id
    WHERE coalesce(last_account, account_before_id) <> account_before_id
        OR coalesce(last_day, received_before) <> received_before
        OR (next IS NULL AND (account_after_id, received_after) <> (receipt.account_id, receipt.received_date))
"""
MOVED_ON_LEDGER = """
    WITH expected AS (
        SELECT 'moved:' || change.id || ':off' AS reference, account_before_id AS account_id, receipt.cents
        FROM billing_receiptchange AS change JOIN billing_receipt AS receipt ON receipt.id = change.receipt_id
        WHERE account_before_id <> account_after_id
        UNION ALL
        SELECT 'moved:' || change.id || ':on', account_after_id, receipt.cents
        FROM billing_receiptchange AS change JOIN billing_receipt AS receipt ON receipt.id = change.receipt_id
        WHERE account_before_id <> account_after_id
    ), posted AS (SELECT reference, account_id, cents FROM billing_movement WHERE reference LIKE 'moved:%')
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE (expected.account_id, expected.cents) IS DISTINCT FROM (posted.account_id, posted.cents)
"""
NO_IDLE_MONEY = """
    WITH placed AS (SELECT receipt_id, sum(cents) AS cents FROM billing_allocation GROUP BY receipt_id),
    withdrawn AS (SELECT receipt_id, sum(cents) AS cents FROM billing_withdrawal GROUP BY receipt_id),
    paid AS (SELECT invoice_id, sum(cents) AS cents FROM billing_allocation GROUP BY invoice_id)
    SELECT receipt.account_id, receipt.id, invoice.id
    FROM billing_receipt AS receipt LEFT JOIN placed ON placed.receipt_id = receipt.id
    LEFT JOIN withdrawn ON withdrawn.receipt_id = receipt.id
    JOIN billing_invoice AS invoice ON invoice.account_id = receipt.account_id AND invoice.voided_at IS NULL
    LEFT JOIN paid ON paid.invoice_id = invoice.id
    WHERE receipt.taken_back_on IS NULL AND receipt.cents > coalesce(placed.cents, 0) + coalesce(withdrawn.cents, 0)
        AND invoice.amount_cents > coalesce(paid.cents, 0)
"""
RETURNED_FROM_WHERE_IT_LAY = """
    SELECT back.id, back.reference, back.credit FROM billing_movement AS back
    LEFT JOIN billing_movement AS settled ON settled.reference = regexp_replace(back.reference, 'returned$', 'settled')
    WHERE back.reference LIKE '%:returned' AND back.debit = 'receivable' AND (back.credit = 'bank') <> (settled.id IS NOT NULL)
"""
PAID_IS_ACTIVE = """
    WITH bill AS (
        SELECT account.enrollment_id, invoice.amount_cents, (
            SELECT coalesce(sum(allocation.cents), 0) FROM billing_allocation AS allocation
            JOIN billing_receipt AS receipt ON receipt.id = allocation.receipt_id
            WHERE allocation.invoice_id = invoice.id AND receipt.cleared_on IS NOT NULL
        ) AS cleared
        FROM members_enrollment AS enrollment JOIN billing_account AS account ON account.enrollment_id = enrollment.id
        JOIN billing_invoice AS invoice
            ON invoice.account_id = account.id AND invoice.is_binder AND invoice.voided_at IS NULL
        WHERE enrollment.status = 'waiting'
    )
    SELECT enrollment_id, sum(amount_cents), sum(cleared) FROM bill
    GROUP BY enrollment_id HAVING bool_and(cleared >= amount_cents)
"""
RIGHTS = """
    SELECT name, task
    FROM unnest(%(unchanged)s) AS name, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS task
    WHERE has_table_privilege(%(role)s, name, task)
    UNION SELECT name, task FROM unnest(%(kept)s) AS name, unnest(ARRAY['DELETE', 'TRUNCATE']) AS task
    WHERE has_table_privilege(%(role)s, name, task)
    UNION SELECT name, attname::text
    FROM unnest(%(kept)s) AS name JOIN pg_attribute ON attrelid = name::regclass
    WHERE attnum > 0 AND NOT attisdropped AND NOT attname::text = ANY(%(changing)s)
        AND NOT name || '.' || attname = ANY(%(changing)s)
        AND has_column_privilege(%(role)s, attrelid, attnum, 'UPDATE')
"""


def find_missing_guards() -> list[tuple[Any, ...]]:
    """What the application's role could rewrite in the books: (table, right) or (table, column)."""
    facts: dict[str, str | list[str]] = {
        "role": settings.APPLICATION_ROLE,
        "unchanged": NEVER_CHANGED,
        "kept": NEVER_REMOVED,
        "changing": CHANGING,
    }
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS, facts)
        return list(cursor.fetchall())


def find_overcharged() -> list[tuple[Any, ...]]:
    """The months charged for more than they come to, but for the changes that the next run takes up."""
    changed = set(find_changed())
    with connection.cursor() as cursor:
        cursor.execute(OVERCHARGED)
        return [row for row in cursor.fetchall() if row[0] not in changed]


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1 receipts",
        "Every receipt is posted as received, and as returned once taken back.",
        RECEIPTS_ON_LEDGER,
    ),
    Invariant(
        "I1 spent", "No receipt lies on invoices and went back for more than it is.", RECEIPT_NOT_OVERSPENT
    ),
    Invariant(
        "I1 money in",
        "Money at the bank and in transit is the money received and in suspense, less what was paid out.",
        MONEY_IN,
    ),
    Invariant(
        "I1 withdrawals",
        "What was withdrawn from receipts is posted, and so is what was put back.",
        WITHDRAWALS_ON_LEDGER,
    ),
    Invariant(
        "I1 paid out",
        "What is paid out was withdrawn, and is put back as it came back.",
        PAID_OUT_OF_WITHDRAWN,
    ),
    Invariant("I1 idle", "Money waits as credit only where nothing is owed.", NO_IDLE_MONEY),
    Invariant("I2 books", "The application cannot rewrite the books.", find_missing_guards),
    Invariant(
        "I2 decisions",
        "The database itself refuses a move of an episode or a correction that no arrow allows, and any other beginning.",
        lambda: find_unguarded_moves(GUARDED),
    ),
    Invariant(
        "I3 receivable", "What is owed is what was billed less what was received and kept.", RECEIVABLE
    ),
    Invariant(
        "I3 invoices", "Every invoice is posted as issued, and as voided once void.", INVOICES_ON_LEDGER
    ),
    Invariant("I3 references", "A movement's reference says what it moves.", REFERENCES_FIT),
    Invariant("I5 invoices", "One invoice that is not void per account and month.", ONE_INVOICE),
    Invariant(
        "I5 binders",
        "The binder is for the month in which coverage starts, and each after it that it must cover.",
        BINDER_AT_START,
    ),
    Invariant("I5 lines", "What a bill is adjusted by stands in its lines.", ADJUSTMENT_IN_LINES),
    Invariant("I5 prices", "No month is charged for more than it comes to.", find_overcharged),
    Invariant("I3 returns", "Money taken back leaves where it lay.", RETURNED_FROM_WHERE_IT_LAY),
    Invariant("I11 returns", "Money taken back lies on no invoice.", RETURNED_IS_OFF),
    Invariant(
        "I11 invoices", "No invoice holds more than it asks for, and none that is void.", INVOICE_NOT_OVERPAID
    ),
    Invariant("I11 accounts", "Money lands on invoices of its own account.", ONE_ACCOUNT),
    Invariant(
        "I7 receipts",
        "A receipt's changes lead from where it counted first to where it counts.",
        CHANGES_LEAD_HERE,
    ),
    Invariant("I1 moved", "Money that was moved left one account and is on the other.", MOVED_ON_LEDGER),
    Invariant("I12 active", "Coverage whose first bill is paid by cleared money is active.", PAID_IS_ACTIVE),
    Invariant("I12 starts", "Coverage starts when receipts and due dates say.", find_wrong_starts),
    *PAPER_INVARIANTS,
    *EPISODE_INVARIANTS,
    *CORRECTION_INVARIANTS,
)
