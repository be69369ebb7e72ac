"""What must always hold among corrections: nobody decides their own, and what people changed is what was asked for, once."""

from billing.models import CORRECTION_MOVES, CorrectionStatus
from connector_pay.lib.invariants import Invariant, write_history_question

DECIDED_BY_TWO = """
    SELECT id, asked_by_id, decided_by_id FROM billing_correction
    WHERE decided_by_id = asked_by_id OR (status = 'applied' AND takes_two AND decided_by_id IS NULL)
"""
# An adjustment or a waiver has a row for each of its months, of its cents, and by its people; nothing else has any.
ADJUSTED_AS_ASKED = """
    WITH asked AS (
        SELECT correction.id, correction.account_id, covered::date AS month, correction.is_whole, correction.cents,
            correction.asked_by_id, correction.decided_by_id,
            CASE correction.kind WHEN 'adjustment' THEN 'correction' ELSE 'waiver' END AS kind
        FROM billing_correction AS correction,
            generate_series(correction.month, coalesce(correction.last_month, correction.month), '1 month') AS covered
        WHERE correction.kind IN ('adjustment', 'waiver') AND correction.status = 'applied'
    ), made AS (SELECT * FROM billing_adjustment WHERE correction_id IS NOT NULL)
    SELECT asked.id, asked.month, made.id, made.cents
    FROM asked FULL JOIN made ON made.correction_id = asked.id AND made.coverage_month = asked.month
    WHERE (asked.account_id, asked.kind, asked.asked_by_id) IS DISTINCT FROM (made.account_id, made.kind, made.asked_by_id)
        OR asked.decided_by_id IS DISTINCT FROM made.approved_by_id
        OR (made.cents <> asked.cents AND NOT asked.is_whole)
"""
EXTENDED_AS_ASKED = """
    WITH asked AS (
        SELECT * FROM billing_correction WHERE kind IN ('due_date', 'month_due') AND status = 'applied'
    ), made AS (SELECT * FROM billing_duedateoverride WHERE correction_id IS NOT NULL)
    SELECT asked.id, made.id FROM asked FULL JOIN made ON made.correction_id = asked.id
    WHERE (asked.month, asked.new_date) IS DISTINCT FROM (made.coverage_month, made.due_date)
        OR asked.account_id IS DISTINCT FROM made.account_id
"""
STARTS_DECIDED_AS_ASKED = """
    SELECT correction.id, correction.decision, review.decision, review.decided_by_id
    FROM billing_correction AS correction JOIN billing_startreview AS review ON review.id = correction.start_review_id
    WHERE correction.kind = 'start' AND correction.status = 'applied'
        AND (review.decision, review.decided_by_id) IS DISTINCT FROM
            (correction.decision, coalesce(correction.decided_by_id, correction.asked_by_id))
"""

CORRECTION_INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I7 corrections",
        "The history of a correction follows the arrows and ends where it stands.",
        write_history_question(
            table="billing_correction",
            history="billing_correctionmove",
            moves=CORRECTION_MOVES,
            first=CorrectionStatus.ASKED.value,
        ),
    ),
    Invariant(
        "corrections by two",
        "Nobody decides what they asked for; what takes a second person has one.",
        DECIDED_BY_TWO,
    ),
    Invariant(
        "corrections of money",
        "What people adjusted and waived is what a correction asked for, once a month.",
        ADJUSTED_AS_ASKED,
    ),
    Invariant(
        "corrections of due dates",
        "A due date that people moved is what a correction asked for, once.",
        EXTENDED_AS_ASKED,
    ),
    Invariant("corrections of starts", "A start is decided as asked for.", STARTS_DECIDED_AS_ASKED),
)
