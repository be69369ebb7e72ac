"""Reinstatement: coverage that was ended goes on again, once it was asked for in time and every month is paid.

When it is asked for the months are billed again, so that they can be paid like any other bill; staff then approve.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from django.db import transaction

from billing.accounts import lock_accounts
from billing.balances import read_standing
from billing.behind_notices import tell_reinstated
from billing.due_dates import next_month
from billing.invoices import MonthToBill, issue_missing, issue_months
from billing.models import EPISODE_MOVES, Episode, EpisodeMove, EpisodeStatus, Invoice
from billing.policy import read_policy
from billing.voiding import void_months_after
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members import coverage
from members.models import User

REINSTATED = "reinstated: every month is paid"
DECLINED = "the reinstatement was declined"


class UnableToReinstate(ValueError):
    """The coverage cannot go on, or not yet; the text says why, for staff. Nothing was changed."""


def find_last_day_to_ask(*, episode: Episode) -> date | None:
    """The 35th day after the termination notice."""
    if episode.decided_on is None:
        return None
    return episode.decided_on + timedelta(days=read_policy().reinstatement_days)


def ask_reinstatement(*, episode_id: int, by: User, today: date, at: datetime) -> None:
    """The member asks for the coverage back, within 35 days of the termination notice; staff write it down.

    All months since the end, and the next one, are billed again. Raises UnableToReinstate.
    """
    with transaction.atomic():
        episode = _lock(episode_id)
        why = f"written down by {by.get_username()}"
        _move(episode, EpisodeStatus.ENDED, EpisodeStatus.ASKED, at=at, why=why)
        last_day = find_last_day_to_ask(episode=episode)
        if last_day is None or today > last_day:
            said = long_date(last_day) if last_day else "then"
            raise UnableToReinstate(f"It is too late: this had to be asked for by {said}.")
        issue_months(months=list(_list_months(episode, today=today)), today=today, at=at)


def approve_reinstatement(*, episode_id: int, by: User, today: date, at: datetime) -> None:
    """Staff approve: coverage goes on as if it had never ended, once all that was billed again is paid.

    Months that have begun since it was asked for are billed first, and stay billed if it is refused for them. The member is
    told. Raises UnableToReinstate.
    """
    _bill_begun(episode_id, today=today, at=at)
    with transaction.atomic():
        episode = _lock(episode_id)
        standing = read_standing(account_id=episode.account_id, today=today)
        if standing.due_cents:
            raise UnableToReinstate(f"{format_dollars(standing.due_cents)} is still to be paid.")
        why = f"approved by {by.get_username()}"
        _move(episode, EpisodeStatus.ASKED, EpisodeStatus.REINSTATED, at=at, why=why)
        last_days = {episode.account.enrollment_id: episode.planned_end}
        coverage.reinstate(last_days=last_days, at=at, why=REINSTATED)
        issue_missing(today=today, at=at, account_ids=[episode.account_id])
        tell_reinstated(episode=episode, standing=standing, today=today, at=at)


def _bill_begun(episode_id: int, *, today: date, at: datetime) -> None:
    with transaction.atomic():
        episode = _lock(episode_id)
        if episode.status == EpisodeStatus.ASKED:
            live = Invoice.objects.filter(account=episode.account_id, voided_at=None)
            billed = set(live.values_list("coverage_month", flat=True))
            months = [
                item
                for item in _list_months(episode, today=today)
                if item.month <= today and item.month not in billed
            ]
            issue_months(months=months, today=today, at=at)


def decline_reinstatement(*, episode_id: int, by: User, why: str, today: date, at: datetime) -> None:
    """Staff decline: coverage stays ended, the months billed again are void, and money on them is credit.

    Raises UnableToReinstate.
    """
    if not why.strip():
        raise UnableToReinstate("Say why this reinstatement is declined.")
    with transaction.atomic():
        episode = _lock(episode_id)
        said = f"declined by {by.get_username()}: {why}"[:200]
        _move(episode, EpisodeStatus.ASKED, EpisodeStatus.ENDED, at=at, why=said)
        last_days: Mapping[int, date] = {episode.account_id: episode.ended_on or date.min}
        void_months_after(last_days=last_days, why=DECLINED, today=today, at=at)


def _lock(episode_id: int) -> Episode:
    """Lock the account of the episode, then read it. Raises UnableToReinstate."""
    found = Episode.objects.filter(pk=episode_id)
    lock_accounts(account_ids=found.values_list("account_id", flat=True))
    episode = found.select_related("account__enrollment__member").first()
    if episode is None:
        raise UnableToReinstate(f"There is no episode {episode_id}.")
    return episode


def _move(episode: Episode, before: EpisodeStatus, after: EpisodeStatus, *, at: datetime, why: str) -> None:
    moved = EPISODE_MOVES.move(
        model=Episode, history=EpisodeMove, ids=[episode.pk], before=before, after=after, at=at, why=why
    )
    if not moved:
        raise UnableToReinstate(f"This cannot be done now: {episode.get_status_display().lower()}.")


def _list_months(episode: Episode, *, today: date) -> Iterator[MonthToBill]:
    """The months since the end of coverage, and the next one, as far as coverage was to go."""
    if episode.ended_on is None:
        return
    enrollment = episode.account.enrollment
    month, last = next_month(episode.ended_on), next_month(today)
    while month <= min(last, episode.planned_end or last):
        binder_start = month if month == enrollment.coverage_start else None
        yield MonthToBill(episode.account_id, enrollment.pk, month, binder_start)
        month = next_month(month)
