"""The calendar file: the coming due dates and AutoPay payments, for the calendar of a phone or a computer (RFC 5545).

Nothing in it says for what or how much: a calendar is often seen by others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from billing.balances import Standing
from billing.due_dates import next_month
from billing.models import Account
from connector_pay.lib.sealed import blind_index
from members.models import EnrollmentStatus
from payments.autopay.states import State

MONTHS_AHEAD = 6
LONGEST_LINE = 75  # bytes, of which a continued line's first is a space
DUE, DRAFT = "due", "draft"
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True, order=True)
class Entry:
    """One whole day of the calendar; `kind` and `key` make its name, which stays the same when its day is moved."""

    day: date
    kind: str
    key: str


def read_entries(*, states: Mapping[int, State], today: date) -> list[Entry]:
    """What is still to pay by which day, and what AutoPay will take on which; the days of one kind and month stand once.

    A bill that AutoPay takes in time is no due date: nobody should pay it twice. One statement.
    """
    ends = dict(Account.objects.filter(pk__in=list(states)).values_list("pk", "enrollment__ends_on"))
    found: dict[tuple[str, date], set[date]] = {}
    for account_id, state in states.items():
        for item in state.forecasts:
            if item.cents and not state.is_above:
                day = item.day.received_date
                found.setdefault((DRAFT, day.replace(day=1)), set()).add(day)
        for month, day in _list_due(state, ends[account_id] or date.max, today=today):
            found.setdefault((DUE, month), set()).add(day)
    return sorted(
        Entry(day, kind, f"{month:%Y-%m}-{number}")
        for (kind, month), days in found.items()
        for number, day in enumerate(sorted(days))
    )


def write_calendar(*, entries: Iterable[Entry], whose: int, at: datetime) -> bytes:
    """The file. The same member, kind and month have the same name in every file, so that a calendar replaces what it has."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Connector Pay//EN", "METHOD:PUBLISH"]
    for entry in entries:
        lines += _write_entry(entry, whose=whose, at=at)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _fold(line)).encode()


def _list_due(state: State, ends_on: date, *, today: date) -> Iterator[tuple[date, date]]:
    """Month and due date of each open bill to come, and of the months after while there is no AutoPay and coverage goes on."""
    standing = state.standing
    first_draft = state.next.day.received_date if state.next and not state.is_above else date.max
    for bill in standing.open_invoices:
        if today <= bill.due_date < first_draft:
            yield bill.coverage_month, bill.due_date
    if first_draft == date.max and standing.enrollment_status in (
        EnrollmentStatus.WAITING,
        EnrollmentStatus.ACTIVE,
    ):
        yield from _list_unbilled(standing, ends_on, today=today)


def _list_unbilled(standing: Standing, ends_on: date, *, today: date) -> Iterator[tuple[date, date]]:
    """The coming months that no bill was issued for."""
    billed = {bill.coverage_month for bill in standing.invoices}
    for count in range(1, MONTHS_AHEAD + 1):
        month = next_month(today, count=count)
        day = standing.due_date_rule(month)
        if month not in billed and standing.coverage_start < month <= ends_on and day >= today:
            yield month, day


def _write_entry(entry: Entry, *, whose: int, at: datetime) -> Iterator[str]:
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    name = blind_index(value=f"calendar {whose} {entry.kind} {entry.key}")[:32]
    if entry.kind == DUE:
        title, words = _("Premium due"), _("See what is due and pay: %s")
    else:
        title, words = _("AutoPay day"), _("See what AutoPay takes: %s")
    yield "BEGIN:VEVENT"
    yield f"UID:{name}@{host}"
    yield f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{entry.day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{title.translate(ESCAPED)}"
    yield f"DESCRIPTION:{(words % settings.PORTAL_URL).translate(ESCAPED)}"
    yield "TRANSP:TRANSPARENT"
    if entry.kind == DUE:
        yield from (
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-P2D",
            f"DESCRIPTION:{title.translate(ESCAPED)}",
        )
        yield "END:VALARM"
    yield "END:VEVENT"


def _fold(line: str) -> Iterator[str]:
    """Lines of at most 75 bytes, cut between letters; a continued line begins with a space."""
    part, size = "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LONGEST_LINE:
            yield part
            part, size = " ", 1
        part, size = part + letter, size + width
    yield part
