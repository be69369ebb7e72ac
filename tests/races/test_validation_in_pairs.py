"""Races in pairs around validation: two decisions on one account, a prenote that passes as it comes back, two runs at once."""

from datetime import date

import pytest
from django.db.models import QuerySet

from connector_pay.lib import states
from payments.bank_accounts import approve, refuse
from payments.models import BankAccount, BankAccountMove, Prenote, Validation
from payments.settlement import validate_waiting
from payments.validation.prenotes import pass_prenotes
from tests.payments.paying import TUESDAY, make_account, noon, pay, read
from tests.payments.test_prenotes import MONDAY, ask_by_prenote, hand_over
from tests.races.test_money_in_pairs import list_broken, swap_unguarded
from tests.races.together import run_inside, run_together

pytestmark = pytest.mark.usefixtures("committed_db")
AT = noon(TUESDAY)


class TestTwoOfTheStaffDecideOnOneAccount:
    def test_without_the_guard_it_is_approved_and_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(states, "_swap", swap_unguarded)
        assert self._decide_twice() == (True, True)
        assert "I7 bank accounts" in list_broken()

    def test_the_guard_lets_the_first_decide(self) -> None:
        assert self._decide_twice() == (True, False)
        assert BankAccount.objects.get().status == "valid"
        assert Validation.objects.count() == BankAccountMove.objects.count() == 1
        assert not list_broken()

    def _decide_twice(self) -> tuple[bool, bool]:
        account = pay(make_account(), 10_00).bank_account
        one, other = (BankAccount.objects.get(pk=account.pk) for _ in range(2))
        return run_inside(
            lambda: approve(bank_account=one, at=AT),
            lambda: refuse(bank_account=other, at=AT, why="not the payer's"),
            waits=True,
        )


class TestAPrenoteComesBackWhileItPasses:
    @pytest.fixture
    def prenote(self, settings) -> Prenote:
        settings.BANK_VALIDATION_METHODS = ["prenote"]
        prenote = hand_over(ask_by_prenote())
        read(MONDAY)
        return prenote

    def test_without_the_lock_it_passes_after_it_has_failed(
        self, prenote: Prenote, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_options: self)
        assert self._fail_while_it_passes(prenote) == 1
        assert BankAccount.objects.get().status == "valid"

    def test_the_lock_leaves_it_failed(self, prenote: Prenote) -> None:
        assert self._fail_while_it_passes(prenote) == 0
        assert Prenote.objects.get().outcome == "failed"
        assert BankAccount.objects.get().status == "unchecked"

    def _fail_while_it_passes(self, prenote: Prenote) -> int:
        waiting = Prenote.objects.filter(pk=prenote.pk, outcome=Prenote.Outcome.WAITING)
        _failed, passed = run_inside(
            lambda: waiting.update(outcome=Prenote.Outcome.FAILED, decided_at=AT),
            lambda: pass_prenotes(today=MONDAY, at=noon(MONDAY)),
            waits=True,
        )
        return passed


def test_two_runs_at_once_decide_on_each_account_once() -> None:
    for place in range(6):
        pay(make_account(today=date(2027, 1, 5)), 10_00, number=f"48200123450{place}")

    def run() -> int:
        return validate_waiting(today=TUESDAY, at=AT)["passed"]

    assert sum(run_together(run, run, run, run)) == 6
    assert BankAccountMove.objects.count() == 6
    assert not list_broken()
