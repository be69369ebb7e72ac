"""What waits for a person: a row for each queue of the staff's first page, counted in one statement for many."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet, Value

Waiting = tuple["QuerySet[Any]", str]


@dataclass(frozen=True, slots=True)
class Queue:
    """So many things wait, the oldest since a moment; the page where they are worked, and the permission that this takes."""

    words: str
    count: int
    since: datetime | None
    link: str
    permission: str
    is_yours: bool = False

    @property
    def stands_out(self) -> bool:
        """Something waits that this person may work."""
        return self.is_yours and self.count > 0


def count_waiting(asked: Mapping[str, Waiting]) -> dict[str, tuple[int, datetime | None]]:
    """Of each name, how many rows wait and since when; `asked` gives the rows and their moment's column. One statement."""
    counted = [
        rows.order_by()
        .annotate(queue=Value(name))
        .values("queue")
        .annotate(number=Count("pk"), oldest=Min(since))
        for name, (rows, since) in asked.items()
    ]
    columns = ("queue", "number", "oldest")
    first, *others = (rows.values_list(*columns) for rows in counted)
    found = {name: (number, oldest) for name, number, oldest in first.union(*others, all=True)}
    return {name: found.get(name, (0, None)) for name in asked}


def arrange(*, queues: Iterable[Queue], may: Callable[[str], bool]) -> Sequence[Queue]:
    """The queues as one person sees them: what they may work comes first, and of that what waits the longest."""
    seen = [replace(queue, is_yours=may(queue.permission)) for queue in queues]
    return sorted(seen, key=lambda queue: (not queue.is_yours, not queue.count))
