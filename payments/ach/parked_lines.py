"""Parked lines: returns and corrections that no rule could apply, until one of the staff has dealt with them."""

from datetime import datetime

from django.db.models import QuerySet

from billing.rows import insert_missing
from members.models import User
from payments.models import ReturnLine, ReturnResolution

LONGEST_WHY = 200


class UnableToResolveLine(ValueError):
    """The line waits for nobody, or nobody says what was done. Nothing was changed."""


def find_parked() -> QuerySet[ReturnLine]:
    """The lines that wait for a person."""
    return ReturnLine.objects.filter(applied=False, resolution=None)


def resolve_line(*, line_id: int, by: User, why: str, at: datetime) -> None:
    """Write down who has dealt with a parked line, and what was done about it; once. Raises UnableToResolveLine."""
    words = " ".join(why.split())[:LONGEST_WHY]
    if not words:
        raise UnableToResolveLine("Say what was done about this return.")
    if not ReturnLine.objects.filter(pk=line_id, applied=False).exists():
        raise UnableToResolveLine("This return was applied. Nobody needs to look at it.")
    row = (line_id, by.pk, words, at)
    if not insert_missing(
        model=ReturnResolution, columns=("line", "by", "why", "at"), rows=[row], returning=["line"]
    ):
        raise UnableToResolveLine("Somebody has dealt with this return before.")
