"""Letters about a start that moved: they wait for the lockbox's mail of the days before, a few banking days at most.

A check that came by the due date may be in the bank's next file. If it is, the start is given back, and a letter that is not yet
printed never goes out. Where there is no lockbox, no letter waits for one.
"""

from datetime import date, datetime

from django.conf import settings
from django.db.models import BigIntegerField, Case, Exists, F, Func, Max, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast

from billing.models import MailRead
from billing.overdue import PUSHED, RESTORED
from billing.rows import insert_missing
from members.models import Notice, StartMove

MOVE = r"^enrollment:\d+:move:(\d+)$"
ENROLLMENT = r"^enrollment:(\d+):move:\d+$"


def note_mail_read(*, until: date, why: str, at: datetime) -> int:
    """The mail that was received until this day is in the books, or was waited for long enough. Returns whether that is new."""
    rows = [(until, why, at)]
    return len(insert_missing(model=MailRead, columns=("until", "why", "at"), rows=rows, returning=["until"]))


def leave_out_held(*, letters: QuerySet[Notice]) -> QuerySet[Notice]:
    """Without those that wait for the mail, and without those whose start was given back before they were printed."""
    numbered = letters.annotate(move_id=_read_number(MOVE), moved_enrollment_id=_read_number(ENROLLMENT))
    given_back = StartMove.objects.filter(
        enrollment=OuterRef("moved_enrollment_id"), pk__gt=OuterRef("move_id"), why=RESTORED.why
    )
    still_so = numbered.exclude(Exists(given_back))
    if not settings.LOCKBOX_NUMBERS:
        return still_so
    until = MailRead.objects.aggregate(until=Max("until"))["until"]
    return still_so.exclude(event=PUSHED.event, business_date__gt=until or date.min)


def _read_number(pattern: str) -> Case:
    """A number in the subject of a letter about a start that was pushed; none of another."""
    found = Func(F("subject"), Value(pattern), function="substring")
    return Case(When(event=PUSHED.event, then=Cast(found, BigIntegerField())))
