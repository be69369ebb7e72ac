"""The exchange's staff in a simulation: they end coverage and let it go on, give money back, waive, correct, and extend.

Each week they mail the letters: until then the coverage of those who want paper is not listed to be ended.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypedDict
from uuid import UUID

from billing.due_dates import find_due_date, first_of_month, next_month
from billing.models import CorrectionKind, Episode, EpisodeStatus, PrintKind
from billing.policy import read_policy
from billing.print_batches import UnableToMakeBatch, close_batch, draw_waiting, make_batch
from billing.reinstatement import (
    UnableToReinstate,
    approve_reinstatement,
    ask_reinstatement,
    decline_reinstatement,
)
from billing.terminations import UnableToEndCoverage, end_coverage, keep_coverage, list_terminations
from connector_pay.simulation import lockbox, mailing, relief
from connector_pay.simulation.chances import (
    ASKS_FOR_REINSTATEMENT,
    COVERAGE_KEPT,
    DUE_DATE_EXTENDED,
    happens,
    roll,
)
from members.models import User
from payments.models import Refund, RefundMethod, RefundStatus
from payments.refund_checks import list_checks_to_print
from payments.refund_rules import UnableToRefund, read_source
from payments.refunds import (
    RefundableReceipt,
    approve_refund,
    ask_refund,
    decline_refund,
    find_refundable,
    print_check,
)

NAMES = ("asker", "approver")
FIRST_CHECK = 100_000
ADDRESS = "9 Elm Street\nSalem, MA 01970"
DAYS_MORE = 5
PATIENCE = timedelta(days=60)


class _Facts(TypedDict):
    """What every task of the staff is told."""

    seed: int
    today: date
    at: datetime


def hire_staff() -> None:
    """One who asks, another who approves."""
    for name in NAMES:
        User.objects.create(
            username=name,
            email=f"{name}@example.org",
            is_staff=True,
            password="!",  # noqa: S106  nobody signs in
        )


def work(*, seed: int, today: date, at: datetime) -> Counter[str]:
    """What is theirs to do on this day of the month; returns how much of each."""
    tasks = _TASKS.get(today.day, ())
    return Counter({task.__name__: task(seed=seed, today=today, at=at) for task in tasks})


def read_lockbox(*, seed: int, today: date, at: datetime) -> int:
    """The bank has deposited what lay in the lockbox; its files are imported. Returns how many checks."""
    lockbox.leave_file(seed=seed, today=today)
    by = _find_staff()[0]
    count = lockbox.import_files(seed=seed, by=by, today=today, at=at)
    lockbox.close_parked(by=by, at=at)
    return count


def gather_letters(*, today: date, at: datetime) -> int | None:
    """The batch of the letters that wait, None where none waits. Bills are left: nothing waits for them."""
    try:
        return make_batch(kind=PrintKind.LETTERS, today=today, at=at).pk
    except UnableToMakeBatch:
        return None


def draw_letters(*, batch_id: int, at: datetime) -> Counter[str]:
    """Draw parts of a batch until none is left: each process those that the other does not draw."""
    return Counter(draw_waiting(at=at, batch_ids=[batch_id]))


def mail_letters(*, batch_id: int, at: datetime) -> int:
    """Take a drawn batch to the mail; returns how many letters."""
    return close_batch(batch_id=batch_id, by=_find_staff()[0], at=at).letters


def extend_due_date(*, seed: int, today: date, at: datetime) -> int:
    """By policy, everyone has some days more for the next month, said before its due date."""
    month = next_month(first_of_month(today))
    if not happens(roll(seed, "extension", month), DUE_DATE_EXTENDED):
        return 0
    due_date = find_due_date(month, due_day=read_policy().due_day) + timedelta(days=DAYS_MORE)
    return relief.correct(
        CorrectionKind.MONTH_DUE_DATE,
        people=_find_staff(),
        why="winter storm",
        key=f"extension:{month}",
        today=today,
        at=at,
        month=month,
        new_date=due_date,
    )


def relieve(*, seed: int, today: date, at: datetime, half: int) -> Counter[str]:
    """Waivers and corrections of months just billed or just missed, for one half of the households; returns how many."""
    people, facts = _find_staff(), _Facts(seed=seed, today=today, at=at)
    waived = relief.waive_months(people=people, half=half, **facts)
    return Counter(relieve=waived + relief.correct_months(people=people, half=half, **facts))


def extend_afterwards(*, seed: int, today: date, at: datetime) -> int:
    """Due dates moved once they have passed, for everyone or for a few; returns how many."""
    return relief.extend_afterwards(seed=seed, today=today, at=at, people=_find_staff())


def decide_starts(*, seed: int, today: date, at: datetime) -> int:
    """Starts that no run may move: they stay, or go where the rules put them; returns how many were decided."""
    return relief.decide_starts(seed=seed, today=today, at=at, people=_find_staff())


def place_money(*, seed: int, today: date, at: datetime) -> int:
    """Money that names no account is put where it belongs, or sent back; returns how often it was placed."""
    return mailing.place_money(seed=seed, today=today, at=at, people=_find_staff())


def bring_back_checks(*, seed: int, today: date, at: datetime) -> int:
    """Checks that their banks do not pay come back; returns how many."""
    return mailing.bring_back(today=today, at=at)


def give_back(*, seed: int, today: date, at: datetime) -> int:
    """Ask for whatever credit nobody has asked for, approve all, and print the checks; returns how many were approved."""
    asker, approver = _find_staff()
    _decline_what_has_no_address(by=asker, today=today, at=at)
    for item in find_refundable(today=today):
        _ask_refund(item, form_key=roll(seed, "refund", item.receipt.pk, today), by=asker, today=today, at=at)
    approved = 0
    for key in Refund.objects.filter(status=RefundStatus.ASKED).order_by("pk").values_list("pk", flat=True):
        try:
            approve_refund(refund_id=key, by=approver, today=today, at=at)
        except UnableToRefund:
            continue  # spent, returned or not yet cleared: it is looked at again next month
        approved += 1
    for check in list_checks_to_print():
        number = str(FIRST_CHECK + check.refund.pk)
        print_check(refund_id=check.refund.pk, check_number=number, today=today, at=at)
    return approved


def _decline_what_has_no_address(*, by: User, today: date, at: datetime) -> None:
    """Money of a check that somebody else wrote is asked for anew, with where they live."""
    asked = Refund.objects.filter(status=RefundStatus.ASKED, method=RefundMethod.CHECK, mail_to="")
    for refund in asked.order_by("pk"):
        if read_source(receipt_id=refund.receipt_id).needs_address:
            decline_refund(refund_id=refund.pk, by=by, why="no address is known", today=today, at=at)


def _ask_refund(item: RefundableReceipt, *, form_key: Random, by: User, today: date, at: datetime) -> None:
    with suppress(UnableToRefund):  # not yet: next month again
        ask_refund(
            receipt_id=item.receipt.pk,
            cents=item.idle_cents,
            method=item.method,
            why="coverage is over",
            mail_to=ADDRESS if item.source.needs_address else "",
            form_key=UUID(int=form_key.getrandbits(128), version=4),
            by=by,
            today=today,
            at=at,
        )


def decide_terminations(*, seed: int, today: date, at: datetime) -> int:
    """Confirm the list of coverage to be ended, but for a few that staff keep; returns how many were ended."""
    ended = 0
    for item in list_terminations(today=today):
        dice = roll(seed, "termination", item.episode.account.enrollment.external_id, today)
        facts: dict[str, Any] = {
            "episode_id": item.episode.pk,
            "by": _find_staff()[1],
            "today": today,
            "at": at,
        }
        if happens(dice, COVERAGE_KEPT):
            keep_coverage(why="they have called", **facts)
            continue
        # Where a hole was found late, staff choose: the last month that was paid.
        chosen = None if item.ends_on else item.episode.oldest_month - timedelta(days=1)
        try:
            end_coverage(ends_on=chosen, **facts)
        except UnableToEndCoverage:
            continue
        ended += 1
    return ended


def decide_reinstatements(*, seed: int, today: date, at: datetime) -> int:
    """Write down who asks for their coverage back, approve what has been paid, and decline what was not for long."""
    approved = 0
    asker, approver = _find_staff()
    episodes = Episode.objects.select_related("account__enrollment").order_by("pk")
    for episode in episodes.filter(status=EpisodeStatus.ASKED):
        facts: dict[str, Any] = {"episode_id": episode.pk, "by": approver, "today": today, "at": at}
        try:
            approve_reinstatement(**facts)
            approved += 1
        except UnableToReinstate:
            if episode.decided_on and today - episode.decided_on > PATIENCE:
                decline_reinstatement(why="not paid", **facts)
    for episode in episodes.filter(status=EpisodeStatus.ENDED, decided_on__gt=today - PATIENCE):
        if happens(
            roll(seed, "reinstatement", episode.account.enrollment.external_id, today), ASKS_FOR_REINSTATEMENT
        ):
            _ask(episode, by=asker, today=today, at=at)
    return approved


def _ask(episode: Episode, *, by: User, today: date, at: datetime) -> None:
    try:
        ask_reinstatement(episode_id=episode.pk, by=by, today=today, at=at)
    except UnableToReinstate:
        return  # too late, or the coverage cannot go on: staff tell the member so


def _find_staff() -> tuple[User, User]:
    asker, approver = (User.objects.get(username=name) for name in NAMES)
    return asker, approver


_Task = Callable[..., int]
MAIL_DAYS = (2, 9, 16, 23)  # of the month, when both processes draw letters
RELIEF_DAYS = (11, 26)  # of the month, when both processes relieve households, each its half
# What staff do on which days of the month.
_TASKS: dict[int, tuple[_Task, ...]] = {
    3: (decide_starts,),
    4: (bring_back_checks,),
    5: (place_money,),
    6: (give_back,),
    9: (decide_terminations, decide_reinstatements),
    12: (place_money,),
    13: (bring_back_checks,),
    15: (extend_due_date,),
    19: (decide_reinstatements,),
    20: (place_money,),
    21: (bring_back_checks,),
    25: (place_money,),
    26: (decide_terminations,),
    27: (bring_back_checks,),
    28: (decide_starts,),
}
