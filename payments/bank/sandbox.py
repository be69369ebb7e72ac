"""The sandbox bank: takes our files into a folder, acknowledges them, and leaves a return file every banking day by 07:00.

Its files depend on nothing but what was sent and the date. Magic account numbers make it return or correct debits.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

from connector_pay.lib.clock import EASTERN
from payments.ach.banking_days import FEDERAL_RESERVE, BankingCalendar
from payments.ach.layouts import FILE_HEADER
from payments.ach.reading import read_file
from payments.bank import HIDDEN, UnableToExchangeFile, refuse_path
from payments.bank.sandbox_returns import Report, list_reports, write_returns

LEFT_BY = time(7, 0)
DAYS_BACK = 10  # banking days for which return files exist before any file was sent
SETTLED_AFTER = timedelta(days=60)  # what a file sent before that comes to was told by earlier files

_REPORTED_TRACE = re.compile(rb"^79[89][CR]\d\d(\d{15})", re.MULTILINE)


class SandboxBank:
    """A bank that lives in a folder of ours, on business time."""

    def __init__(self, *, folder: Path, at: datetime, calendar: BankingCalendar = FEDERAL_RESERVE) -> None:
        self.at, self.calendar = at, calendar
        self.taken = folder / "from_exchange"
        self.left = folder / "to_exchange"
        for place in (folder, self.taken, self.left):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, *, name: str, data: bytes) -> None:
        """Take a file, whole or not at all; the same file again changes nothing. Raises UnableToExchangeFile."""
        known = self.find(name=name)
        if known is None:
            _write(self.taken / name, data)
        elif known != hashlib.sha256(data).hexdigest():
            raise UnableToExchangeFile(f"The bank has another file named {name}.")

    def find(self, *, name: str) -> str | None:
        """The sha256 of the file taken under this name, None if there is none. Raises UnableToExchangeFile."""
        path = self.taken / refuse_path(name)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    def rules_out(self, *, name: str) -> bool:
        """Always: this bank keeps every file it has taken."""
        return True

    def list_incoming(self) -> list[str]:
        """Acknowledgements first, then the return files, oldest first; what is missing by now is written first."""
        answers = [self._acknowledge(path) for path in self._list_taken()]
        reports = [self._report(day) for day in self._list_days()]
        return answers + reports

    def get(self, *, name: str) -> bytes:
        """A file the bank has left. Raises UnableToExchangeFile."""
        path = self.left / refuse_path(name)
        if not path.exists():
            raise UnableToExchangeFile(f"The bank left no file named {name}.")
        return path.read_bytes()

    def _list_taken(self) -> list[Path]:
        """What was sent by now: work that runs again for an earlier moment sees what was there at that moment."""
        paths = sorted(path for path in self.taken.iterdir() if path.name[0] != HIDDEN)
        today = self.at.astimezone(EASTERN).date()
        return [path for path in paths if (_read_creation_date(path) or today) <= today]

    def _acknowledge(self, path: Path) -> str:
        answer = self.left / f"ACK-{path.name}.json"
        if not answer.exists():
            _write(answer, _write_acknowledgement(path))
        return answer.name

    def _list_days(self) -> Iterator[date]:
        """Every banking day since the first file was sent, and ten at least, up to the last 07:00 Eastern."""
        moment = self.at.astimezone(EASTERN)
        today = moment.date()
        last = self.calendar.roll_back(today)
        if last == today and moment.time() < LEFT_BY:
            last = self.calendar.add(last, -1)
        sent = (_read_creation_date(path) for path in self._list_taken())
        first = self.calendar.add(last, -DAYS_BACK)
        day = self.calendar.roll_back(min([first, *filter(None, sent)]))
        while day <= last:
            yield day
            day = self.calendar.add(day, 1)

    def _report(self, day: date) -> str:
        """Leave the return file of a day: all that has fallen due by then and no earlier file has told."""
        path = self.left / f"RETURNS-{day:%Y%m%d}.ach"
        if path.exists():
            return path.name
        since = day - SETTLED_AFTER
        told = {
            trace.decode()
            for other in self.left.glob("RETURNS-*.ach")
            if other.name >= f"RETURNS-{since:%Y%m%d}"
            for trace in _REPORTED_TRACE.findall(other.read_bytes())
        }
        reports = self._list_reports(since)
        due = [report for report in reports if report.due_on <= day and report.trace not in told]
        _write(path, write_returns(reports=due, day=day))
        return path.name

    def _list_reports(self, since: date) -> Iterator[Report]:
        for path in self._list_taken():
            if (_read_creation_date(path) or since) < since:
                continue
            if json.loads((self.left / f"ACK-{path.name}.json").read_bytes())["result"] == "accepted":
                yield from list_reports(data=path.read_bytes(), calendar=self.calendar)


def _write_acknowledgement(path: Path) -> bytes:
    """Accepted, unless a strict reading finds a fault; the first one is named, as an operator does."""
    data = path.read_bytes()
    faults = read_file(source=data, keep=False).faults
    answer = {
        "acknowledges": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "result": "rejected" if faults else "accepted",
        "reason": str(faults[0]) if faults else "",
    }
    return json.dumps(answer, indent=1).encode() + b"\n"


@lru_cache(maxsize=10_000)
def _read_creation_date(path: Path) -> date | None:
    """The day in the file's header; None for a file that has none, which is rejected anyway."""
    with path.open("rb") as stream:
        line = stream.read(94).decode("latin-1")
    try:
        return (
            datetime.strptime(FILE_HEADER.read(line, "file_creation_date"), "%y%m%d")
            .replace(tzinfo=EASTERN)
            .date()
        )
    except ValueError:
        return None


def _write(path: Path, data: bytes) -> None:
    """The whole file appears at once, and survives a crash of the machine."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
