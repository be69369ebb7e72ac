"""Mail in a simulation: households send checks, some without a name we know or not good; staff and the bank see to those."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from billing.balances import read_standings
from billing.models import Account
from connector_pay.simulation import lockbox
from connector_pay.simulation.chances import (
    MAILS,
    MONEY_SENT_BACK,
    NO_COUPON,
    SENDS_FORM_TWICE,
    SOMEBODY_ELSE_WRITES,
    TO_LOCKBOX,
    choose,
    happens,
    roll,
)
from members.models import User
from payments.bank_accounts import BankDetails
from payments.banking_calendar import read_calendar
from payments.checks import NewCheck, Share, record_checks, return_checks
from payments.drafts import Chosen
from payments.models import CheckKind, CheckSource, CheckStatus, ReceivedCheck
from payments.unmatched import ask_to_send_back, find_unmatched, match_check, send_back

SOMEBODY = "Uncle Unknown"
STANDING = (CheckStatus.RECEIVED, CheckStatus.CLEARED, CheckStatus.UNMATCHED)


class UnableToRecordOnce(Exception):
    """The same envelope, read twice, made two checks."""


def mail_checks(
    *,
    member_id: str,
    name: str,
    bank: BankDetails,
    enrolled_on: date,
    chosen: Sequence[Chosen],
    dice: Random,
    today: date,
    at: datetime,
) -> list[ReceivedCheck]:
    """What a household sends for its bills: to the bank's lockbox, or to the exchange, where it is recorded."""
    kind = choose(dice, MAILS)
    received_on = max(today - timedelta(days=dice.randint(1, 6)), enrolled_on) if kind == "late" else today
    first = NewCheck(
        number=f"{lockbox.NOT_GOOD if kind == 'not good' else lockbox.GOOD}{dice.randrange(10**8):08}",
        payer=SOMEBODY if happens(dice, SOMEBODY_ELSE_WRITES) else name,
        cents=1,
        received_on=received_on,
        deposit_on=read_calendar().roll_forward(today),
        kind=choose(dice, {CheckKind.CHECK: 4, CheckKind.MONEY_ORDER: 1}),
        source=CheckSource.MAIL,
        form_key=UUID(int=0),
        remitter_key=member_id,
    )
    checks = list(_fill(first, kind, chosen, dice))
    if happens(dice, TO_LOCKBOX):
        is_marked = kind != "no Member ID"
        lockbox.drop(papers=[_put_in(check, bank, dice, is_marked=is_marked) for check in checks], at=at)
        return []
    return _record(checks, dice, today=today, at=at)


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
    """The bank returns what is not good of the checks that the exchange deposited itself, some days later; returns how many."""
    since = today - timedelta(days=lockbox.DAYS_TO_COME_BACK)
    bad = ReceivedCheck.objects.filter(
        source=CheckSource.MAIL,
        number__startswith=lockbox.NOT_GOOD,
        banked_on__lte=since,
        status__in=STANDING,
    )
    keys = list(bad.order_by("number").values_list("pk", flat=True))
    return len(return_checks(check_ids=keys, why=lockbox.NOT_PAID, today=today, at=at))


def _record(checks: Sequence[NewCheck], dice: Random, *, today: date, at: datetime) -> list[ReceivedCheck]:
    """At the exchange. Raises UnableToRecordOnce."""
    found = record_checks(checks=checks, by=None, today=today, at=at)
    if happens(dice, SENDS_FORM_TWICE) and record_checks(checks=checks, by=None, today=today, at=at) != found:
        raise UnableToRecordOnce(f"{checks[0].remitter_key} on {today}: {found}.")
    return found


def _put_in(check: NewCheck, bank: BankDetails, dice: Random, *, is_marked: bool) -> lockbox.Paper:
    """A check and its coupons, for the lockbox; of some nothing but the Member ID."""
    return lockbox.Paper(
        check=check,
        routing_number=bank.routing_number,
        account_number=bank.account_number,
        member_id=check.remitter_key,
        coupons=() if happens(dice, NO_COUPON) else check.shares,
        is_marked=is_marked,
    )


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
    accounts = Account.objects.filter(enrollment__member__member_id=_find_sender(check)).order_by("pk")
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


def _find_sender(check: ReceivedCheck) -> str:
    """The Member ID of who sent it."""
    if check.source == CheckSource.LOCKBOX:
        return lockbox.read_sender(words=check.lockbox_item.words)
    return check.remitter_key
