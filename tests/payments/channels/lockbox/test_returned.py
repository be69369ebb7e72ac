"""Checks that a lockbox file says came back: each is one check of ours, which is returned, or it waits for a person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger import read_balance
from billing.models import Account, Chart, MailRead, Receipt
from billing.owed import read_owed
from connector_pay.self_check import find_violations
from payments.channels.lockbox.csv_items import write_csv
from payments.channels.lockbox.facts import make_account_key
from payments.channels.lockbox.items import ReturnedItem
from payments.channels.lockbox.posting import (
    AlreadyImported,
    describe_outcome,
    find_applied,
    import_file,
    preview_file,
)
from payments.channels.lockbox.returned import (
    AGAIN,
    OTHERS,
    SENT_BACK,
    TWICE,
    UNKNOWN,
    Fate,
    Paper,
    Returned,
    UnableToCloseReturn,
    close_return,
    find_parked_returns,
    match_returns,
)
from payments.channels.lockbox.words import list_sums
from payments.models import BankFile, CheckStatus, LockboxReturn, LockboxReturnClosing, ReceivedCheck
from tests import people
from tests.payments.channels.lockbox.depositing import (
    DEPOSITED,
    import_items,
    import_returns,
    make_deposit,
    make_item,
    make_return,
)
from tests.payments.checking import bank, give_back, receive
from tests.payments.incoming_files import read_files
from tests.payments.paying import PREMIUM, ROUTING, make_account, noon

WEEK_AFTER = DEPOSITED + timedelta(7)
REASON = "Not sufficient funds"
KEY_OF = {"routing_number": ROUTING, "account_number": "2001234567"}
OF_NOBODY = {"routing_number": "0" * 9, "account_number": ""}


@pytest.fixture(autouse=True)
def _all_holds(books: None) -> Iterator[None]:
    """Whatever was done, the self-check finds nothing."""
    yield
    assert find_violations() == []


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


def import_check(account: Account, **facts: Any) -> ReceivedCheck:
    """Alice's check of the 22nd is on her account."""
    import_items(make_item(member_ids=(account.enrollment.member.member_id,), **facts))
    return ReceivedCheck.objects.latest("pk")


def come_back(*returns: ReturnedItem, **facts: Any) -> list[tuple[int | None, str]]:
    """A week after, the bank's file says that these came back; which check each is of, or why it waits."""
    file = import_returns(*returns, today=WEEK_AFTER, deposit_on=WEEK_AFTER, **facts)
    return list(file.returns.order_by("number").values_list("received_check", "parked_because"))


class TestAReturnOfOneCheck:
    def test_takes_its_money_back_and_opens_the_bill_with_the_banks_reason(self, account: Account) -> None:
        check = import_check(account)
        bank(DEPOSITED)
        assert come_back(make_return()) == [(check.pk, "")]
        check.refresh_from_db()
        assert check.status == CheckStatus.RETURNED
        assert check.moves.latest("pk").why == f"the bank says: {REASON}"
        assert Receipt.objects.get().taken_back_on == WEEK_AFTER
        assert read_balance(chart=Chart.BANK) == 0
        assert read_owed(account_ids=[account.pk])[account.pk].find_cents(day=WEEK_AFTER) == PREMIUM
        kept = LockboxReturn.objects.get()
        assert (kept.number, kept.line, kept.check_number, kept.cents, kept.why) == (
            *(1, 2, "1042", PREMIUM),
            REASON,
        )

    def test_of_money_that_waits_for_an_account_takes_it_out_of_suspense(self) -> None:
        import_items(make_item())
        assert come_back(make_return()) == [(ReceivedCheck.objects.get().pk, "")]
        assert read_balance(chart=Chart.SUSPENSE) == 0

    def test_finds_a_check_of_the_counter_whatever_zeros_were_typed_before_its_number(
        self, account: Account
    ) -> None:
        check = receive((account, PREMIUM), number="0001042")
        assert come_back(make_return(check_number="1042")) == [(check.pk, "")]

    def test_follows_the_check_of_its_bank_account(self, account: Account) -> None:
        import_check(account, account_number="5")
        check = import_check(account)
        receive((account, PREMIUM))
        assert come_back(make_return()) == [(check.pk, "")]

    def test_follows_the_day_on_which_it_was_received(self, account: Account) -> None:
        check = import_check(account, account_number="5")
        import_check(account, account_number="6", received_on=DEPOSITED - timedelta(1))
        assert come_back(make_return(received_on=DEPOSITED, **OF_NOBODY)) == [(check.pk, "")]

    def test_that_came_in_the_same_file_is_returned_too(self, account: Account) -> None:
        item = make_item(member_ids=(account.enrollment.member.member_id,))
        data = write_csv(deposit=make_deposit(item, returns=[make_return()]))
        foreseen = preview_file(data=data, today=DEPOSITED)
        file = import_file(name="day.csv", data=data, by=None, today=DEPOSITED, at=noon(DEPOSITED))
        assert foreseen == describe_outcome(file=file)
        assert foreseen.returned == Returned(1, PREMIUM, 0, 0)
        assert (file.count, file.cents) == (1, PREMIUM)
        check = ReceivedCheck.objects.get()
        assert (check.status, check.lockbox_item.way) == ("returned", "member_id")
        assert check.lockbox_return.parked_because == ""


class TestAReturnThatWaits:
    def check_parked(self, why: str, *returns: ReturnedItem) -> None:
        """It waits with these words, and no check is moved by it."""
        before = sorted(ReceivedCheck.objects.values_list("pk", "status"))
        assert come_back(*(returns or [make_return()])) == [(None, why)]
        assert sorted(ReceivedCheck.objects.values_list("pk", "status")) == before
        assert find_parked_returns().count() == 1

    @pytest.mark.parametrize("facts", [{"check_number": "1043"}, {"cents": PREMIUM - 1}])
    def test_names_no_check_of_ours(self, account: Account, facts: dict[str, Any]) -> None:
        import_check(account)
        self.check_parked(UNKNOWN, make_return(**facts))

    @pytest.mark.parametrize(
        "facts",
        [
            {"account_number": "77"},
            {"received_on": DEPOSITED - timedelta(1)},
            {"routing_number": "021000021"},
        ],
    )
    def test_is_of_another_bank_account_or_day(self, account: Account, facts: dict[str, Any]) -> None:
        import_check(account)
        self.check_parked(OTHERS, make_return(**facts))

    def test_may_be_either_of_two(self, account: Account) -> None:
        import_check(account, account_number="5")
        import_check(account, account_number="6")
        self.check_parked(
            "It may be any of 2 checks: they have this number and amount.", make_return(**OF_NOBODY)
        )

    def test_may_be_one_returned_before_though_another_stands(self, account: Account) -> None:
        give_back(receive((account, PREMIUM)), DEPOSITED)
        receive((account, PREMIUM))
        self.check_parked(
            "It may be any of 2 checks: they have this number and amount.", make_return(**OF_NOBODY)
        )

    def test_is_of_a_check_that_was_returned_before(self, account: Account) -> None:
        give_back(import_check(account), DEPOSITED)
        self.check_parked(AGAIN)

    def test_lets_the_other_rows_in(self, account: Account) -> None:
        check = import_check(account)
        later = make_item(
            check_number="2", member_ids=(account.enrollment.member.member_id,), received_on=WEEK_AFTER
        )
        returns = [make_return(check_number="9"), make_return(), make_return(cents=1)]
        assert come_back(*returns, items=[later]) == [(None, UNKNOWN), (check.pk, ""), (None, UNKNOWN)]
        assert Receipt.objects.filter(taken_back_on=None).count() == 1

    def test_is_the_second_of_one_check_in_one_file(self, account: Account) -> None:
        check = import_check(account)
        assert come_back(make_return(), make_return(why="Again")) == [(check.pk, ""), (None, TWICE)]
        assert check.moves.filter(after="returned").count() == 1

    def test_is_the_second_of_one_check_in_two_files(self, account: Account) -> None:
        check = import_check(account)
        assert come_back(make_return()) == [(check.pk, "")]
        assert come_back(make_return(), make_return(check_number="9")) == [(None, AGAIN), (None, UNKNOWN)]


class TestClosing:
    def test_is_once_with_words_and_only_of_what_waits(self, account: Account) -> None:
        import_check(account)
        come_back(make_return(), make_return(check_number="9"))
        applied, parked = LockboxReturn.objects.order_by("number")
        facts = {"by": people.make_staff(), "at": noon(WEEK_AFTER)}
        with pytest.raises(UnableToCloseReturn, match="Say what was done"):
            close_return(return_id=parked.pk, why=" ", **facts)
        with pytest.raises(UnableToCloseReturn, match="Its check was returned"):
            close_return(return_id=applied.pk, why="x", **facts)
        close_return(return_id=parked.pk, why="The  bank took it back", **facts)
        with pytest.raises(UnableToCloseReturn, match="dealt with this return before"):
            close_return(return_id=parked.pk, why="x", **facts)
        assert LockboxReturnClosing.objects.get().why == "The bank took it back"
        assert not find_parked_returns().exists()


class TestTheFile:
    def test_is_applied_once_whatever_its_bytes(self, account: Account) -> None:
        import_check(account)
        come_back(make_return(), make_return(check_number="9"))
        deposit = make_deposit(deposit_on=WEEK_AFTER, returns=[make_return(), make_return(check_number="9")])
        data = write_csv(deposit=deposit)
        for again in (data, data.replace(b"\n", b"\r\n"), data.replace(b",9,", b",09,")):
            with pytest.raises(AlreadyImported):
                import_file(name="x.csv", data=again, by=None, today=WEEK_AFTER, at=noon(WEEK_AFTER))
            with pytest.raises(AlreadyImported):
                preview_file(data=again, today=WEEK_AFTER)
        assert LockboxReturn.objects.count() == 2

    @pytest.mark.parametrize(
        "facts", [{"why": "Closed"}, {"account_number": "6"}, {"received_on": DEPOSITED}, {"cents": 1}]
    )
    def test_with_another_return_is_another_file(self, facts: dict[str, Any]) -> None:
        come_back(make_return())
        come_back(make_return(**facts))
        assert BankFile.objects.count() == 2

    def test_without_returns_has_the_key_that_it_always_had(self) -> None:
        """That of such a file before returns were known."""
        item = make_item(account_number="", routing_number="0" * 9)
        file = import_items(item)
        assert file.items_key == "fa9cb5dd7f3d14dbaaed279419f32f6c5373c4cd863e4d8a368ab9b52fc6288b"
        assert find_applied(digest="", items_key=file.items_key) == file

    def test_says_what_came_back_and_how_many_wait(self, account: Account) -> None:
        import_check(account)
        data = write_csv(
            deposit=make_deposit(deposit_on=WEEK_AFTER, returns=[make_return(), make_return(cents=5_00)])
        )
        foreseen = preview_file(data=data, today=WEEK_AFTER)
        file = import_file(name="x.csv", data=data, by=None, today=WEEK_AFTER, at=noon(WEEK_AFTER))
        assert foreseen == describe_outcome(file=file)
        assert list_sums(outcome=foreseen)[-3:] == [
            "In all: 0 checks, $0.00",
            "Returned by the bank: 2 checks, $289.17",
            "Of these, waiting for a person: 1 check, $5.00",
        ]

    def test_of_returned_checks_alone_says_nothing_of_the_days_mail(self) -> None:
        come_back(make_return())
        assert not MailRead.objects.exists()
        import_items(make_item(), today=WEEK_AFTER)
        assert MailRead.objects.exists()

    def test_in_the_banks_folder_is_read_with_the_others(self, account: Account) -> None:
        import_check(account)
        returns = [make_return(), make_return(check_number="9")]
        data = write_csv(deposit=make_deposit(deposit_on=WEEK_AFTER, returns=returns))
        files = {"back.csv": data, "cut.csv": data[:-3]}
        assert read_files(files, day=WEEK_AFTER) == {
            "files": 2,
            "refused": 1,
            "checks_returned": 1,
            "parked": 1,
        }
        assert BankFile.objects.get(status="refused").fault.startswith("line 5, column ")
        assert LockboxReturn.objects.count() == 2

    def test_with_many_returns_takes_as_many_statements_as_with_one(self) -> None:
        accounts = [make_account() for _ in range(7)]
        for place, account in enumerate(accounts):
            receive((account, PREMIUM), number=str(place + 1))
        with CaptureQueriesContext(connection) as one:
            come_back(make_return(check_number="1", **OF_NOBODY))
        with CaptureQueriesContext(connection) as six:
            come_back(*[make_return(check_number=str(number), **OF_NOBODY) for number in range(2, 8)])
        assert ReceivedCheck.objects.filter(status="returned").count() == 7
        assert len(six) == len(one)


def make_paper(key: int, **facts: Any) -> Paper:
    """Alice's check of the 22nd, of her bank account."""
    defaults = {
        "number": "1042",
        "cents": PREMIUM,
        "remitter_key": make_account_key(**KEY_OF),
        "received_on": DEPOSITED,
        "status": CheckStatus.RECEIVED,
    }
    return Paper(id=key, **(defaults | facts))


class TestMatching:
    @pytest.mark.parametrize("status", CheckStatus)
    def test_takes_a_check_only_where_it_stands(self, status: CheckStatus) -> None:
        reasons = {CheckStatus.RETURNED: AGAIN, CheckStatus.SENT_BACK: SENT_BACK}
        (fate,) = match_returns(returns=[make_return()], papers=[make_paper(1, status=status)])
        assert fate == (Fate(None, reasons[status]) if status in reasons else Fate(1))

    def test_a_return_of_no_account_may_be_of_any(self) -> None:
        papers = [make_paper(1), make_paper(2, remitter_key="")]
        assert match_returns(returns=[make_return(**OF_NOBODY)], papers=papers[:1]) == [Fate(1)]
        assert match_returns(returns=[make_return()], papers=papers[1:]) == [Fate(2)]
        assert match_returns(returns=[make_return()], papers=papers) == [Fate(1)]
        (fate,) = match_returns(returns=[make_return(**OF_NOBODY)], papers=papers)
        assert fate.check_id is None

    def test_a_check_of_its_account_that_was_returned_leaves_no_other_to_take(self) -> None:
        papers = [make_paper(1, status=CheckStatus.RETURNED), make_paper(2, remitter_key="")]
        assert match_returns(returns=[make_return()], papers=papers) == [Fate(None, AGAIN)]

    def test_of_equal_returns_each_takes_a_check_of_its_own_or_none(self) -> None:
        days = [DEPOSITED, DEPOSITED - timedelta(1)]
        papers = [make_paper(place, received_on=day) for place, day in enumerate(days, start=1)]
        returns = [make_return(received_on=day) for day in (*days, days[0])]
        assert match_returns(returns=returns, papers=papers) == [Fate(1), Fate(2), Fate(None, TWICE)]

    def test_nothing_in_the_words_why_it_waits_is_longer_than_its_column(self) -> None:
        most = f"It may be any of {10**6} checks: they have this number and amount."
        assert all(len(words) <= 200 for words in (UNKNOWN, OTHERS, AGAIN, SENT_BACK, TWICE, most))
