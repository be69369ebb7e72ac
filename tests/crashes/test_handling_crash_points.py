"""Every crash point of what staff do with money: held, moved, checks recorded, placed, deposited, returned.

Wherever the process dies, the self-check is clean at once, and doing it again ends where it would have ended.
"""

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from billing.models import Account, Receipt
from billing.receipt_changes import Decision
from connector_pay.simulation.facts import read_facts
from members.models import User
from payments import checks
from payments.checks import Share
from payments.holding import hold_payment
from payments.models import CheckBatch, Payment, ReceivedCheck
from payments.moving import move_money
from payments.unmatched import match_check
from tests import people
from tests.crash_points import Work, check_every_crash_point
from tests.payments import batching, checking
from tests.payments.paying import PREMIUM, TUESDAY, make_account, noon, pay

FORM_KEY = UUID("6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33")
CLEARS = date(2027, 1, 28)


def prepare_people() -> None:
    """Two accounts, and one of the staff."""
    for _ in range(2):
        make_account()
    people.make_staff(username="clerk")


def prepare_payment() -> None:
    """One of them has paid."""
    prepare_people()
    pay(Account.objects.earliest("pk"))


def prepare_unmatched() -> None:
    """A check that names no account is at the bank."""
    prepare_people()
    checking.receive(cents=PREMIUM)
    checking.bank(TUESDAY + timedelta(1))


def prepare_check() -> None:
    """A check lies on an account."""
    prepare_people()
    checking.receive((Account.objects.earliest("pk"), PREMIUM))


def prepare_batch() -> None:
    """A batch of two checks, one of them for an account, equals its slip."""
    prepare_people()
    batch = batching.begin(cents=2 * PREMIUM, count=2, by=_clerk())
    batching.put(batch, (Account.objects.earliest("pk"), PREMIUM))
    batching.put(batch, number="77", cents=PREMIUM)


def hold() -> None:
    """The button is pressed, or pressed again."""
    how = {"form_key": FORM_KEY, "today": TUESDAY, "at": noon(TUESDAY)}
    hold_payment(payment_id=Payment.objects.get().pk, by=_clerk(), why="a doubt", **how)


def move() -> None:
    """To the other account."""
    move_money(
        receipt_id=Receipt.objects.get().pk,
        account_id=Account.objects.latest("pk").pk,
        decision=Decision(by=_clerk(), why="two names alike", form_key=FORM_KEY),
        today=TUESDAY,
        at=noon(TUESDAY),
    )


def record() -> None:
    """A check for both accounts."""
    shares = [(account, PREMIUM) for account in Account.objects.order_by("pk")]
    new = checking.make_check(*shares, form_key=FORM_KEY, deposit_on=TUESDAY)
    checks.record_checks(checks=[new], by=_clerk(), today=TUESDAY, at=noon(TUESDAY))


def match() -> None:
    """Put on an account."""
    match_check(
        check_id=ReceivedCheck.objects.get().pk,
        shares=[Share(Account.objects.earliest("pk").pk, PREMIUM)],
        by=_clerk(),
        why="hers",
        today=CLEARS,
        at=noon(CLEARS),
    )


def close() -> None:
    """The batch is closed, or closed again."""
    batching.close(CheckBatch.objects.get(), by=_clerk())


def bank() -> None:
    """Deposited long ago: banked and final."""
    checking.bank(CLEARS)


def give_back() -> None:
    """The bank returned it."""
    checking.give_back(ReceivedCheck.objects.get(), CLEARS)


def _clerk() -> User:
    return User.objects.get(username="clerk")


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
@pytest.mark.parametrize(
    ("prepare", "work"),
    [
        pytest.param(prepare_payment, hold, id="holding"),
        pytest.param(prepare_payment, move, id="moving"),
        pytest.param(prepare_people, record, id="recording a check"),
        pytest.param(prepare_batch, close, id="closing a batch"),
        pytest.param(prepare_unmatched, match, id="placing unmatched money"),
        pytest.param(prepare_check, bank, id="depositing and clearing"),
        pytest.param(prepare_check, give_back, id="a check returned"),
    ],
)
def test_every_crash_point_leaves_the_books_clean_and_the_work_resumable(
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
