"""Correction kinds: one table of what each kind does and whether it takes a second person; payments enters its own kind here.

    register_kind(kind=CorrectionKind.RECEIVED_DATE, rule=Rule(apply=..., takes_two=always, refusals=(UnableTo...,)))

stands in `ready()` of the app above, whose `apply` is called with the correction, who decided, and the day and moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from django.db.models import Sum

from billing.adjustments import UnableToAdjust, adjust
from billing.extensions import UnableToExtend, extend, takes_two_to_extend
from billing.models import Correction, CorrectionKind, CorrectionStatus, StartDecision
from billing.policy import read_policy
from billing.start_decisions import UnableToDecide, decide_start
from billing.waivers import UnableToWaive, grant_waiver, is_asked_late, list_waived
from members.models import User


class UnableToFindKind(LookupError):
    """Nothing is known of such corrections: no app has entered the kind."""


class Apply(Protocol):
    """Does what a correction asks for, inside the transaction that decides it; raises one of the rule's refusals.

    `by` is the second person, or who asked where one suffices. It does not judge who may approve: previews, and the trial of
    what is asked for, run it in the asker's name before anybody has; that two people did it, `takes_two` and corrections see to.
    """

    def __call__(self, *, correction: Correction, by: User, today: date, at: datetime) -> object:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind of correction does, when it takes a second person, and how it says no.

    `measure` counts the cents that it comes to in all, for the limit of what one person may do alone.
    """

    apply: Apply
    takes_two: Callable[[Correction], bool]
    refusals: tuple[type[Exception], ...]
    measure: Callable[[Correction], int] = lambda _correction: 0


def find_rule(kind: str) -> Rule:
    """The line of the table. Raises UnableToFindKind."""
    if kind not in KINDS:
        raise UnableToFindKind(f"No app has said what a correction of the kind {kind!r} does.")
    return KINDS[kind]


def register_kind(*, kind: str, rule: Rule) -> None:
    """Enter a kind of an upper app into the table."""
    KINDS[kind] = rule


def always(_correction: Correction) -> bool:
    """It takes a second person whatever it is."""
    return True


def never(_correction: Correction) -> bool:
    """One person suffices."""
    return False


def is_above_limit(correction: Correction) -> bool:
    """Whether it comes to more than one person may adjust and waive alone, with all they did so to this account of late."""
    policy = read_policy()
    since = correction.asked_at - timedelta(days=policy.alone_limit_days)
    alone = Correction.objects.filter(
        account=correction.account_id,
        asked_by=correction.asked_by_id,
        kind__in=(CorrectionKind.ADJUSTMENT, CorrectionKind.WAIVER),
        status=CorrectionStatus.APPLIED,
        takes_two=False,
        asked_at__gt=since,
    )
    before: int = alone.aggregate(cents=Sum("total_cents"))["cents"] or 0
    return before + correction.total_cents > policy.alone_limit_cents


def _waives_much_or_late(correction: Correction) -> bool:
    return is_above_limit(correction) or is_asked_late(correction)


def _adjust(*, correction: Correction, by: User, today: date, at: datetime) -> object:
    return adjust(correction=correction, approved_by=_find_second(correction, by), today=today, at=at)


def _waive(*, correction: Correction, by: User, today: date, at: datetime) -> object:
    return grant_waiver(correction=correction, approved_by=_find_second(correction, by), today=today, at=at)


def _extend(*, correction: Correction, by: User, today: date, at: datetime) -> object:
    return extend(correction=correction, today=today, at=at)


def _decide_start(*, correction: Correction, by: User, today: date, at: datetime) -> object:
    if correction.start_review_id is None:
        raise UnableToDecide("Name the start to decide.")
    decision = StartDecision(correction.decision)
    return decide_start(review_id=correction.start_review_id, decision=decision, by=by, today=today, at=at)


def _find_second(correction: Correction, by: User) -> User | None:
    return None if by.pk == correction.asked_by_id else by


def _measure_adjustment(correction: Correction) -> int:
    return abs(correction.cents) * len(correction.months)


def _measure_waiver(correction: Correction) -> int:
    return -sum(item.cents for item in list_waived(correction=correction))


KINDS: dict[str, Rule] = {
    CorrectionKind.ADJUSTMENT: Rule(_adjust, is_above_limit, (UnableToAdjust,), _measure_adjustment),
    CorrectionKind.WAIVER: Rule(_waive, _waives_much_or_late, (UnableToWaive,), _measure_waiver),
    CorrectionKind.DUE_DATE: Rule(_extend, takes_two_to_extend, (UnableToExtend,)),
    CorrectionKind.MONTH_DUE_DATE: Rule(_extend, always, (UnableToExtend,)),
    CorrectionKind.START: Rule(_decide_start, never, (UnableToDecide,)),
}
