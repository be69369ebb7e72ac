"""Every crash point of a lockbox file: all of it is applied or nothing.

Wherever the process dies, the self-check is clean at once, and doing it again ends where it would have ended.
"""

from pathlib import Path
from typing import Any

import pytest

from billing.models import Account
from connector_pay.simulation.facts import read_facts
from payments.channels.lockbox.posting import AlreadyImported
from payments.models import LockboxItem
from tests.crash_points import Work, check_every_crash_point
from tests.payments.channels.lockbox.depositing import import_items, make_item
from tests.payments.paying import PREMIUM, make_account


def prepare() -> None:
    """Alice has health and dental, and so has the other."""
    health = make_account()
    make_account(member=health.enrollment.member, product="dental", premium_cents=31_50)
    make_account()


def import_day() -> None:
    """A check for one, one for both, one for nobody; or the file is found applied."""
    member_ids = list(Account.objects.order_by("pk").values_list("enrollment__member__member_id", flat=True))
    items = [
        make_item(cents=PREMIUM + 31_50, member_ids=(member_ids[0],)),
        make_item(member_ids=(member_ids[2],)),
        make_item(cents=7_00),
    ]
    try:
        import_items(*items)
    except AlreadyImported:
        assert LockboxItem.objects.count() == len(items)


def read_all() -> dict[str, list[tuple[Any, ...]]]:
    """The facts, and what became of each check."""
    checks = LockboxItem.objects.order_by("number").values_list(
        "number", "way", "why", "received_check__status", "received_check__banked_on"
    )
    return read_facts() | {"lockbox": list(checks)}


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
