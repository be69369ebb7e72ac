"""Notices alike: one event told to many members in one statement, its facts read by the database where they lie.

For the large runs: what each of hundreds of thousands is told differs in a name and an amount. Who is told by which channel is
decided here for each choice that a member can have made, and never in SQL.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from members.models import Channel
from members.notices import Kind, MemberToTell, choose_channels, find_kind


@dataclass(frozen=True, slots=True)
class ToldAlike:
    """An INSERT of notices for a larger statement, and the values that it takes."""

    statement: str
    values: Mapping[str, Any]


def write_alike(
    *, event: str, subject: str, facts: Mapping[str, str], source: str, at: datetime, today: date
) -> ToldAlike:
    """Tell each member of `source` once: `subject` and each of the facts are expressions of it, such as `bill.due_date`.

    `source` is what follows FROM and names a row of members_member `member`. What was told before is left as it is.
    Raises UnableToTell.
    """
    kind = find_kind(event=event, facts=facts)
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in facts.items())
    statement = f"""
        INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
        SELECT %({event}_event)s, {subject}, way.channel, member.id,
            CASE WHEN way.channel = %({event}_email)s THEN member.email ELSE '' END, member.language,
            jsonb_build_object({pairs}), %({event}_at)s, %({event}_today)s
        FROM {source} JOIN unnest(%({event}_paperless)s::boolean[], %({event}_has_email)s::boolean[], %({event}_channel)s::text[])
            AS way (paperless, has_email, channel)
            ON way.paperless = member.paperless_{kind.choice} AND way.has_email = (member.email <> '')
        ON CONFLICT (event, subject, channel) DO NOTHING
    """
    paperless, has_email, channel = zip(*_list_ways(kind), strict=True)
    values = {
        "event": event,
        "email": Channel.EMAIL.value,
        "at": at,
        "today": today,
        "paperless": list(paperless),
        "has_email": list(has_email),
        "channel": list(channel),
    }
    return ToldAlike(statement, {f"{event}_{name}": value for name, value in values.items()})


def _list_ways(kind: Kind) -> Iterator[tuple[bool, bool, str]]:
    """By which channels a member is told, for each paperless choice, with an email address and without."""
    for paperless in (False, True):
        for email in ("", "someone@example.org"):
            member = MemberToTell(0, email, "en", paperless_bills=paperless, paperless_notices=paperless)
            for channel in choose_channels(kind=kind, member=member, address=""):
                yield paperless, bool(email), channel.value
