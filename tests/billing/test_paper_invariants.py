"""The self-check names what is wrong with a print batch, and nothing where all is right."""

import pytest

from billing.bill_links import ensure_links
from billing.models import BillLink, Invoice, PrintBatch, PrintedLetter, PrintPart
from members.models import Notice
from tests.billing.books import ENROLLED, list_broken, noon
from tests.billing.printing import LETTERS, bill_people, close, draw, make, write_to
from tests.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch() -> PrintBatch:
    made = make_one()
    assert list_broken() == []
    return made


def make_one() -> PrintBatch:
    write_to(*bill_people("02108", "02109"))
    return make()


def test_a_closed_batch_is_clean(batch: PrintBatch) -> None:
    draw()
    close(batch)
    assert list_broken() == []


def test_a_letter_too_many_is_named(batch: PrintBatch) -> None:
    letter = Notice.objects.filter(printed=None).latest("pk")
    PrintedLetter.objects.create(notice=letter, part=batch.parts.get(), position=3)
    assert list_broken() == ["paper letters"]


def test_a_part_too_many_is_named(batch: PrintBatch) -> None:
    PrintPart.objects.create(batch=make(LETTERS), number=2, letters=0)
    assert list_broken() == []
    PrintPart.objects.create(batch=batch, number=2, letters=1)
    assert list_broken() == ["paper letters"]


def test_closed_before_it_was_drawn_is_named(batch: PrintBatch) -> None:
    Notice.objects.filter(printed__part__batch=batch).update(sent_at=noon(ENROLLED))
    PrintBatch.objects.filter(pk=batch.pk).update(closed_at=noon(ENROLLED), closed_by=make_staff())
    assert list_broken() == ["paper closed"]


def test_a_letter_of_a_closed_batch_that_was_not_sent_is_named(batch: PrintBatch) -> None:
    draw()
    close(batch)
    Notice.objects.filter(pk=PrintedLetter.objects.latest("pk").notice_id).update(sent_at=None)
    assert list_broken() == ["paper closed"]


def test_a_closed_batch_that_nobody_closed_is_named(batch: PrintBatch) -> None:
    draw()
    close(batch)
    PrintBatch.objects.filter(pk=batch.pk).update(closed_by=None)
    assert list_broken() == ["paper decided"]


def test_a_code_that_somebody_revoked_and_that_opens_its_bill_is_named(batch: PrintBatch) -> None:
    ensure_links(invoice_ids=[Invoice.objects.earliest("pk").pk], today=ENROLLED, at=noon(ENROLLED))
    BillLink.objects.update(revoked_by=make_staff())
    assert list_broken() == ["paper decided"]
