"""Validation by hand: staff look at an account and approve or refuse it; what waits on a refused one is returned."""

from collections.abc import Sequence
from datetime import date, datetime

import structlog

from connector_pay.lib.masking import redact_digits
from payments import bank_accounts
from payments.models import BankAccount
from payments.returns import stop_unusable
from payments.validation import MANUAL, Outcome, Question, Result

log = structlog.get_logger(__name__)


class AccountAlreadyDecided(Exception):
    """The account no longer waits for staff."""


class Manual:
    """Staff look at the account and approve it."""

    name = MANUAL

    def ask(self, questions: Sequence[Question], *, at: datetime) -> list[Outcome]:
        """Waits for staff."""
        return [Outcome(Result.PENDING, "waits for staff") for _question in questions]


def approve_by_hand(*, bank_account: BankAccount, by: str, at: datetime) -> None:
    """Staff say that the account can be debited: what waits on it goes into the next file. Raises AccountAlreadyDecided."""
    if not bank_accounts.approve(bank_account=bank_account, at=at, by=by):
        raise AccountAlreadyDecided
    log.info("bank account approved by staff", bank_account=bank_account.pk, by=by)


def refuse_by_hand(*, bank_account: BankAccount, by: str, why: str, today: date, at: datetime) -> None:
    """Staff say that the account cannot be debited: what waits on it is returned, and its payers told.

    The refusal is committed first: a return locks billing accounts before bank accounts. After a crash in between, the next run
    of `stop_unusable` returns what waits. Raises AccountAlreadyDecided.
    """
    if not bank_accounts.refuse(bank_account=bank_account, at=at, by=by, why=redact_digits(why)):
        raise AccountAlreadyDecided
    log.info("bank account refused by staff", bank_account=bank_account.pk, by=by)
    stop_unusable(today=today, at=at)
