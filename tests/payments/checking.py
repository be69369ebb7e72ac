"""What the tests of checks do: one comes in, is put on accounts, is deposited, clears or comes back."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from billing.models import Account
from payments import checks
from payments.checks import NewCheck, Share
from payments.models import CheckKind, CheckSource, ReceivedCheck
from tests.payments.paying import TUESDAY, noon


def make_check(*shares: tuple[Account, int], cents: int = 0, **facts: Any) -> NewCheck:
    """Alice's check, handed over on Tuesday and deposited on Wednesday, for these accounts."""
    defaults = {
        "number": "1042",
        "payer": "Alice Alvarez",
        "cents": cents or sum(part for _account, part in shares),
        "received_on": TUESDAY,
        "deposit_on": TUESDAY + timedelta(1),
        "kind": CheckKind.CHECK,
        "source": CheckSource.COUNTER,
        "form_key": uuid4(),
        "shares": tuple(Share(account.pk, part) for account, part in shares),
    }
    return NewCheck(**(defaults | facts))


def receive(*shares: tuple[Account, int], today: date = TUESDAY, **facts: Any) -> ReceivedCheck:
    """It is recorded at noon."""
    (check,) = checks.record_checks(
        checks=[make_check(*shares, **facts)], by=None, today=today, at=noon(today)
    )
    return check


def bank(day: date) -> dict[str, int]:
    """The deposits of a day, and what is final by then."""
    return dict(checks.bank_due(today=day, at=noon(day)))


def give_back(check: ReceivedCheck, day: date) -> list[int]:
    """The bank returns it at noon."""
    return checks.return_checks(check_ids=[check.pk], why="not paid", today=day, at=noon(day))
