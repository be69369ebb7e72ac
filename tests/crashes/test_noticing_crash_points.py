"""Every crash point of noticing: told as a start is pushed, emails handed over, letters gathered, drawn and mailed.

Nothing is lost, and nothing told twice but an email of which nobody can know: handed over, and the process dead before that was
written down. Then that one email goes out again, and no other.
"""

import json
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.test import override_settings

from billing import overdue, print_batches
from billing.held_letters import note_mail_read
from billing.models import PrintBatch, PrintedLetter, PrintPart
from billing.print_batches import UnableToCloseBatch, UnableToMakeBatch
from connector_pay.simulation.facts import read_facts
from members import outbox
from members.letters import describe_letter
from members.models import Channel, Member, Notice, User
from members.outbox import UnableToSend
from tests.billing.printing import LETTERS
from tests.crash_points import Effect, Work, check_every_crash_point
from tests.crashes.test_crash_points import enroll_alice_and_bob
from tests.diary import eastern
from tests.people import make_staff

DAY = date(2027, 1, 24)
AT_NIGHT, IN_THE_MORNING = eastern(2027, 1, 24, 0, 10), eastern(2027, 1, 24, 9)
REFUSED = "nobody@example.org"
BOX, DOUBTS = "mailbox", "in doubt"  # beside the bank's files


class Server(BaseEmailBackend):
    """A mail server that keeps what it was handed, and knows one address not to exist."""

    def send_messages(self, email_messages: list[EmailMessage]) -> int:
        for message in email_messages:
            if message.to == [REFUSED]:
                raise SMTPRecipientsRefused({REFUSED: (550, b"no such user")})
            write_line(BOX, [*message.to, message.subject])  # its words may hold numbers that a crash used up
        return len(email_messages)


HANDED_OVER = (Effect(Server, "send_messages"),)


def write_line(name: str, words: list[str]) -> None:
    """A line more in a file of this crash point's own."""
    with (Path(settings.SANDBOX_BANK_DIR) / name).open("a") as file:
        file.write(json.dumps(words) + "\n")


def read_lines(name: str) -> Counter[tuple[str, ...]]:
    """How often each line stands there."""
    path = Path(settings.SANDBOX_BANK_DIR) / name
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter(tuple(json.loads(line)) for line in lines)


def prepare() -> None:
    """Alice with two first bills that nobody has paid, Bob with one; he gave an address that does not exist."""
    settings.SANDBOX_BANK_DIR.mkdir(parents=True, exist_ok=True)
    enroll_alice_and_bob()
    Member.objects.update(paperless_notices=True)
    Member.objects.filter(first_name="Bob").update(email=REFUSED)
    make_staff()


def note_doubts() -> None:
    """Emails that the server has and of which our database does not know: whoever goes on cannot tell."""
    sent = Notice.objects.filter(channel=Channel.EMAIL, sent_at__isnull=False).count()
    box = read_lines(BOX)
    assert box.total() - sent in (0, 1)
    if box.total() > sent:
        write_line(DOUBTS, list(next(reversed(box))))  # the last one handed over


def review() -> None:
    """The night of January 24 pushes three starts."""
    overdue.review(today=DAY, at=AT_NIGHT, run="review_overdue")


def prepare_told() -> None:
    """They have been pushed."""
    prepare()
    review()


def send() -> None:
    """The emails of the morning."""
    note_doubts()
    with override_settings(EMAIL_BACKEND=f"{__name__}.Server"), suppress(UnableToSend):
        outbox.send_unsent(at=IN_THE_MORNING)


def tell() -> None:
    """From the night until the letters are in the mail."""
    review()
    send()
    note_mail_read(until=DAY, why="a lockbox file", at=IN_THE_MORNING)
    with suppress(UnableToMakeBatch):
        print_batches.make_batch(kind=LETTERS, today=DAY, at=IN_THE_MORNING)
    print_batches.draw_waiting(at=IN_THE_MORNING)
    staff = User.objects.get(is_staff=True)
    with suppress(UnableToCloseBatch):
        print_batches.close_batch(batch_id=PrintBatch.objects.get().pk, by=staff, at=IN_THE_MORNING)


def describe_part(part: PrintPart) -> bytes:
    """The letters in words. Not typst: its threads do not live on in the forks that these tests make."""
    notices = Notice.objects.filter(printed__part=part).order_by("printed__position").select_related("member")
    return json.dumps([describe_letter(notice=notice) for notice in notices]).encode()


def read_told() -> dict[str, Any]:
    """The business facts, what everybody was told, and what the server was handed beyond what it had to be."""
    box, doubts = read_lines(BOX), read_lines(DOUBTS)
    columns = ("event", "channel", "member__first_name", "sent_at", "failed_tries", "next_try_at")
    return {
        "facts": read_facts(),
        "handed over": sorted((box - doubts).items()),
        "notices": sorted(Notice.objects.values_list(*columns), key=repr),
        "letters": [bytes(part.document) for part in PrintPart.objects.order_by("number")],
        "places": sorted(PrintedLetter.objects.values_list("part__number", "position")),
        "batches": list(PrintBatch.objects.values_list("kind", "letters", "closed_at")),
    }


@pytest.mark.parametrize(
    ("prepare", "work", "every_gap", "fewest"),
    [
        pytest.param(prepare_told, send, False, 5, id="emails"),
        # The review, one email after the other with its hand-over, the mail read, a batch of three letters in two parts, its end.
        pytest.param(prepare, tell, True, 20, id="all of it, every gap", marks=pytest.mark.prove),
    ],
)
def test_every_crash_point_of_noticing_tells_everybody_and_nobody_twice(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    prepare: Work,
    work: Work,
    every_gap: bool,
    fewest: int,
) -> None:
    monkeypatch.setattr(print_batches, "LETTERS_A_PART", 2)
    monkeypatch.setitem(print_batches._DRAW, LETTERS, describe_part)
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_told,
            effects=HANDED_OVER,
            every_gap=every_gap,
        )
    assert points >= fewest
