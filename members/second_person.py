"""Who may be the second person: nobody whose staff account is new, or was changed within a day, lest one be both.

Whoever may change a colleague's email could choose their password, or add a colleague whom nobody has met. So such a change is
told to every administrator, and for 24 hours that account approves nothing. Moments are the machine's, as those of sessions are.
"""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from connector_pay.lib.templatetags.exchange import eastern
from members.models import User
from members.outbox import Telling, tell

REST = timedelta(hours=24)
TOLD = "staff_changed"


def say_why_not(*, by: User) -> str:
    """Why this person may not approve what another asked for, in words; empty where they may."""
    changed_at = User.objects.values_list("rights_changed_at", flat=True).get(pk=by.pk)
    if changed_at is None or _read_machine_time() >= changed_at + REST:
        return ""
    return (
        f"Your account is new, or was changed. Until {eastern(changed_at + REST)} another person must decide."
    )


def note_change(*, user: User, what: Iterable[str], by: User, today: date, at: datetime) -> None:
    """Write down that the account of one of the staff was changed, and tell every other administrator."""
    user.rights_changed_at = _read_machine_time()
    User.objects.filter(pk=user.pk).update(rights_changed_at=user.rights_changed_at)
    facts = {
        "account": user.get_username(),
        "changed": ", ".join(what),
        "changed_by": by.get_username(),
        "rest_until": eastern(user.rights_changed_at + REST),
    }
    told = User.objects.filter(is_superuser=True, is_active=True).exclude(email="").order_by("pk")
    subject = f"staff:{user.pk}:{user.rights_changed_at.timestamp():.6f}"
    tell(
        tellings=[
            Telling(event=TOLD, subject=f"{subject}:{key}", address=email, facts=facts)
            for key, email in told.values_list("pk", "email")
        ],
        at=at,
        today=today,
    )


def _read_machine_time() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
