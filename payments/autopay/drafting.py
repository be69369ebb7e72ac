"""Drafting: shortly before the file for the draft day is cut, each account with AutoPay on pays what its bills still ask for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import override

from billing.accounts import Span, lock_accounts, split_accounts
from billing.balances import Standing, read_standings
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts
from connector_pay.lib.lanes import run_in_lanes
from members.notices import MemberToTell
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
    PaymentStatus,
)
from payments.payables import OPEN
from payments.payment_notices import AboutPayment, Recorded, tell_about
from payments.recording import CHUNK
from payments.statements import describe_effect

COLUMNS = (
    "confirmation_number",
    "account",
    "bank_account",
    "authorization",
    "amount_cents",
    "received_date",
    "status",
    "channel",
    "form_key",
    "session_digest",
    "coverage_sentence",
    "receipt_email",
    "recorded_at",
    "return_code",
    "retry_number",
)


class AlreadyDrafted(Exception):
    """Another process drafted one of the accounts, or took one of the confirmation numbers; nothing of the chunk is kept."""


@dataclass(frozen=True)
class _Run:
    """One drafting: which draft, as of when, and the draft after it."""

    day: DraftDay
    following: DraftDay
    today: date
    at: datetime


def draft_all(*, today: date, at: datetime) -> Counts:
    """On the day on which the draft's file is cut, draft what is due, less what is on its way, up to what was announced.

    Nothing is drafted above what the payer authorized, or from a bank account that was not validated in time; then the member
    is told to pay in another way. One draft an account and draft day, ever. In chunks, each a transaction, on a few spans of
    accounts at once; safe to run twice, in parallel, late, or after a crash.
    """
    calendar = read_calendar()
    day = find_cut(today=today, calendar=calendar)
    counts = Counter(drafted=0, drafted_cents=0, above_ceiling=0, not_validated=0)
    if day is None:
        return counts
    run = _Run(day, find_following(draft=day, calendar=calendar), today, at)
    for done in run_in_lanes(work=partial(_draft_span, run=run), parts=split_accounts()):
        counts.update(done)
    return counts


def _draft_span(span: Span, *, run: _Run) -> Counter[str]:
    """The drafts of a span's accounts."""
    counts: Counter[str] = Counter()
    for chunk in _chunk_accounts(run.day, span):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            counts.update(_draft(chunk, run))
    return counts


def _chunk_accounts(day: DraftDay, span: Span) -> Iterator[list[int]]:
    """A span's accounts to be drafted that were not, by their ids, some at a time."""
    after, waiting = span.after, _find_waiting(day).filter(account_id__lte=span.last).order_by("account_id")
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


@dataclass(frozen=True, slots=True)
class _Live:
    """As much of a mandate as a draft takes: where the money comes from, the most it may be, and who is told."""

    member: MemberToTell
    mandate_id: int
    account_id: int
    bank_account_id: int
    bank_status: str
    last_four: str
    authorization_id: int
    most_cents: int
    language: str


def _draft(account_ids: Sequence[int], run: _Run) -> dict[str, int]:
    # Read again under the lock: it may have been turned off, drafted by another run, or paid meanwhile.
    live = _read_live(_find_waiting(run.day).filter(account__among=account_ids))
    keys = [item.account_id for item in live]
    standings = read_standings(account_ids=keys, today=run.today)
    cents = _find_cents(keys, standings, run)
    wanted = [item for item in live if cents[item.account_id]]
    above = [item for item in wanted if cents[item.account_id] > item.most_cents]
    within = [item for item in wanted if cents[item.account_id] <= item.most_cents]
    waiting = [item for item in within if item.bank_status == BankAccountStatus.UNCHECKED]
    # A failed, blocked or paused bank account has stopped AutoPay, or is about to.
    drafted = [item for item in within if item.bank_status == BankAccountStatus.VALID]
    _record(drafted, cents, standings, run)
    _tell_not_drafted(above, waiting, cents, standings, run)
    return {
        "drafted": len(drafted),
        "drafted_cents": sum(cents[item.account_id] for item in drafted),
        "above_ceiling": len(above),
        "not_validated": len(waiting),
    }


def _read_live(mandates: QuerySet[Mandate]) -> list[_Live]:
    own = ("pk", "account_id", "bank_account_id", "bank_account__status", "bank_account__last_four")
    proof = ("authorization_id", "authorization__amount_cents", "authorization__language")
    person = "account__enrollment__member"
    told = (
        f"{person}__{name}" for name in ("pk", "email", "language", "paperless_bills", "paperless_notices")
    )
    rows = mandates.order_by("account_id", "pk").values_list(*told, *own, *proof)
    return [_Live(MemberToTell(*row[:5]), *row[5:]) for row in rows]


def _tell_not_drafted(
    above: Sequence[_Live],
    waiting: Sequence[_Live],
    cents: Mapping[int, int],
    standings: Mapping[int, Standing],
    run: _Run,
) -> None:
    """Tell each payer from whom nothing is drafted though something is due."""
    if not above and not waiting:
        return
    keys = [item.mandate_id for item in (*above, *waiting)]
    mandates = {item.pk: item for item in read_with_people(mandates=Mandate.objects.filter(pk__among=keys))}
    on_their_way = read_on_its_way(account_ids=[item.account_id for item in (*above, *waiting)])
    drafts = {key: Draft(item, run.day, cents[item.account_id]) for key, item in mandates.items()}
    facts: dict[str, Any] = {"standings": standings, "on_their_way": on_their_way}
    tellings = [
        *tell_above(drafts=[drafts[item.mandate_id] for item in above], **facts),
        *tell_not_validated(drafts=[drafts[item.mandate_id] for item in waiting], **facts),
    ]
    tell(tellings=tellings, today=run.today, at=run.at)


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


def _record(
    drafts: Sequence[_Live], cents: Mapping[int, int], standings: Mapping[int, Standing], run: _Run
) -> None:
    """Write the payments and tell the payers."""
    effects = {
        item.account_id: _describe(item, cents[item.account_id], standings[item.account_id], run)
        for item in drafts
    }
    rows = _list_rows(drafts, cents, effects, run)
    written = insert_missing(
        model=Payment, columns=COLUMNS, rows=rows, returning=["account", "id", "confirmation_number"]
    )
    if len(written) < len(rows):
        raise AlreadyDrafted("Another process has drafted one of these accounts meanwhile.")
    numbers = {account_id: numbered for account_id, *numbered in written}
    recorded = [
        Recorded(
            _say(item, cents, standings, numbers[item.account_id], run),
            effects[item.account_id],
            is_valid=True,
        )
        for item in drafts
    ]
    tell_about(recorded=recorded, today=run.today, at=run.at)


def _list_rows(
    drafts: Sequence[_Live], cents: Mapping[int, int], effects: Mapping[int, str], run: _Run
) -> list[tuple[object, ...]]:
    """A row of each payment, in the order of COLUMNS."""
    received, channel, status = (
        run.day.received_date,
        PaymentChannel.AUTOPAY.value,
        PaymentStatus.RECORDED.value,
    )
    return [
        (
            make_number(),
            item.account_id,
            item.bank_account_id,
            item.authorization_id,
            cents[item.account_id],
            received,
            status,
            channel,
            uuid4(),
            "",
            effects[item.account_id],
            "",
            run.at,
            "",
            0,
        )
        for item in drafts
    ]


def _say(
    item: _Live,
    cents: Mapping[int, int],
    standings: Mapping[int, Standing],
    numbered: Sequence[Any],
    run: _Run,
) -> AboutPayment:
    """What the notice about a draft says."""
    key, confirmation_number = numbered
    return AboutPayment(
        id=key,
        account_id=item.account_id,
        product=standings[item.account_id].product,
        amount_cents=cents[item.account_id],
        received_date=run.day.received_date,
        confirmation_number=confirmation_number,
        last_four=item.last_four,
        channel=PaymentChannel.AUTOPAY,
        receipt_email="",
        payer_language=item.language,
        member=item.member,
    )


def _describe(item: _Live, cents: int, standing: Standing, run: _Run) -> str:
    """What the draft does to coverage, said in the language of the authorization."""
    with override(item.language):
        return describe_effect(
            standing=standing,
            amount_cents=cents,
            received_date=run.day.received_date,
            today=run.today,
            due_date_rule=standing.due_date_rule,
        )
