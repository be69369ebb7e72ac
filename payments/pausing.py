"""Pausing: two payments returned for want of funds in six months pause that bank account, whoever types it, never the member."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from payments.ach.return_codes import LACK_OF_FUNDS
from payments.models import BANK_ACCOUNT_MOVES, BankAccount, BankAccountMove, BankAccountStatus

MAY_BE_PAUSED = (BankAccountStatus.UNCHECKED, BankAccountStatus.VALID)
LIFTED = "pause lifted"

# Payments, not retries; and none from before staff last lifted a pause of the same account.
_RETURNS = """
    WITH lift AS (
        SELECT bank.blind_index, max(move.at) AS at FROM payments_bankaccountmove AS move
        JOIN payments_bankaccount AS bank ON bank.id = move.bank_account_id
        WHERE bank.blind_index = ANY(%(indexes)s) AND move.before = 'paused' AND move.after = 'valid' GROUP BY bank.blind_index
    )
    SELECT bank.blind_index, move.at FROM payments_payment AS payment
    JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
    JOIN payments_paymentmove AS move ON move.payment_id = payment.id AND move.after = 'returned'
    LEFT JOIN lift ON lift.blind_index = bank.blind_index
    WHERE bank.blind_index = ANY(%(indexes)s) AND payment.status = 'returned' AND payment.return_code = ANY(%(codes)s)
      AND payment.retry_of_id IS NULL AND move.at > coalesce(lift.at, '-infinity')
"""


class UnableToLiftPause(Exception):
    """The bank account is not paused, or staff gave no reason."""


def pause_often_returned(*, blind_indexes: Iterable[str], today: date, at: datetime) -> list[int]:
    """Pause those of the bank accounts that had too many returns for want of funds, every row of each; returns the rows."""
    policy = read_policy()
    asked = sorted(set(blind_indexes))
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RETURNS, {"indexes": asked, "codes": sorted(LACK_OF_FUNDS)})
        returned = cursor.fetchall()
    first = find_first_day(today=today, months=policy.pause_window_months)
    counted = Counter(index for index, moment in returned if first <= business_date(moment=moment) <= today)
    often = [index for index in asked if counted[index] >= policy.pause_after_returns]
    rows = list(
        BankAccount.objects.filter(blind_index__among=often).order_by("pk").values_list("pk", flat=True)
    )
    return sorted(
        key
        for before in MAY_BE_PAUSED
        for key in BANK_ACCOUNT_MOVES.move(
            model=BankAccount,
            history=BankAccountMove,
            ids=rows,
            before=before,
            after=BankAccountStatus.PAUSED,
            at=at,
            why="too often returned for want of funds",
        )
    )


def lift_pause(*, bank_account_id: int, at: datetime, why: str) -> list[int]:
    """Staff let the bank account pay again, every row of it; what was returned before counts no more. Returns the rows.

    Its bank knows it, else it could not have lacked money: it is valid. Raises UnableToLiftPause.
    """
    if not why.strip():
        raise UnableToLiftPause("Say why the pause is lifted")
    with transaction.atomic():
        index = BankAccount.objects.values_list("blind_index", flat=True).get(pk=bank_account_id)
        rows = BankAccount.objects.filter(blind_index=index, status=BankAccountStatus.PAUSED)
        lifted = BANK_ACCOUNT_MOVES.move(
            model=BankAccount,
            history=BankAccountMove,
            ids=list(rows.values_list("pk", flat=True)),
            before=BankAccountStatus.PAUSED,
            after=BankAccountStatus.VALID,
            at=at,
            why=f"{LIFTED}: {why.strip()}"[:200],
        )
        if not lifted:
            raise UnableToLiftPause("This bank account is not paused")
    return lifted


def find_first_day(*, today: date, months: int) -> date:
    """The same day so many months earlier, the last day of that month where it is shorter."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=today.day - 1), following - timedelta(days=1))
