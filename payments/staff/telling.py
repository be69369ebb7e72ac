"""How an event is told on an account's line: its words, details, the record it leads to, and by whom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse

from billing.models import Account
from members.models import User


@dataclass(frozen=True, slots=True)
class Told:
    """What a row says on the line: words, details, the record it leads to, and who did it where a person did."""

    words: str
    details: str = ""
    url: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one kind of event is kept: the rows of an account, the column of their moment, and how a row is told."""

    kind: str
    rows: Callable[[Account], "QuerySet[Any]"]
    moment: str
    tell: Callable[[Any], Told]


def link(row: Model) -> str:
    """The address of a record's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def say_day(day: Any) -> str:
    """A day in words."""
    return f"{day:%B} {day.day}, {day.year}"


def name_people(*, asked_by: User, decided_by: User | None) -> str:
    """Who did it: one person, or who approved it and who had asked."""
    asker = asked_by.get_username()
    return f"{decided_by.get_username()}, asked by {asker}" if decided_by else asker
