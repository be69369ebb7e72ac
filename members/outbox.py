"""The outbox: what we tell people, written in the transaction that made it true and sent afterwards.

A notice is one row per event, subject and channel, ever, so telling twice tells once. Emails leave by
`send_unsent`, outside any transaction; letters wait for the print batch. An email that cannot be handed over holds
up no other: it waits, longer each time, and staff find it by `next_try_at`. A mail server that cannot be reached is
no email's fault: the round ends there, and all wait for the next.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Count, Q, QuerySet

from connector_pay.lib.written_once import write_once
from members.models import Channel, Notice
from members.notices import Addressee, UnableToTell, choose_channels, find_kind, write

log = structlog.get_logger(__name__)
_LOCK_CLASS = 7_336_002
_LOCK_KEYS = 2**31
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)


class UnableToSend(Exception):
    """Some emails could not be handed over; they stay in the outbox and are tried again later."""

    def __init__(self, *, unsent: Sequence[int], sent: int) -> None:
        super().__init__(
            f"{len(unsent)} of {len(unsent) + sent} emails could not be sent, first notice {unsent[0]}."
        )
        self.sent = sent


class UnableToReachServer(Exception):
    """No connection to the mail server could be opened; what waits in the outbox waits on, as it was."""

    def __init__(self, reason: str, *, sent: int = 0) -> None:
        super().__init__(f"The mail server cannot be reached ({reason}); {sent} emails were sent before.")
        self.reason, self.sent = reason, sent


@dataclass(frozen=True)
class Telling:
    """Something to tell about one subject ("payment:123"): to a member, or to an address alone (a guest).

    An address given beside a member takes the email in place of the member's own. `language` is the member's
    where none is given.
    """

    event: str
    subject: str
    member: Addressee | None = None
    address: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""


def tell(*, tellings: Iterable[Telling], at: datetime, today: date) -> int:
    """Put notices into the outbox; those already told, by event, subject and channel, are left as they are.

    Returns how many are new. Raises UnableToTell for an unknown event, a missing fact, or nobody to tell.
    """
    rows = [row for telling in tellings for row in _list_rows(telling)]
    if not rows:
        return 0
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Notice._meta.db_table} "
            "(event, subject, channel, member_id, address, language, facts, at, business_date) "
            "SELECT event, subject, channel, member_id, address, language, facts::jsonb, %s, %s FROM unnest("
            "%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[]"
            ") AS told (event, subject, channel, member_id, address, language, facts) "
            "ON CONFLICT (event, subject, channel) DO NOTHING",
            [at, today, *columns],
        )
        return cursor.rowcount


def read_told(*, events: Iterable[str], subjects: Iterable[str]) -> dict[tuple[str, str], bool]:
    """Of each (event, subject) that was told: whether it has gone out by every channel, a letter in a closed print batch."""
    told = Notice.objects.filter(event__in=list(events), subject__among=list(subjects))
    waiting = Count("pk", filter=Q(sent_at=None))
    rows = told.values("event", "subject").annotate(waiting=waiting).order_by()
    return {
        (event, subject): not unsent
        for event, subject, unsent in rows.values_list("event", "subject", "waiting")
    }


def send_unsent(*, at: datetime, limit: int = 500) -> int:
    """Send the emails of the outbox that wait, each once however many workers send; returns how many went out.

    The oldest first, after those not tried yet. What can be sent is sent; then raises UnableToSend if any
    could not: each of those is tried again later, and later each time. Raises UnableToReachServer at the first
    connection that cannot be opened. A crash between handing an email over and writing that down sends that one
    email again: told twice is better than not told.
    """
    waiting = _find_waiting(at=at).order_by("failed_tries", "pk")
    mail = get_connection()
    sent, unsent = 0, []
    for notice_id in waiting.values_list("pk", flat=True)[:limit]:
        try:
            handed_over = _send(notice_id=notice_id, mail=mail, at=at)
        except UnableToReachServer as problem:
            raise UnableToReachServer(problem.reason, sent=sent) from problem
        if handed_over is None:
            unsent.append(notice_id)
        sent += bool(handed_over)
    if unsent:
        raise UnableToSend(unsent=unsent, sent=sent)
    return sent


def find_wait(*, failed_tries: int) -> timedelta:
    """How long an email waits that could not be handed over: a minute, then twice as long each time, up to four hours."""
    doubled = FIRST_WAIT * 2 ** min(failed_tries - 1, 20)
    return min(doubled, LONGEST_WAIT)


def _find_waiting(*, at: datetime) -> QuerySet[Notice]:
    """The emails not sent yet that may be tried now."""
    unsent = Notice.objects.filter(sent_at=None, channel=Channel.EMAIL)
    return unsent.filter(Q(next_try_at=None) | Q(next_try_at__lte=at))


def _list_rows(telling: Telling) -> list[tuple[Any, ...]]:
    """One row of the outbox for each channel of the telling."""
    kind = find_kind(event=telling.event, facts=telling.facts)
    member = telling.member
    channels = choose_channels(kind=kind, member=member, address=telling.address)
    if not channels:
        raise UnableToTell(f"Nobody to tell {telling.event} about {telling.subject}.")
    own_address = member.email if member else ""
    language = telling.language or (member.language if member else "en")
    facts = json.dumps(dict(telling.facts), cls=DjangoJSONEncoder)
    return [
        (
            telling.event,
            telling.subject,
            channel,
            member.pk if member else None,
            (telling.address or own_address) if channel == Channel.EMAIL else "",
            language,
            facts,
        )
        for channel in channels
    ]


def _send(*, notice_id: int, mail: BaseEmailBackend, at: datetime) -> bool | None:
    """Hand one email over and write down how it went: None if it could not go, False when another worker
    has it. Raises UnableToReachServer.
    """
    with _only_sender(notice_id) as alone:
        waiting = [_Email(*row) for row in _read_email([notice_id])] if alone else []
        if not waiting or waiting[0].is_put_off(at=at):
            return False
        (notice,) = waiting
        try:
            email = _write_email(notice=notice, mail=mail)
            with _connected(mail):
                email.send()
        except UnableToReachServer:
            raise
        except Exception:
            # Whatever is wrong with one email, the others go out.
            log.exception("email not sent", notice=notice_id, failed_tries=notice.failed_tries + 1)
            _put_off(notice, at=at)
            return None
        Notice.objects.filter(pk=notice_id).update(sent_at=at, next_try_at=None)
    return True


@contextmanager
def _connected(mail: BaseEmailBackend) -> Iterator[None]:
    """A connection for one email. Raises UnableToReachServer where none can be opened, before any email is named."""
    try:
        mail.open()
    except OSError as error:  # smtplib's own errors are some, too
        with suppress(OSError):
            mail.close()
        raise UnableToReachServer(f"{type(error).__name__}: {error}") from error
    try:
        yield
    finally:
        mail.close()


@dataclass(frozen=True, slots=True)
class _Email:
    """A notice by email as it is sent: to whom, what, and how often that failed."""

    id: int
    event: str
    language: str
    facts: dict[str, Any]
    address: str
    first_name: str | None
    failed_tries: int
    next_try_at: datetime | None

    def is_put_off(self, *, at: datetime) -> bool:
        """Whether it is to be tried only later."""
        return self.next_try_at is not None and self.next_try_at > at


@write_once
def _read_email(notice_ids: list[int]) -> QuerySet[Notice, Any]:
    """Those not sent yet, read again by whoever alone may send them."""
    unsent = Notice.objects.filter(pk__among=notice_ids, sent_at=None, channel=Channel.EMAIL)
    who = ("address", "member__first_name")
    return unsent.values_list("pk", "event", "language", "facts", *who, "failed_tries", "next_try_at")


def _put_off(notice: _Email, *, at: datetime) -> None:
    tries = notice.failed_tries + 1
    Notice.objects.filter(pk=notice.id).update(
        failed_tries=tries, next_try_at=at + find_wait(failed_tries=tries)
    )


def _write_email(*, notice: _Email, mail: BaseEmailBackend) -> EmailMessage:
    name = notice.first_name or ""
    words = write(event=notice.event, language=notice.language, facts=notice.facts, name=name)
    return EmailMessage(subject=words.subject, body=words.body, to=[notice.address], connection=mail)


@contextmanager
def _only_sender(notice_id: int) -> Iterator[bool]:
    """Hold this notice for this session, with no transaction open; False when another session holds it."""
    key = [_LOCK_CLASS, notice_id % _LOCK_KEYS]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
