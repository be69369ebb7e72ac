"""A lockbox file in pairs: imported twice at once, and while an account is paid or staff return a check that came back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from billing.accounts import lock_accounts
from billing.models import Account, Receipt
from payments.channels.lockbox import posting
from payments.channels.lockbox.posting import AlreadyImported
from payments.channels.lockbox.returned import AGAIN
from payments.models import BankFile, LockboxFile, LockboxItem, LockboxReturn, ReceivedCheck
from tests.payments.channels.lockbox.depositing import (
    DEPOSITED,
    import_items,
    import_returns,
    make_item,
    make_return,
)
from tests.payments.checking import give_back, receive
from tests.payments.paying import PREMIUM, make_account
from tests.races.test_money_in_pairs import list_broken
from tests.races.together import LONG_ENOUGH_TO_WAIT_SECONDS, run_inside, run_together

pytestmark = pytest.mark.usefixtures("committed_db")
DENTAL = 31_50


def make_items(account: Account) -> list:
    """A check for the account, and one for nobody."""
    return [make_item(member_ids=(account.enrollment.member.member_id,)), make_item(cents=5_00)]


def test_imported_eight_times_at_once_it_is_applied_once() -> None:
    items = make_items(make_account())
    answers = run_together(*[lambda: import_items(*items)] * 8)
    applied = [answer for answer in answers if isinstance(answer, LockboxFile)]
    assert len(applied) == 1
    assert sum(isinstance(answer, AlreadyImported) for answer in answers) == 7
    assert (BankFile.objects.count(), ReceivedCheck.objects.count(), Receipt.objects.count()) == (1, 2, 1)
    assert list_broken() == set()


def test_without_its_lock_the_unique_keys_alone_keep_it_from_being_applied_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "_wait_for_others", lambda: None)
    items = make_items(make_account())
    _, second = run_inside(lambda: import_items(*items), lambda: import_items(*items), waits=True)
    assert isinstance(second, Exception)
    assert (LockboxFile.objects.count(), Receipt.objects.count()) == (1, 1)
    assert list_broken() == set()


def test_what_is_paid_while_it_waits_is_no_longer_owed_when_it_is_split() -> None:
    health = make_account()
    member = health.enrollment.member
    make_account(member=member, product="dental", premium_cents=DENTAL)
    combined = make_item(cents=PREMIUM + DENTAL, member_ids=(member.member_id,))
    run_inside(
        lambda: receive((health, PREMIUM), today=DEPOSITED, received_on=DEPOSITED, deposit_on=DEPOSITED),
        lambda: import_items(combined),
        waits=True,
    )
    assert LockboxItem.objects.get().way == "queue"
    assert list_broken() == set()


class TestACheckThatCameBack:
    @pytest.fixture(params=["on its account", "in suspense"])
    def check(self, request: pytest.FixtureRequest) -> ReceivedCheck:
        """Alice's, on her account, or on none."""
        shares = [(make_account(), PREMIUM)] if request.param == "on its account" else []
        days = {"received_on": DEPOSITED, "deposit_on": DEPOSITED, "today": DEPOSITED}
        return receive(*shares, cents=PREMIUM, **days)

    @staticmethod
    def list_returns() -> list[tuple[int | None, str]]:
        """Which check each is of, or why it waits, in the order in which they were kept."""
        assert list_broken() == set()
        assert Receipt.objects.filter(taken_back_on=None).count() == 0
        return list(LockboxReturn.objects.order_by("pk").values_list("received_check", "parked_because"))

    def test_in_a_file_imported_eight_times_at_once_is_returned_once(self, check: ReceivedCheck) -> None:
        answers = run_together(*[lambda: import_returns(make_return())] * 8)
        assert sum(isinstance(answer, AlreadyImported) for answer in answers) == 7
        assert self.list_returns() == [(check.pk, "")]
        assert check.moves.filter(after="returned").count() == 1

    @pytest.mark.parametrize("is_guarded", [True, False])
    def test_in_two_files_at_once_is_returned_by_the_first_and_the_other_waits(
        self, check: ReceivedCheck, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
    ) -> None:
        """Without the imports' own lock the locks of account and check do the same."""
        if not is_guarded:
            monkeypatch.setattr(posting, "_wait_for_others", lambda: None)
        run_inside(
            lambda: import_returns(make_return()),
            lambda: import_returns(make_return(why="Closed"), name="other.csv"),
            waits=True,
        )
        assert self.list_returns() == [(check.pk, ""), (None, AGAIN)]

    def test_while_staff_record_its_return_is_returned_once(self, check: ReceivedCheck) -> None:
        run_inside(lambda: give_back(check, DEPOSITED), lambda: import_returns(make_return()), waits=True)
        assert self.list_returns() == [(None, AGAIN)]
        assert check.moves.filter(after="returned").count() == 1

    def test_has_its_account_locked_with_those_of_the_files_own_checks_in_one_order(self) -> None:
        """While another holds the first account, the import holds none after it."""
        first, second = make_account(), make_account()
        receive((first, PREMIUM), received_on=DEPOSITED, deposit_on=DEPOSITED, today=DEPOSITED)
        item = make_item(check_number="2", member_ids=(second.enrollment.member.member_id,))
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                lock_accounts(account_ids=[first.pk])
                coming = pool.submit(run_together, lambda: import_returns(make_return(), items=[item]))
                with pytest.raises(TimeoutError):
                    coming.result(LONG_ENOUGH_TO_WAIT_SECONDS)
                assert Account.objects.select_for_update(nowait=True, no_key=True).get(pk=second.pk)
            assert isinstance(coming.result()[0], LockboxFile)
        assert Receipt.objects.get(taken_back_on=None).account == second
