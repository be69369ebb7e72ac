"""What the tests of print batches do: bills and letters that wait for paper, gathered, drawn and closed at noon of a day."""

from datetime import date
from typing import Any

from billing import print_batches
from billing.models import PrintBatch, PrintedLetter, PrintKind
from members.models import Member, Notice, User
from members.outbox import Telling, tell
from tests.billing.books import ENROLLED, make_account, noon
from tests.people import make_member, make_staff

BILLS, LETTERS = PrintKind.BILLS, PrintKind.LETTERS


def bill_people(*zip_codes: str, **facts: Any) -> list[Member]:
    """A member with a first bill at each ZIP code."""
    return [
        make_account(member=make_member(zip_code=zip_code, **facts)).enrollment.member
        for zip_code in zip_codes
    ]


def write_to(*members: Member) -> None:
    """Tell each that their coverage is confirmed: a letter for whoever wants paper."""
    facts = {"product": "health", "plan_name": "Harborlight Silver 2000", "coverage_start": date(2027, 2, 1)}
    tellings = [
        Telling(event="coverage_confirmed", subject=f"enrollment:{member.pk}", member=member, facts=facts)
        for member in members
    ]
    tell(tellings=tellings, at=noon(ENROLLED), today=ENROLLED)


def make(kind: str = BILLS, *, today: date = ENROLLED) -> PrintBatch:
    return print_batches.make_batch(kind=kind, today=today, at=noon(today))


def draw(*batches: PrintBatch, today: date = ENROLLED) -> dict[str, int]:
    ids = [batch.pk for batch in batches] or None
    return dict(print_batches.draw_waiting(at=noon(today), batch_ids=ids))


def close(batch: PrintBatch, *, today: date = ENROLLED, by: User | None = None) -> PrintBatch:
    return print_batches.close_batch(batch_id=batch.pk, by=by or make_staff(), at=noon(today))


def list_places(batch: PrintBatch) -> list[tuple[str, int, int]]:
    """The batch's letters in order: ZIP code, part, position."""
    letters = PrintedLetter.objects.filter(part__batch=batch).order_by("position")
    return list(letters.values_list("notice__member__zip_code", "part__number", "position"))


def list_unsent() -> list[Notice]:
    return list(Notice.objects.filter(channel="letter", sent_at=None).order_by("pk"))
