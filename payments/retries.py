"""Retries: a debit returned for want of funds is sent again unchanged, at most twice within 180 days, where policy has it so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils.translation import override

from billing.allocation import NewReceipt, apply_locked, lock_accounts
from billing.balances import Standing, read_standings
from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from connector_pay.lib.jobs import Counts
from payments.ach.return_codes import LACK_OF_FUNDS
from payments.autopay.amounts import read_scheduled
from payments.banking_calendar import read_calendar
from payments.confirmation import make_number
from payments.models import MOST_RETRIES, BankAccountStatus, Payment
from payments.payables import OPEN
from payments.payment_notices import tell_recorded
from payments.recording import CHUNK, read_with_people
from payments.statements import describe_effect

LAST_DAY = 180  # after settlement; the network's own limit, as is the number of retries


# Originals returned for want of funds, each retry of them too, and nothing else wrong since: the bank account may be debited,
# the enrollment is open, AutoPay, where it drafted them, is still on, and no money was moved to another account. With the
# number of retries, and the last return.
_WAITING = """
    WITH original AS (
        SELECT payment.id, payment.account_id FROM payments_payment AS payment
        JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
        JOIN billing_account AS account ON account.id = payment.account_id
        JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
        LEFT JOIN payments_mandate AS mandate ON mandate.authorization_id = payment.authorization_id
        WHERE payment.status = 'returned' AND payment.return_code = ANY(%(codes)s) AND payment.retry_of_id IS NULL
          AND payment.effective_date >= %(first)s AND bank.status = %(valid)s AND enrollment.status = ANY(%(open)s)
          AND coalesce(mandate.status, 'on') = 'on' AND (%(ids)s::bigint[] IS NULL OR payment.id = ANY(%(ids)s))
    ), debit AS (
        SELECT original.id AS original_id, original.id, 0 AS number, 'returned' AS status, 'R01' AS return_code
        FROM original UNION ALL
        SELECT retry.retry_of_id, retry.id, retry.retry_number, retry.status, retry.return_code
        FROM payments_payment AS retry JOIN original ON original.id = retry.retry_of_id
    )
    SELECT original.id, original.account_id, max(debit.number), max(move.at)
    FROM original JOIN debit ON debit.original_id = original.id
    LEFT JOIN payments_paymentmove AS move ON move.payment_id = debit.id AND move.after = 'returned'
    GROUP BY original.id, original.account_id
    HAVING max(debit.number) < %(most)s AND bool_and(debit.status = 'returned' AND debit.return_code = ANY(%(codes)s)
        AND NOT EXISTS (SELECT FROM billing_receipt
            WHERE reference = 'payment:' || debit.id AND account_id <> original.account_id))
    ORDER BY original.id
"""


@dataclass(frozen=True)
class _Waiting:
    """A debit that may be sent again, how often it was, and the day on which it last came back."""

    payment_id: int
    account_id: int
    tries: int
    returned_on: date


def make_retries(*, today: date, at: datetime) -> Counts:
    """Make a new payment of each debit that may be sent again today; it counts as received today, its own file's day.

    Only on a banking day, before the file is built. What the payer has paid in another way since is not taken again. Safe to run
    twice. Returns how many were made.
    """
    if not read_policy().retry_returns or not read_calendar().is_banking_day(today):
        return {"retried": 0}
    waiting = _find_waiting(today=today)
    made = 0
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        with transaction.atomic():
            lock_accounts(account_ids={item.account_id for item in chunk})
            # Read again under the lock: the payer may have paid meanwhile.
            again = _find_waiting(today=today, payment_ids=[item.payment_id for item in chunk])
            made += _retry(again, today=today, at=at)
    return {"retried": made}


def _find_waiting(*, today: date, payment_ids: Sequence[int] | None = None) -> list[_Waiting]:
    """What may be sent again, once the policy's banking days have passed since it last came back."""
    facts: dict[str, Any] = {
        "codes": sorted(LACK_OF_FUNDS),
        "first": today - timedelta(days=LAST_DAY),
        "valid": BankAccountStatus.VALID.value,
        "open": [status.value for status in OPEN],
        "ids": payment_ids,
        "most": MOST_RETRIES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, facts)
        found = [
            _Waiting(key, account_id, tries, business_date(moment=moment))
            for key, account_id, tries, moment in cursor.fetchall()
        ]
    count, calendar = read_policy().retry_after_banking_days, read_calendar()
    return [item for item in found if calendar.add(item.returned_on, count) <= today]


def _retry(waiting: Sequence[_Waiting], *, today: date, at: datetime) -> int:
    people = {item.pk: item for item in read_with_people(payment_ids=[item.payment_id for item in waiting])}
    standings = read_standings(account_ids={item.account_id for item in waiting}, today=today)
    # What the payer has scheduled is paid in another way, too, though it counts only on its day.
    scheduled = read_scheduled(account_ids=standings)
    owed = {key: standing.due_cents - scheduled.get(key, 0) for key, standing in standings.items()}
    retries = []
    for item in waiting:
        original = people[item.payment_id]
        if owed[item.account_id] >= original.amount_cents:
            owed[item.account_id] -= original.amount_cents
            retries.append(_make(original, item.tries + 1, standings[item.account_id], today, at))
    Payment.objects.bulk_create(retries)
    receipts = [
        NewReceipt(payment.account_id, payment.reference, payment.amount_cents, today) for payment in retries
    ]
    if receipts:
        apply_locked(receipts=receipts, today=today, at=at)
    tell_recorded(payments=retries, today=today, at=at)
    return len(retries)


def _make(original: Payment, number: int, standing: Standing, today: date, at: datetime) -> Payment:
    """The same debit once more; what it does to coverage is said anew."""
    with override(original.authorization.language):
        sentence = describe_effect(
            standing=standing,
            amount_cents=original.amount_cents,
            received_date=today,
            today=today,
            due_date_rule=standing.due_date_rule,
        )
    return Payment(
        confirmation_number=make_number(),
        account=original.account,
        bank_account=original.bank_account,
        authorization=original.authorization,
        amount_cents=original.amount_cents,
        received_date=today,
        channel=original.channel,
        form_key=uuid4(),
        coverage_sentence=sentence,
        receipt_email=original.receipt_email,
        recorded_at=at,
        retry_of=original,
        retry_number=number,
    )
