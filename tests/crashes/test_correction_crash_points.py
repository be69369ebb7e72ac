"""Crash points of a correction: asked for, done at once, approved, and an outage recorded.

Wherever the process dies, the self-check is clean at once, and doing it again ends where it would have ended.
"""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from billing import overdue
from billing.models import Account, Correction, CorrectionKind
from billing.outages import record_outage
from connector_pay.simulation.facts import read_facts
from members.models import User
from tests.billing.books import FEBRUARY, make_account, noon
from tests.billing.correcting import approve, ask
from tests.crash_points import Work, check_every_crash_point
from tests.diary import eastern
from tests.people import make_staff

DAY = date(2027, 1, 26)
FORM_KEY = UUID("6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b44")


def prepare() -> None:
    """A start was pushed for want of $900.00; two of the staff are in."""
    account = make_account(premium_cents=900_00)
    day = date(2027, 1, 24)
    overdue.review(today=day, at=noon(day), run="review", account_ids=[account.pk])
    for name in ("asker", "approver"):
        make_staff(username=name)


def ask_waiver(cents: int) -> None:
    """The form is sent, or sent again: asked for on January 20, so that nothing left to pay gives February back."""
    what = {"month": FEBRUARY, "cents": -cents, "asked_on": date(2027, 1, 20), "key": "W1"}
    by = User.objects.get(username="asker")
    ask(CorrectionKind.WAIVER, Account.objects.get(), by=by, today=DAY, **what)


def prepare_asked() -> None:
    """A waiver of the whole first bill waits for approval."""
    prepare()
    ask_waiver(900_00)


def press_approve() -> None:
    """The approver presses the button, where the page still shows it."""
    asked = Correction.objects.get()
    if asked.status == "asked":
        approve(asked, by=User.objects.get(username="approver"), today=DAY)


def press_record() -> None:
    """The form of an outage is sent, or sent again."""
    record_outage(
        began_at=eastern(2027, 1, 23, 20),
        ended_at=eastern(2027, 1, 24, 1),
        what="the bank page",
        public_words="You have until January 25.",
        form_key=FORM_KEY,
        by=User.objects.get(username="asker"),
        today=DAY,
        at=noon(DAY),
    )


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
@pytest.mark.parametrize(
    ("prepare", "work"),
    [
        pytest.param(prepare, lambda: ask_waiver(500_00), id="done at once"),
        pytest.param(prepare, lambda: ask_waiver(900_00), id="asking"),
        pytest.param(prepare_asked, press_approve, id="approving"),
        pytest.param(prepare, press_record, id="recording an outage"),
    ],
)
def test_every_crash_point_of_a_correction_leaves_the_books_clean_and_the_work_resumable(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    tmp_path: Path,
    prepare: Work,
    work: Work,
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
    assert points >= 2
