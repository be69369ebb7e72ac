"""The codes in the QR of bills: random, revocable, expiring; each opens guest payment for one bill and names nobody.

A code is 20 letters and digits, a hundred bits that nobody guesses. The database keeps a seed and a fingerprint; the key that
makes the code of the seed is the portal's. So the same bill drawn twice shows the same code, and a copy of the database opens
no bill.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from billing.models import BillLink
from billing.policy import read_policy
from billing.rows import insert_missing
from connector_pay.lib.sealed import blind_index
from members.models import User

LENGTH, GROUP = 20, 5
CODE = re.compile(rf"[A-Z2-7]{{{LENGTH}}}")
# What people type for a letter they misread: these four are in no code.
MISREAD = str.maketrans("0189", "OIBG")


class UnableToFindLink(LookupError):
    """No bill has this code."""


@dataclass(frozen=True, slots=True)
class FoundLink:
    """The bill that a code names; `opens` is False once it has expired or was revoked."""

    invoice_id: int
    opens: bool


def ensure_links(*, invoice_ids: Iterable[int], today: date, at: datetime) -> dict[int, str]:
    """The code of each bill, made where it has none, or one that has expired. As many statements for one as for many."""
    ids = sorted(set(invoice_ids))
    with transaction.atomic():
        live = BillLink.objects.filter(invoice__in=ids, revoked_at=None)
        live.filter(expires_on__lt=today).update(revoked_at=at)
        seeds = dict(live.values_list("invoice", "seed"))
        lacking = [key for key in ids if key not in seeds]
        if lacking:
            _make(lacking, today=today, at=at)
            seeds |= dict(live.filter(invoice__in=lacking).values_list("invoice", "seed"))
    return {key: _compute_code(key, seeds[key]) for key in ids}


def find_link(*, code: str, today: date) -> FoundLink:
    """The bill of a code, however it is typed. Raises UnableToFindLink."""
    compact = re.sub(r"[\s\-–—]", "", code).upper().translate(MISREAD)
    link = BillLink.objects.filter(digest=_digest(compact)).first() if CODE.fullmatch(compact) else None
    if link is None:
        raise UnableToFindLink("No bill has this code.")
    return FoundLink(link.invoice_id, opens=link.revoked_at is None and today <= link.expires_on)


def revoke_links(*, invoice_ids: Collection[int], by: User, at: datetime) -> int:
    """The codes on these bills open nothing any more; returns how many did. A bill drawn again gets a new one."""
    live = BillLink.objects.filter(invoice__in=invoice_ids, revoked_at=None)
    return live.update(revoked_at=at, revoked_by=by)


def write_address(*, code: str) -> str:
    """Where a code leads: what the QR holds, and what is printed under it."""
    return f"{settings.PORTAL_URL}{reverse('bill_link', args=[format_code(code)])}"


def format_code(code: str) -> str:
    """In groups of five, as it is typed: ABCDE-FGHJK-LMNOP-QRSTU."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def _make(invoice_ids: Iterable[int], *, today: date, at: datetime) -> None:
    """Whoever draws the same bill at the same time has made it: then that one stands."""
    expires_on = today + timedelta(days=read_policy().bill_link_days)
    seeds = [(key, secrets.token_hex(16)) for key in invoice_ids]
    rows = [(key, seed, _digest(_compute_code(key, seed)), at, expires_on) for key, seed in seeds]
    columns = ("invoice", "seed", "digest", "made_at", "expires_on")
    insert_missing(model=BillLink, columns=columns, rows=rows, returning=["id"])


def _compute_code(invoice_id: int, seed: str) -> str:
    key = bytes.fromhex(blind_index(value=f"code of bill {invoice_id}: {seed}"))
    return base64.b32encode(key).decode()[:LENGTH]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
