"""Letters about pushed starts: they wait for the lockbox's first file after the due date, three banking days at most."""

from datetime import date

import pytest
from django.conf import LazySettings

from billing.models import Account, PrintKind
from billing.overdue import review
from billing.print_batches import find_waiting
from members.models import Notice
from payments.channels.lockbox.waiting_letters import release_letters
from tests.payments.channels.lockbox.depositing import import_items, make_item
from tests.payments.paying import make_account, noon

pytestmark = pytest.mark.usefixtures("books")
SUNDAY = date(2027, 1, 24)  # the 23rd is a Saturday
MONDAY, WEDNESDAY, THURSDAY = date(2027, 1, 25), date(2027, 1, 27), date(2027, 1, 28)


@pytest.fixture
def pushed(books: None) -> Account:
    """Nobody has paid by the 23rd."""
    account = make_account()
    review(today=SUNDAY, at=noon(SUNDAY), run="test")
    assert Notice.objects.filter(event="start_pushed", channel="letter").exists()
    return account


def list_printable() -> list[str]:
    """The letters that a batch would take."""
    return list(find_waiting(kind=PrintKind.LETTERS).order_by("pk").values_list("event", flat=True))


def import_mail(deposit_on: date, **facts: object) -> None:
    """The lockbox's file of a day, read on that day."""
    item = make_item(cents=1_00, received_on=deposit_on, **facts)
    import_items(item, deposit_on=deposit_on, today=deposit_on)


def test_they_wait_for_the_first_file_after_the_due_date(pushed: Account) -> None:
    import_mail(date(2027, 1, 22))
    assert list_printable() == []
    import_mail(MONDAY)
    assert list_printable() == ["start_pushed"]


def test_they_wait_for_three_banking_days_at_most(pushed: Account) -> None:
    release_letters(today=MONDAY, at=noon(MONDAY))
    assert list_printable() == []
    assert release_letters(today=WEDNESDAY, at=noon(WEDNESDAY)) == 1
    assert release_letters(today=WEDNESDAY, at=noon(WEDNESDAY)) == 0
    assert list_printable() == ["start_pushed"]


def test_a_start_given_back_meanwhile_cancels_its_letter(pushed: Account) -> None:
    member_ids = (pushed.enrollment.member.member_id,)
    item = make_item(received_on=date(2027, 1, 22), member_ids=member_ids)
    import_items(item, deposit_on=MONDAY, today=MONDAY)
    assert list_printable() == ["start_restored", "check_received"]


def test_without_a_lockbox_none_waits(pushed: Account, settings: LazySettings) -> None:
    settings.LOCKBOX_NUMBERS = []
    assert list_printable() == ["start_pushed"]
    assert release_letters(today=THURSDAY, at=noon(THURSDAY)) == 0
