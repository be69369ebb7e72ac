"""Drafts: a payment half typed, sealed between the steps of the form, for one person; a guest's for one browser session.

A member whose session ended signs in again and goes on where they were; a guest's draft is gone with the session.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from billing.policy import read_policy
from connector_pay.lib.models import SealedValue
from members.models import User
from payments.bank_accounts import BankDetails
from payments.models import PaymentDraft

PURPOSE = "payment_draft"
EXPIRED_AT_ONCE = 500  # expired drafts cleared away a transaction


class UnableToFindDraft(LookupError):
    """The draft has expired, or belongs to another person, or to another browser session of somebody not known."""


@dataclass(frozen=True)
class Chosen:
    """One payment the payer chose: for which account, how many cents."""

    account_id: int
    amount_cents: int


@dataclass(frozen=True)
class Contents:
    """What was found and typed so far. `typed` keeps the first page as it was filled in; `pay_on` is None for today.

    `is_autopay`: AutoPay is being set up, and what is `chosen` for each account is the payer's limit, 0 for none.

    `shows_account` is False for a guest who gave no date of birth: nothing of the account is shown;
    `withheld` says that this is because of too many look-ups. `bill_number` is the bill's whose code the guest came by.
    With `must_choose_bank` no saved bank account is chosen beforehand. `half_typed` has the boxes of the bank page, but never
    a number of an account, when its time was over before it was sent.
    """

    account_ids: tuple[int, ...] = ()
    shows_account: bool = True
    withheld: bool = False
    person: str = ""
    identifier: str = ""
    bill_number: str = ""
    date_of_birth: date | None = None
    typed: Mapping[str, Any] = field(default_factory=dict)
    chosen: tuple[Chosen, ...] = ()
    pay_on: date | None = None
    bank: BankDetails | None = None
    saved_account_id: int | None = None
    must_choose_bank: bool = False
    half_typed: Mapping[str, str] = field(default_factory=dict)
    receipt_email: str = ""
    recorded: bool = False
    is_autopay: bool = False

    def write(self) -> bytes:
        """As it is sealed."""
        return json.dumps(asdict(self), cls=DjangoJSONEncoder).encode()

    @classmethod
    def read(cls, clear: bytes) -> Self:
        """As it was sealed."""
        facts: dict[str, Any] = json.loads(clear)
        known = {item.name for item in fields(cls)}
        facts = {name: value for name, value in facts.items() if name in known}
        facts["account_ids"] = tuple(facts["account_ids"])
        facts["chosen"] = tuple(Chosen(**item) for item in facts["chosen"])
        facts["bank"] = BankDetails(**facts["bank"]) if facts["bank"] else None
        for name in ("pay_on", "date_of_birth"):
            facts[name] = date.fromisoformat(facts[name]) if facts[name] else None
        return cls(**facts)

    def find_received_date(self, *, today: date) -> date:
        """The day that the payments count as received. A chosen day that has passed has become today."""
        return max(self.pay_on or today, today)

    @property
    def has_bank(self) -> bool:
        """Whether the bank page was filled in."""
        return self.bank is not None or self.saved_account_id is not None


@dataclass(frozen=True)
class Draft:
    """A draft and what is in it."""

    id: UUID
    form_key: UUID
    sealed: SealedValue
    contents: Contents


def digest_session(session: SessionBase) -> str:
    """What drafts and payments keep of the browser session; empty where there is none."""
    return hashlib.sha256(session.session_key.encode()).hexdigest() if session.session_key else ""


def read_session_digest(request: HttpRequest) -> str:
    """The digest of the request's session; empty where there is none."""
    return digest_session(request.session)


def ensure_session(request: HttpRequest) -> str:
    """The digest of the request's session, which is begun if there is none."""
    if not request.session.session_key:
        request.session.create()
    return digest_session(request.session)


def start_draft(*, user: User | None, session_digest: str, contents: Contents, at: datetime) -> PaymentDraft:
    """A new draft, kept for the minutes that the policy says."""
    sealed = SealedValue.make(clear=contents.write(), purpose=PURPOSE)
    with transaction.atomic():
        sealed.save(force_insert=True)
        return PaymentDraft.objects.create(
            user=user,
            session_digest=session_digest,
            sealed=sealed,
            created_at=at,
            expires_at=at + timedelta(minutes=read_policy().draft_minutes),
        )


def find_draft(*, draft_id: UUID, user: User | None, session_digest: str | None, at: datetime) -> Draft:
    """The draft of this person and session; in whichever session where none is given. Raises UnableToFindDraft."""
    found = PaymentDraft.objects.select_related("sealed").filter(pk=draft_id, user=user, expires_at__gt=at)
    if session_digest is not None:
        found = found.filter(session_digest=session_digest)
    draft = found.first() if session_digest or (user and session_digest is None) else None
    if draft is None:
        raise UnableToFindDraft
    contents = Contents.read(draft.sealed.open(purpose=PURPOSE))
    return Draft(id=draft.pk, form_key=draft.form_key, sealed=draft.sealed, contents=contents)


def write_draft(*, draft: Draft, contents: Contents) -> None:
    """Keep what was typed, in place of what was there."""
    draft.sealed.replace(clear=contents.write())
    draft.sealed.save(update_fields=["token"])


def discard_draft(*, draft: Draft) -> None:
    """The payment is recorded: nothing typed is kept. The draft stays until it expires, so that its form leads to the receipt.

    A payment does not fail for a draft that has just been cleared away.
    """
    kept = Contents(recorded=True, is_autopay=draft.contents.is_autopay)
    draft.sealed.replace(clear=kept.write())
    SealedValue.objects.filter(pk=draft.sealed.pk).update(token=draft.sealed.token)


def prolong_drafts(*, user: User | None, session_digest: str, at: datetime) -> None:
    """What this person, or a guest in this browser session, has half typed is kept for as long again from now."""
    mine = Q(user=user) if user else Q(user=None, session_digest=session_digest)
    until = at + timedelta(minutes=read_policy().draft_minutes)
    PaymentDraft.objects.filter(mine, expires_at__gt=at).update(expires_at=until)


def discard_drafts_of(*, user: User | None, session_digest: str = "") -> None:
    """Throw away everything this person, or somebody in this browser session, has half typed."""
    of = Q(user=user) if user else Q(pk=None)
    mine = of | Q(session_digest=session_digest) if session_digest else of
    with transaction.atomic():
        rows = list(PaymentDraft.objects.filter(mine).values_list("pk", "sealed"))
        _delete(rows)


def _delete(rows: Sequence[tuple[UUID, UUID]]) -> None:
    PaymentDraft.objects.filter(pk__in=[key for key, _sealed in rows]).delete()
    SealedValue.objects.filter(pk__in=[sealed for _key, sealed in rows], purpose=PURPOSE).delete()


def clear_expired_drafts(*, at: datetime) -> int:
    """Throw away every draft whose time is over, with all that was typed; returns how many. Safe to run at any time."""
    cleared = 0
    while rows := list(
        PaymentDraft.objects.filter(expires_at__lte=at).values_list("pk", "sealed")[:EXPIRED_AT_ONCE]
    ):
        with transaction.atomic():
            _delete(rows)
        cleared += len(rows)
    return cleared
