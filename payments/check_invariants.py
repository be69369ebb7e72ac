"""What must always hold among checks: each cent on an account, in suspense, or gone back, and at the bank once deposited."""

from connector_pay.lib.invariants import Invariant

SHARED_OUT = """
    SELECT paper.id, paper.status, paper.cents, sum(share.cents)
    FROM payments_receivedcheck AS paper LEFT JOIN payments_checkshare AS share ON share.received_check_id = paper.id
    GROUP BY paper.id
    HAVING CASE WHEN paper.status IN ('received', 'cleared') THEN sum(share.cents) IS DISTINCT FROM paper.cents
                WHEN paper.status = 'returned' THEN sum(share.cents) <> paper.cents
                ELSE count(share.id) > 0 END
"""
RECEIPTS_FOLLOW_CHECKS = """
    WITH counted AS (
        SELECT DISTINCT ON (receipt_id) receipt_id, account_before_id, received_before
        FROM billing_receiptchange ORDER BY receipt_id, id
    )
    SELECT share.id, paper.status, receipt.id, receipt.reference
    FROM payments_checkshare AS share JOIN payments_receivedcheck AS paper ON paper.id = share.received_check_id
    FULL JOIN (SELECT * FROM billing_receipt WHERE reference ~ '^check:[0-9]+-[0-9]+$') AS receipt
        ON receipt.reference = 'check:' || share.received_check_id || '-' || share.number
    LEFT JOIN counted ON counted.receipt_id = receipt.id
    WHERE share.id IS NULL OR receipt.id IS NULL OR receipt.cents <> share.cents
       OR coalesce(counted.account_before_id, receipt.account_id) <> share.account_id
       OR coalesce(counted.received_before, receipt.received_date) <> paper.received_on
       OR (paper.status = 'returned') <> (receipt.taken_back_on IS NOT NULL)
       OR (paper.status = 'cleared' AND receipt.cleared_on IS NULL)
       OR (paper.status = 'received' AND receipt.cleared_on IS NOT NULL)
"""
# By paper: in suspense while it waits, in transit until it is deposited, at the bank while it stands.
CHECKS_ON_LEDGER = """
    WITH moved AS (
        SELECT split_part(split_part(reference, ':', 2), '-', 1)::bigint AS id,
            sum(CASE WHEN debit = 'bank' THEN cents WHEN credit = 'bank' THEN -cents ELSE 0 END) AS bank,
            sum(CASE WHEN debit = 'in_transit' THEN cents WHEN credit = 'in_transit' THEN -cents ELSE 0 END) AS in_transit,
            sum(CASE WHEN credit = 'suspense' THEN cents WHEN debit = 'suspense' THEN -cents ELSE 0 END) AS suspense
        FROM billing_movement WHERE reference ~ '^(unmatched:[0-9]+|check:[0-9]+-[0-9]+):' GROUP BY 1
    ), expected AS (
        SELECT id, CASE WHEN status IN ('returned', 'sent_back') THEN 0 ELSE cents END AS cents,
            banked_on IS NOT NULL AS is_banked, status IN ('unmatched', 'back_asked') AS waits
        FROM payments_receivedcheck
    )
    SELECT id, moved.bank, moved.in_transit, moved.suspense, expected.cents
    FROM moved FULL JOIN expected USING (id)
    WHERE (moved.bank, moved.in_transit, moved.suspense) IS DISTINCT FROM (
        CASE WHEN is_banked THEN expected.cents ELSE 0 END,
        CASE WHEN is_banked THEN 0 ELSE expected.cents END,
        CASE WHEN waits THEN expected.cents ELSE 0 END
    )
"""
# What counts on accounts, what waits with staff and what has gone back make the deposit.
LOCKBOX_ADDS_UP = """
    WITH items AS (
        SELECT item.file_id, paper.source, paper.deposit_on,
            CASE WHEN paper.status IN ('received', 'cleared')
                 THEN (SELECT sum(share.cents) FROM payments_checkshare AS share WHERE share.received_check_id = paper.id)
                 ELSE paper.cents END AS cents
        FROM payments_lockboxitem AS item JOIN payments_receivedcheck AS paper ON paper.id = item.received_check_id
    ), sums AS (
        SELECT file_id, count(*) AS count, sum(cents) AS cents, bool_and(source = 'lockbox') AS are_mailed,
            min(deposit_on) AS first, max(deposit_on) AS last
        FROM items GROUP BY file_id
    )
    SELECT lockbox.id, lockbox.cents, sums.cents, lockbox.count, sums.count
    FROM payments_lockboxfile AS lockbox JOIN payments_bankfile AS file ON file.id = lockbox.file_id
    LEFT JOIN sums ON sums.file_id = lockbox.id
    WHERE (lockbox.count, lockbox.cents) IS DISTINCT FROM (coalesce(sums.count, 0), coalesce(sums.cents, 0))
       OR NOT sums.are_mailed OR sums.first <> lockbox.deposit_on OR sums.last <> lockbox.deposit_on
       OR (file.kind, file.status, file.direction, file.entry_count, file.credit_cents)
          IS DISTINCT FROM ('lockbox', 'read', 'in', lockbox.count, lockbox.cents)
    UNION ALL
    SELECT paper.id, paper.cents, NULL, NULL, NULL
    FROM payments_receivedcheck AS paper LEFT JOIN payments_lockboxitem AS item ON item.received_check_id = paper.id
    WHERE paper.source = 'lockbox' AND item.id IS NULL
"""
BACK_BY_LOCKBOX = """
    SELECT back.id, back.received_check_id, paper.status, back.parked_because
    FROM payments_lockboxreturn AS back LEFT JOIN payments_receivedcheck AS paper ON paper.id = back.received_check_id
    WHERE (back.received_check_id IS NULL) = (back.parked_because = '') OR paper.status <> 'returned'
"""
# A batch is recorded whole, or not at all; what was typed of a check is what was recorded.
BATCHES_WHOLE = """
    WITH typed AS (
        SELECT batch.id, batch.slip_count, batch.slip_cents, batch.closed_at IS NOT NULL AS is_closed,
            count(line.id) AS lines, coalesce(sum(line.cents), 0) AS cents, count(paper.id) AS recorded,
            count(*) FILTER (WHERE (paper.cents, paper.number, paper.received_on)
                             <> (line.cents, line.number, line.received_on)) AS changed
        FROM payments_checkbatch AS batch LEFT JOIN payments_batchline AS line ON line.batch_id = batch.id
        LEFT JOIN payments_receivedcheck AS paper ON paper.form_key = line.form_key
        GROUP BY batch.id
    )
    SELECT id, slip_count, slip_cents, lines, cents, recorded, changed FROM typed
    WHERE changed > 0 OR recorded <> CASE WHEN is_closed THEN lines ELSE 0 END
       OR is_closed AND (lines, cents) <> (slip_count, slip_cents)
"""

CHECK_INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1 checks", "A check lies whole on accounts, or on none while it is unmatched.", SHARED_OUT),
    Invariant(
        "I1 check batches", "A closed batch equals its slip, and each check of it is recorded.", BATCHES_WHOLE
    ),
    Invariant("I17 check receipts", "What counts of a check is what was put there.", RECEIPTS_FOLLOW_CHECKS),
    Invariant(
        "I17 checks",
        "Each check is in suspense while it waits, and at the bank once it is deposited.",
        CHECKS_ON_LEDGER,
    ),
    Invariant(
        "I17 lockbox",
        "What counts of a lockbox file, what waits and what went back make its deposit.",
        LOCKBOX_ADDS_UP,
    ),
    Invariant(
        "I10 lockbox returns",
        "A return of a lockbox file names a check that is returned, or says why it waits.",
        BACK_BY_LOCKBOX,
    ),
)
