"""What the tests of check batches do: a slip, the checks typed in one after another, and the closing."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from billing.models import Account
from members.models import User
from payments import check_batches
from payments.check_batches import NewLine, Slip
from payments.checks import Share
from payments.models import BatchLine, CheckBatch, CheckKind, CheckSource, ReceivedCheck
from tests import people
from tests.payments.paying import PREMIUM, TUESDAY, noon


def begin(
    *, cents: int = PREMIUM, count: int = 1, today: date = TUESDAY, by: User | None = None
) -> CheckBatch:
    """A slip of this total, deposited the next day."""
    slip = Slip(cents, count, today + timedelta(1), CheckSource.MAIL)
    return check_batches.open_batch(slip=slip, form_key=uuid4(), by=by or people.make_staff(), at=noon(today))


def put(
    batch: CheckBatch,
    *shares: tuple[Account, int],
    cents: int = 0,
    today: date = TUESDAY,
    line_id: int | None = None,
    **facts: Any,
) -> BatchLine:
    """Alice's check, received today, for these accounts."""
    defaults: dict[str, Any] = {
        "kind": CheckKind.CHECK,
        "number": "1042",
        "payer": "Alice Alvarez",
        "cents": cents or sum(part for _account, part in shares),
        "received_on": today,
        "form_key": uuid4(),
        "shares": tuple(Share(account.pk, part) for account, part in shares),
    }
    return check_batches.put_line(
        batch_id=batch.pk,
        line=NewLine(**(defaults | facts)),
        by=batch.made_by,
        today=today,
        at=noon(today),
        line_id=line_id,
    )


def close(
    batch: CheckBatch, *, today: date = TUESDAY, by: User | None = None, version: int | None = None
) -> list[ReceivedCheck]:
    """As it stands now, unless the person has seen it earlier."""
    seen = CheckBatch.objects.get(pk=batch.pk).version if version is None else version
    return check_batches.close_batch(
        batch_id=batch.pk, version=seen, by=by or batch.made_by, today=today, at=noon(today)
    )
