"""Races on paper: two who gather at once, and workers who draw the same batch: each letter in one batch, each part drawn once."""

import pytest

from billing import print_batches
from billing.models import PrintedLetter, PrintPart
from billing.print_batches import UnableToMakeBatch
from tests.billing.printing import BILLS, bill_people, draw, make
from tests.races.together import run_inside, run_together

pytestmark = pytest.mark.usefixtures("committed_db")
ZIP_CODES = [f"02{number:03d}" for number in range(6)]


def test_of_two_who_gather_at_once_the_second_finds_nothing_left() -> None:
    bill_people(*ZIP_CODES)
    first, second = run_inside(make, make, waits=True)
    assert first.letters == len(ZIP_CODES)
    assert isinstance(second, UnableToMakeBatch)
    assert "There are no bills" in str(second)


def test_without_the_waiting_the_unique_key_refuses_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bill_people(*ZIP_CODES)
    monkeypatch.setattr(print_batches, "_wait_for_others", lambda: None)
    first, second = run_inside(make, make, waits=True)
    assert first.letters == len(ZIP_CODES)
    assert isinstance(second, UnableToMakeBatch)
    assert "Another batch took" in str(second)
    assert PrintedLetter.objects.count() == len(ZIP_CODES)


def test_workers_share_the_parts_out_among_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_batches, "LETTERS_A_PART", 1)
    bill_people(*ZIP_CODES)
    make()
    drawn: list[int] = []
    real = print_batches._DRAW[BILLS]
    monkeypatch.setitem(print_batches._DRAW, BILLS, lambda part: [drawn.append(part.pk), real(part)][1])
    counts = run_together(draw, draw, draw)
    assert sum(count["parts"] for count in counts) == len(ZIP_CODES)
    assert sorted(drawn) == list(PrintPart.objects.order_by("pk").values_list("pk", flat=True))
