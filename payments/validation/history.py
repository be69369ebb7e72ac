"""Validation by history: an account that has paid before, whoever's it was, can be debited again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from payments.ach.return_codes import RETURN_CODES, CountsAs
from payments.models import PaymentStatus
from payments.validation import HISTORY, Outcome, Question, Result

# The bank said that the number or the payer was wrong, or that the account cannot be debited.
SPOILS = sorted(
    row.code
    for row in RETURN_CODES.values()
    if row.blocks_account or row.counts_as in (CountsAs.ADMINISTRATIVE, CountsAs.UNAUTHORIZED)
)
# A debit counts for the number it was sent to, which its entry keeps; the account may have been corrected since.
HAVE_PAID = """
    SELECT DISTINCT bank.blind_index
    FROM payments_bankaccount AS bank
    JOIN payments_payment AS paid ON paid.bank_account_id = bank.id AND paid.status = %(posted)s
    JOIN payments_fileentry AS entry ON entry.payment_id = paid.id AND entry.blind_index = bank.blind_index
    JOIN payments_paymentmove AS posting ON posting.payment_id = paid.id AND posting.after = %(posted)s
    WHERE bank.blind_index = ANY(%(indexes)s) AND NOT EXISTS (
        SELECT FROM payments_bankaccount AS same
        JOIN payments_payment AS back ON back.bank_account_id = same.id
        JOIN payments_paymentmove AS coming ON coming.payment_id = back.id AND coming.after = %(returned)s
        WHERE same.blind_index = bank.blind_index AND back.status = %(returned)s
          AND back.return_code = ANY(%(spoils)s) AND coming.at >= posting.at
    )
"""


class History:
    """Passes an account of which a debit has posted, and none came back since as unauthorized or as wrong."""

    name = HISTORY

    def ask(self, questions: Sequence[Question], *, at: datetime) -> list[Outcome]:
        """One look at our own payments for all of them."""
        paid = _find_paid([question.bank_account.blind_index for question in questions])
        return [
            Outcome(Result.PASSED, "has paid before")
            if question.bank_account.blind_index in paid
            else Outcome(Result.PENDING, "has not paid before")
            for question in questions
        ]


def _find_paid(indexes: Sequence[str]) -> set[str]:
    values: dict[str, Any] = {
        "indexes": list(indexes),
        "posted": PaymentStatus.POSTED,
        "returned": PaymentStatus.RETURNED,
        "spoils": SPOILS,
    }
    with connection.cursor() as cursor:
        cursor.execute(HAVE_PAID, values)
        return {index for (index,) in cursor.fetchall()}
