"""What a household means to do in a month: who pays when, how much and where, drawn from the seed alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from random import Random

from connector_pay.simulation.chances import (
    ACCOUNTS,
    HABITS,
    OTHER_HABIT,
    PAYS_ONE_BILL_ALONE,
    TURNS_AUTOPAY_OFF,
    WAYS,
    choose,
    happens,
    roll,
)
from connector_pay.simulation.households import Household

DUE_DAY = 23


@dataclass(frozen=True)
class Act:
    """Something a household does: pay, schedule or cancel. `share` is how much of what is due, in a hundred.

    `what` is "pay", "pay again" (a month's premium, whatever is due), "schedule", "cancel", "autopay on" or "autopay off".
    """

    day: date
    at: time
    household: int
    what: str
    way: str
    account: str = "good"
    share: int = 100
    one_bill: bool = False
    days_ahead: int = 0


def plan_month(*, home: Household, month: date, since: date) -> list[Act]:
    """What the household means to do in a month, from a day of it on."""
    dice = roll(home.seed, "month", home.number, month)
    habit = choose(dice, HABITS) if happens(dice, OTHER_HABIT) else home.habit
    way = choose(dice, WAYS) if happens(dice, OTHER_HABIT) else home.way
    first = Act(
        day=month,
        at=_choose_time(dice),
        household=home.number,
        what="pay",
        way=way,
        account=choose(dice, ACCOUNTS),
        one_bill=happens(dice, PAYS_ONE_BILL_ALONE),
    )
    return [act for act in _PLANS[habit](first, dice) if act.day >= since]


def _leave_it_to_autopay(act: Act, dice: Random) -> Iterator[Act]:
    """Turned on where it is not; now and then turned off, or a part paid beside it."""
    off = happens(dice, TURNS_AUTOPAY_OFF)
    yield replace(
        _on(act, dice.randint(2, 18)),
        what="autopay off" if off else "autopay on",
        way="member",
        one_bill=False,
    )
    if happens(dice, TURNS_AUTOPAY_OFF):
        yield replace(_on(act, dice.randint(3, DUE_DAY)), share=dice.randint(20, 80), account="good")


def _pay_on_time(act: Act, dice: Random) -> Iterator[Act]:
    yield _on(act, dice.randint(2, DUE_DAY - 1))


def _pay_on_the_last_day(act: Act, dice: Random) -> Iterator[Act]:
    """A third of all payments: some of them in the last minute."""
    late = time(23, 59, dice.randint(0, 59)) if happens(dice, 20) else act.at
    yield replace(_on(act, DUE_DAY), at=late)


def _pay_late(act: Act, dice: Random) -> Iterator[Act]:
    late = time(0, 0, dice.randint(0, 59)) if happens(dice, 20) else act.at
    yield replace(_on(act, dice.randint(DUE_DAY + 1, 28)), at=late)


def _schedule(act: Act, dice: Random) -> Iterator[Act]:
    """On some day for a later one; what the due date does not allow is made its last day."""
    yield replace(
        _on(act, dice.randint(2, 15)), what="schedule", way="member", days_ahead=dice.randint(1, 20)
    )


def _pay_in_parts(act: Act, dice: Random) -> Iterator[Act]:
    yield replace(_on(act, dice.randint(3, 12)), share=dice.randint(20, 80))
    yield replace(_on(act, dice.randint(13, DUE_DAY)), account="good")


def _pay_too_little(act: Act, dice: Random) -> Iterator[Act]:
    yield replace(_on(act, dice.randint(2, DUE_DAY)), share=dice.randint(5, 95))


def _pay_twice(act: Act, dice: Random) -> Iterator[Act]:
    day = dice.randint(2, 20)
    yield _on(act, day)
    yield replace(_on(act, day + dice.randint(1, 3)), what="pay again", way="guest", account="good")


def _think_again(act: Act, dice: Random) -> Iterator[Act]:
    """Pay, cancel, and pay once more a few days later; what is already in a bank file cannot be canceled."""
    day = dice.randint(2, 18)
    yield _on(act, day)
    yield replace(_on(act, day + dice.randint(0, 1)), what="cancel", at=time(23, 0))
    yield replace(_on(act, day + dice.randint(2, 4)), account="good")


def _never_pay(act: Act, dice: Random) -> Iterator[Act]:
    yield from ()


_PLANS: dict[str, Callable[[Act, Random], Iterator[Act]]] = {
    "autopay": _leave_it_to_autopay,
    "on time": _pay_on_time,
    "on the last day": _pay_on_the_last_day,
    "scheduled": _schedule,
    "late": _pay_late,
    "in parts": _pay_in_parts,
    "too little": _pay_too_little,
    "twice": _pay_twice,
    "second thoughts": _think_again,
    "never": _never_pay,
}


def _on(act: Act, day: int) -> Act:
    return replace(act, day=act.day + timedelta(days=day - 1))


def _choose_time(dice: Random) -> time:
    """Rather during the day; after 17:00 the money waits for the next banking day's file."""
    return time(dice.choice([7, 9, 11, 12, 14, 16, 16, 17, 19, 22]), dice.randint(0, 59), dice.randint(0, 59))
