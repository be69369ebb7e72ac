"""What must always hold among refunds: each from cleared credit, by two people, its history in order, the bank's days with it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from django.db import connection

from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from connector_pay.lib.invariants import Invariant
from payments.ach.banking_days import BankingCalendar
from payments.models import BankingDayOverride, RefundMethod
from payments.refund_rules import find_file_day, find_last_reversal_day

APPROVED = """
    SELECT refund.*, receipt.account_id, receipt.reference AS receipt_reference,
        receipt.cleared_on, EXISTS (
            SELECT FROM payments_refundmove AS move WHERE move.refund_id = refund.id AND move.after = 'settled'
        ) AS has_settled
    FROM payments_refund AS refund JOIN billing_receipt AS receipt ON receipt.id = refund.receipt_id
    WHERE EXISTS (SELECT FROM payments_refundmove AS move WHERE move.refund_id = refund.id AND move.after = 'approved')
"""
REFUNDS_ON_LEDGER = f"""
    WITH approved AS ({APPROVED}), expected AS (
        SELECT 'refund:' || id || ':approved' AS reference, account_id, cents FROM approved
        UNION ALL SELECT 'refund:' || id || ':settled', account_id, cents FROM approved WHERE has_settled
        UNION ALL SELECT 'refund:' || id || ':printed', account_id, cents FROM approved WHERE status = 'printed'
        UNION ALL SELECT 'refund:' || id || ':returned', account_id, cents FROM approved
        WHERE status = 'returned' AND has_settled
        UNION ALL SELECT 'refund:' || id || ':put_back', account_id, cents FROM approved
        WHERE status IN ('returned', 'declined')
    ), posted AS (SELECT reference, account_id, cents FROM billing_movement WHERE reference LIKE 'refund:%')
    SELECT reference, expected.cents, posted.cents FROM expected FULL JOIN posted USING (reference)
    WHERE (expected.account_id, expected.cents) IS DISTINCT FROM (posted.account_id, posted.cents)
"""
TAKEN_FROM_THEIR_RECEIPT = f"""
    WITH approved AS ({APPROVED}), taken AS (
        SELECT reference, receipt_id, cents FROM billing_withdrawal WHERE reference ~ '^refund:[0-9]+$'
    )
    SELECT approved.id, taken.reference, approved.cents, taken.cents
    FROM approved FULL JOIN taken ON taken.reference = 'refund:' || approved.id
    WHERE (approved.receipt_id, approved.cents) IS DISTINCT FROM (taken.receipt_id, taken.cents)
"""
NOT_ABOVE_WHAT_SETTLED = f"""
    WITH approved AS ({APPROVED}), standing AS (
        SELECT receipt_id, receipt_reference, sum(cents) AS cents FROM approved
        WHERE status NOT IN ('returned', 'declined') GROUP BY receipt_id, receipt_reference
    )
    SELECT receipt_id, standing.cents, settled.cents
    FROM standing LEFT JOIN billing_movement AS settled
        ON settled.reference = receipt_reference || ':settled' AND settled.debit = 'bank'
    WHERE standing.cents > coalesce(settled.cents, 0)
"""
# What is cash at the bank changes on a day by what settled, came back or was paid out then, and by nothing else.
BANK_BY_DAY = """
    WITH named AS (
        SELECT business_date, debit, cents, split_part(reference, ':', 1) AS kind, split_part(reference, ':', 3) AS what,
            CASE WHEN reference ~ '^(payment|refund):[0-9]+:' THEN split_part(reference, ':', 2)::bigint END AS number
        FROM billing_movement WHERE 'bank' IN (debit, credit) AND reference ~ '^(payment|refund):'
    ), judged AS (
        SELECT named.*, coalesce(payment.amount_cents, refund.cents, 0) AS meant, CASE
            WHEN what = 'settled' THEN coalesce(payment.effective_date, refund.effective_date)
            WHEN what = 'printed' THEN refund.printed_on END AS first_day
        FROM named LEFT JOIN payments_payment AS payment ON kind = 'payment' AND payment.id = number
        LEFT JOIN payments_refund AS refund ON kind = 'refund' AND refund.id = number
    )
    SELECT business_date, sum(CASE WHEN debit = 'bank' THEN cents ELSE -cents END),
        sum(CASE WHEN debit = 'bank' THEN meant ELSE -meant END), min(first_day)
    FROM judged GROUP BY business_date
    HAVING sum(CASE WHEN debit = 'bank' THEN cents - meant ELSE meant - cents END) <> 0
        OR bool_or(business_date < first_day) OR bool_or(what IN ('settled', 'printed') AND first_day IS NULL)
"""
DECIDED_ON = f"""
    WITH approved AS ({APPROVED})
    SELECT approved.id, approved.method, approved.decided_at, approved.cleared_on, payment.effective_date,
        coalesce(banked.banked_on, deposit.business_date)
    FROM approved LEFT JOIN payments_payment AS payment ON payment.id = approved.payment_id
    LEFT JOIN billing_movement AS deposit ON deposit.reference = approved.receipt_reference || ':settled'
    LEFT JOIN payments_receivedcheck AS banked
        ON banked.id = substring(approved.receipt_reference FROM '^check:([0-9]+)-')::bigint
"""


def find_early_refunds() -> Iterator[tuple[int, str, datetime]]:
    """The refunds approved before their money had cleared, and the reversals approved too late.

    Each by the banking calendar as it stood then: a day that staff overrule afterwards condemns nobody.
    """
    policy, find_calendar = read_policy(), _read_calendars()
    with connection.cursor() as cursor:
        cursor.execute(DECIDED_ON)
        rows = cursor.fetchall()
    for key, method, decided_at, cleared_on, effective, deposited in rows:
        today, calendar = business_date(moment=decided_at), find_calendar(decided_at)
        if method == RefundMethod.REVERSAL:
            last = find_last_reversal_day(effective_date=effective, calendar=calendar)
            file_day = find_file_day(today=today, at=decided_at, calendar=calendar)
            wrong = not effective <= today or file_day > last
        else:
            wait = policy.refund_banking_days if effective else policy.refund_check_banking_days
            had_on = effective or deposited
            first = calendar.add(had_on, wait) if had_on else date.max
            wrong = max(first, cleared_on or date.max) > today
        if wrong:
            yield key, method, decided_at


def _read_calendars() -> Callable[[datetime], BankingCalendar]:
    """The banking calendar as it stood at a moment."""
    overrides = list(BankingDayOverride.objects.values_list("day", "is_open", "recorded_at"))

    def find_calendar(moment: datetime) -> BankingCalendar:
        known = [(day, is_open) for day, is_open, recorded_at in overrides if recorded_at <= moment]
        return BankingCalendar(
            closed=frozenset(day for day, is_open in known if not is_open),
            opened=frozenset(day for day, is_open in known if is_open),
        )

    return find_calendar


REFUND_INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I15 settled", "Refunds never exceed what settled.", NOT_ABOVE_WHAT_SETTLED),
    Invariant("I15 cleared", "No money is refunded before it has cleared.", find_early_refunds),
    Invariant(
        "I15 credit", "A refund takes its own cents from its own receipt, once.", TAKEN_FROM_THEIR_RECEIPT
    ),
    Invariant("I17 refunds", "Each refund is on the ledger as far as it has come.", REFUNDS_ON_LEDGER),
    Invariant(
        "I17 each day",
        "Cash at the bank changes on a day by what settled, came back or went out.",
        BANK_BY_DAY,
    ),
)
