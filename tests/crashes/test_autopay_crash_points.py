"""Every crash point of AutoPay: setting up, announcing, drafting, turning off, ending; resumed, it ends as it would have."""

from datetime import date
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest

from billing.models import Account
from connector_pay.simulation.facts import read_facts
from payments import tasks
from payments.autopay import announcing, drafting, turning_off
from payments.bank_accounts import approve
from payments.models import BankAccount
from tests.crash_points import Work, check_every_crash_point
from tests.crashes.test_crash_points import enroll_alice_and_bob
from tests.diary import eastern
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import make_details
from tests.people import make_user

FORM_KEY = UUID("0b8f6a52-7d0e-4f0b-9a63-2f9f7d0c4e11")
SATURDAY = eastern(2027, 1, 16)


def list_accounts(who: str) -> list[Account]:
    accounts = Account.objects.filter(enrollment__external_id__startswith=who)
    return list(accounts.select_related("enrollment__member").order_by("enrollment__external_id"))


def prepare_people() -> None:
    """Alice with two bills, Bob with one; both may sign in."""
    enroll_alice_and_bob()
    for who in ("alice-health", "bob"):
        make_user(member=list_accounts(who)[0].enrollment.member)


def set_up() -> None:
    """Alice turns AutoPay on for both of her bills."""
    turn_on(*list_accounts("alice"), at=SATURDAY, form_key=FORM_KEY)


def prepare_drafted() -> None:
    """AutoPay is on for all three bills; Bob's allows too little."""
    prepare_people()
    set_up()
    turn_on(*list_accounts("bob"), at=SATURDAY, bank=make_details("77003456"), ceiling_cents=100_00)
    for bank_account in BankAccount.objects.order_by("pk"):
        approve(bank_account=bank_account, at=SATURDAY)


def draft() -> None:
    """16:59 on January 21, two bills at a time."""
    with mock.patch.object(drafting, "CHUNK", 2):
        tasks.draft_autopay(day=date(2027, 1, 21), at=eastern(2027, 1, 21, 16, 59))


def prepare_for_next_month() -> None:
    """AutoPay of all three bills begins next month."""
    prepare_people()
    at = eastern(2027, 1, 20)
    turn_on(*list_accounts("alice"), at=at)
    turn_on(*list_accounts("bob"), at=at, bank=make_details("77003456"))


def announce() -> None:
    """The night of February 1, two bills at a time."""
    with mock.patch.object(announcing, "CHUNK", 2):
        tasks.announce_drafts(day=date(2027, 2, 1), at=eastern(2027, 2, 1, 0, 15))


def prepare_recorded() -> None:
    """The drafts of January 22 are recorded."""
    prepare_drafted()
    draft()


def turn_off() -> None:
    """Alice turns both off before five."""
    keys = [account.pk for account in list_accounts("alice")]
    turning_off.turn_off(account_ids=keys, today=date(2027, 1, 21), at=eastern(2027, 1, 21, 16, 59, 30))


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
@pytest.mark.parametrize(
    ("prepare", "work", "fewest"),
    [
        pytest.param(prepare_people, set_up, 2, id="setting up"),
        pytest.param(prepare_drafted, draft, 4, id="drafting"),
        pytest.param(prepare_for_next_month, announce, 4, id="announcing"),
        pytest.param(prepare_recorded, turn_off, 2, id="turning off"),
    ],
)
def test_every_crash_point_of_autopay_leaves_the_books_clean_and_the_work_resumable(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    tmp_path: Path,
    prepare: Work,
    work: Work,
    fewest: int,
    every_gap: bool,
) -> None:
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_facts,
            every_gap=every_gap,
        )
    assert points >= fewest
