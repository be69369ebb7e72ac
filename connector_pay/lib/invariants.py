"""What must always hold, as a named question to the database: SQL, or a function, that returns the rows that break it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Invariant:
    """One thing that must always hold. `question`, SQL or a function, returns the rows that break the rule: none, at best."""

    name: str
    rule: str
    question: str | Callable[[], Iterable[tuple[Any, ...]]]
