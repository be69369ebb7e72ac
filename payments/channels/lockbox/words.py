"""What came of a lockbox file, in sentences for staff: when it was applied and by whom, how much went where and came back."""

from connector_pay.lib.clock import business_date
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments.channels.lockbox.posting import Outcome, describe_outcome
from payments.models import LockboxFile, LockboxWay

POSTED = (LockboxWay.COUPON, LockboxWay.MEMBER_ID, LockboxWay.REMITTER)


def list_sentences(*, file: LockboxFile) -> list[str]:
    """What was applied, when and by whom, and what came of it."""
    by = file.imported_by.get_username() if file.imported_by else "the system"
    day = long_date(business_date(moment=file.imported_at))
    return [
        f"{file.file.name} was applied on {day} by {by}.",
        *list_sums(outcome=describe_outcome(file=file)),
    ]


def list_sums(*, outcome: Outcome) -> list[str]:
    """How many checks go to accounts, are split, and wait for staff, with their sums, and the deposit; and what came back."""
    rows = [
        ("Posted", POSTED),
        ("Split", (LockboxWay.SPLIT,)),
        ("Waiting for staff", (LockboxWay.QUEUE,)),
        ("In all", tuple(LockboxWay)),
    ]
    sums = [(words, *sum_ways(outcome=outcome, ways=ways)) for words, ways in rows]
    if back := outcome.returned.count:
        sums.append(("Returned by the bank", back, outcome.returned.cents))
        parked = (outcome.returned.parked_count, outcome.returned.parked_cents)
        sums.append(("Of these, waiting for a person", *parked))
    return [
        f"{words}: {count:,} {'check' if count == 1 else 'checks'}, {format_dollars(cents)}"
        for words, count, cents in sums
    ]


def sum_ways(*, outcome: Outcome, ways: tuple[LockboxWay, ...]) -> tuple[int, int]:
    """How many checks went these ways, and their cents."""
    parts = [part for part in outcome.parts if part.way in ways]
    return sum(part.count for part in parts), sum(part.cents for part in parts)
