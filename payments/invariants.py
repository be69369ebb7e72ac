"""What must always hold among payments: each authorized, in one file, its history in order, the books with it."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from connector_pay.lib.grants import Guarded, find_unguarded_moves
from connector_pay.lib.invariants import Invariant, write_history_question
from payments.ach.stored_files import BANK_FILE
from payments.check_invariants import CHECK_INVARIANTS
from payments.models import (
    BANK_ACCOUNT_MOVES,
    CHECK_MOVES,
    FILE_MOVES,
    MANDATE_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    BankAccountStatus,
    BankFile,
    CheckStatus,
    FileChunk,
    FileStatus,
    MandateStatus,
    PaymentStatus,
    RefundStatus,
)
from payments.refund_invariants import REFUND_INVARIANTS

FILES_OPENED = 40  # the latest; every file is opened again when it is sent or shown
CHUNKS_AT_ONCE = 10  # of up to 10,000 lines, in memory

WITHIN_AUTHORIZATION = """
    SELECT payment.id, payment.amount_cents, proof.amount_cents
    FROM payments_payment AS payment JOIN payments_authorization AS proof ON proof.id = payment.authorization_id
    WHERE payment.amount_cents > proof.amount_cents OR payment.account_id <> proof.account_id
       OR payment.bank_account_id <> proof.bank_account_id OR payment.received_date < proof.debit_on_or_after
       OR payment.effective_date < proof.debit_on_or_after
"""
SINGLE_AUTHORIZATION_USED_ONCE = """
    SELECT proof.id, count(*) FROM payments_authorization AS proof
    JOIN payments_payment AS payment ON payment.authorization_id = proof.id AND payment.retry_of_id IS NULL
    WHERE NOT proof.recurring GROUP BY proof.id HAVING count(*) > 1
"""
ONE_DRAFT_A_MONTH = """
    SELECT account_id, date_trunc('month', received_date), count(*) FROM payments_payment
    WHERE channel = 'autopay' AND retry_of_id IS NULL
    GROUP BY account_id, date_trunc('month', received_date) HAVING count(*) > 1
"""
DRAFTED_AS_ANNOUNCED = """
    SELECT payment.id, payment.amount_cents FROM payments_payment AS payment
    WHERE payment.channel = 'autopay' AND payment.retry_of_id IS NULL AND (
        NOT EXISTS (
            SELECT FROM payments_mandate AS mandate WHERE mandate.authorization_id = payment.authorization_id
            AND mandate.account_id = payment.account_id AND mandate.drafts_from <= payment.received_date
        ) OR NOT EXISTS (
            SELECT FROM payments_draftannouncement AS told
            WHERE told.account_id = payment.account_id AND told.draft_date = payment.received_date
              AND told.amount_cents >= payment.amount_cents
        )
    )
"""
ONE_PAYMENT_PER_FORM = """
    SELECT form_key, account_id, count(*) FROM payments_payment GROUP BY form_key, account_id HAVING count(*) > 1
"""
ONE_ENTRY_PER_DEBIT = """
    SELECT 'payment', payment.id, payment.status, entry.id
    FROM payments_payment AS payment LEFT JOIN payments_fileentry AS entry ON entry.payment_id = payment.id
    WHERE (payment.status IN ('sending', 'sent', 'settled', 'posted') AND entry.id IS NULL)
       OR (payment.status IN ('recorded', 'canceled') AND entry.id IS NOT NULL)
       OR entry.amount_cents <> payment.amount_cents
       OR (entry.id IS NOT NULL) <> (payment.effective_date IS NOT NULL)
       OR (entry.kind = 'retry') <> (payment.retry_of_id IS NOT NULL)
    UNION ALL
    SELECT 'refund', refund.id, refund.status, entry.id
    FROM payments_refund AS refund LEFT JOIN payments_fileentry AS entry ON entry.refund_id = refund.id
    WHERE (refund.status IN ('sending', 'sent', 'settled', 'returned')) <> (entry.id IS NOT NULL)
       OR entry.amount_cents <> refund.cents
       OR (entry.id IS NOT NULL) <> (refund.effective_date IS NOT NULL)
       OR refund.method NOT IN ('ach', 'reversal') AND entry.id IS NOT NULL
       OR (entry.kind = 'reversal') <> (refund.method = 'reversal')
    UNION ALL
    SELECT 'prenote', prenote.id, prenote.outcome, entry.id
    FROM payments_prenote AS prenote LEFT JOIN payments_fileentry AS entry ON entry.prenote_id = prenote.id
    WHERE (entry.id IS NOT NULL) <> (prenote.effective_date IS NOT NULL)
"""
# A balanced file has offsets beside its entries, so that as much comes in as goes out; their number is that of its bytes.
FILE_TOTALS = """
    WITH written AS (
        SELECT file.id, file.entry_count, file.debit_cents, file.credit_cents, count(entry.id) AS entries,
               coalesce(sum(entry.amount_cents) FILTER (WHERE entry.kind IN ('debit', 'retry')), 0) AS debits,
               coalesce(sum(entry.amount_cents) FILTER (WHERE entry.kind IN ('refund', 'reversal')), 0) AS credits
        FROM payments_bankfile AS file LEFT JOIN payments_fileentry AS entry ON entry.file_id = file.id
        WHERE file.direction = 'out' GROUP BY file.id
    )
    SELECT * FROM written
    WHERE (entry_count, debit_cents, credit_cents) <> (entries, debits, credits)
      AND NOT (debits + credits > 0 AND debit_cents = debits + credits AND credit_cents = debits + credits
               AND entry_count BETWEEN entries + 1 AND 2 * entries)
"""
STATUS_OF_FILE = """
    WITH moving AS (
        SELECT 'payment' AS subject, payment.id, payment.status, entry.file_id FROM payments_payment AS payment
        LEFT JOIN payments_fileentry AS entry ON entry.payment_id = payment.id
        UNION ALL
        SELECT 'refund', refund.id, refund.status, entry.file_id FROM payments_refund AS refund
        LEFT JOIN payments_fileentry AS entry ON entry.refund_id = refund.id
    )
    SELECT moving.subject, moving.id, moving.status, file.id, file.status
    FROM moving LEFT JOIN payments_bankfile AS file ON file.id = moving.file_id
    WHERE (moving.status = 'sending') <> coalesce(file.status IN ('sending', 'unknown'), FALSE)
"""
RETURNED_ONCE = """
    SELECT payment.id, payment.status, payment.return_code, count(line.id)
    FROM payments_payment AS payment JOIN payments_fileentry AS entry ON entry.payment_id = payment.id
    LEFT JOIN payments_returnline AS line ON line.entry_id = entry.id AND line.applied AND line.code LIKE 'R%'
    GROUP BY payment.id
    HAVING count(line.id) <> (payment.status = 'returned')::int OR max(line.code) <> payment.return_code
"""
PARKED_WITH_A_REASON = """
    SELECT id FROM payments_returnline
    WHERE applied = (parked_because <> '') OR (applied AND entry_id IS NULL)
"""
BANK_BALANCE = """
    SELECT books.cents, payments.cents, refunds.cents FROM (
        SELECT coalesce(sum(CASE WHEN debit = 'bank' THEN cents ELSE -cents END), 0) AS cents
        FROM billing_movement WHERE (debit = 'bank' OR credit = 'bank') AND reference ~ '^(payment|refund):'
    ) AS books, (
        SELECT coalesce(sum(amount_cents), 0) AS cents FROM payments_payment WHERE status IN ('settled', 'posted')
    ) AS payments, (
        SELECT coalesce(sum(cents), 0) AS cents FROM payments_refund WHERE status IN ('settled', 'printed')
    ) AS refunds WHERE books.cents <> payments.cents - refunds.cents
"""
# A payment returned after it had settled keeps both of its movements at the bank.
SETTLED_ON_LEDGER = """
    WITH expected AS (
        SELECT 'payment:' || id || ':settled' AS reference, amount_cents AS cents
        FROM payments_payment AS payment WHERE status IN ('settled', 'posted') OR (status = 'returned' AND EXISTS (
            SELECT FROM payments_paymentmove AS move WHERE move.payment_id = payment.id AND move.after = 'settled'
        ))
    ), posted AS (
        SELECT reference, cents FROM billing_movement
        WHERE reference LIKE 'payment:%' AND reference LIKE '%:settled'
    )
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE expected.cents IS DISTINCT FROM posted.cents
"""
# Every payment under way counts once the crediting of its received date has finished, by the job ledger.
COUNTED_IN_TIME = """
    SELECT payment.id, payment.received_date FROM payments_payment AS payment
    LEFT JOIN billing_receipt AS receipt ON receipt.reference = 'payment:' || payment.id
    WHERE payment.status IN ('recorded', 'sending', 'sent') AND receipt.id IS NULL AND payment.received_date <= (
        SELECT max(business_date) FROM lib_jobrun WHERE job = 'credit_due' AND finished_at IS NOT NULL
    )
"""
# As it was counted first: staff may have moved it since.
RECEIPTS_FOLLOW_PAYMENTS = """
    WITH counted AS (
        SELECT DISTINCT ON (receipt_id) receipt_id, account_before_id, received_before
        FROM billing_receiptchange ORDER BY receipt_id, id
    )
    SELECT payment.id, payment.status, receipt.id, receipt.reference
    FROM payments_payment AS payment
    FULL JOIN (SELECT * FROM billing_receipt WHERE reference LIKE 'payment:%') AS receipt
        ON receipt.reference = 'payment:' || payment.id
    LEFT JOIN counted ON counted.receipt_id = receipt.id
    WHERE payment.id IS NULL OR receipt.cents <> payment.amount_cents
       OR coalesce(counted.account_before_id, receipt.account_id) <> payment.account_id
       OR coalesce(counted.received_before, receipt.received_date) <> payment.received_date
       OR (payment.status IN ('returned', 'canceled') AND receipt.id IS NOT NULL AND receipt.taken_back_on IS NULL)
       OR (payment.status NOT IN ('returned', 'canceled') AND receipt.taken_back_on IS NOT NULL)
       OR (payment.status IN ('settled', 'posted') AND receipt.id IS NULL)
       OR (payment.status = 'posted' AND (receipt.cleared_on IS NULL OR payment.posted_on IS NULL))
       OR (payment.status NOT IN ('posted', 'returned') AND receipt.cleared_on IS NOT NULL)
"""
ON_HOLD = """
    SELECT payment.id, payment.status, payment.is_held, hold.id FROM payments_payment AS payment
    LEFT JOIN payments_paymenthold AS hold ON hold.payment_id = payment.id AND hold.released_at IS NULL
    WHERE payment.is_held <> (hold.id IS NOT NULL)
       OR (payment.is_held AND payment.status IN ('sending', 'sent', 'settled', 'posted'))
"""


GUARDED = {
    "payments_payment": Guarded("recorded", PAYMENT_MOVES),
    "payments_bankfile": Guarded("sending", FILE_MOVES),
    "payments_refund": Guarded("asked", REFUND_MOVES),
    "payments_receivedcheck": Guarded("unmatched", CHECK_MOVES),
    "payments_mandate": Guarded("on", MANDATE_MOVES),
}

PAID_BY_PHONE = """
    SELECT payment.id, payment.channel, proof.sec_code, call.id, call.step
    FROM payments_phonecall AS call JOIN payments_payment AS payment ON payment.form_key = call.form_key
    JOIN payments_authorization AS proof ON proof.id = payment.authorization_id
    WHERE payment.channel <> 'phone' OR proof.sec_code <> 'TEL' OR proof.recurring OR call.ended_at IS NULL
"""
ENDED_CALLS_HOLD_NOTHING = """
    SELECT id, step, ended_at, sealed_id FROM payments_phonecall
    WHERE (ended_at IS NULL) <> (sealed_id IS NOT NULL) OR (step = 'over') <> (ended_at IS NOT NULL)
"""


def list_changed_files() -> Iterator[tuple[Any, ...]]:
    """The latest bank files whose stored bytes no longer have the sha256, the lines and the entries kept at writing."""
    files = list(BankFile.objects.order_by("-pk")[:FILES_OPENED])
    chunks = FileChunk.objects.filter(file__in=files).select_related("sealed").order_by("file", "number")
    read = chunks.iterator(chunk_size=CHUNKS_AT_ONCE)
    found = {key: _digest(parts) for key, parts in groupby(read, key=lambda chunk: chunk.file_id)}
    for file in files:
        sha256, lines, entries = found.get(file.pk) or _digest([])
        if sha256 != file.sha256:
            yield (file.pk, file.name, "sha256")
        elif file.direction == BankFile.Direction.OUT and lines != file.line_count:
            yield (file.pk, file.name, "lines")
        elif file.direction == BankFile.Direction.OUT and entries != file.entry_count:
            yield (file.pk, file.name, "entries")


def _digest(chunks: Iterable[FileChunk]) -> tuple[str, int, int]:
    """The sha256 of a file's clear bytes, and how many lines and entries they hold; a part of ours ends with a line."""
    digest, lines, entries = hashlib.sha256(), 0, 0
    for chunk in chunks:
        clear = chunk.sealed.open(purpose=BANK_FILE)
        digest.update(clear)
        lines += clear.count(b"\n")
        entries += clear.startswith(b"6") + clear.count(b"\n6")
    return digest.hexdigest(), lines, entries


# What moves along arrows: its name, its table and that of its history, the arrows, where it begins, and which rows are meant.
MOVING = (
    ("payments", "payment", "paymentmove", PAYMENT_MOVES, PaymentStatus.RECORDED, "TRUE"),
    ("bank files", "bankfile", "filemove", FILE_MOVES, FileStatus.SENDING, "subject.direction = 'out'"),
    (
        "bank accounts",
        "bankaccount",
        "bankaccountmove",
        BANK_ACCOUNT_MOVES,
        BankAccountStatus.UNCHECKED,
        "TRUE",
    ),
    ("checks", "receivedcheck", "checkmove", CHECK_MOVES, CheckStatus.UNMATCHED, "TRUE"),
    ("refunds", "refund", "refundmove", REFUND_MOVES, RefundStatus.ASKED, "TRUE"),
    ("mandates", "mandate", "mandatemove", MANDATE_MOVES, MandateStatus.ON, "TRUE"),
)
HISTORIES = tuple(
    Invariant(
        f"I7 {name}",
        f"The history of {name} follows the arrows and ends where they stand.",
        write_history_question(
            table=f"payments_{table}",
            history=f"payments_{history}",
            moves=moves,
            first=first.value,
            where=where,
        ),
    )
    for name, table, history, moves, first, where in MOVING
)

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I4 within the authorization", "No debit exceeds what its payer authorized.", WITHIN_AUTHORIZATION
    ),
    Invariant(
        "I4 one debit each", "A single authorization serves one payment.", SINGLE_AUTHORIZATION_USED_ONCE
    ),
    Invariant("I4 one draft a month", "AutoPay drafts an account at most once a month.", ONE_DRAFT_A_MONTH),
    Invariant(
        "I4 drafted as announced",
        "AutoPay drafts under a standing permission, and no more than was announced.",
        DRAFTED_AS_ANNOUNCED,
    ),
    Invariant("I6 one form, one payment", "A form makes one payment an account.", ONE_PAYMENT_PER_FORM),
    Invariant(
        "I4 paid by phone",
        "What was authorized on a call goes to the bank as such, and the call is over.",
        PAID_BY_PHONE,
    ),
    Invariant("I16 calls", "Nothing that was keyed in outlives its call.", ENDED_CALLS_HOLD_NOTHING),
    *HISTORIES,
    Invariant(
        "I9 one line in one file",
        "Every debit, refund and prenote that went out is in exactly one file, others in none.",
        ONE_ENTRY_PER_DEBIT,
    ),
    Invariant("I9 file totals", "A file's totals are those of its lines.", FILE_TOTALS),
    Invariant(
        "I9 sent with the file",
        "Payments and refunds are sent when their file is, not before.",
        STATUS_OF_FILE,
    ),
    Invariant(
        "I2 moves",
        "The database itself refuses a move of money or of a file that the arrows do not allow, and a row that begins elsewhere.",
        lambda: find_unguarded_moves(GUARDED),
    ),
    Invariant(
        "I2 stored files", "Stored bank files have the bytes they were written with.", list_changed_files
    ),
    Invariant("I9 on hold", "A payment on hold is in no bank file.", ON_HOLD),
    Invariant("I10 returned once", "A debit is returned by one line, and only then.", RETURNED_ONCE),
    Invariant("I10 nothing dropped", "A return line is applied or says why not.", PARKED_WITH_A_REASON),
    Invariant(
        "I17 cash at the bank",
        "The bank's balance is what settled and did not come back, less what was refunded.",
        BANK_BALANCE,
    ),
    Invariant("I17 settled", "Each payment that settled is on the ledger, and no other.", SETTLED_ON_LEDGER),
    Invariant("I17 receipts", "What counts as received is what was paid.", RECEIPTS_FOLLOW_PAYMENTS),
    Invariant("I17 counted", "A payment counts once its received date has come.", COUNTED_IN_TIME),
    *CHECK_INVARIANTS,
    *REFUND_INVARIANTS,
)
