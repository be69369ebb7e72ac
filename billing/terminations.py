"""Terminations: coverage that stayed unpaid ends from a list that staff confirm; they may also keep it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from billing.behind_notices import tell_ended
from billing.due_dates import next_month
from billing.episodes import find_cured
from billing.held_accounts import find_held
from billing.models import EPISODE_MOVES, Episode, EpisodeMove, EpisodeStatus
from billing.voiding import void_months_after
from connector_pay.lib.templatetags.exchange import long_date
from members import coverage
from members.models import User

ONE_DAY = timedelta(days=1)
NOT_LISTED = "This coverage is not on the list of what is to be ended."
LOOK_AGAIN = "Money has come since. Look again."
NOT_PAID = "premium not paid by the last day to pay"


@dataclass(frozen=True, slots=True)
class Termination:
    """Coverage that staff are asked to end: how the account stands, and the last day of coverage, if not theirs to choose."""

    episode: Episode
    standing: Standing

    @property
    def ends_on(self) -> date | None:
        """None: staff choose."""
        return self.episode.ladder.ends_on


class UnableToEndCoverage(ValueError):
    """The coverage cannot be ended so, or not any more; the text says why, for staff. Nothing was changed."""


def list_terminations(*, today: date) -> list[Termination]:
    """Coverage to be ended, the longest on the list first. What has been paid meanwhile shows in how the account stands."""
    listed = _with_people(Episode.objects.filter(status=EpisodeStatus.LISTED)).order_by("pk")
    episodes = list(listed)
    standings = read_standings(account_ids=[item.account_id for item in episodes], today=today)
    return [Termination(item, standings[item.account_id]) for item in episodes]


def confirm_terminations(
    *,
    episode_ids: Iterable[int],
    by: User,
    today: date,
    at: datetime,
    ends_on: date | None = None,
    shown_cents: Mapping[int, int] | None = None,
) -> list[int]:
    """End the coverage of these on the last day that their ladder names; the members are told.

    Bills of later months are void, the months before stay owed. `ends_on` is the day that staff choose where the hole was
    found too late. `shown_cents` is what staff saw past due of each. Those no longer on the list, by now found to be paid in
    time, whose start is under review, or of which another amount is past due than was seen, are left as they are; returns the
    ids of those ended now. Raises UnableToEndCoverage.
    """
    with transaction.atomic():
        listed = _lock_listed(episode_ids)
        standings = read_standings(account_ids=[item.account_id for item in listed], today=today)
        left = find_cured(episodes=listed, standings=standings, today=today)
        left |= _find_changed(listed, standings, shown_cents or {})
        held = find_held(account_ids=[item.account_id for item in listed])
        episodes = [item for item in listed if item.pk not in left and item.account_id not in held]
        last_days = {item.pk: _choose_last_day(item, ends_on) for item in episodes}
        _move_ended(episodes, last_days, by=by, today=today, at=at)
        _end_coverage(episodes, last_days, today=today, at=at)
    return sorted(last_days)


def end_coverage(
    *,
    episode_id: int,
    by: User,
    today: date,
    at: datetime,
    ends_on: date | None = None,
    shown_cents: int | None = None,
) -> None:
    """Confirm one of the list. Raises UnableToEndCoverage, also where it is no longer on the list or money has come."""
    shown = {} if shown_cents is None else {episode_id: shown_cents}
    ended = confirm_terminations(
        episode_ids=[episode_id], by=by, today=today, at=at, ends_on=ends_on, shown_cents=shown
    )
    if not ended:
        still_listed = find_still_listed(episode_ids=[episode_id])
        raise UnableToEndCoverage(LOOK_AGAIN if still_listed else NOT_LISTED)


def find_still_listed(*, episode_ids: Iterable[int]) -> list[int]:
    """Those of the episodes that wait on the list of coverage to be ended."""
    listed = Episode.objects.filter(pk__among=list(episode_ids), status=EpisodeStatus.LISTED)
    return list(listed.order_by("pk").values_list("pk", flat=True))


def keep_coverage(*, episode_id: int, by: User, why: str, today: date, at: datetime) -> None:
    """Staff keep this coverage: it comes off the list. What is still unpaid the next night begins a new episode.

    Raises UnableToEndCoverage without a reason, and where it is no longer on the list.
    """
    if not why.strip():
        raise UnableToEndCoverage("Say why this coverage is kept.")
    with transaction.atomic():
        episodes = _lock_listed([episode_id])
        kept = EPISODE_MOVES.move(
            model=Episode,
            history=EpisodeMove,
            ids=[item.pk for item in episodes],
            before=EpisodeStatus.LISTED,
            after=EpisodeStatus.CANCELED,
            at=at,
            why=f"kept on {today} by {by.get_username()}: {why}"[:200],
        )
    if not kept:
        raise UnableToEndCoverage(NOT_LISTED)


def _lock_listed(episode_ids: Iterable[int]) -> list[Episode]:
    """Lock the accounts of the episodes, then read those that are still on the list."""
    asked = Episode.objects.filter(pk__among=list(episode_ids))
    lock_accounts(account_ids=asked.values_list("account_id", flat=True))
    return list(_with_people(asked.filter(status=EpisodeStatus.LISTED)).order_by("pk"))


def _find_changed(
    episodes: Iterable[Episode], standings: Mapping[int, Standing], shown_cents: Mapping[int, int]
) -> set[int]:
    """The episodes of which staff saw another amount past due than is past due now."""
    now = {item.pk: standings[item.account_id].past_due_cents for item in episodes}
    return {key for key, cents in now.items() if shown_cents.get(key, cents) != cents}


def _with_people(episodes: QuerySet[Episode]) -> QuerySet[Episode]:
    return episodes.select_related("account__enrollment__member", "account__enrollment__plan")


def _choose_last_day(episode: Episode, chosen: date | None) -> date:
    """The ladder's own last day; where it has none, the day that staff chose. Raises UnableToEndCoverage."""
    ladder, planned_end = episode.ladder, episode.account.enrollment.ends_on
    if ladder.ends_on is not None:
        if chosen not in (None, ladder.ends_on):
            raise UnableToEndCoverage(
                f"This coverage ends with {long_date(ladder.ends_on)}. No other day can be chosen."
            )
        return min(ladder.ends_on, planned_end or ladder.ends_on)
    if chosen is None:
        raise UnableToEndCoverage("The unpaid month was found late. Choose the last day of coverage.")
    last_paid = episode.oldest_month - ONE_DAY
    is_last_of_month = (chosen + ONE_DAY).day == 1
    if not is_last_of_month or not last_paid <= chosen < next_month(ladder.last_day_to_pay):
        raise UnableToEndCoverage(
            f"Choose the last day of a month, no earlier than {long_date(last_paid)} and no later than the month of "
            f"{long_date(ladder.last_day_to_pay)}."
        )
    return min(chosen, planned_end or chosen)


def _move_ended(
    episodes: Sequence[Episode], last_days: Mapping[int, date], *, by: User, today: date, at: datetime
) -> None:
    """One move for each pair of last day and planned end among them."""
    groups: defaultdict[tuple[date, date | None], list[int]] = defaultdict(list)
    for item in episodes:
        groups[last_days[item.pk], item.account.enrollment.ends_on].append(item.pk)
    for (last_day, planned_end), ids in groups.items():
        decision = {"decided_by_id": by.pk, "decided_on": today}
        EPISODE_MOVES.move(
            model=Episode,
            history=EpisodeMove,
            ids=ids,
            before=EpisodeStatus.LISTED,
            after=EpisodeStatus.ENDED,
            at=at,
            why=f"confirmed by {by.get_username()}"[:200],
            changes={"ended_on": last_day, "planned_end": planned_end} | decision,
        )


def _end_coverage(
    episodes: Sequence[Episode], last_days: Mapping[int, date], *, today: date, at: datetime
) -> None:
    """Move the enrollments, void the later months, tell the members what they still owe."""
    coverage.end_early(
        last_days={item.account.enrollment_id: last_days[item.pk] for item in episodes}, at=at, why=NOT_PAID
    )
    void_months_after(
        last_days={item.account_id: last_days[item.pk] for item in episodes}, why=NOT_PAID, today=today, at=at
    )
    standings = read_standings(account_ids=[item.account_id for item in episodes], today=today)
    for item in episodes:
        item.ended_on = last_days[item.pk]
    tell_ended(episodes=episodes, standings=standings, today=today, at=at)
