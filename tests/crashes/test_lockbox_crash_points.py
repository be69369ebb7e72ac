"""Every crash point of a lockbox file: all of it is applied or nothing, what came back too.

Wherever the process dies, the self-check is clean at once, and doing it again ends where it would have ended.
"""

from pathlib import Path
from typing import Any

import pytest

from billing.models import Account
from connector_pay.simulation.facts import read_facts
from payments.channels.lockbox.posting import AlreadyImported
from payments.models import LockboxItem, LockboxReturn
from tests.crash_points import Work, check_every_crash_point
from tests.payments.channels.lockbox.depositing import import_returns, make_item, make_return
from tests.payments.checking import receive
from tests.payments.paying import PREMIUM, make_account


def prepare() -> None:
    """Alice has health and dental, and the other health; a check of hers and one for nobody came before."""
    health = make_account()
    make_account(member=health.enrollment.member, product="dental", premium_cents=31_50)
    make_account()
    receive((health, PREMIUM), number="7")
    receive(cents=9_00, number="8")


def import_day() -> None:
    """A check for one, one for both, one for nobody; four came back, one of them unknown; or the file is found applied."""
    member_ids = list(Account.objects.order_by("pk").values_list("enrollment__member__member_id", flat=True))
    items = [
        make_item(cents=PREMIUM + 31_50, member_ids=(member_ids[0],)),
        make_item(member_ids=(member_ids[2],)),
        make_item(cents=7_00),
    ]
    numbers = [("7", PREMIUM), ("8", 9_00), ("9", 9_00), ("1042", 7_00)]
    returns = [make_return(check_number=number, cents=cents) for number, cents in numbers]
    try:
        import_returns(*returns, items=items)
    except AlreadyImported:
        assert (LockboxItem.objects.count(), LockboxReturn.objects.count()) == (len(items), len(returns))


def read_all() -> dict[str, list[tuple[Any, ...]]]:
    """The facts, and what became of each check."""
    checks = LockboxItem.objects.order_by("number").values_list(
        "number", "way", "why", "received_check__status", "received_check__banked_on"
    )
    returns = LockboxReturn.objects.order_by("number").values_list(
        "number", "check_number", "why", "parked_because", "received_check__status"
    )
    return read_facts() | {"lockbox": list(checks), "came back": list(returns)}


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
def test_every_crash_point_of_an_import_leaves_all_of_the_file_or_nothing(
    template_database: str, django_db_setup: None, django_db_blocker, tmp_path: Path, every_gap: bool
) -> None:
    work: Work = import_day
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_all,
            every_gap=every_gap,
        )
    assert points >= 2
