"""Rows of tests that stand further on: they begin where the database lets them, and go along their arrows, without a history."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from billing import invariants as billing
from connector_pay.lib.states import StateMachine
from payments import invariants as payments

GUARDED = billing.GUARDED | payments.GUARDED


def create_at(model: type[Model], *, status: str, **facts: Any) -> Any:
    """One row that stands there."""
    (row,) = create_all_at([model(**facts)], status=status)
    return row


def create_all_at(rows: Sequence[Any], *, status: str) -> list[Any]:
    """Rows of one table, all of which stand there."""
    model = type(rows[0])
    kept = GUARDED[model._meta.db_table]
    for row in rows:
        row.status = kept.first
    made = model.objects.bulk_create(rows)
    for step in find_way(kept.moves, before=kept.first, after=status):
        model.objects.filter(pk__in=[row.pk for row in made]).update(status=step)
    for row in made:
        row.status = status
    return made


def list_guards() -> list[tuple[str, str]]:
    """Each table whose rows the database holds to their arrows, with each of its triggers."""
    return [(table, guard) for table in GUARDED for guard in ("guard_moves", "guard_beginning")]


def find_way(moves: StateMachine, *, before: str, after: str) -> list[str]:
    """The statuses after the first on the shortest way along the arrows."""
    ways = [[before]]
    for way in ways:
        if way[-1] == after:
            return [str(step.value if hasattr(step, "value") else step) for step in way[1:]]
        ways += [[*way, step] for step in sorted(moves.arrows.get(way[-1], ())) if step not in way]
    raise AssertionError(f"no way from {before} to {after}")
