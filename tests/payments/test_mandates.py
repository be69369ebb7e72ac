"""Mandates: one alive for an account, given by a standing authorization, and moved only along the arrows."""

from datetime import date
from uuid import uuid4

import pytest

from payments.bank_accounts import block
from payments.bank_numbers import UnableToUseBankAccount
from payments.mandates import (
    Grant,
    UnableToGrantMandate,
    end_mandates,
    grant_mandates,
    resume_mandates,
    stop_mandates,
    suspend_mandates,
)
from payments.models import Authorization, BankAccount, Mandate
from tests.payments.paying import TUESDAY, make_account, noon, pay
from tests.payments.test_consequences import grant_autopay

pytestmark = pytest.mark.usefixtures("db")
AT = noon(date(2027, 1, 13))


@pytest.fixture
def mandate() -> Mandate:
    return grant_autopay(pay(make_account(), 10_00))


def grant(
    proof: Authorization, bank_account: BankAccount, *, drafts_from: date = date(2027, 1, 22)
) -> list[Mandate]:
    grants = [Grant(proof, drafts_from=drafts_from)]
    return grant_mandates(grants=grants, bank_account=bank_account, form_key=uuid4(), at=AT)


def read_status(mandate: Mandate) -> str:
    mandate.refresh_from_db()
    return mandate.status


def test_a_mandate_is_suspended_resumed_and_ended_and_each_move_is_kept(mandate: Mandate) -> None:
    ids = [mandate.pk]
    assert suspend_mandates(mandate_ids=ids, at=AT, why="after a stop payment") == ids
    assert suspend_mandates(mandate_ids=ids, at=AT, why="again") == []
    assert resume_mandates(mandate_ids=ids, at=AT, why="the member said so") == ids
    assert end_mandates(mandate_ids=ids, at=AT, why="turned off") == ids
    assert stop_mandates(mandate_ids=ids, at=AT, why="late") == []
    assert read_status(mandate) == "ended"
    assert list(mandate.moves.order_by("pk").values_list("after", "why")) == [
        ("suspended", "after a stop payment"),
        ("on", "the member said so"),
        ("ended", "turned off"),
    ]


@pytest.mark.parametrize("suspended", [False, True])
def test_a_stopped_mandate_never_goes_on(mandate: Mandate, suspended: bool) -> None:
    if suspended:
        suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="")
    assert stop_mandates(mandate_ids=[mandate.pk], at=AT, why="R02") == [mandate.pk]
    assert resume_mandates(mandate_ids=[mandate.pk], at=AT, why="") == []
    assert read_status(mandate) == "stopped"


def test_a_new_mandate_of_an_account_ends_the_one_before(mandate: Mandate) -> None:
    new = grant_autopay(pay(mandate.account, 20_00, number="777888999"))
    assert (read_status(mandate), read_status(new)) == ("ended", "on")


def test_an_account_that_was_blocked_takes_no_mandate(mandate: Mandate) -> None:
    block(bank_account_ids=[mandate.bank_account_id], at=AT, why="R02")
    with pytest.raises(UnableToUseBankAccount):
        grant(mandate.authorization, mandate.bank_account)
    assert read_status(mandate) == "on"


def test_a_single_authorization_or_another_bank_accounts_is_no_mandate(mandate: Mandate) -> None:
    payment = pay(make_account(), 10_00, number="777888999")
    for proof, bank_account in (
        (payment.authorization, payment.bank_account),
        (mandate.authorization, payment.bank_account),
    ):
        with pytest.raises(UnableToGrantMandate):
            grant(proof, bank_account)
    assert Mandate.objects.count() == 1
    assert Authorization.objects.filter(recurring=True).count() == 1
    assert mandate.given_at == noon(TUESDAY)
