"""Every crash point of a refund: asked for, approved, reversed, printed, settled, returned by the bank.

Wherever the process dies, the self-check is clean at once, and doing it again ends where it would have ended.
"""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from connector_pay.simulation.facts import read_facts
from members.models import User
from payments.models import Payment, Refund, RefundStatus
from tests import people
from tests.crash_points import Work, check_every_crash_point
from tests.payments import refunding
from tests.payments.refunding import CLEARED, CREDIT

FORM_KEY = UUID("6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33")
SETTLED, FRIDAY, MONDAY = date(2027, 1, 13), date(2027, 1, 22), date(2027, 1, 25)


def prepare_cleared() -> None:
    """Alice has paid $50.00 too much; two of the staff are in."""
    refunding.overpay()
    for name in ("asker", "approver"):
        people.make_staff(username=name)


def ask(method: str = "ach", cents: int = CREDIT, today: date = CLEARED) -> None:
    """The form is sent, or sent again."""
    refunding.ask(
        refunding.find_receipt(Payment.objects.get()),
        cents,
        method=method,
        today=today,
        by=User.objects.get(username="asker"),
        form_key=FORM_KEY,
    )


def approve(today: date = CLEARED) -> None:
    """The approver presses the button, where the page still shows it."""
    refund = Refund.objects.get()
    if refund.status == RefundStatus.ASKED:
        refunding.approve(refund, today=today, by=User.objects.get(username="approver"))


def prepare_asked() -> None:
    """A refund waits for approval."""
    prepare_cleared()
    ask()


def prepare_reversal_asked() -> None:
    """A debit that settled today is to be undone."""
    refunding.overpay(until=SETTLED)
    for name in ("asker", "approver"):
        people.make_staff(username=name)
    ask("reversal", Payment.objects.get().amount_cents, SETTLED)


def prepare_check() -> None:
    """A check is to be printed."""
    prepare_cleared()
    ask("check")
    approve()


def prepare_approved() -> None:
    """An approved refund waits for its file."""
    prepare_asked()
    approve()


def prepare_sent() -> None:
    """It is at the bank, whose morning has come."""
    prepare_approved()
    refunding.send(Refund.objects.get())


def prepare_settled() -> None:
    """It has settled."""
    prepare_sent()
    refunding.settle(FRIDAY)


def print_check() -> None:
    """Check 1042."""
    refunding.print_check(Refund.objects.get(), "1042", today=FRIDAY)


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
@pytest.mark.parametrize(
    ("prepare", "work"),
    [
        pytest.param(prepare_cleared, ask, id="asking"),
        pytest.param(prepare_asked, approve, id="approving"),
        pytest.param(prepare_reversal_asked, lambda: approve(SETTLED), id="reversing"),
        pytest.param(prepare_check, print_check, id="printing a check"),
        pytest.param(prepare_sent, lambda: refunding.settle(FRIDAY), id="settling"),
        pytest.param(
            prepare_settled,
            lambda: refunding.return_refunds(Refund.objects.get(), day=MONDAY),
            id="returned by the bank",
        ),
    ],
)
def test_every_crash_point_of_a_refund_leaves_the_books_clean_and_the_work_resumable(
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
