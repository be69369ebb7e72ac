"""A lockbox file read: the BAI layout or our CSV, every total held against its checks before anything is posted."""

from datetime import date, timedelta

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


def read_deposit(*, data: bytes, today: date) -> Deposit:
    """What the file says, if all of it can be so. Raises UnableToReadDeposit."""
    if len(data) > MOST_BYTES:
        raise UnableToReadDeposit([Fault(1, 1, 1, "file", f"must be smaller than {MOST_BYTES:,} bytes")])
    deposit = read_csv(data=data) if is_csv(data=data) else read_bai(data=data)
    refuse_other_days(deposit=deposit, today=today)
    return deposit


def refuse_other_days(*, deposit: Deposit, today: date) -> None:
    """A deposit of these days, of checks received by today. Raises UnableToReadDeposit."""
    if not today - timedelta(OLDEST_DAYS) <= deposit.deposit_on <= today + timedelta(NEWEST_DAYS):
        problem = f"must be at most {OLDEST_DAYS} days ago and {NEWEST_DAYS} days ahead"
        raise UnableToReadDeposit([Fault(1, 1, 1, "deposit date", problem)])
    early = [
        Fault(item.line, 1, 1, "received date", "is a day to come")
        for item in deposit.items
        if item.received_on > today
    ]
    if early:
        raise UnableToReadDeposit(early)
