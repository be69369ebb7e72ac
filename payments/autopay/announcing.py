"""Announcing drafts: by 10 days before it, each payer is told what will be drafted and when; more than that is not taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from billing.due_dates import first_of_month
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts
from members.outbox import Telling, tell
from payments.autopay.amounts import find_last_announcing, read_announced, read_on_its_way, sum_due
from payments.autopay.days import DraftDay, find_draft_day, find_following
from payments.autopay.notices import Draft, read_with_people, tell_above, tell_coming
from payments.banking_calendar import read_calendar
from payments.models import DraftAnnouncement, Mandate, MandateStatus
from payments.payables import OPEN
from payments.recording import CHUNK

COLUMNS = ("account", "draft_date", "amount_cents", "announced_on", "at")


def announce_drafts(*, today: date, at: datetime) -> Counts:
    """From the 1st of a month until 10 days before its draft, whatever is due beyond what was announced is announced.

    Where that is more than the payer authorized, the payer is told that nothing is taken, and to pay in another way.
    What is paid in another way in the meantime is left out when the draft is made. Safe to run twice, resumes in chunks.
    """
    calendar = read_calendar()
    day = find_draft_day(month=today, calendar=calendar)
    announced = 0
    if today <= find_last_announcing(draft_date=day.received_date):
        following = find_following(draft=day, calendar=calendar)
        for chunk in _chunk_accounts(day):
            with transaction.atomic():
                lock_accounts(account_ids=chunk)
                announced += _announce(chunk, day, following, today=today, at=at)
    return {"announced": announced}


def keep_announced(*, drafts: Sequence[Draft], today: date, at: datetime) -> set[int]:
    """Write down what the payers are told, once a day and amount; returns the accounts for which it is new."""
    rows = [
        (item.mandate.account_id, item.day.received_date, item.cents, today, at)
        for item in drafts
        if item.cents
    ]
    new = insert_missing(model=DraftAnnouncement, columns=COLUMNS, rows=rows, returning=["account"])
    return {account_id for (account_id,) in new}


def _chunk_accounts(day: DraftDay) -> Iterator[list[int]]:
    """The accounts with AutoPay on for this draft, by their ids, some at a time."""
    live = Mandate.objects.filter(
        status=MandateStatus.ON,
        drafts_from__lte=day.received_date,
        account__enrollment__status__in=OPEN,
    ).order_by("account_id")
    after = 0
    while chunk := list(live.filter(account_id__gt=after).values_list("account_id", flat=True)[:CHUNK]):
        yield chunk
        after = chunk[-1]


def _announce(
    account_ids: Sequence[int], day: DraftDay, following: DraftDay, *, today: date, at: datetime
) -> int:
    standings = read_standings(account_ids=account_ids, today=today)
    due = {
        key: sum_due(standing=standing, following=following.received_date)
        for key, standing in standings.items()
    }
    told = read_announced(
        account_ids=account_ids, draft_date=day.received_date, since=first_of_month(day.received_date)
    )
    more = [key for key in account_ids if due[key] > told.get(key, 0)]
    mandates = read_with_people(mandates=Mandate.objects.filter(status=MandateStatus.ON, account__among=more))
    drafts = [Draft(mandate, day, due[mandate.account_id]) for mandate in mandates]
    new = keep_announced(drafts=drafts, today=today, at=at)
    told_now = [draft for draft in drafts if draft.mandate.account_id in new]
    tell(tellings=_list_tellings(told_now, standings), today=today, at=at)
    return len(new)


def _list_tellings(drafts: Sequence[Draft], standings: Mapping[int, Standing]) -> list[Telling]:
    """What is within the payer's limit is coming; above it nothing is taken, which is told now, in time to pay."""
    on_their_way = read_on_its_way(account_ids=[draft.mandate.account_id for draft in drafts])
    wanted = [
        replace(draft, cents=max(0, draft.cents - on_their_way[draft.mandate.account_id].cents))
        for draft in drafts
    ]
    above = [draft for draft in wanted if draft.is_above]
    # What is on its way may be canceled yet: "up to" what is due, as far as it was authorized.
    within = [
        replace(draft, cents=min(draft.cents, draft.most_cents))
        for draft, rest in zip(drafts, wanted, strict=True)
        if not rest.is_above
    ]
    return [
        *tell_coming(drafts=within),
        *tell_above(drafts=above, standings=standings, on_their_way=on_their_way),
    ]
