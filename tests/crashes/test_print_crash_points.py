"""Every crash point of a print batch: wherever gathering, drawing or closing dies, doing it again ends as if nothing had."""

import json
from pathlib import Path
from typing import Any

import pytest

from billing import print_batches
from billing.bill_pdf import list_facts
from billing.models import PrintBatch, PrintedLetter, PrintPart
from billing.print_batches import UnableToCloseBatch, UnableToMakeBatch
from members.models import Notice, User
from tests.billing.books import ENROLLED, noon
from tests.billing.printing import BILLS, bill_people, close, draw, make
from tests.crash_points import Work, check_every_crash_point
from tests.people import make_staff


def prepare_bills() -> None:
    """Three bills wait for paper."""
    bill_people("02108", "01002", "02139")


def gather() -> None:
    """The button is pressed, or pressed again."""
    try:
        make()
    except UnableToMakeBatch:
        assert PrintBatch.objects.count() == 1


def prepare_batch() -> None:
    """A batch is to be drawn."""
    prepare_bills()
    gather()


def prepare_drawn() -> None:
    """A batch is in the mail, and one of the staff is there to say so."""
    prepare_batch()
    draw()
    make_staff()


def close_it() -> None:
    """The button is pressed, or pressed again."""
    try:
        close(PrintBatch.objects.get(), by=User.objects.get(is_staff=True))
    except UnableToCloseBatch:
        assert PrintBatch.objects.get().closed_at


def describe_part(part: PrintPart) -> bytes:
    """All that drawing a part does to the database. Not typst: its threads do not live on in the forks that these tests make."""
    subjects = Notice.objects.filter(printed__part=part).values_list("subject", flat=True)
    ids = [int(subject.removeprefix("invoice:")) for subject in subjects]
    facts = list_facts(invoice_ids=ids, name=str(part), today=ENROLLED, at=noon(ENROLLED))
    return json.dumps(sorted(bill["address"] for bill in facts["bills"])).encode()


def read_paper() -> dict[str, list[Any]]:
    """What is gathered, drawn and sent, without ids."""
    return {
        "batches": list(PrintBatch.objects.values_list("kind", "letters", "closed_at")),
        "parts": [
            (number, drawn_at, bytes(document))
            for number, drawn_at, document in PrintPart.objects.order_by("number").values_list(
                "number", "drawn_at", "document"
            )
        ],
        "letters": list(
            PrintedLetter.objects.order_by("position").values_list(
                "notice__member__zip_code", "part__number", "position", "notice__sent_at"
            )
        ),
    }


@pytest.mark.parametrize(
    ("prepare", "work", "every_gap"),
    [
        pytest.param(prepare_batch, draw, False, id="drawing, commits"),
        pytest.param(prepare_batch, draw, True, id="drawing", marks=pytest.mark.prove),
        # One transaction each: its one COMMIT is among the gaps.
        pytest.param(prepare_bills, gather, True, id="gathering", marks=pytest.mark.prove),
        pytest.param(prepare_drawn, close_it, True, id="closing", marks=pytest.mark.prove),
    ],
)
def test_every_crash_point_of_a_print_batch_leaves_the_work_resumable(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    prepare: Work,
    work: Work,
    every_gap: bool,
) -> None:
    monkeypatch.setattr(print_batches, "LETTERS_A_PART", 2)
    monkeypatch.setitem(print_batches._DRAW, BILLS, describe_part)
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_paper,
            every_gap=every_gap,
        )
    assert points >= 2
