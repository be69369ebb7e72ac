"""Unmatched money: what names no account waits until staff put it on accounts, or two of them send it back."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from billing import allocation, suspense
from billing.accounts import lock_accounts
from billing.due_date_overrides import read_due_dates
from connector_pay.lib.clock import business_date
from members.models import User
from members.second_person import say_why_not
from payments.check_limits import is_above_limit, is_dated_back
from payments.checks import (
    WAITING,
    Share,
    UnableToRecordCheck,
    describe_held,
    move_checks,
    put_on_accounts,
    refuse_wrong_shares,
)
from payments.models import CheckShare, CheckStatus, ReceivedCheck


class UnableToMatch(ValueError):
    """The money cannot be put there, or sent back; the text says why, for staff. Nothing was changed."""


def takes_confirming(check: ReceivedCheck) -> bool:
    """Whether a person recorded it above the limit for one: it is confirmed by somebody who may."""
    return check.recorded_by_id is not None and is_above_limit(cents=check.cents)


def find_unmatched() -> QuerySet[ReceivedCheck]:
    """What waits for staff, the oldest first."""
    return ReceivedCheck.objects.filter(status__in=WAITING).order_by("received_on", "pk")


def match_check(
    *, check_id: int, shares: Sequence[Share], by: User, why: str, today: date, at: datetime
) -> ReceivedCheck:
    """Put money that waits on one account or several, as of the day it was received; the parts add up to the whole.

    Put there before by the same parts, it is left as it is. Who recorded it as come in by a due date that had passed, or
    above the limit for one person, does not put it there themselves. Raises UnableToMatch.
    """
    _require_reason(why)
    check = _find(check_id)
    try:
        refuse_wrong_shares(cents=check.cents, shares=shares)
    except UnableToRecordCheck as problem:
        raise UnableToMatch(str(problem)) from problem
    if not shares:
        raise UnableToMatch("Name the account that this money is for.")
    with transaction.atomic():
        lock_accounts(account_ids=[share.account_id for share in shares])
        check = _lock(check_id)
        if check.status == CheckStatus.RECEIVED and _read_shares(check) == sorted_shares(shares):
            return check
        if check.status != CheckStatus.UNMATCHED:
            raise UnableToMatch(f"This money does not wait: {check.get_status_display().lower()}.")
        _refuse_recorder(check, shares, by=by)
        held = describe_held(check)
        suspense.release_money(money=[held], how=suspense.Left.MATCHED, today=today, at=at)
        put_on_accounts(shares={check.pk: shares}, why=_say(by, why), today=today, at=at)
        if held.is_banked:
            references = [share.reference for share in check.shares.order_by("pk")]
            allocation.settle(references=references, today=today, at=at)
        check.refresh_from_db()
    return check


def ask_to_send_back(*, check_id: int, by: User, why: str, at: datetime) -> ReceivedCheck:
    """Ask that money that nobody can place goes back to who paid it; another person approves. Raises UnableToMatch."""
    _require_reason(why)
    with transaction.atomic():
        check = _lock(check_id)
        if check.status == CheckStatus.BACK_ASKED and check.back_asked_by_id == by.pk:
            return check
        _move(
            check,
            CheckStatus.UNMATCHED,
            CheckStatus.BACK_ASKED,
            why=_say(by, why),
            at=at,
            back_asked_by=by.pk,
        )
        check.refresh_from_db()
    return check


def send_back(*, check_id: int, by: User, why: str, today: date, at: datetime) -> ReceivedCheck:
    """Approve what another person asked for: the money leaves the house. Nobody approves what they asked for.

    Raises UnableToMatch.
    """
    _require_reason(why)
    with transaction.atomic():
        check = _lock(check_id)
        if check.status == CheckStatus.SENT_BACK and check.back_decided_by_id == by.pk:
            return check
        _refuse_own(check, by)
        _move(
            check,
            CheckStatus.BACK_ASKED,
            CheckStatus.SENT_BACK,
            why=_say(by, why),
            at=at,
            back_decided_by=by.pk,
        )
        suspense.release_money(money=[describe_held(check)], how=suspense.Left.SENT_BACK, today=today, at=at)
        check.refresh_from_db()
    return check


def keep_money(*, check_id: int, by: User, why: str, at: datetime) -> ReceivedCheck:
    """Decline to send it back: it waits for an account again. Raises UnableToMatch."""
    _require_reason(why)
    with transaction.atomic():
        check = _lock(check_id)
        if check.status == CheckStatus.UNMATCHED:
            return check
        _refuse_own(check, by)
        _move(
            check, CheckStatus.BACK_ASKED, CheckStatus.UNMATCHED, why=_say(by, why), at=at, back_asked_by=None
        )
        check.refresh_from_db()
    return check


def sorted_shares(shares: Sequence[Share]) -> list[tuple[int, int]]:
    """The parts by account, to compare."""
    return sorted((share.account_id, share.cents) for share in shares)


def _read_shares(check: ReceivedCheck) -> list[tuple[int, int]]:
    return sorted(CheckShare.objects.filter(received_check=check).values_list("account_id", "cents"))


def _require_reason(why: str) -> None:
    if not why.strip():
        raise UnableToMatch("Say why.")


def _refuse_own(check: ReceivedCheck, by: User) -> None:
    if check.back_asked_by_id == by.pk:
        raise UnableToMatch("You asked to send this back. Another person must decide.")
    if why_not := say_why_not(by=by):
        raise UnableToMatch(why_not)


def _refuse_recorder(check: ReceivedCheck, shares: Sequence[Share], *, by: User) -> None:
    """What takes two people is not put on accounts by who recorded it, nor by an account that was changed a moment ago."""
    is_own, is_above = check.recorded_by_id == by.pk, takes_confirming(check)
    if not is_above and not _is_dated_back(check, shares):
        return
    if is_own and is_above:
        raise UnableToMatch(
            "You recorded it, and it is above the limit for one person. Another must confirm it."
        )
    if is_own:
        raise UnableToMatch(
            "You recorded it after a due date that it meets. Another person must put it on its account."
        )
    if why_not := say_why_not(by=by):
        raise UnableToMatch(why_not)


def _is_dated_back(check: ReceivedCheck, shares: Sequence[Share]) -> bool:
    account_ids = [share.account_id for share in shares]
    return is_dated_back(
        received_on=check.received_on,
        recorded_on=business_date(moment=check.recorded_at),
        account_ids=account_ids,
        due_dates=read_due_dates(account_ids=account_ids),
    )


def _say(by: User, why: str) -> str:
    return f"by {by.get_username()}: {why.strip()}"


def _move(
    check: ReceivedCheck,
    before: CheckStatus,
    after: CheckStatus,
    *,
    why: str,
    at: datetime,
    **changes: object,
) -> None:
    if not move_checks([check.pk], before=before, after=after, why=why, at=at, changes=changes):
        raise UnableToMatch(f"This money does not wait for that: {check.get_status_display().lower()}.")


def _find(check_id: int) -> ReceivedCheck:
    check = ReceivedCheck.objects.filter(pk=check_id).first()
    if check is None:
        raise UnableToMatch(f"There is no check with the number {check_id} in our books.")
    return check


def _lock(check_id: int) -> ReceivedCheck:
    _find(check_id)
    return ReceivedCheck.objects.select_for_update(no_key=True).get(pk=check_id)
