"""Mail in a simulation: households send checks, some without a name we know or not good; staff and the bank see to those."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from billing.balances import read_standings
from billing.models import Account
from connector_pay.simulation.chances import (
    MAILS,
    MONEY_SENT_BACK,
    SENDS_FORM_TWICE,
    SOMEBODY_ELSE_WRITES,
    choose,
    happens,
    roll,
)
from members.models import User
from payments.banking_calendar import read_calendar
from payments.checks import NewCheck, Share, record_checks, return_checks
from payments.drafts import Chosen
from payments.models import CheckKind, CheckSource, CheckStatus, ReceivedCheck
from payments.unmatched import ask_to_send_back, find_unmatched, match_check, send_back

NOT_GOOD = "B"  # how the number of a check begins that its bank will not pay
DAYS_TO_COME_BACK = 3
SOMEBODY = "Uncle Unknown"
STANDING = (CheckStatus.RECEIVED, CheckStatus.CLEARED, CheckStatus.UNMATCHED)


class UnableToRecordOnce(Exception):
    """The same envelope, read twice, made two checks."""


def mail_checks(
    *,
    member_id: str,
    name: str,
    enrolled_on: date,
    chosen: Sequence[Chosen],
    dice: Random,
    today: date,
    at: datetime,
) -> list[ReceivedCheck]:
    """An envelope is opened: what a household sends for its bills is recorded; sometimes it is read twice."""
    kind = choose(dice, MAILS)
    received_on = max(today - timedelta(days=dice.randint(1, 6)), enrolled_on) if kind == "late" else today
    first = NewCheck(
        number=f"{NOT_GOOD if kind == 'not good' else ''}{dice.randrange(10**9):09}",
        payer=SOMEBODY if happens(dice, SOMEBODY_ELSE_WRITES) else name,
        cents=1,
        received_on=received_on,
        deposit_on=read_calendar().roll_forward(today),
        kind=choose(dice, {CheckKind.CHECK: 4, CheckKind.MONEY_ORDER: 1}),
        source=CheckSource.MAIL,
        form_key=UUID(int=0),
        remitter_key=member_id,
    )
    papers = list(_fill(first, kind, chosen, dice))
    checks = record_checks(checks=papers, by=None, today=today, at=at)
    if (
        happens(dice, SENDS_FORM_TWICE)
        and record_checks(checks=papers, by=None, today=today, at=at) != checks
    ):
        raise UnableToRecordOnce(f"{member_id} on {today}: {checks}.")
    return checks


def place_money(*, seed: int, today: date, at: datetime, people: tuple[User, User]) -> int:
    """Unmatched money goes on the accounts of who sent it, or back; returns how much of it was placed."""
    asker, approver = people
    placed = 0
    for check in find_unmatched().order_by("received_on", "number"):
        dice = roll(seed, "unmatched", check.number)
        shares = [] if happens(dice, MONEY_SENT_BACK) else _find_shares(check, today=today)
        facts: dict[str, Any] = {"check_id": check.pk, "at": at}
        if shares:
            match_check(shares=shares, by=asker, why="the name is theirs", today=today, **facts)
            placed += 1
        else:
            ask_to_send_back(by=asker, why="nobody knows whose it is", **facts)
            send_back(by=approver, why="so it is", today=today, **facts)
    return placed


def bring_back(*, today: date, at: datetime) -> int:
    """The bank returns what is not good, some days after its deposit; returns how many."""
    since = today - timedelta(days=DAYS_TO_COME_BACK)
    bad = ReceivedCheck.objects.filter(number__startswith=NOT_GOOD, banked_on__lte=since, status__in=STANDING)
    keys = list(bad.order_by("number").values_list("pk", flat=True))
    return len(return_checks(check_ids=keys, why="not sufficient funds", today=today, at=at))


def _fill(first: NewCheck, kind: str, chosen: Sequence[Chosen], dice: Random) -> Iterator[NewCheck]:
    """The checks of the envelope, each with a number and a form key of its own."""
    for place, (cents, shares) in enumerate(_write(kind, chosen, dice), start=1):
        key = UUID(int=dice.getrandbits(128), version=4)
        number = f"{first.number}{place}"
        yield replace(first, cents=cents, shares=shares, number=number, form_key=key)


def _write(kind: str, chosen: Sequence[Chosen], dice: Random) -> Iterator[tuple[int, tuple[Share, ...]]]:
    """Each check of the envelope: its cents, and the accounts that its coupons name."""
    shares = tuple(Share(item.account_id, item.amount_cents) for item in chosen)
    whole = sum(share.cents for share in shares)
    if kind == "combined":
        yield whole, shares
    elif kind == "wrong amount":
        cents = max(whole + dice.randint(-2_000, 2_000), 1)
        yield cents, (Share(shares[0].account_id, cents),) if len(shares) == 1 else ()
    elif kind == "no Member ID":
        yield whole, ()
    else:
        for share in shares:
            yield share.cents, (share,)


def _find_shares(check: ReceivedCheck, *, today: date) -> list[Share]:
    """Its sender's bills, the oldest account first, as far as the money goes; what is more goes on the last."""
    accounts = Account.objects.filter(enrollment__member__member_id=check.remitter_key).order_by("pk")
    standings = read_standings(account_ids=accounts.values_list("pk", flat=True), today=today)
    if not standings:
        return []
    left, shares = check.cents, {}
    for key, standing in standings.items():
        cents = min(left, standing.due_cents)
        left -= cents
        shares[key] = cents
    shares[max(shares)] += left
    return [Share(key, cents) for key, cents in shares.items() if cents]
