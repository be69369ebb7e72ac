"""Drafting: shortly before the file for the draft day is cut, each account with AutoPay on pays what its bills still ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import override

from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from connector_pay.lib.jobs import Counts
from members.outbox import tell
from payments.autopay.amounts import (
    find_draft_cents,
    read_announced,
    read_on_its_way,
    read_scheduled,
    sum_due,
)
from payments.autopay.days import DraftDay, find_cut, find_following
from payments.autopay.notices import Draft, read_with_people, tell_above, tell_not_validated
from payments.banking_calendar import read_calendar
from payments.confirmation import make_number
from payments.models import (
    BankAccountStatus,
    Mandate,
    MandateStatus,
    Payment,
    PaymentChannel,
)
from payments.payables import OPEN
from payments.payment_notices import tell_recorded
from payments.recording import CHUNK
from payments.statements import describe_effect


@dataclass(frozen=True)
class _Run:
    """One drafting: which draft, as of when, and the draft after it."""

    day: DraftDay
    following: DraftDay
    today: date
    at: datetime


def draft_all(
    *, today: date, at: datetime, first_account: int = 0, last_account: int | None = None
) -> Counts:
    """On the day on which the draft's file is cut, draft what is due, less what is on its way, up to what was announced.

    Nothing is drafted above what the payer authorized, or from a bank account that was not validated in time; then the member
    is told to pay in another way. One draft an account and draft day, ever. In chunks, each a transaction; safe to run twice,
    in parallel, late, or after a crash. The accounts from `first_account` to `last_account`, all if not given.
    """
    calendar = read_calendar()
    day = find_cut(today=today, calendar=calendar)
    counts = {"drafted": 0, "drafted_cents": 0, "above_ceiling": 0, "not_validated": 0}
    if day is None:
        return counts
    run = _Run(day, find_following(draft=day, calendar=calendar), today, at)
    for chunk in _chunk_accounts(day, first_account, last_account):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            for name, count in _draft(chunk, run).items():
                counts[name] += count
    return counts


def _chunk_accounts(day: DraftDay, first: int, last: int | None) -> Iterator[list[int]]:
    """The accounts to be drafted that were not, by their ids, some at a time."""
    waiting = _find_waiting(day).order_by("account_id")
    if last is not None:
        waiting = waiting.filter(account_id__lte=last)
    after = first - 1
    while chunk := list(waiting.filter(account_id__gt=after).values_list("account_id", flat=True)[:CHUNK]):
        yield chunk
        after = chunk[-1]


def _find_waiting(day: DraftDay) -> QuerySet[Mandate]:
    """The mandates that are on for this draft and have not made it."""
    drafted = Payment.objects.filter(
        account=OuterRef("account"),
        received_date=day.received_date,
        channel=PaymentChannel.AUTOPAY,
        retry_of=None,
    )
    live = Mandate.objects.filter(
        status=MandateStatus.ON,
        drafts_from__lte=day.received_date,
        account__enrollment__status__in=OPEN,
    )
    return live.filter(~Exists(drafted))


def _draft(account_ids: Sequence[int], run: _Run) -> dict[str, int]:
    # Read again under the lock: it may have been turned off, drafted by another run, or paid meanwhile.
    mandates = read_with_people(mandates=_find_waiting(run.day).filter(account__among=account_ids))
    keys = [mandate.account_id for mandate in mandates]
    standings = read_standings(account_ids=keys, today=run.today)
    cents = _find_cents(keys, standings, run)
    wanted = [
        Draft(mandate, run.day, cents[mandate.account_id])
        for mandate in mandates
        if cents[mandate.account_id]
    ]
    above = [draft for draft in wanted if draft.is_above]
    within = [draft for draft in wanted if not draft.is_above]
    waiting = [draft for draft in within if draft.mandate.bank_account.status == BankAccountStatus.UNCHECKED]
    payments = _record([draft for draft in within if _may_be_debited(draft)], standings, run)
    on_their_way = read_on_its_way(account_ids=[draft.mandate.account_id for draft in [*above, *waiting]])
    tellings = [
        *tell_above(drafts=above, standings=standings, on_their_way=on_their_way),
        *tell_not_validated(drafts=waiting, standings=standings, on_their_way=on_their_way),
    ]
    tell(tellings=tellings, today=run.today, at=run.at)
    return {
        "drafted": len(payments),
        "drafted_cents": sum(payment.amount_cents for payment in payments),
        "above_ceiling": len(above),
        "not_validated": len(waiting),
    }


def _may_be_debited(draft: Draft) -> bool:
    """Whether the bank account is valid; a failed, blocked or paused one has stopped AutoPay, or is about to."""
    return draft.mandate.bank_account.status == BankAccountStatus.VALID


def _find_cents(account_ids: Sequence[int], standings: Mapping[int, Standing], run: _Run) -> dict[int, int]:
    scheduled = read_scheduled(account_ids=account_ids)
    announced = read_announced(account_ids=account_ids, draft_date=run.day.received_date)
    return {
        key: find_draft_cents(
            due_cents=sum_due(standing=standings[key], following=run.following.received_date),
            scheduled_cents=scheduled.get(key, 0),
            announced_cents=announced.get(key, 0),
        )
        for key in account_ids
    }


def _record(drafts: Sequence[Draft], standings: Mapping[int, Standing], run: _Run) -> list[Payment]:
    payments = Payment.objects.bulk_create(
        _make(draft, standings[draft.mandate.account_id], run) for draft in drafts
    )
    tell_recorded(payments=payments, today=run.today, at=run.at)
    return payments


def _make(draft: Draft, standing: Standing, run: _Run) -> Payment:
    """The draft's payment; what it does to coverage is said in the language of the authorization."""
    mandate, received = draft.mandate, draft.day.received_date
    with override(mandate.authorization.language):
        sentence = describe_effect(
            standing=standing,
            amount_cents=draft.cents,
            received_date=received,
            today=run.today,
            due_date_rule=standing.due_date_rule,
        )
    return Payment(
        confirmation_number=make_number(),
        account=mandate.account,
        bank_account=mandate.bank_account,
        authorization=mandate.authorization,
        amount_cents=draft.cents,
        received_date=received,
        channel=PaymentChannel.AUTOPAY,
        form_key=uuid4(),
        coverage_sentence=sentence,
        recorded_at=run.at,
    )
