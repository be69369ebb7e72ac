"""Corrections: a person asks for a change of money or dates; it is done at once, or once another person has approved it.

The one road by which people adjust, waive, extend and decide: who asked, why and who decided is kept with it. What each kind
does stands in billing.correction_kinds. A preview is the act itself, taken back.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from billing.accounts import lock_accounts
from billing.correction_kinds import find_rule
from billing.models import (
    CORRECTION_MOVES,
    Correction,
    CorrectionKind,
    CorrectionMove,
    CorrectionStatus,
    StartReview,
)
from billing.policy import read_policy
from billing.what_if import Tried, try_out
from connector_pay.lib.money import format_dollars
from members.models import User
from members.second_person import say_why_not


class UnableToCorrect(ValueError):
    """The correction cannot be asked for or decided so; the text says why, for staff. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What is asked for: of which account, or of everyone; which months, cents and date; on which day the member asked.

    `cents` are of each month, less than nothing where they are taken off; `is_whole` takes off all that is left of it.
    """

    kind: str
    account_id: int | None = None
    month: date | None = None
    last_month: date | None = None
    cents: int = 0
    is_whole: bool = False
    new_date: date | None = None
    receipt_id: int | None = None
    start_review_id: int | None = None
    decision: str = ""
    outage_id: int | None = None
    asked_on: date | None = None


def ask(*, new: NewCorrection, why: str, form_key: UUID, by: User, today: date, at: datetime) -> Correction:
    """Ask for a correction: done at once where one person suffices, else another must approve it.

    What could not be done now is not asked for. A form key used before returns what it asked for then. Raises UnableToCorrect.
    """
    _refuse_without_reason(why)
    with transaction.atomic():
        _lock(new.account_id)
        asked = Correction.objects.filter(form_key=form_key).first()
        if asked is not None:
            return asked
        correction, is_new = _record(new, why=why, form_key=form_key, by=by, today=today, at=at)
        if is_new and correction.takes_two:
            _try(correction, by=by, today=today, at=at)
        elif is_new:
            _apply(correction, by=by, today=today, at=at)
    return correction


def approve(*, correction_id: int, by: User, today: date, at: datetime) -> Correction:
    """Approve what another person asked for: it is done in the same transaction. Raises UnableToCorrect.

    It is judged again: what has become impossible meanwhile is refused, and goes on waiting.
    """
    with transaction.atomic():
        correction = _read_waiting(correction_id)
        _refuse_own(correction, by)
        _apply(correction, by=by, today=today, at=at)
    return correction


def decline(*, correction_id: int, by: User, why: str, today: date, at: datetime) -> Correction:
    """Decline what another person asked for; nothing changes. Raises UnableToCorrect."""
    _refuse_without_reason(why)
    with transaction.atomic():
        correction = _read_waiting(correction_id)
        _refuse_own(correction, by)
        _move(correction, CorrectionStatus.DECLINED, decided_by=by, at=at, why=why)
    return correction


def withdraw(*, correction_id: int, by: User, why: str, today: date, at: datetime) -> Correction:
    """Withdraw what one asked for oneself, while it waits; nothing changes. Raises UnableToCorrect."""
    _refuse_without_reason(why)
    with transaction.atomic():
        correction = _read_waiting(correction_id)
        if correction.asked_by_id != by.pk:
            raise UnableToCorrect("Another person asked for this. You can decline it.")
        _move(correction, CorrectionStatus.WITHDRAWN, decided_by=None, at=at, why=why)
    return correction


def preview(*, new: NewCorrection, by: User, today: date, at: datetime) -> Tried:
    """What it would do today; its answer is the correction, which says whether it takes a second person.

    Raises UnableToCorrect.
    """

    def act() -> Correction:
        correction, _ = _record(new, why="preview", form_key=uuid4(), by=by, today=today, at=at)
        _carry_out(correction, by=by, today=today, at=at)
        return correction

    return try_out(account_ids=_list_accounts(new.account_id), today=today, act=act)


def preview_waiting(*, correction: Correction, today: date, at: datetime) -> Tried:
    """What approving it would do today. Raises UnableToCorrect."""
    act = partial(_carry_out, correction, by=correction.asked_by, today=today, at=at)
    return try_out(account_ids=_list_accounts(correction.account_id), today=today, act=act)


def list_waiting() -> QuerySet[Correction]:
    """What waits for a second person, the oldest first."""
    waiting = Correction.objects.filter(status=CorrectionStatus.ASKED).order_by("pk")
    return waiting.select_related("account__enrollment__member", "account__enrollment__plan", "asked_by")


def list_start_reviews() -> QuerySet[StartReview]:
    """The starts that wait for staff, the oldest first."""
    waiting = StartReview.objects.filter(decided_at=None).order_by("pk")
    return waiting.select_related("enrollment__member", "enrollment__plan", "enrollment__account")


def _record(
    new: NewCorrection, *, why: str, form_key: UUID, by: User, today: date, at: datetime
) -> tuple[Correction, bool]:
    """Write it down, once for a form key; whether it is new. Raises UnableToCorrect where it cannot be measured."""
    rule = find_rule(new.kind)
    facts = {
        **asdict(new),
        "last_month": new.last_month or new.month,
        "asked_on": new.asked_on or today,
        "why": why,
        "asked_by": by,
        "asked_at": at,
    }
    correction = Correction(form_key=form_key, **facts)
    _refuse_unwritable(correction)
    try:
        correction.total_cents = rule.measure(correction)
    except rule.refusals as refusal:
        raise UnableToCorrect(str(refusal)) from refusal
    facts |= {"total_cents": correction.total_cents, "takes_two": rule.takes_two(correction)}
    return Correction.objects.get_or_create(form_key=form_key, defaults=facts)


def _carry_out(correction: Correction, *, by: User, today: date, at: datetime) -> object:
    rule = find_rule(correction.kind)
    try:
        return rule.apply(correction=correction, by=by, today=today, at=at)
    except rule.refusals as refusal:
        raise UnableToCorrect(str(refusal)) from refusal


def _try(correction: Correction, *, by: User, today: date, at: datetime) -> None:
    """Refuse what could not be done even now."""
    with transaction.atomic():
        _carry_out(correction, by=by, today=today, at=at)
        transaction.set_rollback(True)


def _apply(correction: Correction, *, by: User, today: date, at: datetime) -> None:
    """It is done, and by whom, or neither."""
    second = by if correction.asked_by_id != by.pk else None
    _move(correction, CorrectionStatus.APPLIED, decided_by=second, at=at)
    _carry_out(correction, by=by, today=today, at=at)


def _move(
    correction: Correction, after: CorrectionStatus, *, decided_by: User | None, at: datetime, why: str = ""
) -> None:
    moved = CORRECTION_MOVES.move(
        model=Correction,
        history=CorrectionMove,
        ids=[correction.pk],
        before=CorrectionStatus.ASKED,
        after=after,
        at=at,
        why=why[:200],
        changes={"decided_by": decided_by.pk if decided_by else None, "decided_at": at},
    )
    if not moved:
        raise UnableToCorrect("This was decided by somebody else at the same moment.")
    correction.refresh_from_db()


def _lock(account_id: int | None) -> None:
    if account_id is not None:
        lock_accounts(account_ids=[account_id])


def _list_accounts(account_id: int | None) -> list[int]:
    return [] if account_id is None else [account_id]


def _read_waiting(correction_id: int) -> Correction:
    """Lock its account, then read it. Raises UnableToCorrect where it does not wait any more."""
    found = Correction.objects.filter(pk=correction_id)
    for account_id in found.values_list("account_id", flat=True):
        _lock(account_id)
    correction = found.select_related("asked_by").first()
    if correction is None:
        raise UnableToCorrect(f"There is no correction {correction_id}.")
    if correction.status != CorrectionStatus.ASKED:
        status = CorrectionStatus(correction.status).label.lower()
        raise UnableToCorrect(f"This was decided before: {status}.")
    return correction


def _refuse_own(correction: Correction, by: User) -> None:
    if correction.asked_by_id == by.pk:
        raise UnableToCorrect("You asked for this. Another person must decide.")
    if why_not := say_why_not(by=by):
        raise UnableToCorrect(why_not)


def _refuse_without_reason(why: str) -> None:
    if not why.strip():
        raise UnableToCorrect("Say why.")


def _refuse_unwritable(correction: Correction) -> None:
    """What the database would refuse, in words."""
    if correction.kind == CorrectionKind.WAIVER and correction.cents > 0:
        raise UnableToCorrect("A waiver takes off; it never adds.")
    if correction.kind == CorrectionKind.WAIVER and not (correction.is_whole or correction.cents):
        raise UnableToCorrect("Name an amount that is not nothing.")
    if correction.kind == CorrectionKind.ADJUSTMENT and not correction.cents:
        raise UnableToCorrect("Name an amount that is not nothing.")
    most = read_policy().maximum_payment_cents
    if abs(correction.cents) > most:
        raise UnableToCorrect(f"Name an amount of up to {format_dollars(most)} a month.")
    if correction.month and correction.last_month and correction.last_month < correction.month:
        raise UnableToCorrect("The last month comes before the first.")
