"""What a row of the tables of staff's actions says: who does it, who may not, where its button stands, what is typed and said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model

from connector_pay.roles import Role
from tests.browser.office import Office

SHOW = "Show what it does"
WHY = {"Why:": "The member asked for it"}
REVIEWER, CASHIER, SUPERVISOR = Role.REVIEWER, Role.CASHIER, Role.SUPERVISOR
AUDITOR, ADMINISTRATOR = Role.AUDITOR, Role.ADMINISTRATOR
ASKED = "Another person must approve it."
Typed = dict[str, str | bool | bytes]


@dataclass(frozen=True)
class Case:
    """What an action is done with: the record on whose page, or in whose list, its button stands; its address; what is typed."""

    record: Model | type[Model]
    args: tuple[Any, ...] = ()
    typed: Typed = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """One row: `button` is what the wrong person does not see; `pressed` are the buttons after it, on the action's own page.

    What is typed is typed before the last of them. Where `takes_away` is set, the last press brings a file.
    """

    name: str
    right: Role
    wrong: Role
    make: Callable[[Office], Case]
    button: str
    pressed: tuple[str, ...] = ()
    typed: Typed = field(default_factory=dict)
    says: str = ""
    takes_away: bool = False
    listed: str = ""  # the page on which the button stands, where it is not the record's

    @property
    def has_page(self) -> bool:
        """Whether its button leads to a page of its own."""
        return bool(self.pressed)


def on(make: Callable[[Office], Model]) -> Callable[[Office], Case]:
    """The button stands on the record's page, and the record's key in the address."""

    def find(office: Office) -> Case:
        record = make(office)
        return Case(record, (record.pk,))

    return find


def in_list(model: str) -> Callable[[Office], Case]:
    """The button stands on the list of these records."""

    def find(office: Office) -> Case:
        return Case(apps.get_model(model))

    return find
