"""A lockbox file in pairs: imported twice at once, and while an account is paid or staff return a check that came back."""

import pytest

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
from tests.races.together import run_inside, run_together

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
    @pytest.fixture
    def check(self) -> ReceivedCheck:
        """Alice's, on her account."""
        return receive(
            (make_account(), PREMIUM), received_on=DEPOSITED, deposit_on=DEPOSITED, today=DEPOSITED
        )

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
