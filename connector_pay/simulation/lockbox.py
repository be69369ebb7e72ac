"""The bank's lockbox in a simulation: envelopes lie there until its next banking day, then it leaves a file of their checks.

What their banks do not pay stands in a file some days later, as returned.

Envelopes are small files in a folder beside the bank's: the households of both processes put theirs in.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from billing.models import Invoice, format_invoice_number
from billing.scan_line import ScanLine, write_scan_line
from connector_pay.simulation.chances import (
    FILE_CUT,
    FILE_READ_TWICE,
    FILE_WAITS,
    SCAN_LINE_MISREAD,
    happens,
    roll,
)
from members.models import User
from payments.ach.plain_letters import write_plainly
from payments.banking_calendar import read_calendar
from payments.channels.lockbox.bai import write_bai
from payments.channels.lockbox.csv_items import write_csv
from payments.channels.lockbox.items import Deposit, Item, ReturnedItem, UnableToReadDeposit
from payments.channels.lockbox.posting import AlreadyImported, import_file
from payments.channels.lockbox.returned import close_return, find_parked_returns
from payments.checks import NewCheck, Share

PREFIX = "LOCKBOX-"
GOOD, NOT_GOOD = "1", "6"  # how the number of a check begins; one of the second kind its bank will not pay
DAYS_TO_COME_BACK = 3
NOT_PAID = "not sufficient funds"
A_BATCH = 200
MOST_DAYS_LATE = 3
KINDS_OF_FILES = {"bai": write_bai, "csv": write_csv}


class UnableToRefuse(Exception):
    """A file that is cut, or was applied before, went in."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A check in an envelope: whose bank pays it, and which Member ID and coupons lie beside it."""

    check: NewCheck
    routing_number: str
    account_number: str
    member_id: str
    coupons: tuple[Share, ...]
    is_marked: bool  # the Member ID is on it for machines to read


def drop(*, papers: Sequence[Paper], at: datetime) -> None:
    """An envelope reaches the lockbox at a moment."""
    items = [_describe(paper) for paper in papers]
    first = papers[0]
    name = f"{first.check.received_on:%Y%m%d}-{first.member_id}-{at:%m%d%H%M%S}.json"
    place = _open_folder("envelopes") / name
    unfinished = place.with_suffix(".part")
    unfinished.write_text(json.dumps(items))
    unfinished.rename(place)


def leave_file(*, seed: int, today: date) -> int:
    """On a banking day the bank deposits the checks that wait, and leaves a file of them and of what came back.

    Returns how many it deposited.
    """
    if not read_calendar().is_banking_day(today):
        return 0
    items, returns = tuple(_deposit(today)), tuple(_bring_back(today))
    if not items and not returns:
        return 0
    kind = roll(seed, "lockbox", today).choice(sorted(KINDS_OF_FILES)) if not returns else "csv"
    data = KINDS_OF_FILES[kind](deposit=Deposit(today, items, returns))
    (_open_folder("files") / f"{PREFIX}{today}.{kind}").write_bytes(data)
    return len(items)


def import_files(*, seed: int, by: User, today: date, at: datetime) -> int:
    """Staff import what the bank has left, sometimes days late, cut or twice; returns how many checks.

    Raises UnableToRefuse.
    """
    count = 0
    for path in sorted(_open_folder("files").iterdir()):
        dice = roll(seed, "lockbox file", path.name)
        waits = dice.randint(1, MOST_DAYS_LATE) if happens(dice, FILE_WAITS) else 0
        if _read_day(path) + timedelta(waits) > today:
            continue
        facts: dict[str, Any] = {"by": by, "today": today, "at": at}
        data = path.read_bytes()
        if happens(dice, FILE_CUT):
            _refuse(UnableToReadDeposit, name=path.name, data=data[: dice.randrange(len(data) - 2)], **facts)
        count += import_file(name=path.name, data=data, **facts).count
        if happens(dice, FILE_READ_TWICE):
            _refuse(AlreadyImported, name=f"AGAIN-{path.name}", data=data, **facts)
        path.unlink()
    return count


def close_parked(*, by: User, at: datetime) -> int:
    """Staff have looked at each return that named no check, or more than one; returns how many."""
    waiting = list(find_parked_returns().order_by("pk").values_list("pk", flat=True))
    for key in waiting:
        close_return(return_id=key, by=by, why="the bank was called", at=at)
    return len(waiting)


def read_sender(*, words: str) -> str:
    """The Member ID that a person reads where a machine could not: three words of four digits, the last of all."""
    return "".join(words.split()[-3:])


def _deposit(today: date) -> Iterator[Item]:
    """The checks of the envelopes, in batches; the bank notes those that will come back."""
    envelopes = sorted(_open_folder("envelopes").glob("*.json"))
    items = [_read(facts) for envelope in envelopes for facts in json.loads(envelope.read_text())]
    unpaid = [_write(item) for item in items if item.check_number.startswith(NOT_GOOD)]
    (_open_folder("unpaid") / f"{today}.json").write_text(json.dumps(unpaid))
    for envelope in envelopes:
        envelope.unlink()
    for place, item in enumerate(items):
        yield replace(item, batch=place // A_BATCH + 1, number=place % A_BATCH + 1)


def _bring_back(today: date) -> Iterator[ReturnedItem]:
    """What was deposited some days ago, and is not paid."""
    for path in sorted(_open_folder("unpaid").iterdir()):
        if date.fromisoformat(path.stem) + timedelta(DAYS_TO_COME_BACK) > today:
            continue
        for item in map(_read, json.loads(path.read_text())):
            yield ReturnedItem(
                line=0,
                lockbox=item.lockbox,
                check_number=item.check_number,
                cents=item.cents,
                routing_number=item.routing_number,
                account_number=item.account_number,
                received_on=None,
                why=NOT_PAID,
            )
        path.unlink()


def _refuse(refusal: type[Exception], *, name: str, **facts: Any) -> None:
    try:
        import_file(name=name, **facts)
    except refusal:
        return
    raise UnableToRefuse(f"{name} was not refused: {refusal.__name__} was to be.")


def _describe(paper: Paper) -> dict[str, Any]:
    """The check as the bank's machine reads it."""
    check, number = paper.check, paper.member_id
    handwritten = f"{number[:4]} {number[4:8]} {number[8:]}"
    item = Item(
        line=0,
        lockbox=settings.LOCKBOX_NUMBERS[0],
        batch=1,
        number=1,
        kind=check.kind,
        cents=check.cents,
        routing_number=paper.routing_number,
        account_number=paper.account_number[-10:],
        check_number=check.number,
        received_on=check.received_on,
        remitter=write_plainly(text=check.payer),
        member_ids=(number,) if paper.is_marked else (),
        scan_lines=tuple(_scan(paper)),
        memo=handwritten,
    )
    return _write(item)


def _write(item: Item) -> dict[str, Any]:
    """The check as plain facts."""
    return asdict(item) | {"received_on": item.received_on.isoformat()}


def _read(facts: dict[str, Any]) -> Item:
    """The check again."""
    lists = {name: tuple(facts[name]) for name in ("member_ids", "scan_lines")}
    return Item(**facts | lists | {"received_on": date.fromisoformat(facts["received_on"])})


def _scan(paper: Paper) -> Iterator[str]:
    """The scan line of each coupon, of the latest bill of its account; a few are misread by a digit."""
    dice = roll("scan line", paper.check.form_key)
    for coupon in paper.coupons:
        bills = Invoice.objects.filter(account=coupon.account_id, voided_at=None).order_by("-coverage_month")
        bill = bills.values_list("pk", "account__enrollment__plan__product").first()
        if bill is None:
            continue
        key, product = bill
        number = format_invoice_number(invoice_id=key)
        line = write_scan_line(line=ScanLine(paper.member_id, product, number, coupon.cents))
        yield _misread(line) if happens(dice, SCAN_LINE_MISREAD) else line


def _misread(line: str) -> str:
    """Its last digit is another."""
    return f"{line[:-1]}{(int(line[-1]) + 1) % 10}"


def _read_day(path: Path) -> date:
    return date.fromisoformat(path.stem.removeprefix(PREFIX))


def _open_folder(name: str) -> Path:
    folder = settings.SANDBOX_BANK_DIR / "lockbox" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
