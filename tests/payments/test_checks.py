"""Checks and money orders: counted as of the day they came in, deposited, cleared after ten banking days, or returned."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.balances import read_standing
from billing.ledger import read_balance
from billing.models import Account, Chart, Receipt
from members.models import EnrollmentStatus, Notice
from payments import checks, unmatched
from payments.checks import Share, UnableToRecordCheck
from payments.models import CheckStatus, ReceivedCheck
from payments.unmatched import UnableToMatch
from tests import people
from tests.payments import refunding
from tests.payments.checking import bank, give_back, make_check, receive
from tests.payments.paying import PREMIUM, TUESDAY, make_account, noon

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY = TUESDAY + timedelta(1)
CLEARS = date(2027, 1, 28)  # the 10th banking day after the 13th: the 18th is a holiday


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


class TestACheckThatNamesItsAccount:
    def test_counts_as_of_its_received_day_and_pays_the_first_bill(self, account: Account) -> None:
        check = receive((account, PREMIUM))
        assert (check.status, check.banked_on) == (CheckStatus.RECEIVED, None)
        receipt = Receipt.objects.get()
        assert (receipt.reference, receipt.received_date) == (f"check:{check.pk}-1", TUESDAY)
        assert read_standing(account_id=account.pk, today=TUESDAY).binder_received
        notice = Notice.objects.filter(event="check_received").first()
        assert notice.facts["effect"] == "Received today, your coverage starts February 1, 2027."

    def test_is_deposited_on_its_day_and_final_after_ten_banking_days(self, account: Account) -> None:
        check = receive((account, PREMIUM))
        assert bank(TUESDAY) == {}
        assert bank(WEDNESDAY) == {"checks_banked": 1}
        assert read_balance(chart=Chart.BANK) == PREMIUM
        assert bank(CLEARS - timedelta(1)) == {}
        assert bank(CLEARS) == {"checks_cleared": 1}
        assert bank(CLEARS) == {}
        check.refresh_from_db()
        account.enrollment.refresh_from_db()
        assert (check.status, account.enrollment.status) == (CheckStatus.CLEARED, EnrollmentStatus.ACTIVE)

    @pytest.mark.parametrize("last", [TUESDAY, WEDNESDAY, CLEARS])
    def test_returned_at_any_time_it_was_never_received(self, account: Account, last: date) -> None:
        check = receive((account, PREMIUM))
        bank(last)
        assert give_back(check, CLEARS) == [check.pk]
        assert give_back(check, CLEARS) == []
        assert (read_balance(chart=Chart.BANK), read_balance(chart=Chart.IN_TRANSIT)) == (0, 0)
        assert Receipt.objects.get().taken_back_on == CLEARS
        told = Notice.objects.filter(event="check_returned").first()
        assert told.facts["effect"].startswith("Pay today: coverage starts")

    def test_the_same_form_records_it_once(self, account: Account) -> None:
        new = make_check((account, PREMIUM))
        first, again = (
            checks.record_checks(checks=[new], by=None, today=TUESDAY, at=noon(TUESDAY)) for _ in range(2)
        )
        assert first == again
        assert Receipt.objects.count() == 1

    def test_one_check_for_two_bills_lies_on_both(self, account: Account) -> None:
        dental = make_account(member=account.enrollment.member, product="dental", premium_cents=31_50)
        receive((account, PREMIUM), (dental, 31_50))
        assert sorted(Receipt.objects.values_list("cents", flat=True)) == [31_50, PREMIUM]

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({"cents": PREMIUM + 1}, "add up"),
            ({"number": " "}, "number"),
            ({"received_on": WEDNESDAY}, "to come"),
            ({"deposit_on": TUESDAY - timedelta(1)}, "before it was received"),
        ],
    )
    def test_what_cannot_be_is_refused_in_words(
        self, account: Account, facts: dict[str, object], said: str
    ) -> None:
        with pytest.raises(UnableToRecordCheck, match=said):
            receive((account, PREMIUM), **facts)
        assert not ReceivedCheck.objects.exists()

    def test_many_take_as_many_statements_as_one(self, account: Account) -> None:
        others = [make_account() for _ in range(3)]
        with CaptureQueriesContext(
            connection,
        ) as one:
            receive((account, PREMIUM))
        new = [make_check((other, PREMIUM)) for other in others]
        with CaptureQueriesContext(connection) as three:
            checks.record_checks(checks=new, by=None, today=TUESDAY, at=noon(TUESDAY))
        assert len(three) == len(one)


class TestACheckThatNamesNoAccount:
    def match(self, check: ReceivedCheck, *shares: tuple[Account, int]) -> ReceivedCheck:
        return unmatched.match_check(
            check_id=check.pk,
            shares=[Share(account.pk, cents) for account, cents in shares],
            by=people.make_staff(),
            why="the name is hers",
            today=CLEARS,
            at=noon(CLEARS),
        )

    def test_waits_in_suspense_and_then_counts_as_of_the_day_it_came(self, account: Account) -> None:
        check = receive(cents=PREMIUM)
        bank(WEDNESDAY)
        assert read_balance(chart=Chart.SUSPENSE) == -PREMIUM
        assert unmatched.find_unmatched().get() == check
        self.match(check, (account, PREMIUM))
        assert self.match(check, (account, PREMIUM)).status == CheckStatus.RECEIVED
        assert read_balance(chart=Chart.SUSPENSE) == 0
        assert read_balance(chart=Chart.BANK) == PREMIUM
        assert Receipt.objects.get().received_date == TUESDAY
        account.enrollment.refresh_from_db()
        assert account.enrollment.coverage_start == date(2027, 2, 1)
        assert bank(CLEARS) == {"checks_cleared": 1}

    def test_its_money_is_refunded_by_the_day_of_its_deposit_however_late_it_is_matched(
        self, account: Account
    ) -> None:
        check = receive(cents=PREMIUM + 50_00)
        bank(WEDNESDAY)
        self.match(check, (account, PREMIUM + 50_00))
        bank(CLEARS)
        receipt = Receipt.objects.get()
        assert refunding.ask_and_approve(receipt, method="check", today=CLEARS).status == "approved"

    def test_its_parts_must_add_up(self, account: Account) -> None:
        check = receive(cents=PREMIUM)
        with pytest.raises(UnableToMatch, match="add up"):
            self.match(check, (account, PREMIUM - 1))
        assert not Receipt.objects.exists()

    @pytest.mark.parametrize("is_banked", [False, True])
    def test_two_people_send_it_back(self, books: None, is_banked: bool) -> None:
        check, asker, other = receive(cents=PREMIUM), people.make_staff(), people.make_staff()
        bank(WEDNESDAY if is_banked else TUESDAY)
        at = {"why": "nobody knows it", "at": noon(WEDNESDAY)}
        unmatched.ask_to_send_back(check_id=check.pk, by=asker, **at)
        with pytest.raises(UnableToMatch, match="Another person"):
            unmatched.send_back(check_id=check.pk, by=asker, today=WEDNESDAY, **at)
        unmatched.send_back(check_id=check.pk, by=other, today=WEDNESDAY, **at)
        assert read_balance(chart=Chart.SUSPENSE) == 0
        assert (read_balance(chart=Chart.BANK), read_balance(chart=Chart.IN_TRANSIT)) == (0, 0)
        assert not unmatched.find_unmatched().exists()

    def test_returned_by_the_bank_it_leaves_suspense(self, books: None) -> None:
        check = receive(cents=PREMIUM)
        bank(WEDNESDAY)
        assert give_back(check, CLEARS) == [check.pk]
        assert read_balance(chart=Chart.SUSPENSE) == 0
