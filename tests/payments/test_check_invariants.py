"""What must always hold of a lockbox file: its checks are its deposit, what came back is returned; a fault planted is named."""

from datetime import date

import pytest

from connector_pay.self_check import find_violations
from payments.models import BankFile, CheckSource, LockboxFile, LockboxReturn
from tests.payments.channels.lockbox.depositing import import_items, import_returns, make_item, make_return
from tests.payments.checking import give_back, receive
from tests.payments.paying import noon

pytestmark = pytest.mark.django_db
LOCKBOX_RULE, BACK_RULE = "I17 lockbox", "I10 lockbox returns"


def list_broken() -> set[str]:
    return {violation.name for violation in find_violations()}


def test_a_check_of_the_lockbox_is_in_one_of_its_files() -> None:
    receive(cents=1_00, source=CheckSource.LOCKBOX)
    assert list_broken() == {LOCKBOX_RULE}


@pytest.mark.parametrize("cents", [0, 1])
def test_its_checks_make_its_deposit(cents: int) -> None:
    """A file that says one cent has no check at all; one that says nothing is an empty day."""
    import_items(make_item())
    day = date(2027, 1, 22)
    file = BankFile.objects.get()
    copy = BankFile.objects.create(
        name="other.bai",
        direction=file.direction,
        kind=file.kind,
        status=file.status,
        business_date=day,
        sha256="0" * 64,
        line_count=0,
        entry_count=cents,
        credit_cents=cents,
        stored_at=noon(day),
    )
    LockboxFile.objects.create(
        file=copy, items_key="x", deposit_on=day, count=cents, cents=cents, imported_at=noon(day)
    )
    assert (LOCKBOX_RULE in list_broken()) is bool(cents)


@pytest.mark.parametrize(
    ("names_a_check", "is_returned", "why", "is_broken"),
    [
        (True, True, "", False),
        (True, True, "x", True),
        (True, False, "", True),
        (False, False, "", True),
        (False, False, "x", False),
    ],
)
def test_a_return_of_a_lockbox_names_a_returned_check_or_says_why_it_waits(
    names_a_check: bool, is_returned: bool, why: str, is_broken: bool
) -> None:
    check = receive(cents=1_00)
    if is_returned:
        give_back(check, date(2027, 1, 22))
    file = import_returns(make_return(check_number="9"))
    LockboxReturn.objects.create(
        file=file,
        number=2,
        line=3,
        check_number=check.number,
        cents=1_00,
        why="Closed",
        received_check=check if names_a_check else None,
        parked_because=why,
    )
    assert list_broken() == ({BACK_RULE} if is_broken else set())
