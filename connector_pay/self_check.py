"""The self-check: every app's invariants, each a named question to the database whose answer must be no
rows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from billing import invariants as billing
from connector_pay.lib.invariants import Invariant
from members import invariants as members
from payments import invariants as payments


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold, and the rows that say so."""

    name: str
    rule: str
    rows: list[tuple[Any, ...]]


def find_violations(*, computed: bool | None = None) -> list[Violation]:
    """Every invariant that does not hold now.

    Two processes may share the work: one asks those that are computed here, the other those that the database answers alone.
    """
    asked = [item for item in _collect() if computed in (None, callable(item.question))]
    answers = [(item, _ask(item)) for item in asked]
    return [Violation(name=item.name, rule=item.rule, rows=rows) for item, rows in answers if rows]


def ask_each() -> Iterator[tuple[Invariant, list[tuple[Any, ...]]]]:
    """Each invariant in turn, with the rows that break it, at best none."""
    return ((item, _ask(item)) for item in _collect())


def count_invariants() -> int:
    """How many invariants are asked."""
    return sum(1 for _ in _collect())


def _collect() -> Iterable[Invariant]:
    yield from members.INVARIANTS
    yield from billing.INVARIANTS
    yield from payments.INVARIANTS


def _ask(item: Invariant) -> list[tuple[Any, ...]]:
    if callable(item.question):
        return list(item.question())
    with connection.cursor() as cursor:
        cursor.execute(item.question)
        return list(cursor.fetchall())
