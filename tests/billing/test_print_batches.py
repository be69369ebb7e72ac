"""Print batches: each letter once, by ZIP code, drawn in parts that a crash does not lose, sent when the batch is closed."""

import io
import re
import zipfile

import pytest
from django.db import transaction

from billing import invoices, print_batches
from billing.models import PrintBatch, PrintedLetter, PrintPart
from billing.print_batches import UnableToCloseBatch, UnableToDrawParts, UnableToMakeBatch
from members.letters import UnableToWriteLetter
from members.models import Notice
from tests.billing.books import ENROLLED, FEBRUARY, noon
from tests.billing.printing import (
    BILLS,
    LETTERS,
    bill_people,
    close,
    draw,
    list_places,
    list_unsent,
    make,
    write_to,
)

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of two letters."""
    monkeypatch.setattr(print_batches, "LETTERS_A_PART", 2)


def count_pages(document: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", bytes(document)))


def test_bills_are_gathered_by_zip_code_in_parts() -> None:
    bill_people("02108", "01002", "02139", "01002", "02740")
    batch = make()
    assert (batch.kind, batch.business_date, batch.letters, batch.closed_at) == (BILLS, ENROLLED, 5, None)
    assert list_places(batch) == [
        ("01002", 1, 1),
        ("01002", 1, 2),
        ("02108", 2, 3),
        ("02139", 2, 4),
        ("02740", 3, 5),
    ]
    assert list(batch.parts.order_by("number").values_list("letters", flat=True)) == [2, 2, 1]


def test_every_part_is_a_pdf_of_its_letters() -> None:
    bill_people("02108", "01002", "02139")
    batch = make()
    assert draw() == {"parts": 2, "letters": 3}
    documents = list(batch.parts.order_by("number").values_list("document", flat=True))
    assert [count_pages(document) for document in documents] == [2, 1]
    assert all(b"pdfuaid" in bytes(document) for document in documents)


def test_only_those_who_want_paper_get_it() -> None:
    bill_people("02108", paperless_bills=True)
    with pytest.raises(UnableToMakeBatch, match="no bills to print"):
        make()
    assert not PrintBatch.objects.exists()


def test_bills_and_letters_are_batches_of_their_own() -> None:
    (member,) = bill_people("02108")
    write_to(member)
    assert make(LETTERS).letters == 1
    assert make(BILLS).letters == 1
    assert draw() == {"parts": 2, "letters": 2}


def test_made_twice_the_second_takes_only_what_came_since() -> None:
    bill_people("02108", "02109")
    first = make()
    with pytest.raises(UnableToMakeBatch):
        make()
    bill_people("02110")
    second = make()
    assert [place[0] for place in list_places(first)] == ["02108", "02109"]
    assert [place[0] for place in list_places(second)] == ["02110"]


def test_a_bill_that_was_replaced_before_it_was_printed_is_not_mailed() -> None:
    one, two = bill_people("02108", "02109")
    account = one.enrollments.get().account
    invoices.void_invoices(account_ids=[account.pk], why="pushed", today=ENROLLED, at=noon(ENROLLED))
    assert [place[0] for place in list_places(make())] == [two.zip_code]


def test_closed_its_letters_count_as_sent_and_no_others() -> None:
    bill_people("02108", "02109", "02110")
    batch = make()
    (late,) = bill_people("02111")
    draw()
    close(batch, today=FEBRUARY)
    assert [notice.member for notice in list_unsent()] == [late]
    sent = Notice.objects.filter(printed__part__batch=batch).values_list("sent_at", flat=True)
    assert set(sent) == {noon(FEBRUARY)}


def test_a_batch_is_closed_once_and_only_when_it_is_drawn() -> None:
    bill_people("02108", "02109", "02110")
    batch = make()
    with pytest.raises(UnableToCloseBatch, match="still being drawn"):
        close(batch)
    assert len(list_unsent()) == 3
    draw()
    close(batch)
    with pytest.raises(UnableToCloseBatch, match="closed already"):
        close(batch, today=FEBRUARY)
    assert set(Notice.objects.values_list("sent_at", flat=True)) == {noon(ENROLLED)}


def test_drawing_again_draws_nothing_twice() -> None:
    bill_people("02108", "02109", "02110")
    batch = make()
    assert draw(batch) == {"parts": 2, "letters": 3}
    before = [bytes(document) for document in PrintPart.objects.values_list("document", flat=True)]
    assert draw(batch) == {"parts": 0, "letters": 0}
    assert [bytes(document) for document in PrintPart.objects.values_list("document", flat=True)] == before


def test_a_part_that_cannot_be_drawn_holds_up_no_other_and_is_tried_again(monkeypatch) -> None:
    bill_people("02108", "02109", "02110", "02111", "02112")
    batch = make()
    drawn = print_batches._DRAW[BILLS]

    def stumble(part: PrintPart) -> bytes:
        if part.number == 2:
            raise UnableToWriteLetter("The second part is broken.")
        return drawn(part)

    monkeypatch.setitem(print_batches._DRAW, BILLS, stumble)
    with pytest.raises(UnableToDrawParts, match="1 parts"):
        draw()
    assert list(batch.parts.filter(drawn_at=None).values_list("number", flat=True)) == [2]
    assert not print_batches.is_drawn(batch_id=batch.pk)
    monkeypatch.setitem(print_batches._DRAW, BILLS, drawn)
    assert draw() == {"parts": 1, "letters": 2}
    assert print_batches.is_drawn(batch_id=batch.pk)


@transaction.atomic
def take_again(notice_id: int) -> None:
    """Put a letter into another batch, as a second gathering at the same moment would."""
    another = PrintBatch.objects.create(kind=BILLS, business_date=ENROLLED, letters=1, made_at=noon(ENROLLED))
    print_batches._fill(another, [notice_id])


def test_a_letter_has_one_place_ever() -> None:
    bill_people("02108")
    batch = make()
    letter = PrintedLetter.objects.get()
    with pytest.raises(UnableToMakeBatch, match="Another batch took"):
        take_again(letter.notice_id)
    assert PrintedLetter.objects.get().part.batch == batch


def test_the_archive_has_every_part_under_a_name_that_sorts() -> None:
    bill_people("02108", "02109", "02110")
    batch = make()
    draw()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(print_batches.pack_batch(batch_id=batch.pk))))
    assert archive.testzip() is None
    names = [f"batch-{batch.pk}-part-0001.pdf", f"batch-{batch.pk}-part-0002.pdf"]
    assert archive.namelist() == names
    assert count_pages(archive.read(names[0])) == 2


def test_a_set_is_gathered_in_as_many_statements_as_one(django_assert_num_queries, monkeypatch) -> None:
    monkeypatch.setattr(print_batches, "LETTERS_A_PART", 100)
    for zip_codes in (["02108"], ["02109"] * 7):
        bill_people(*zip_codes)
        with django_assert_num_queries(7):
            make()
