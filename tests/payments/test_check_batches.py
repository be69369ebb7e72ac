"""Check batches: typed in against a slip, recorded whole or not at all, each check as the day it was received."""

from datetime import date, timedelta

import pytest

from billing.models import Account, Receipt
from payments import check_batches, unmatched
from payments.check_batches import UnableToBatch
from payments.checks import Share
from payments.models import CheckStatus, ReceivedCheck
from payments.unmatched import UnableToMatch
from tests import people
from tests.payments.batching import begin, close, put
from tests.payments.checking import receive
from tests.payments.paying import PREMIUM, TUESDAY, make_account, noon

pytestmark = pytest.mark.usefixtures("books")
LIMIT = 10_000_00


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


class TestClosing:
    def test_records_every_check_at_once_on_accounts_or_in_the_queue(self, account: Account) -> None:
        dental = make_account(member=account.enrollment.member, product="dental", premium_cents=31_50)
        batch = begin(cents=PREMIUM + 31_50 + 20_00, count=2)
        put(batch, (account, PREMIUM), (dental, 31_50))
        put(batch, number="77", cents=20_00)
        assert not ReceivedCheck.objects.exists()
        split, waiting = close(batch)
        assert (split.status, waiting.status) == (CheckStatus.RECEIVED, CheckStatus.UNMATCHED)
        assert split.deposit_on == TUESDAY + timedelta(1)
        assert sorted(Receipt.objects.values_list("cents", flat=True)) == [31_50, PREMIUM]
        assert close(batch) == [split, waiting]

    @pytest.mark.parametrize(
        ("cents", "count", "is_closed"),
        [(PREMIUM, 1, True), (PREMIUM + 1, 1, False), (PREMIUM - 1, 1, False), (PREMIUM, 2, False)],
    )
    def test_asks_that_total_and_number_are_those_of_the_slip(
        self, account: Account, cents: int, count: int, is_closed: bool
    ) -> None:
        batch = begin(cents=cents, count=count)
        put(batch, (account, PREMIUM))
        if not is_closed:
            with pytest.raises(UnableToBatch, match="must be equal"):
                close(batch)
        else:
            close(batch)
        assert ReceivedCheck.objects.exists() is is_closed

    def test_a_batch_changed_since_it_was_looked_at_is_looked_at_again(self, account: Account) -> None:
        batch = begin()
        line = put(batch, (account, PREMIUM))
        seen = 1
        put(batch, cents=PREMIUM, line_id=line.pk)
        with pytest.raises(UnableToBatch, match="changed meanwhile"):
            close(batch, version=seen)
        assert not ReceivedCheck.objects.exists()

    def test_one_recorded_elsewhere_meanwhile_is_asked_about(self, account: Account) -> None:
        batch = begin()
        line = put(batch, (account, PREMIUM))
        receive((account, PREMIUM))
        with pytest.raises(UnableToBatch, match="looks like a check recorded on January 12, 2027"):
            close(batch)
        put(batch, (account, PREMIUM), line_id=line.pk, is_another=True)
        close(batch)
        assert ReceivedCheck.objects.count() == 2

    def test_closed_or_dropped_it_is_not_changed_any_more(self, account: Account) -> None:
        closed, dropped = begin(), begin()
        line = put(closed, (account, PREMIUM))
        close(closed)
        check_batches.drop_batch(
            batch_id=dropped.pk, by=dropped.made_by, why="another slip", at=noon(TUESDAY)
        )
        for batch in (closed, dropped):
            with pytest.raises(UnableToBatch, match="Nothing of it can be changed"):
                put(batch, cents=1_00)
            with pytest.raises(UnableToBatch, match="Nothing of it can be changed"):
                check_batches.remove_line(batch_id=batch.pk, line_id=line.pk)
        with pytest.raises(UnableToBatch, match="dropped"):
            close(dropped)
        assert not check_batches.find_open().exists()


class TestTyping:
    def test_the_same_check_twice_in_a_batch_is_asked_about_once_more(self, account: Account) -> None:
        batch = begin()
        put(batch, (account, PREMIUM))
        again = {"number": "1042", "payer": " alice  ALVAREZ ", "cents": PREMIUM}
        with pytest.raises(UnableToBatch, match="looks like another check of this batch"):
            put(batch, **again)
        put(batch, **again, is_another=True)
        assert check_batches.read_totals(batch=batch).left_count == -1

    @pytest.mark.parametrize(("days", "is_asked"), [(30, True), (31, False)])
    def test_one_recorded_in_the_last_30_days_is_asked_about_once_more(
        self, books: None, days: int, is_asked: bool
    ) -> None:
        receive(cents=PREMIUM)
        today = TUESDAY + timedelta(days)
        batch = begin(today=today)
        if is_asked:
            with pytest.raises(UnableToBatch, match="looks like a check recorded"):
                put(batch, cents=PREMIUM, today=today)
        else:
            put(batch, cents=PREMIUM, today=today)
        put(batch, number="1043", cents=PREMIUM, today=today)

    def test_the_same_form_adds_it_once_and_it_can_be_mended_and_taken_out(self, account: Account) -> None:
        batch = begin(cents=PREMIUM + 1_00, count=2)
        line = put(batch, cents=PREMIUM)
        assert put(batch, cents=PREMIUM, form_key=line.form_key) == line
        put(batch, (account, PREMIUM + 1_00), line_id=line.pk)
        totals = check_batches.read_totals(batch=batch)
        assert (totals.count, totals.cents, totals.left_count, totals.left_cents) == (1, PREMIUM + 1_00, 1, 0)
        check_batches.remove_line(batch_id=batch.pk, line_id=line.pk)
        check_batches.remove_line(batch_id=batch.pk, line_id=line.pk)
        assert not batch.lines.exists()


class TestWhatTakesTwoPeople:
    @pytest.mark.parametrize(("cents", "is_held"), [(LIMIT, False), (LIMIT + 1, True)])
    def test_above_the_limit_another_person_puts_it_on_its_account(
        self, account: Account, cents: int, is_held: bool
    ) -> None:
        batch = begin(cents=cents)
        put(batch, (account, cents))
        (check,) = close(batch)
        assert unmatched.takes_confirming(check) is is_held
        assert (check.status == CheckStatus.UNMATCHED) is is_held
        if is_held:
            assert check_batches.find_meant(check=check) == [Share(account.pk, cents)]
            facts = {"check_id": check.pk, "shares": [Share(account.pk, cents)], "why": "seen"}
            with pytest.raises(UnableToMatch, match="above the limit for one person"):
                unmatched.match_check(**facts, by=batch.made_by, today=TUESDAY, at=noon(TUESDAY))
            unmatched.match_check(**facts, by=people.make_staff(), today=TUESDAY, at=noon(TUESDAY))
        assert Receipt.objects.get().cents == cents

    @pytest.mark.parametrize(("received", "is_held"), [(date(2027, 1, 23), True), (date(2027, 1, 24), False)])
    def test_dated_back_across_a_due_date_it_waits(
        self, account: Account, received: date, is_held: bool
    ) -> None:
        today = date(2027, 1, 28)
        batch = begin(today=today)
        put(batch, (account, PREMIUM), received_on=received, today=today)
        (check,) = close(batch, today=today)
        assert (check.status == CheckStatus.UNMATCHED) is is_held
