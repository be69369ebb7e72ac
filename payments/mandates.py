"""Mandates: a payer's standing permission to draft bills, given with an authorization, suspended, stopped or ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing.accounts import lock_accounts
from payments.bank_accounts import refuse_unusable
from payments.models import (
    MANDATE_MOVES,
    Authorization,
    BankAccount,
    Mandate,
    MandateMove,
    MandateStatus,
)

LIVE = (MandateStatus.ON, MandateStatus.SUSPENDED)


class UnableToGrantMandate(ValueError):
    """The authorization is not a standing one for this account and this bank account."""


@dataclass(frozen=True)
class Grant:
    """A standing permission as given: the draft of `drafts_from` is its first, `ceiling_cents` the payer's limit, 0 for none."""

    authorization: Authorization
    drafts_from: date
    ceiling_cents: int = 0


def grant_mandates(
    *, grants: Sequence[Grant], bank_account: BankAccount, form_key: UUID, at: datetime
) -> list[Mandate]:
    """The accounts' bills may be drafted from this bank account, as authorized; the mandates they had until now end.

    Raises UnableToGrantMandate, and UnableToUseBankAccount for a bank account that may not be debited.
    """
    for grant in grants:
        if not grant.authorization.recurring or grant.authorization.bank_account_id != bank_account.pk:
            raise UnableToGrantMandate("The authorization is not a standing one for this bank account.")
    account_ids = [grant.authorization.account_id for grant in grants]
    with transaction.atomic():
        lock_accounts(account_ids=account_ids)
        # A return that blocks the bank account waits for us, then finds the mandates.
        refuse_unusable(
            bank_account=BankAccount.objects.select_for_update(no_key=True).get(pk=bank_account.pk)
        )
        old = find_live().filter(account__in=account_ids).values_list("pk", flat=True)
        end_mandates(mandate_ids=list(old), at=at, why="replaced by a new one")
        return Mandate.objects.bulk_create(
            Mandate(
                account_id=grant.authorization.account_id,
                bank_account=bank_account,
                authorization=grant.authorization,
                ceiling_cents=grant.ceiling_cents,
                drafts_from=grant.drafts_from,
                form_key=form_key,
                given_at=at,
            )
            for grant in grants
        )


def find_live() -> QuerySet[Mandate]:
    """Mandates that are on or suspended, in the order in which they were given."""
    return Mandate.objects.filter(status__in=LIVE).order_by("pk")


def suspend_mandates(*, mandate_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """Nothing is drafted until the payer or staff act; returns those that were on."""
    return _move(mandate_ids, before=(MandateStatus.ON,), after=MandateStatus.SUSPENDED, at=at, why=why)


def resume_mandates(*, mandate_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """Suspended mandates go on as they were authorized; returns them."""
    return _move(mandate_ids, before=(MandateStatus.SUSPENDED,), after=MandateStatus.ON, at=at, why=why)


def stop_mandates(*, mandate_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """Nothing is drafted any more; only a new authorization allows it. Returns those that were alive."""
    return _move(mandate_ids, before=LIVE, after=MandateStatus.STOPPED, at=at, why=why)


def end_mandates(*, mandate_ids: Iterable[int], at: datetime, why: str) -> list[int]:
    """The payer has turned them off, or their enrollment is over; returns those that were alive."""
    return _move(mandate_ids, before=LIVE, after=MandateStatus.ENDED, at=at, why=why)


def _move(
    mandate_ids: Iterable[int],
    *,
    before: Iterable[MandateStatus],
    after: MandateStatus,
    at: datetime,
    why: str,
) -> list[int]:
    ids = list(mandate_ids)
    return sorted(
        key
        for status in before
        for key in MANDATE_MOVES.move(
            model=Mandate, history=MandateMove, ids=ids, before=status, after=after, at=at, why=why[:200]
        )
    )
