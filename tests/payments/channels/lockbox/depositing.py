"""What the tests of the lockbox do: fill envelopes, write the bank's file of the day, import it at noon; checks come back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from payments.channels.lockbox.bai import write_bai
from payments.channels.lockbox.csv_items import write_csv
from payments.channels.lockbox.items import Deposit, Item, ReturnedItem
from payments.channels.lockbox.posting import import_file
from payments.models import CheckKind, LockboxFile
from tests.payments.paying import PREMIUM, ROUTING, noon

LOCKBOX = "0097006"
DEPOSITED = date(2027, 1, 22)
A_BATCH = 400


def make_item(**facts: Any) -> Item:
    """Alice's check, received and deposited on the 22nd."""
    defaults = {
        "line": 0,
        "lockbox": LOCKBOX,
        "batch": 1,
        "number": 1,
        "kind": CheckKind.CHECK.value,
        "cents": PREMIUM,
        "routing_number": ROUTING,
        "account_number": "2001234567",
        "check_number": "1042",
        "received_on": DEPOSITED,
        "remitter": "ALICE ALVAREZ",
    }
    return Item(**(defaults | facts))


def make_return(**facts: Any) -> ReturnedItem:
    """Alice's check came back."""
    defaults = {
        "line": 0,
        "lockbox": LOCKBOX,
        "check_number": "1042",
        "cents": PREMIUM,
        "routing_number": ROUTING,
        "account_number": "2001234567",
        "received_on": None,
        "why": "Not sufficient funds",
    }
    return ReturnedItem(**(defaults | facts))


def make_deposit(*items: Item, deposit_on: date = DEPOSITED, returns: Sequence[ReturnedItem] = ()) -> Deposit:
    """The items in batches of 400, numbered in their order, and what came back."""
    placed = [
        replace(item, batch=place // A_BATCH + 1, number=place % A_BATCH + 1)
        for place, item in enumerate(items)
    ]
    return Deposit(deposit_on, tuple(placed), tuple(returns))


def write_file(*items: Item, deposit_on: date = DEPOSITED) -> bytes:
    """The bank's file of the day."""
    return write_bai(deposit=make_deposit(*items, deposit_on=deposit_on))


def import_items(
    *items: Item, today: date = DEPOSITED, deposit_on: date = DEPOSITED, name: str = "day.bai"
) -> LockboxFile:
    """The file is imported at noon, by nobody in particular."""
    data = write_file(*items, deposit_on=deposit_on)
    return import_file(name=name, data=data, by=None, today=today, at=noon(today))


def import_returns(
    *returns: ReturnedItem,
    items: Sequence[Item] = (),
    today: date = DEPOSITED,
    deposit_on: date = DEPOSITED,
    name: str = "day.csv",
) -> LockboxFile:
    """Our CSV of these returns, behind these checks, is imported at noon."""
    data = write_csv(deposit=make_deposit(*items, deposit_on=deposit_on, returns=returns))
    return import_file(name=name, data=data, by=None, today=today, at=noon(today))
