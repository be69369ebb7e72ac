"""Due dates as they stand for an account: the 23rd, unless a word nearer to the account moves it.

The nearest word wins: an override for the account, then the binder's date that intake named for the requested
month, then an override for the month, then the day of the policy; of two overrides as near, the later one.
More time because of an outage is everybody's: with a date of one's own, the later of the two counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

from django.db import connection

from billing.due_dates import find_due_date, find_next_due_day, first_of_month
from billing.models import DueDateOverride
from billing.policy import read_policy

# How near a word about an account's month is comes first, the nearest wins: 1 is intake's, 2 an override.
# Plain SQL: it is asked with every look at a bill, and takes longer to compose than to answer.
WORDS = """
    SELECT 1, 0, account.id, requested_start, binder_due_date, false
    FROM billing_account AS account JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    WHERE account.id = ANY(%(account_ids)s::bigint[]) AND binder_due_date IS NOT NULL
    UNION ALL
    SELECT 2, word.id, word.account_id, coverage_month, due_date, outage_id IS NOT NULL
    FROM billing_duedateoverride AS word LEFT JOIN billing_correction AS correction ON correction.id = word.correction_id
    WHERE (word.account_id IS NULL OR (word.account_id = ANY(%(account_ids)s::bigint[]) AND NOT %(only_general)s))
        AND (reviewed_at IS NOT NULL OR NOT %(only_reviewed)s)
        AND (recorded_at <= %(known_at)s OR %(known_at)s IS NULL)
"""


@dataclass(frozen=True)
class Which:
    """Which overrides are heard: those that a nightly review has seen, those recorded by a moment, those for everyone."""

    only_reviewed: bool = False
    known_at: datetime | None = None
    only_general: bool = False


@dataclass(frozen=True)
class DueDates:
    """Each month's due date: the policy's day, but for the months in `moved`."""

    due_day: int
    moved: tuple[tuple[date, date], ...] = ()
    _by_month: dict[date, date] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_month", dict(self.moved))

    def __call__(self, month: date) -> date:
        """The due date of the premium for a coverage month."""
        return self._by_month.get(month) or find_due_date(month, due_day=self.due_day)

    def is_crossed(self, *, back_to: date, before: date) -> bool:
        """Whether what counted from one day, and counts from an earlier one now, was late for a due date and is so no more.

        Of the policy's day too, in a month whose due date is another: what crosses either takes a second person.
        """
        policy_day = find_next_due_day(back_to, due_day=self.due_day)
        return any(back_to <= due < before for due in (policy_day, *self._by_month.values()))


def read_due_dates(
    *, account_ids: Iterable[int], only_reviewed: bool = False, known_at: datetime | None = None
) -> dict[int, DueDates]:
    """Each account's due dates; the accounts without dates of their own share one rule. One statement.

    `only_reviewed` leaves out the overrides that no nightly review has seen yet, `known_at` those recorded after a moment.
    """
    ids = list(account_ids)
    if not ids:
        return {}
    general, own = _read_moved(ids, Which(only_reviewed=only_reviewed, known_at=known_at))
    rule = _make_rule(general)
    return {key: _make_rule(general | own[key]) if key in own else rule for key in ids}


def read_first_due_date(*, account_id: int) -> DueDates:
    """One account's due dates as they would be had nobody ever moved one for this account alone."""
    general, own = _read_moved([account_id], Which(only_general=True))
    return _make_rule(general | own.get(account_id, {}))


def read_due_date(*, account_id: int | None = None) -> DueDates:
    """One account's due dates; without an account, those of everyone who has none of their own."""
    if account_id is not None:
        return read_due_dates(account_ids=[account_id])[account_id]
    general, _ = _read_moved([], Which())
    return _make_rule(general)


def read_unreviewed() -> list[DueDateOverride]:
    """The overrides that no nightly review has seen yet."""
    return list(DueDateOverride.objects.filter(reviewed_at=None).order_by("pk"))


def note_reviewed(*, overrides: Iterable[DueDateOverride], at: datetime) -> None:
    """Every start that these overrides touch has been held to them."""
    keys = [override.pk for override in overrides]
    DueDateOverride.objects.filter(pk__in=keys, reviewed_at=None).update(reviewed_at=at)


def _make_rule(moved: dict[date, date]) -> DueDates:
    return DueDates(due_day=read_policy().due_day, moved=tuple(sorted(moved.items())))


def _read_moved(account_ids: list[int], which: Which) -> tuple[dict[date, date], dict[int, dict[date, date]]]:
    """The months moved for everyone, and those moved for single accounts, where the nearest word is written last."""
    general: dict[date, date] = {}
    own: dict[int, dict[date, date]] = {}
    outages: dict[date, date] = {}
    for word in sorted(_read_words(account_ids, which), key=lambda word: word[:2]):
        _nearness, _order, account_id, month, due, is_outage = word
        months = general if account_id is None else own.setdefault(account_id, {})
        months[first_of_month(month)] = due
        if is_outage:
            outages[first_of_month(month)] = due
    for months in own.values():
        months |= {month: max(due, outages[month]) for month, due in months.items() if month in outages}
    return general, own


def _read_words(
    account_ids: list[int], which: Which
) -> Iterator[tuple[int, int, int | None, date, date, bool]]:
    """Each word about a month: how near it is, which came first, of whom, the month, its due date, whether an outage's."""
    with connection.cursor() as cursor:
        cursor.execute(WORDS, asdict(which) | {"account_ids": account_ids})
        yield from cursor.fetchall()
