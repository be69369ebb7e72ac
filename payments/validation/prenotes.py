"""Validation by prenote: a debit of nothing asks the payer's bank; an account passes unless it comes back in time."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from payments.banking_calendar import read_calendar
from payments.models import (
    BANK_ACCOUNT_MOVES,
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    FileStatus,
    Prenote,
    Validation,
)
from payments.settlement import list_missing_return_files
from payments.validation import PRENOTE, Outcome, Question, Result

BANKING_DAYS = 3  # after it settles: the network's own wait before a live debit


class AskByPrenote:
    """Asks by the next bank file, unless a prenote of the account is under way."""

    name = PRENOTE

    def ask(self, questions: Sequence[Question], *, at: datetime) -> list[Outcome]:
        """Two statements for all of them; one that another process has decided on meanwhile is not asked about."""
        ids = [question.bank_account.pk for question in questions]
        open_ids = BankAccount.objects.filter(pk__in=ids, status=BankAccountStatus.UNCHECKED)
        Prenote.objects.bulk_create(
            (Prenote(bank_account_id=key, asked_at=at) for key in open_ids.values_list("pk", flat=True)),
            ignore_conflicts=True,
        )
        return [Outcome(Result.PENDING, "asked by prenote") for _question in questions]


def pass_prenotes(*, today: date, at: datetime) -> int:
    """Prenotes that nobody sent back pass, and their accounts with them; returns how many. Safe to run twice.

    Passed are those of accepted files whose effective date is 3 banking days past or more, once every return file of the days
    after it, through today, was read. Each effective date is a transaction.
    """
    waiting = Prenote.objects.filter(
        outcome=Prenote.Outcome.WAITING, effective_date__lt=today, entry__file__status=FileStatus.ACCEPTED
    )
    calendar, passed = read_calendar(), 0
    for day in sorted({day for day in waiting.values_list("effective_date", flat=True) if day}):
        is_over = calendar.add(day, BANKING_DAYS) <= today
        if is_over and not list_missing_return_files(effective_date=day, today=today):
            ids = waiting.filter(effective_date=day).values_list("pk", flat=True)
            passed += _pass(list(ids), at=at)
    return passed


@transaction.atomic
def _pass(ids: Sequence[int], *, at: datetime) -> int:
    """Under the locks of the prenotes: one that is being returned is left to that."""
    waiting = Prenote.objects.select_for_update().filter(pk__in=ids, outcome=Prenote.Outcome.WAITING)
    prenotes = list(waiting.order_by("pk"))
    accounts = [prenote.bank_account_id for prenote in prenotes]
    Prenote.objects.filter(pk__in=[prenote.pk for prenote in prenotes]).update(
        outcome=Prenote.Outcome.PASSED, decided_at=at
    )
    Validation.objects.bulk_create(
        Validation(bank_account_id=key, method=PRENOTE, outcome=Result.PASSED, at=at) for key in accounts
    )
    BANK_ACCOUNT_MOVES.move(
        model=BankAccount,
        history=BankAccountMove,
        ids=accounts,
        before=BankAccountStatus.UNCHECKED,
        after=BankAccountStatus.VALID,
        at=at,
        why=PRENOTE,
    )
    return len(prenotes)
