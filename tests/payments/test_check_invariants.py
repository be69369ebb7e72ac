"""What must always hold of a lockbox file: each check in one, and its checks its deposit; a fault planted is named."""

from datetime import date

import pytest

from connector_pay.self_check import find_violations
from payments.models import BankFile, CheckSource, LockboxFile
from tests.payments.channels.lockbox.depositing import import_items, make_item
from tests.payments.checking import receive
from tests.payments.paying import noon

pytestmark = pytest.mark.django_db
LOCKBOX_RULE = "I17 lockbox"


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
