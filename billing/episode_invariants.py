"""What must always hold of falling behind: histories along their arrows, nobody unwatched, and no bill after an end.

The nightly review is trusted with what it could know: what was so at the midnight before the last one, and is so now.
"""

from collections.abc import Iterable, Iterator
from datetime import date, time
from typing import Any

from django.db import connection
from django.db.models import Max

from billing.balances import read_standings
from billing.due_date_overrides import read_due_dates
from billing.held_accounts import find_held
from billing.models import BEHIND, EPISODE_MOVES, Episode, EpisodeStatus, Receipt
from connector_pay.lib.clock import MIDNIGHT, eastern_moment
from connector_pay.lib.invariants import Invariant, write_history_question
from connector_pay.lib.models import JobRun

END_OF_DAY = time.max
REVIEW, VOIDING = "review_behind", "void_ended"
BEHIND_SQL = ", ".join(f"'{status.value}'" for status in BEHIND)

TERMINATION_STANDS = """
    SELECT episode.id, episode.ended_on, enrollment.status, enrollment.ends_on, invoice.id
    FROM billing_episode AS episode JOIN billing_account AS account ON account.id = episode.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    LEFT JOIN billing_invoice AS invoice ON invoice.account_id = account.id AND invoice.voided_at IS NULL
        AND invoice.coverage_month > episode.ended_on
    WHERE episode.status IN ('ended', 'asked') AND (enrollment.status <> 'ended'
        OR enrollment.ends_on IS DISTINCT FROM episode.ended_on
        OR (episode.status = 'ended' AND invoice.id IS NOT NULL))
"""
LISTED_WAS_TOLD = """
    WITH notices AS (
        SELECT event, subject, count(*) = count(sent_at) AS is_out FROM members_notice
        WHERE event IN ('past_due', 'termination_warning') GROUP BY event, subject
    ), told AS (
        SELECT split_part(subject, ':', 2) AS episode,
            bool_or(is_out) FILTER (WHERE event = 'termination_warning') AS is_warned,
            bool_or(NOT is_out) FILTER (WHERE event = 'past_due') AS waits
        FROM notices GROUP BY episode
    )
    SELECT episode.id, episode.status FROM billing_episode AS episode
    LEFT JOIN told ON told.episode = episode.id::text
    WHERE episode.status IN ('listed', 'ended', 'asked', 'reinstated') AND (told.is_warned IS NOT TRUE OR told.waits)
"""
BILLED_AFTER_END = f"""
    SELECT invoice.id, invoice.coverage_month, enrollment.ends_on FROM billing_invoice AS invoice
    JOIN billing_account AS account ON account.id = invoice.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    WHERE enrollment.status = 'ended' AND invoice.voided_at IS NULL AND invoice.coverage_month > enrollment.ends_on
        AND NOT EXISTS (SELECT FROM billing_episode AS episode
                        WHERE episode.account_id = account.id AND episode.status = '{EpisodeStatus.ASKED.value}')
        AND (SELECT max(move.at) FROM members_enrollmentmove AS move WHERE move.enrollment_id = enrollment.id) < %s
"""
# Unpaid now, and at a moment before; of active coverage on which nobody has decided since.
UNPAID = f"""
    SELECT account.id, coalesce(invoice.binder_start, invoice.coverage_month) FROM billing_invoice AS invoice
    JOIN billing_account AS account ON account.id = invoice.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(cents), 0) AS now, coalesce(sum(cents) FILTER (WHERE at < %(then)s), 0) AS at_the_time
        FROM billing_allocation WHERE invoice_id = invoice.id
    ) AS received ON true
    WHERE invoice.voided_at IS NULL AND invoice.issued_at < %(then)s AND invoice.due_date < %(day)s
        AND enrollment.status = 'active'
        AND invoice.amount_cents > received.now AND invoice.amount_cents > received.at_the_time
        AND NOT EXISTS (SELECT FROM billing_episode AS episode
                        WHERE episode.account_id = account.id AND episode.status IN ({BEHIND_SQL}))
        AND NOT EXISTS (SELECT FROM members_enrollmentmove AS move
                        WHERE move.enrollment_id = enrollment.id AND move.at >= %(then)s)
        AND NOT EXISTS (SELECT FROM billing_episodemove AS move JOIN billing_episode AS episode ON episode.id = move.episode_id
                        WHERE episode.account_id = account.id AND move.at >= %(then)s)
"""
# Nothing has come, moved, been billed anew or been given more time since.
STANDS_STILL = f"""
    SELECT episode.id FROM billing_episode AS episode
    WHERE episode.status IN ({BEHIND_SQL}) AND episode.opened_at < %(then)s AND NOT EXISTS (
        SELECT FROM billing_receipt AS receipt WHERE receipt.account_id = episode.account_id AND receipt.counted_at >= %(then)s
    ) AND NOT EXISTS (
        SELECT FROM billing_allocation AS moved JOIN billing_invoice AS invoice ON invoice.id = moved.invoice_id
        WHERE invoice.account_id = episode.account_id AND moved.at >= %(then)s
    ) AND NOT EXISTS (
        SELECT FROM billing_invoice AS invoice WHERE invoice.account_id = episode.account_id
            AND (invoice.issued_at >= %(then)s OR invoice.voided_at >= %(then)s)
    ) AND NOT EXISTS (
        SELECT FROM billing_duedateoverride AS given
        WHERE coalesce(given.account_id, episode.account_id) = episode.account_id AND given.recorded_at >= %(then)s
    )
"""


def find_billed_after_end() -> Iterable[tuple[Any, ...]]:
    """Live bills for months after the end of coverage that had ended when such bills were last voided."""
    day = _read_last_run(VOIDING)
    if day is None:
        return []
    return _ask(BILLED_AFTER_END, [eastern_moment(day=day, at=END_OF_DAY)])


def find_unwatched() -> Iterator[tuple[Any, ...]]:
    """Bills past due of active coverage that the last review must have seen, without an episode."""
    day = _read_last_run(REVIEW)
    if day is None:
        return
    unpaid = _ask(UNPAID, {"then": eastern_moment(day=day, at=MIDNIGHT), "day": day})
    account_ids = {key for key, _ in unpaid}
    held, due_dates = find_held(account_ids=account_ids), read_due_dates(account_ids=account_ids)
    yield from (row for row in unpaid if row[0] not in held and due_dates[row[0]](row[1]) < day)


def find_needless() -> Iterator[tuple[Any, ...]]:
    """Episodes whose account has seen no money since the last review, with all they ask for paid in time."""
    day = _read_last_run(REVIEW)
    if day is None:
        return
    still = _ask(STANDS_STILL, {"then": eastern_moment(day=day, at=MIDNIGHT)})
    episodes = Episode.objects.in_bulk([key for (key,) in still])
    standings = read_standings(account_ids=[item.account_id for item in episodes.values()], today=day)
    latest = _read_last_received(standings)
    for key, item in episodes.items():
        before, last_day = item.ladder.find_asked_before(today=day), item.ladder.last_day_to_pay
        bills = standings[item.account_id].open_invoices
        if not any(bill.due_date < before for bill in bills) and latest[item.account_id] <= last_day:
            yield key, item.account_id, item.oldest_month


def _read_last_received(account_ids: Iterable[int]) -> dict[int, date]:
    """The last day on which money of each account was received that stands."""
    receipts = Receipt.objects.filter(account__in=list(account_ids), taken_back_on=None).values("account")
    days = dict(receipts.annotate(day=Max("received_date")).values_list("account", "day"))
    return {key: days.get(key, date.min) for key in account_ids}


def _read_last_run(job: str) -> date | None:
    """The latest day for which the job has finished."""
    return JobRun.objects.filter(job=job, finished_at__isnull=False).aggregate(day=Max("business_date"))[
        "day"
    ]


def _ask(question: str, facts: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, facts)
        return list(cursor.fetchall())


EPISODE_INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I7 episodes",
        "The history of an episode follows the arrows and ends where it stands.",
        write_history_question(
            table="billing_episode",
            history="billing_episodemove",
            moves=EPISODE_MOVES,
            first=EpisodeStatus.OPEN.value,
        ),
    ),
    Invariant(
        "behind unwatched",
        "Active coverage with a bill past due has an episode, once the night has seen it.",
        find_unwatched,
    ),
    Invariant(
        "behind needlessly", "An episode is over once all it asks for was paid in time.", find_needless
    ),
    Invariant(
        "behind told",
        "Coverage is listed to be ended, and ended, after all its notices have gone out.",
        LISTED_WAS_TOLD,
    ),
    Invariant(
        "behind ended",
        "Coverage that was ended stays so, without a bill after its last day, until it is reinstated.",
        TERMINATION_STANDS,
    ),
    Invariant(
        "billed after end", "Nothing is billed for months after coverage has ended.", find_billed_after_end
    ),
)
