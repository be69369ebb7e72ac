"""What billing's tests do to the books: bill an enrollment, receive money, take it back, read how it is."""

from datetime import date, datetime, time
from itertools import count

from billing import allocation, invoices, overdue
from billing.balances import Standing, read_standing
from billing.invariants import INVARIANTS
from billing.models import Account
from connector_pay.lib.clock import eastern_moment
from connector_pay.self_check import find_violations
from members.models import Enrollment
from tests.people import make_enrollment

PREMIUM = 284_17
ENROLLED = date(2027, 1, 5)
JANUARY, FEBRUARY, MARCH, APRIL, MAY = (date(2027, month, 1) for month in range(1, 6))

_references = count(1)


def noon(day: date) -> datetime:
    """Noon Eastern of a day, in UTC."""
    return eastern_moment(day=day, at=time(12))


def bill(enrollment: Enrollment, *, today: date = ENROLLED) -> Account:
    """The enrollment's account with every invoice that should exist by today."""
    invoices.issue_missing(today=today, at=noon(today))
    return Account.objects.get(enrollment=enrollment)


def make_account(*, today: date = ENROLLED, **facts) -> Account:
    """The account of a new enrollment, billed: $284.17 for February 1, 2027, unless told otherwise."""
    return bill(make_enrollment(**facts), today=today)


def receive(
    account: Account, cents: int, *, on: date, today: date | None = None, kind: str = "payment"
) -> str:
    """Count money received `on` a day, which we come to know today; returns its reference."""
    reference = f"{kind}:{next(_references)}"
    day = today or on
    receipt = allocation.NewReceipt(account.pk, reference, cents, on)
    allocation.apply(receipts=[receipt], today=day, at=noon(day))
    return reference


def settle_and_clear(*references: str, on: date) -> list[int]:
    """The bank has the money, and it is final."""
    allocation.settle(references=references, today=on, at=noon(on))
    return allocation.clear(references=references, today=on, at=noon(on))


def take_back(*references: str, on: date, settled: bool = False) -> None:
    """The bank returned the payments."""
    allocation.take_back(references=references, settled=settled, why="returned R01", today=on, at=noon(on))


def review(day: date) -> dict[str, int]:
    """The nightly review of a day."""
    return dict(overdue.review(today=day, at=noon(day), run=f"review {day}"))


def see(account: Account, *, today: date) -> Standing:
    """How the account stands."""
    return read_standing(account_id=account.pk, today=today)


def read_enrollment(account: Account) -> Enrollment:
    """The account's enrollment as it is now."""
    return Enrollment.objects.get(account=account)


def list_broken() -> list[str]:
    """The names of billing's invariants that do not hold now."""
    ours = {item.name for item in INVARIANTS}
    return [item.name for item in find_violations() if item.name in ours]
