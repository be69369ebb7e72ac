"""What must always hold, as a named question to the database: SQL, or a function, that returns the rows that break it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from connector_pay.lib.states import StateMachine


@dataclass(frozen=True)
class Invariant:
    """One thing that must always hold. `question`, SQL or a function, returns the rows that break the rule: none, at best."""

    name: str
    rule: str
    question: str | Callable[[], Iterable[tuple[Any, ...]]]


def write_history_question(
    *, table: str, history: str, moves: StateMachine, first: str, where: str = "TRUE"
) -> str:
    """The question whose rows are the subjects whose history takes no allowed arrow, has a gap, or ends elsewhere than they
    stand. `first` is the state in which a subject begins.
    """
    subject = f"{moves.subject_field}_id"
    arrows = ", ".join(
        f"('{before}', '{after}')" for before, afters in moves.arrows.items() for after in sorted(afters)
    )
    return f"""
        WITH steps AS (
            SELECT {subject} AS id, before, after,
                   lag(after) OVER (PARTITION BY {subject} ORDER BY id) AS stood,
                   lead(after) OVER (PARTITION BY {subject} ORDER BY id) AS goes_on
            FROM {history}
        )
        SELECT id, before, after FROM steps
        WHERE before <> coalesce(stood, '{first}') OR (before, after) NOT IN ({arrows})
        UNION ALL
        SELECT subject.id, steps.after, subject.status FROM {table} AS subject
        LEFT JOIN steps ON steps.id = subject.id AND steps.goes_on IS NULL
        WHERE {where} AND subject.status <> coalesce(steps.after, '{first}')
    """
