"""Resending: a notice goes out once more in the same words, by the same way or the other, as often as staff press the button.

The copy is a notice of its own beside the first, so that it is printed, sent and kept like any other.
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from members.models import Channel, Notice, NoticeCopy, User

BILL = "bill_ready"  # on paper it is the bill itself


class UnableToResend(ValueError):
    """The notice cannot go out again so; the text says why, for staff. Nothing was written."""


def resend_notice(
    *, notice_id: int, channel: str, by: User, why: str, form_key: UUID, today: date, at: datetime
) -> NoticeCopy:
    """Put a copy of a notice into the outbox. A form key used before returns the copy it made then. Raises UnableToResend."""
    if not why.strip():
        raise UnableToResend("Say why it is sent again.")
    with transaction.atomic():
        # One after another for one notice: the same form may arrive twice at once.
        locked = Notice.objects.select_for_update(no_key=True).filter(pk=notice_id)
        if not locked:
            raise UnableToResend("There is no such notice.")
        made = NoticeCopy.objects.filter(form_key=form_key).first()
        if made is not None:
            return made
        first = find_first(notice=locked[0])
        copy = Notice.objects.create(
            event=first.event,
            # No colon: whoever reads subjects takes no copy for the thing itself.
            subject=f"copy-of-{first.pk}-{form_key}",
            channel=channel,
            member_id=first.member_id,
            address=find_address(notice=first, channel=channel),
            language=first.language,
            facts=first.facts,
            at=at,
            business_date=today,
        )
        return NoticeCopy.objects.create(
            first=first, copy=copy, by=by, why=why.strip()[:200], form_key=form_key, at=at
        )


def find_first(*, notice: Notice) -> Notice:
    """The notice that a copy is of; itself where it is none."""
    copy = NoticeCopy.objects.filter(copy=notice).select_related("first").first()
    return copy.first if copy else notice


def find_address(*, notice: Notice, channel: str) -> str:
    """Where the copy goes: an email address, or nothing for a letter to a member. Raises UnableToResend."""
    if channel == Channel.EMAIL:
        address = notice.address or (notice.member.email if notice.member else "")
        if not address:
            raise UnableToResend("We have no email address for this person.")
        return address
    if notice.member is None:
        raise UnableToResend("A letter goes to a member's address; this notice has none.")
    if notice.event == BILL:
        raise UnableToResend("Print the bill itself from its page; it is no letter.")
    return ""
