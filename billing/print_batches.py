"""Print batches: bills and letters for those who want paper, gathered once, drawn part by part, closed when they are in the mail.

A letter is an unsent notice of the channel "letter". It goes into exactly one batch, in the order of ZIP codes, and counts as
sent when its batch is closed. A batch is drawn in parts, each a PDF of its own and each in a transaction of its own: whoever
draws, once or twice or after a crash, goes on with the parts that are left.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from io import RawIOBase
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog
from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, Exists, OuterRef, QuerySet, When
from django.db.models.functions import Cast, Substr

from billing.bill_pdf import draw_bills
from billing.held_letters import leave_out_held
from billing.models import Invoice, PrintBatch, PrintedLetter, PrintKind, PrintPart
from billing.rows import insert_missing
from connector_pay.lib.jobs import Counts
from members.letters import draw_letters
from members.models import Channel, Notice, User

LETTERS_A_PART = 100
BILL_EVENT, ABOUT = (
    "bill_ready",
    "invoice:",
)  # the notice that is a bill, and its subject: on paper it is the bill itself
_LOCK_KEY = 7_336_004
log = structlog.get_logger(__name__)


class UnableToMakeBatch(Exception):
    """There is nothing to print; said in words for staff."""


class UnableToDrawParts(Exception):
    """Some parts could not be drawn; the others are. They are tried again at the next asking."""

    def __init__(self, *, part_ids: Sequence[int]) -> None:
        super().__init__(
            f"{len(part_ids)} parts of print batches could not be drawn, the first is {part_ids[0]}."
        )


class UnableToCloseBatch(Exception):
    """The batch is not drawn to its end, or closed already; said in words for staff."""


def find_waiting(*, kind: str) -> QuerySet[Notice]:
    """The letters of a kind that are in no batch yet and wait for nothing else.

    A bill that was replaced before it was printed is never mailed, nor is a letter about a start that was given back since.
    """
    unsent = Notice.objects.filter(channel=Channel.LETTER, sent_at=None, printed=None, member__isnull=False)
    if kind == PrintKind.LETTERS:
        return leave_out_held(letters=unsent.exclude(event=BILL_EVENT))
    # In a CASE: nothing says that the rows are narrowed to bills before the number is read.
    number = Cast(Substr("subject", len(ABOUT) + 1), BigIntegerField())
    bills = unsent.annotate(invoice_id=Case(When(event=BILL_EVENT, then=number)))
    return bills.filter(Exists(Invoice.objects.filter(pk=OuterRef("invoice_id"), voided_at=None)))


def read_invoice_id(*, notice: Notice) -> int | None:
    """The bill that a notice is on paper; None for a letter."""
    return int(notice.subject.removeprefix(ABOUT)) if notice.event == BILL_EVENT else None


def make_batch(*, kind: str, today: date, at: datetime, by: User | None = None) -> PrintBatch:
    """Gather every letter of a kind that waits into a new batch, by ZIP code. Raises UnableToMakeBatch where none waits."""
    with transaction.atomic():
        _wait_for_others()
        waiting = find_waiting(kind=kind).order_by("member__zip_code", "member", "pk")
        notice_ids = list(waiting.values_list("pk", flat=True))
        if not notice_ids:
            raise UnableToMakeBatch(f"There are no {PrintKind(kind).label.lower()} to print.")
        batch = PrintBatch.objects.create(
            kind=kind, business_date=today, letters=len(notice_ids), made_at=at, made_by=by
        )
        _fill(batch, notice_ids)
    return batch


def draw_waiting(*, at: datetime, batch_ids: Iterable[int] | None = None) -> Counts:
    """Draw every part that is left, of these batches or of all; several workers share them out among themselves.

    One that cannot be drawn holds up no other. Raises UnableToDrawParts for those, at the end.
    """
    left = PrintPart.objects.filter(drawn_at=None).defer("document").select_related("batch").order_by("pk")
    if batch_ids is not None:
        left = left.filter(batch__in=list(batch_ids))
    counts, failed = Counter(parts=0, letters=0), list[int]()
    while (part := _draw_next(left.exclude(pk__in=failed), at=at)) is not None:
        if part.drawn_at is None:
            failed.append(part.pk)
        else:
            counts.update(parts=1, letters=part.letters)
    if failed:
        raise UnableToDrawParts(part_ids=failed)
    return counts


def is_drawn(*, batch_id: int) -> bool:
    """Whether no part of the batch is left to draw."""
    return not PrintPart.objects.filter(batch=batch_id, drawn_at=None).exists()


def name_part(*, batch_id: int, number: int) -> str:
    """What the PDF of a part is called, so that names sort as they are to be printed."""
    return f"batch-{batch_id}-part-{number:04d}.pdf"


def pack_batch(*, batch_id: int) -> Iterator[bytes]:
    """Every PDF of a drawn batch in one archive, handed over as it is packed: never more than one part in memory."""
    numbers = PrintPart.objects.filter(batch=batch_id).order_by("number").values_list("pk", "number")
    tray = _Tray()
    with ZipFile(tray, "w", ZIP_DEFLATED) as archive:
        for key, number in numbers:
            document = bytes(PrintPart.objects.values_list("document", flat=True).get(pk=key))
            archive.writestr(ZipInfo(name_part(batch_id=batch_id, number=number)), document, ZIP_DEFLATED)
            yield tray.empty()
    yield tray.empty()


class _Tray(RawIOBase):
    """Where an archive is written, to be taken away bit by bit."""

    def __init__(self) -> None:
        super().__init__()
        self._written = b""

    def writable(self) -> bool:
        """Yes; it can be neither read nor rewound."""
        return True

    def write(self, data: Any) -> int:
        """Keep what is written."""
        self._written += bytes(data)
        return len(data)

    def empty(self) -> bytes:
        """Take away what was written since."""
        taken, self._written = self._written, b""
        return taken


def close_batch(*, batch_id: int, by: User, at: datetime) -> PrintBatch:
    """Its letters are in the mail, says whoever closes it: from now on they count as sent. Raises UnableToCloseBatch."""
    with transaction.atomic():
        batch = PrintBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
        if batch.closed_at is not None:
            raise UnableToCloseBatch("This batch is closed already.")
        if not is_drawn(batch_id=batch.pk):
            raise UnableToCloseBatch("This batch is still being drawn. Close it when it is in the mail.")
        letters = PrintedLetter.objects.filter(part__batch=batch).values("notice")
        Notice.objects.filter(pk__in=letters, sent_at=None).update(sent_at=at)
        batch.closed_at, batch.closed_by = at, by
        batch.save(update_fields=["closed_at", "closed_by"])
    return batch


def _wait_for_others() -> None:
    """Two that gather at once gather one after the other: the second finds what the first has left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def _fill(batch: PrintBatch, notice_ids: Sequence[int]) -> None:
    """Cut the letters into parts; each letter gets its place, or the whole batch is refused by the unique key."""
    sizes = [
        len(notice_ids[start : start + LETTERS_A_PART]) for start in range(0, len(notice_ids), LETTERS_A_PART)
    ]
    parts = PrintPart.objects.bulk_create(
        PrintPart(batch=batch, number=number, letters=size) for number, size in enumerate(sizes, start=1)
    )
    rows = [
        (notice_id, parts[place // LETTERS_A_PART].pk, place + 1)
        for place, notice_id in enumerate(notice_ids)
    ]
    written = insert_missing(
        model=PrintedLetter, columns=("notice", "part", "position"), rows=rows, returning=["id"]
    )
    if len(written) < len(rows):
        raise UnableToMakeBatch("Another batch took some of these letters meanwhile. Try again.")


def _draw_next(left: QuerySet[PrintPart], *, at: datetime) -> PrintPart | None:
    """Draw one part that nobody else is drawing, None where no such part is left; undrawn still if it could not be drawn."""
    with transaction.atomic():
        part = left.select_for_update(skip_locked=True, of=("self",)).first()
        if part is None:
            return None
        try:
            with transaction.atomic():
                part.document = _DRAW[PrintKind(part.batch.kind)](part)
        except Exception:
            # Whatever is wrong with one part, the others are drawn.
            log.exception("part of a print batch not drawn", part=part.pk, batch=part.batch_id)
            return part
        part.drawn_at = at
        part.save(update_fields=["document", "drawn_at"])
    return part


def _draw_bills(part: PrintPart) -> bytes:
    invoice_ids = [
        key for notice in _list_notices(part) if (key := read_invoice_id(notice=notice)) is not None
    ]
    return draw_bills(
        invoice_ids=invoice_ids, name=str(part), today=part.batch.business_date, at=part.batch.made_at
    )


def _draw_letters(part: PrintPart) -> bytes:
    notices = list(_list_notices(part).select_related("member"))
    return draw_letters(notices=notices, name=str(part), at=part.batch.made_at)


def _list_notices(part: PrintPart) -> QuerySet[Notice]:
    return Notice.objects.filter(printed__part=part).order_by("printed__position")


_DRAW: dict[PrintKind, Callable[[PrintPart], bytes]] = {
    PrintKind.BILLS: _draw_bills,
    PrintKind.LETTERS: _draw_letters,
}
