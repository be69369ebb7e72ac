"""Prenotes that come back: the account did not validate; or its numbers are corrected, and a new prenote asks again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from payments.bank_accounts import fail
from payments.models import Prenote, Validation

METHOD = "prenote"


def fail_prenotes(*, codes: Mapping[int, str], at: datetime) -> set[int]:
    """The prenotes of these ids came back with these codes: they failed, and so did their accounts; returns which.

    A prenote that was answered for before is left as it is. What waits on the accounts is returned by the next
    `returns.stop_unusable`.
    """
    waiting = Prenote.objects.select_for_update().filter(pk__in=codes, outcome=Prenote.Outcome.WAITING)
    prenotes = list(waiting.order_by("pk"))
    _decide(prenotes, at=at)
    Validation.objects.bulk_create(
        Validation(
            bank_account_id=prenote.bank_account_id,
            method=METHOD,
            outcome="failed",
            detail=codes[prenote.pk],
            at=at,
        )
        for prenote in prenotes
    )
    fail(bank_account_ids=[prenote.bank_account_id for prenote in prenotes], at=at, why="prenote returned")
    return {prenote.pk for prenote in prenotes}


def ask_again(*, prenotes: Sequence[Prenote], at: datetime) -> None:
    """Prenotes that still wait went to a wrong account: they have failed, and new ones ask the corrected accounts."""
    ids = {prenote.pk for prenote in prenotes}
    waiting = list(
        Prenote.objects.select_for_update().filter(pk__in=ids, outcome=Prenote.Outcome.WAITING).order_by("pk")
    )
    _decide(waiting, at=at)
    Prenote.objects.bulk_create(
        Prenote(bank_account_id=prenote.bank_account_id, asked_at=at) for prenote in waiting
    )


def _decide(prenotes: Sequence[Prenote], *, at: datetime) -> None:
    ids = [prenote.pk for prenote in prenotes]
    Prenote.objects.filter(pk__in=ids).update(outcome=Prenote.Outcome.FAILED, decided_at=at)
