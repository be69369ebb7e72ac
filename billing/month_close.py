"""Month close: what the ledger alone says of a month: balances before and after, movements by kind, and its fingerprint."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from billing.due_dates import next_month
from billing.models import Chart
from connector_pay.lib.csv_files import write_lines
from connector_pay.lib.documents import draw_pdf
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import eastern, long_date

KINDS = """
    SELECT business_date < %(first)s, debit, credit,
           split_part(reference, ':', 1) || ' ' || regexp_replace(reference, '^.*:', ''), count(*), sum(cents)
    FROM billing_movement WHERE business_date < %(after)s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
DAYS = """
    SELECT encode(sha256(convert_to(string_agg(
        concat_ws('|', reference, debit, credit, cents, account_id, business_date), E'\\n' ORDER BY reference COLLATE "C"
    ), 'UTF8')), 'hex')
    FROM billing_movement WHERE business_date >= %(first)s AND business_date < %(after)s
    GROUP BY business_date ORDER BY business_date
"""


class UnableToCloseMonth(Exception):
    """The month is not over: movements may still come."""


@dataclass(frozen=True)
class KindOfMovement:
    """Movements of a month that are alike: what they are of, between which accounts of the chart, how many, how much."""

    name: str
    debit: str
    credit: str
    number: int
    cents: int


@dataclass(frozen=True)
class ClosedBalance:
    """One account of the chart over a month: debits less credits before it, in it, and after it."""

    chart: str
    opening_cents: int
    debit_cents: int
    credit_cents: int

    @property
    def closing_cents(self) -> int:
        """What it came to at the month's end."""
        return self.opening_cents + self.debit_cents - self.credit_cents


@dataclass(frozen=True)
class MonthClose:
    """A month as the ledger has it. `fingerprint` changes with any movement of the month."""

    month: date
    balances: tuple[ClosedBalance, ...]
    kinds: tuple[KindOfMovement, ...]
    fingerprint: str

    @property
    def moved_cents(self) -> int:
        """All that was moved: the debits of all accounts, and their credits."""
        return sum(kind.cents for kind in self.kinds)


def close_month(*, month: date, today: date) -> MonthClose:
    """A month that is over, from the movements of the ledger and nothing else. Raises UnableToCloseMonth."""
    first = month.replace(day=1)
    after = next_month(first)
    if today < after:
        raise UnableToCloseMonth(f"{first:%B %Y} is not over. It can be closed from {long_date(after)} on.")
    span = {"first": first, "after": after}
    with connection.cursor() as cursor:
        cursor.execute(KINDS, span)
        rows = cursor.fetchall()
        cursor.execute(DAYS, span)
        days = [day for (day,) in cursor.fetchall()]
    kinds = tuple(
        KindOfMovement(name.replace("_", " "), debit, credit, number, int(cents))
        for before, debit, credit, name, number, cents in rows
        if not before
    )
    fingerprint = hashlib.sha256("\n".join(days).encode()).hexdigest()
    return MonthClose(first, tuple(_sum_up(rows)), kinds, fingerprint)


def _sum_up(rows: Sequence[tuple[Any, ...]]) -> Iterator[ClosedBalance]:
    """Opening, debits and credits of every account of the chart."""
    opening: dict[str, int] = defaultdict(int)
    debits: dict[str, int] = defaultdict(int)
    credited: dict[str, int] = defaultdict(int)
    for before, debit, credit, _name, _number, cents in rows:
        if before:
            opening[debit] += int(cents)
            opening[credit] -= int(cents)
        else:
            debits[debit] += int(cents)
            credited[credit] += int(cents)
    for chart in Chart:
        yield ClosedBalance(chart.value, opening[chart], debits[chart], credited[chart])


def name_file(*, close: MonthClose, ending: str) -> str:
    """What its files are called."""
    return f"month-close-{close.month:%Y-%m}.{ending}"


def write_csv(*, close: MonthClose) -> str:
    """One table: balances, then movements by kind, then the fingerprint; amounts in dollars, debits positive."""
    columns = {name: (lambda row, place=place: row[place]) for place, name in enumerate(HEADINGS)}
    return "".join(write_lines(columns=columns, rows=_list_lines(close)))


HEADINGS = ("Part", "What", "Into", "Out of", "Number", "Opening", "Debits", "Credits", "Closing")


def _list_lines(close: MonthClose) -> Iterator[tuple[object, ...]]:
    for row in close.balances:
        amounts = (row.opening_cents, row.debit_cents, row.credit_cents, row.closing_cents)
        yield "balance", Chart(row.chart).label, "", "", "", *map(write_amount, amounts)
    for kind in close.kinds:
        amount, into, out = write_amount(kind.cents), Chart(kind.debit).label, Chart(kind.credit).label
        yield "movements", kind.name, into, out, kind.number, "", amount, amount, ""
    moved = write_amount(close.moved_cents)
    yield "total", "", "", "", sum(kind.number for kind in close.kinds), "", moved, moved, ""
    yield "ledger sha256", close.fingerprint, "", "", "", "", "", "", ""


def write_amount(cents: int) -> str:
    """Dollars as accountants write them: what an account owes in brackets, so that no spreadsheet reckons with it."""
    return f"({format_dollars(-cents)})" if cents < 0 else format_dollars(cents)


def draw_close(*, close: MonthClose, at: datetime) -> bytes:
    """The same as a PDF."""
    facts = {
        "title": f"Month close, {close.month:%B %Y}",
        "payee": settings.EXCHANGE["name"],
        "footer": f"Month close {close.month:%Y-%m}, drawn up {eastern(at)}",
        "balances": [
            [Chart(row.chart).label]
            + [
                write_amount(cents)
                for cents in (row.opening_cents, row.debit_cents, row.credit_cents, row.closing_cents)
            ]
            for row in close.balances
        ],
        "kinds": [
            [
                kind.name,
                Chart(kind.debit).label,
                Chart(kind.credit).label,
                f"{kind.number:,}",
                write_amount(kind.cents),
            ]
            for kind in close.kinds
        ],
        "moved": write_amount(close.moved_cents),
        "fingerprint": close.fingerprint,
    }
    return draw_pdf(template="month_close", facts=facts, at=at)
