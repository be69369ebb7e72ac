"""A lockbox file read: the BAI layout or our CSV, every total held against its checks before anything is posted."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings

from payments.channels.lockbox.bai import read_bai
from payments.channels.lockbox.csv_items import is_csv, read_csv
from payments.channels.lockbox.items import Deposit, Fault, UnableToReadDeposit

MOST_BYTES = 20_000_000
OLDEST_DAYS = 60  # an older deposit is a misread date, or a case for staff
NEWEST_DAYS = 5  # a deposit of today may reach the bank's books after a long weekend


def is_lockbox(*, data: bytes) -> bool:
    """Whether the file is one of these at all; a Nacha file begins as a BAI file does, and differs in its second record."""
    if is_csv(data=data):
        return True
    first, _, rest = data.partition(b"\n")
    return first.startswith(b"1") and rest.startswith(b"2")


class UnableToTakeDeposit(UnableToReadDeposit):
    """The file is well written, and is not for us or not for these days. Asked again later it may be taken."""


def read_deposit(*, data: bytes, today: date) -> Deposit:
    """What the file says, if all of it can be so. Raises UnableToReadDeposit, UnableToTakeDeposit."""
    if len(data) > MOST_BYTES:
        raise UnableToReadDeposit([Fault(1, 1, 1, "file", f"must be smaller than {MOST_BYTES:,} bytes")])
    deposit = read_csv(data=data) if is_csv(data=data) else read_bai(data=data)
    faults = [*_find_strange_lockboxes(deposit), *_find_strange_days(deposit, today)]
    if faults:
        raise UnableToTakeDeposit(faults)
    return deposit


def _find_strange_lockboxes(deposit: Deposit) -> Iterator[Fault]:
    """Lockboxes that are not ours, each where it first comes."""
    if not settings.LOCKBOX_NUMBERS:
        yield Fault(1, 1, 1, "lockbox", "none is ours: set LOCKBOX_NUMBERS")
        return
    seen = set(settings.LOCKBOX_NUMBERS)
    for item in deposit.papers:
        if item.lockbox not in seen:
            yield Fault(item.line, 1, 1, "lockbox", "is none of ours")
            seen.add(item.lockbox)


def _find_strange_days(deposit: Deposit, today: date) -> Iterator[Fault]:
    """A deposit of other days than these, and checks received on a day to come."""
    if not today - timedelta(OLDEST_DAYS) <= deposit.deposit_on <= today + timedelta(NEWEST_DAYS):
        problem = f"must be at most {OLDEST_DAYS} days ago and {NEWEST_DAYS} days ahead"
        yield Fault(1, 1, 1, "deposit date", problem)
        return
    for item in deposit.papers:
        if item.received_on and item.received_on > today:
            yield Fault(item.line, 1, 1, "received date", "is a day to come")
