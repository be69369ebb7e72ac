"""Checks that the bank returned, as a lockbox file says: each is one check of ours that stands, or it waits for a person.

A return names a check by its number and amount, by its bank account where both have one, and by the day it was received where the
return says it. What may be two checks is never the likelier one: it may have been returned by hand before, and the other stands.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from billing.rows import insert_all, insert_missing
from members.models import User
from payments.channels.lockbox.facts import make_account_key
from payments.channels.lockbox.items import Item, ReturnedItem
from payments.checks import STANDING, find_accounts, lock_checks, return_checks
from payments.models import CheckStatus, LockboxFile, LockboxReturn, LockboxReturnClosing, ReceivedCheck

LONGEST_NUMBER = 20
LONGEST_WHY = 200
UNKNOWN = "No check of this number and amount is known."
OTHERS = "A check of this number and amount is known, but of another bank account or another day."
AGAIN = "This check was returned before."
SENT_BACK = "This check was sent back to who wrote it before the bank returned it."
TWICE = "Another row of this file says that this check was returned."
_COLUMNS = ("file", "number", "line", "check_number", "cents", "why", "received_check", "parked_because")


class UnableToCloseReturn(ValueError):
    """The return waits for nobody, or nobody says what was done. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A check of ours as a return may name it. One that the file itself brings has no id before it is recorded."""

    id: int
    number: str
    cents: int
    remitter_key: str
    received_on: date
    status: str


@dataclass(frozen=True, slots=True)
class Fate:
    """The check that a return is of; or why it waits for a person."""

    check_id: int | None
    parked_because: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """Of the returns of a file, how many there are and how many of them wait for a person, with their cents."""

    count: int = 0
    cents: int = 0
    parked_count: int = 0
    parked_cents: int = 0


def foresee_returns(
    *, returns: Sequence[ReturnedItem], items: Sequence[Item], remitter_keys: Sequence[str]
) -> Returned:
    """What would come of the returns of a file, as the books stand and with the file's own checks among them."""
    if not returns:
        return Returned()
    coming = [
        Paper(-place, item.check_number, item.cents, key, item.received_on, CheckStatus.UNMATCHED)
        for place, (item, key) in enumerate(zip(items, remitter_keys, strict=True), start=1)
    ]
    known = [_describe(check) for check in _find_candidates(returns)]
    fates = match_returns(returns=returns, papers=[*known, *coming])
    return _sum_up((item.cents, fate.parked_because) for item, fate in zip(returns, fates, strict=True))


def find_accounts_of_returns(*, returns: Sequence[ReturnedItem]) -> set[int]:
    """The accounts on which the checks count that the returns may be of: to be locked with those of the file's own checks."""
    if not returns:
        return set()
    return find_accounts(check_ids=list(_find_candidates(returns).values_list("pk", flat=True)))


def apply_returns(*, file: LockboxFile, returns: Sequence[ReturnedItem], today: date, at: datetime) -> None:
    """Return each check that a row names, and keep each row, with why it waits where it does. Inside the import's transaction."""
    if not returns:
        return
    found = list(_find_candidates(returns).values_list("pk", flat=True))
    papers = [_describe(check) for check in lock_checks(check_ids=found)]
    fates = match_returns(returns=returns, papers=papers)
    for why, check_ids in _group_by_reason(returns, fates).items():
        return_checks(check_ids=check_ids, why=f"the bank says: {why}", today=today, at=at)
    _keep(file, returns, fates)


def match_returns(*, returns: Sequence[ReturnedItem], papers: Iterable[Paper]) -> list[Fate]:
    """Of each return in the order of the file, which check it is of. No two are of the same."""
    by_print: defaultdict[tuple[str, int], list[Paper]] = defaultdict(list)
    for paper in papers:
        by_print[_fold_number(paper.number), paper.cents].append(paper)
    taken = set[int]()
    fates = []
    for item in returns:
        fate = _find_fate(item, by_print[_fold_number(item.check_number), item.cents], taken)
        fates.append(fate)
        if fate.check_id is not None:
            taken.add(fate.check_id)
    return fates


def describe_returns(*, file: LockboxFile) -> Returned:
    """What came of the returns of a file when it was applied."""
    return _sum_up(LockboxReturn.objects.filter(file=file).values_list("cents", "parked_because"))


def find_parked_returns() -> QuerySet[LockboxReturn]:
    """The returns that wait for a person."""
    return LockboxReturn.objects.filter(received_check=None, closing=None)


def close_return(*, return_id: int, by: User, why: str, at: datetime) -> None:
    """Write down who has dealt with a return that waits, and what was done about it; once. Raises UnableToCloseReturn."""
    words = " ".join(why.split())[:LONGEST_WHY]
    if not words:
        raise UnableToCloseReturn("Say what was done about this return.")
    if not LockboxReturn.objects.filter(pk=return_id, received_check=None).exists():
        raise UnableToCloseReturn("Its check was returned. Nobody needs to look at it.")
    row, columns = (return_id, by.pk, words, at), ("returned", "by", "why", "at")
    if not insert_missing(model=LockboxReturnClosing, columns=columns, rows=[row], returning=["returned"]):
        raise UnableToCloseReturn("Somebody has dealt with this return before.")


def _find_candidates(returns: Sequence[ReturnedItem]) -> QuerySet[ReceivedCheck]:
    """Every check of a number that a return says, however many zeros were typed before it, and of one of the amounts."""
    numbers = {
        _fold_number(item.check_number).zfill(width)
        for item in returns
        for width in range(1, LONGEST_NUMBER + 1)
    }
    amounts = {item.cents for item in returns}
    return ReceivedCheck.objects.filter(number__among=sorted(numbers), cents__among=sorted(amounts)).order_by(
        "pk"
    )


def _fold_number(number: str) -> str:
    return number.lstrip("0")


def _describe(check: ReceivedCheck) -> Paper:
    return Paper(
        check.pk, check.number, check.cents, check.remitter_key, check.received_on, CheckStatus(check.status)
    )


def _find_fate(item: ReturnedItem, alike: Sequence[Paper], taken: set[int]) -> Fate:
    """The one check that it can be, if that stands and no row before it has taken it."""
    meant = _narrow(item, alike)
    if not meant:
        return Fate(None, OTHERS if alike else UNKNOWN)
    if len(meant) > 1:
        return Fate(None, f"It may be any of {len(meant)} checks: they have this number and amount.")
    (paper,) = meant
    if paper.id in taken:
        return Fate(None, TWICE)
    if paper.status == CheckStatus.RETURNED:
        return Fate(None, AGAIN)
    return Fate(paper.id) if paper.status in STANDING else Fate(None, SENT_BACK)


def _narrow(item: ReturnedItem, alike: Sequence[Paper]) -> list[Paper]:
    """Those of its day and of its bank account; where none is known to be of its account, those of no account known."""
    key = make_account_key(routing_number=item.routing_number, account_number=item.account_number)
    of_day = [paper for paper in alike if item.received_on in (None, paper.received_on)]
    of_account = [paper for paper in of_day if key and paper.remitter_key == key]
    return of_account or [paper for paper in of_day if not key or not paper.remitter_key]


def _group_by_reason(returns: Sequence[ReturnedItem], fates: Sequence[Fate]) -> dict[str, list[int]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for item, fate in zip(returns, fates, strict=True):
        if fate.check_id is not None:
            groups[item.why].append(fate.check_id)
    return dict(groups)


def _keep(file: LockboxFile, returns: Sequence[ReturnedItem], fates: Sequence[Fate]) -> None:
    rows = [
        (
            file.pk,
            number,
            item.line,
            item.check_number,
            item.cents,
            item.why,
            fate.check_id,
            fate.parked_because,
        )
        for number, (item, fate) in enumerate(zip(returns, fates, strict=True), start=1)
    ]
    insert_all(model=LockboxReturn, columns=_COLUMNS, rows=rows)


def _sum_up(rows: Iterable[tuple[int, str]]) -> Returned:
    """Cents of each return, and why it waits where it does."""
    found = list(rows)
    parked = [cents for cents, why in found if why]
    return Returned(len(found), sum(cents for cents, _why in found), len(parked), sum(parked))
