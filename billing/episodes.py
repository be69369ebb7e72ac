"""Episodes: the nightly review of active coverage that is behind: an episode opened, told, cured, or listed to be ended.

What an episode asks for is worked out anew each night from the bills and the money, so a review that comes late, twice or
after a crash gives the same state. Nothing ends here: staff confirm the list (billing.terminations).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from billing.accounts import CHUNK, lock_accounts
from billing.balances import OpenInvoice, Standing, read_standings
from billing.behind_notices import find_told, tell_behind
from billing.due_date_overrides import read_due_date
from billing.due_dates import next_month
from billing.held_accounts import find_held
from billing.ladders import Asked, Kind, Ladder, choose_kind
from billing.late_money import find_paid_late
from billing.models import BEHIND, EPISODE_MOVES, Account, Episode, EpisodeMove, EpisodeStatus
from billing.policy import read_policy
from connector_pay.lib.jobs import Counts
from members.models import EnrollmentStatus

AddBankingDays = Callable[[date, int], date]
HELD = "staff look at the first payment"
COVERAGE_OVER = "coverage ended meanwhile"
OLDER_UNPAID = "an older month is unpaid again"
SUBSIDY_GAINED = "a subsidy was gained: the longer ladder"


@dataclass(frozen=True, slots=True)
class Behind:
    """Where an account that is behind stands: its ladder, and whether it waits on the list of coverage to be ended."""

    episode_id: int
    ladder: Ladder
    is_listed: bool


@dataclass(frozen=True, slots=True)
class _Night:
    """One night's review of some accounts, which are locked."""

    standings: Mapping[int, Standing]
    subsidized: Collection[int]
    held: Collection[int]
    add_banking_days: AddBankingDays
    today: date
    at: datetime

    def choose_kind(self, account_id: int) -> Kind:
        """The ladder of an account by what it is tonight."""
        product = self.standings[account_id].product
        return choose_kind(product=product, subsidized=account_id in self.subsidized)


def read_behind(*, account_ids: Iterable[int]) -> dict[int, Behind]:
    """Where those of the accounts stand that are behind. One statement."""
    episodes = Episode.objects.filter(account__among=list(account_ids), status__in=BEHIND)
    return {
        item.account_id: Behind(item.pk, item.ladder, item.status == EpisodeStatus.LISTED)
        for item in episodes
    }


def review(*, today: date, at: datetime, add_banking_days: AddBankingDays) -> Counts:
    """Follow each active coverage with a bill past due along its ladder, up to the list that staff confirm.

    `add_banking_days` counts banking days on from a day. In chunks, each a transaction; safe to run twice or after a crash.
    """
    counts = Counter(opened=0, cured=0, told=0, listed=0, canceled=0)
    for chunk in _chunk_behind(today=today):
        with transaction.atomic():
            lock_accounts(account_ids=chunk)
            counts.update(_review(_read_night(chunk, add_banking_days, today=today, at=at)))
    return counts


def find_cured(*, episodes: Collection[Episode], standings: Mapping[int, Standing], today: date) -> set[int]:
    """The episodes of which all that one of its notices asked for is paid, by money received before the next one.

    After the last notice, by the last day to pay. A run that comes late, and money that was counted late, are judged by the day
    on which it was received.
    """
    asked = {item.pk: item.ladder.list_asked(today=today) for item in episodes}
    left, cured = list(episodes), set[int]()
    for number in range(max(map(len, asked.values()), default=0)):
        stage = {item.pk: asked[item.pk][number] for item in left if number < len(asked[item.pk])}
        paid = [item for item in left if item.pk in stage and _is_paid(item, stage[item.pk], standings)]
        late = find_paid_late(episodes=paid, standings=standings, asked=stage)
        cured |= {item.pk for item in paid} - late
        left = [item for item in left if item.pk not in cured]
    return cured


def _is_paid(episode: Episode, asked: Asked, standings: Mapping[int, Standing]) -> bool:
    return not list_past_due(standing=standings[episode.account_id], before=asked.before)


def list_past_due(*, standing: Standing, before: date) -> list[OpenInvoice]:
    """The account's bills that were due before a day and are not paid."""
    return [bill for bill in standing.open_invoices if bill.due_date < before]


def _review(night: _Night) -> Counts:
    """First what was behind before, then what is behind since tonight; an account cured tonight may be behind anew."""
    counts = Counter(_settle(_read_episodes(night, BEHIND), night))
    counts["opened"] = _open(night)
    still_open = _read_episodes(night, [EpisodeStatus.OPEN])
    counts["told"] = tell_behind(
        episodes=still_open, standings=night.standings, today=night.today, at=night.at
    )
    counts["listed"] = _list_overdue(still_open, night)
    return counts


def _settle(episodes: list[Episode], night: _Night) -> dict[str, int]:
    """End the episodes that are cured, held, or overtaken by an older month or another end; lengthen what gained a subsidy."""
    cured = find_cured(episodes=episodes, standings=night.standings, today=night.today)
    left = [item for item in episodes if item.pk not in cured]
    held = {item.pk for item in left if item.account_id in night.held}
    left = [item for item in left if item.pk not in held]
    older = {item.pk for item in left if _asks_too_little(item, night)}
    left = [item for item in left if item.pk not in older]
    over = {item.pk for item in left if _is_overtaken(item, night)}
    longer = {item.pk for item in left if item.pk not in over and _has_gained_subsidy(item, night)}
    _move(
        episodes,
        longer,
        EpisodeStatus.OPEN,
        why=SUBSIDY_GAINED,
        night=night,
        changes={"kind": Kind.LONG.value},
    )
    return {
        "cured": _move(episodes, cured, EpisodeStatus.CURED, why="", night=night),
        "canceled": _move(episodes, held, EpisodeStatus.CANCELED, why=HELD, night=night)
        + _move(episodes, older, EpisodeStatus.CANCELED, why=OLDER_UNPAID, night=night)
        + _move(episodes, over, EpisodeStatus.CANCELED, why=COVERAGE_OVER, night=night),
    }


def _asks_too_little(episode: Episode, night: _Night) -> bool:
    """A month before the oldest one is unpaid again: nobody was told of it, so notices and days begin anew, of both."""
    bills = list_past_due(standing=night.standings[episode.account_id], before=night.today)
    is_active = night.standings[episode.account_id].enrollment_status == EnrollmentStatus.ACTIVE
    return is_active and any(bill.coverage_month < episode.oldest_month for bill in bills)


def _is_overtaken(episode: Episode, night: _Night) -> bool:
    """Coverage that ends otherwise before the last day to pay is not ended again; what is owed stays owed."""
    status = night.standings[episode.account_id].enrollment_status
    has_time = night.today <= episode.ladder.last_day_to_pay
    return status != EnrollmentStatus.ACTIVE and episode.status == EpisodeStatus.OPEN and has_time


def _has_gained_subsidy(episode: Episode, night: _Night) -> bool:
    is_long = episode.kind == Kind.LONG
    return (
        episode.status == EpisodeStatus.OPEN
        and not is_long
        and night.choose_kind(episode.account_id) == Kind.LONG
    )


def _open(night: _Night) -> int:
    """An active coverage with a bill past due, and no episode, is behind from tonight; its oldest month and ladder are kept."""
    known = Episode.objects.filter(account__among=list(night.standings), status__in=BEHIND)
    passed_over = {*known.values_list("account_id", flat=True), *night.held}
    behind = {
        key: list_past_due(standing=standing, before=night.today)
        for key, standing in night.standings.items()
        if key not in passed_over and standing.enrollment_status == EnrollmentStatus.ACTIVE
    }
    opened = Episode.objects.bulk_create(
        Episode(
            account_id=key,
            oldest_month=bills[0].coverage_month,
            kind=night.choose_kind(key).value,
            found_on=night.today,
            opened_at=night.at,
        )
        for key, bills in behind.items()
        if bills
    )
    return len(opened)


def _list_overdue(episodes: list[Episode], night: _Night) -> int:
    """Once every notice has gone out, by letter too, and its banking days have passed, staff find coverage on the list."""
    wait = read_policy().termination_banking_days
    overdue = [
        item for item in episodes if night.add_banking_days(item.ladder.last_day_to_pay, wait) <= night.today
    ]
    told = find_told(episodes=overdue)
    return _move(overdue, told, EpisodeStatus.LISTED, why="not paid by the last day to pay", night=night)


def _move(
    episodes: list[Episode],
    chosen: Collection[int],
    after: EpisodeStatus,
    *,
    why: str,
    night: _Night,
    changes: Mapping[str, object] | None = None,
) -> int:
    """Move those that were chosen, wherever they stood; returns how many moved."""
    moved = 0
    for before in sorted({item.status for item in episodes if item.pk in chosen}):
        ids = [item.pk for item in episodes if item.pk in chosen and item.status == before]
        moved += len(
            EPISODE_MOVES.move(
                model=Episode,
                history=EpisodeMove,
                ids=ids,
                before=before,
                after=after,
                at=night.at,
                why=why,
                changes=changes,
            )
        )
    return moved


def _read_episodes(night: _Night, statuses: Iterable[str]) -> list[Episode]:
    found = Episode.objects.filter(account__among=list(night.standings), status__in=list(statuses))
    return list(found.select_related("account__enrollment__member").order_by("pk"))


def _read_night(
    account_ids: list[int], add_banking_days: AddBankingDays, *, today: date, at: datetime
) -> _Night:
    subsidized = Account.objects.filter(pk__among=account_ids, enrollment__subsidized=True)
    return _Night(
        standings=read_standings(account_ids=account_ids, today=today),
        subsidized=set(subsidized.values_list("pk", flat=True)),
        held=find_held(account_ids=account_ids),
        add_banking_days=add_banking_days,
        today=today,
        at=at,
    )


# More than are behind, never fewer: whose bills may be due on days of their own are read whatever their month.
MAYBE_BEHIND = """
    SELECT account.id FROM billing_account AS account
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    WHERE account.id > %(after)s AND (
        EXISTS (SELECT FROM billing_episode AS episode
                WHERE episode.account_id = account.id AND episode.status = ANY(%(behind)s))
        OR enrollment.status = %(active)s AND EXISTS (
            SELECT FROM billing_invoice AS invoice
            WHERE invoice.account_id = account.id AND invoice.voided_at IS NULL
                AND (invoice.coverage_month <= %(last_due)s OR enrollment.binder_due_date IS NOT NULL
                     OR EXISTS (SELECT FROM billing_duedateoverride AS own WHERE own.account_id = account.id))
                AND invoice.amount_cents > (
                    SELECT coalesce(sum(cents), 0) FROM billing_allocation WHERE invoice_id = invoice.id
                )
        )
    ) ORDER BY account.id LIMIT %(limit)s
"""


def _chunk_behind(*, today: date) -> Iterator[list[int]]:
    """The accounts that are, or may be, behind, in chunks by their ids; read anew after each chunk."""
    facts: dict[str, int | str | date | list[str]] = {
        "after": 0,
        "behind": [status.value for status in BEHIND],
        "active": EnrollmentStatus.ACTIVE.value,
        "last_due": _find_last_due(today=today),
        "limit": CHUNK,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(MAYBE_BEHIND, facts)
            chunk = [key for (key,) in cursor.fetchall()]
        if not chunk:
            return
        yield chunk
        facts["after"] = chunk[-1]


def _find_last_due(*, today: date) -> date:
    """The latest coverage month whose due date has passed for those who have no day of their own."""
    due_date, month = read_due_date(), next_month(today, count=2)
    while due_date(month) >= today:
        month = next_month(month, count=-1)
    return month
