"""Letters: a notice on letterhead, in the member's language, with the address where the window of an envelope shows it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import dateformat, translation

from connector_pay.lib.documents import draw_pdf
from members import member_id
from members.models import Member, Notice
from members.notices import DAY, LANGUAGES, write

MEMBER_ID = {"en": "Member ID", "es": "Número de miembro"}
BATCH = {"en": "Letters, {name}", "es": "Cartas, {name}"}


class UnableToWriteLetter(Exception):
    """A letter goes to a member's address; this notice has none."""


def draw_letters(*, notices: Sequence[Notice], name: str = "", at: datetime) -> bytes:
    """The notices in this order as letters in one PDF; `name` is the batch's, for the document's title."""
    letters = [describe_letter(notice=notice) for notice in notices]
    language = letters[0]["language"]
    website = settings.EXCHANGE["website_url"].split("//", 1)[-1]
    facts = {
        "title": BATCH[language].format(name=name) if name else letters[0]["subject"],
        "language": language,
        "exchange": {"name": settings.EXCHANGE["name"], "website": website},
        "letters": letters,
    }
    return draw_pdf(template="letter", facts=facts, at=at)


def describe_letter(*, notice: Notice) -> dict[str, Any]:
    """What the letter says: the notice's words in paragraphs, under the day it was written. Raises UnableToWriteLetter."""
    member = notice.member
    if member is None:
        raise UnableToWriteLetter(f"Notice {notice.pk} is no member's.")
    language = notice.language if notice.language in LANGUAGES else LANGUAGES[0]
    words = write(event=notice.event, language=language, facts=notice.facts, name=member.first_name)
    with translation.override(language):
        day = dateformat.format(notice.business_date, DAY[language])
    return {
        "language": language,
        "address": list_address_lines(member=member),
        "day": day,
        "member_id": f"{MEMBER_ID[language]} {member_id.format(member.member_id)}",
        "subject": words.subject,
        "paragraphs": [paragraph.splitlines() for paragraph in words.body.strip().split("\n\n")],
    }


def list_address_lines(*, member: Member) -> list[str]:
    """Name and address as they stand on an envelope."""
    return [member.full_name, member.street, f"{member.city}, {member.state} {member.zip_code}"]
