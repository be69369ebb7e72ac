"""What must always hold among print batches: every letter is where its batch says, and sent once its batch is closed."""

from connector_pay.lib.invariants import Invariant

LETTERS_COUNTED = """
    SELECT part.batch_id, part.number, part.letters, count(letter.id) FROM billing_printpart AS part
    LEFT JOIN billing_printedletter AS letter ON letter.part_id = part.id
    GROUP BY part.id HAVING part.letters <> count(letter.id)
    UNION ALL
    SELECT batch.id, 0, batch.letters, coalesce(sum(part.letters), 0) FROM billing_printbatch AS batch
    LEFT JOIN billing_printpart AS part ON part.batch_id = batch.id
    GROUP BY batch.id HAVING batch.letters <> coalesce(sum(part.letters), 0)
"""
CLOSED_IS_SENT = """
    SELECT part.batch_id, part.number, letter.notice_id FROM billing_printbatch AS batch
    JOIN billing_printpart AS part ON part.batch_id = batch.id
    JOIN billing_printedletter AS letter ON letter.part_id = part.id
    JOIN members_notice AS notice ON notice.id = letter.notice_id
    WHERE batch.closed_at IS NOT NULL AND (part.drawn_at IS NULL OR notice.sent_at IS NULL)
"""
WHO_DID_IT = """
    SELECT 'closed', id FROM billing_printbatch WHERE (closed_at IS NULL) <> (closed_by_id IS NULL)
    UNION ALL
    SELECT 'revoked', id FROM billing_billlink WHERE revoked_at IS NULL AND revoked_by_id IS NOT NULL
"""
CODES_OF_BILLS = """
    SELECT invoice_id, count(*) FROM billing_billlink WHERE revoked_at IS NULL GROUP BY invoice_id HAVING count(*) > 1
"""

PAPER_INVARIANTS: tuple[Invariant, ...] = (
    Invariant("paper letters", "A print batch has the letters it says, part by part.", LETTERS_COUNTED),
    Invariant("paper closed", "The letters of a closed batch are drawn and sent.", CLOSED_IS_SENT),
    Invariant(
        "paper decided",
        "A closed batch names who closed it; only a revoked code, who revoked it.",
        WHO_DID_IT,
    ),
    Invariant("paper codes", "One code that is not revoked per bill.", CODES_OF_BILLS),
)
