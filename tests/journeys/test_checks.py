"""Stories of checks: one for two bills, one found late that gives a start back, one returned, a batch typed in too late."""

from datetime import date
from typing import Any

import pytest

from billing.ledger import read_balance
from billing.models import Account, Chart, Receipt
from members.models import Notice
from payments import unmatched
from payments.checks import Share
from payments.models import CheckStatus, ReceivedCheck
from tests import people
from tests.diary import Diary, eastern
from tests.journeys.living import PREMIUM, enroll, go_to, read_coverage, see
from tests.payments import batching, checking

FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
pytestmark = [pytest.mark.django_db, pytest.mark.starts(eastern(2027, 1, 20))]


def receive(diary: Diary, *shares: tuple[Account, int], **facts: Any) -> ReceivedCheck:
    """The lockbox has it today, and takes it to the bank."""
    days = {"received_on": diary.today, "deposit_on": diary.today}
    return checking.receive(*shares, today=diary.today, **(days | facts))


def place(diary: Diary, check: ReceivedCheck, *shares: tuple[Account, int]) -> ReceivedCheck:
    """One of the staff finds out whose it is."""
    return unmatched.match_check(
        check_id=check.pk,
        shares=[Share(account.pk, cents) for account, cents in shares],
        by=people.make_staff(),
        why="the name and the amount are theirs",
        today=diary.today,
        at=diary.moment,
    )


def enroll_both(diary: Diary) -> tuple[Account, Account]:
    """A household with health for $100 and dental for $30."""
    health = enroll(diary, premium_cents=100_00)
    member = health.enrollment.member
    return health, enroll(diary, member=member, product="dental", premium_cents=30_00)


def test_one_check_with_both_coupons_pays_both_bills_and_one_of_another_amount_waits(diary: Diary) -> None:
    health, dental = enroll_both(diary)
    other = enroll_both(diary)
    receive(diary, (health, 100_00), (dental, 30_00))
    waiting = receive(diary, cents=120_00, number="77")
    for account in (health, dental):
        assert see(diary, account).due_cents == 0
    assert [see(diary, account).due_cents for account in other] == [100_00, 30_00]
    assert read_balance(chart=Chart.SUSPENSE) == -120_00
    go_to(diary, date(2027, 2, 4))
    assert [read_coverage(account) for account in (health, dental)] == [("active", FEBRUARY)] * 2
    # Every cent is on an account or in the queue.
    assert list(unmatched.find_unmatched()) == [waiting]
    place(diary, waiting, (other[0], 100_00), (other[1], 20_00))
    assert read_balance(chart=Chart.SUSPENSE) == 0
    assert read_balance(chart=Chart.BANK) == 250_00
    diary.check()


def test_received_on_the_22nd_and_matched_on_the_28th_it_gives_february_back(diary: Diary) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 22))
    check = receive(diary, cents=PREMIUM)
    go_to(diary, date(2027, 1, 28))
    assert read_coverage(account) == ("waiting", MARCH)
    place(diary, check, (account, PREMIUM))
    assert read_coverage(account) == ("waiting", FEBRUARY)
    assert see(diary, account).binder_received
    assert Receipt.objects.get().received_date == date(2027, 1, 22)
    go_to(diary, date(2027, 2, 5))
    assert read_coverage(account) == ("active", FEBRUARY)
    assert Notice.objects.filter(event="start_restored").exists()
    diary.check()


def test_returned_before_it_has_cleared_it_was_never_received(diary: Diary) -> None:
    account = enroll(diary)
    check = receive(diary, (account, PREMIUM))
    go_to(diary, date(2027, 1, 27))
    assert read_coverage(account) == ("waiting", FEBRUARY)
    assert checking.give_back(check, diary.today) == [check.pk]
    assert read_coverage(account)[0] == "waiting"
    assert not see(diary, account).binder_received
    told = {notice.channel: notice for notice in Notice.objects.filter(event="check_returned")}
    assert set(told) == {"letter", "email"}
    assert told["email"].facts["effect"] == "Pay today: coverage starts March 1, 2027."
    go_to(diary, date(2027, 1, 29))
    assert read_coverage(account) == ("waiting", MARCH)
    assert read_balance(chart=Chart.BANK) == 0
    diary.check()


def test_a_batch_closed_after_the_due_date_waits_for_a_second_person_and_gives_the_start_back(
    diary: Diary,
) -> None:
    in_time, late = enroll(diary), enroll(diary)
    go_to(diary, date(2027, 1, 25))
    batch = batching.begin(cents=2 * PREMIUM, count=2, today=diary.today)
    day = {"today": diary.today}
    batching.put(batch, (in_time, PREMIUM), received_on=date(2027, 1, 22), **day)
    batching.put(batch, (late, PREMIUM), number="77", received_on=date(2027, 1, 25), **day)
    waiting, counted = batching.close(batch, **day)
    assert (waiting.status, counted.status) == (CheckStatus.UNMATCHED, CheckStatus.RECEIVED)
    assert [read_coverage(account) for account in (in_time, late)] == [("waiting", MARCH)] * 2
    place(diary, waiting, (in_time, PREMIUM))
    go_to(diary, date(2027, 1, 27))
    assert [read_coverage(account)[1] for account in (in_time, late)] == [FEBRUARY, MARCH]
    assert see(diary, in_time).binder_received
    diary.check()
