"""Money received lands on the oldest open month, becomes final, or is taken back: once, for one or many."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from billing import allocation, invoices, overdue
from billing.accounts import UnableToFindAccount
from billing.allocation import NewReceipt, UnableToApply, UnableToFindReceipt
from billing.balances import read_standings
from billing.corrections import UnableToCorrect
from billing.ledger import AlreadyPosted, read_balance
from billing.models import Account, Allocation, Chart, DueDateOverride, Movement, Receipt
from tests.billing.books import (
    FEBRUARY,
    MARCH,
    PREMIUM,
    bill,
    list_broken,
    make_account,
    noon,
    read_enrollment,
    receive,
    review,
    see,
    settle_and_clear,
    take_back,
)
from tests.billing.correcting import make_override, waive
from tests.people import make_enrollment, make_rate

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 10)
_sets = count(1)


def apply_twice(account: Account, reference: str) -> None:
    for _ in range(2):
        allocation.apply(receipts=[NewReceipt(account.pk, reference, 100_00, DAY)], today=DAY, at=noon(DAY))


class TestReceiving:
    def test_a_reference_counts_once(self) -> None:
        account = make_account()
        apply_twice(account, "payment:900001")
        assert Receipt.objects.count() == 1
        assert see(account, today=DAY).due_cents == PREMIUM - 100_00

    def test_a_reference_twice_in_one_set_counts_once(self) -> None:
        account = make_account()
        receipt = NewReceipt(account.pk, "payment:900002", 100_00, DAY)
        allocation.apply(receipts=[receipt, receipt], today=DAY, at=noon(DAY))
        assert see(account, today=DAY).due_cents == PREMIUM - 100_00

    def test_the_oldest_month_is_paid_first_and_the_rest_is_credit(self) -> None:
        account = make_account()
        settle_and_clear(receive(account, PREMIUM, on=DAY), on=date(2027, 1, 15))
        invoices.issue_missing(today=MARCH, at=noon(MARCH))
        receive(account, PREMIUM + 1_00, on=MARCH)
        standing = see(account, today=MARCH)
        assert [item.coverage_month.month for item in standing.open_invoices] == [4]
        assert standing.due_cents == PREMIUM - 1_00
        receive(account, PREMIUM, on=MARCH)
        assert see(account, today=MARCH).credit_cents == 1_00

    def test_money_in_transit_becomes_cash_and_never_changes_what_is_owed(self) -> None:
        account = make_account()
        reference = receive(account, 100_00, on=DAY)
        assert (read_balance(chart=Chart.IN_TRANSIT), read_balance(chart=Chart.BANK)) == (100_00, 0)
        allocation.settle(references=[reference], today=DAY, at=noon(DAY))
        assert (read_balance(chart=Chart.IN_TRANSIT), read_balance(chart=Chart.BANK)) == (0, 100_00)
        assert read_balance(chart=Chart.RECEIVABLE, account_id=account.pk) == PREMIUM - 100_00

    @pytest.mark.parametrize("cents", [0, -1])
    def test_nothing_or_less_is_refused(self, cents: int) -> None:
        account = make_account()
        with pytest.raises(UnableToApply):
            receive(account, cents, on=DAY)

    def test_an_account_that_does_not_exist_is_refused(self) -> None:
        receipt = NewReceipt(999_999_999, "payment:900003", 100, DAY)
        with pytest.raises(UnableToFindAccount):
            allocation.apply(receipts=[receipt], today=DAY, at=noon(DAY))


class TestTheEnd:
    def test_settling_twice_is_refused(self) -> None:
        reference = receive(make_account(), 100_00, on=DAY)
        allocation.settle(references=[reference], today=DAY, at=noon(DAY))
        with pytest.raises(AlreadyPosted):
            allocation.settle(references=[reference], today=DAY, at=noon(DAY))

    def test_clearing_twice_clears_once(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=DAY)
        assert settle_and_clear(reference, on=date(2027, 1, 15)) == [account.enrollment_id]
        assert allocation.clear(references=[reference], today=FEBRUARY, at=noon(FEBRUARY)) == []
        assert Receipt.objects.get().cleared_on == date(2027, 1, 15)

    def test_a_binder_partly_cleared_is_not_yet_active(self) -> None:
        account = make_account()
        first, second = receive(account, 100_00, on=DAY), receive(account, PREMIUM - 100_00, on=DAY)
        assert settle_and_clear(first, on=date(2027, 1, 15)) == []
        assert settle_and_clear(second, on=date(2027, 1, 16)) == [account.enrollment_id]

    @pytest.mark.parametrize("settled", [True, False])
    def test_taking_back_undoes_the_money_where_it_lies(self, settled: bool) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=DAY)
        if settled:
            allocation.settle(references=[reference], today=DAY, at=noon(DAY))
        take_back(reference, on=date(2027, 1, 20), settled=settled)
        assert read_balance(chart=Chart.RECEIVABLE, account_id=account.pk) == PREMIUM
        assert read_balance(chart=Chart.IN_TRANSIT) == read_balance(chart=Chart.BANK) == 0
        assert sum(Allocation.objects.values_list("cents", flat=True)) == 0

    def test_taking_back_twice_takes_back_once(self) -> None:
        reference = receive(make_account(), PREMIUM, on=DAY)
        take_back(reference, on=date(2027, 1, 20))
        take_back(reference, on=date(2027, 1, 21))
        assert Receipt.objects.get().taken_back_on == date(2027, 1, 20)

    def test_a_return_reopens_every_month_the_payment_touched_and_no_other(self) -> None:
        account = make_account()
        settle_and_clear(receive(account, PREMIUM, on=DAY), on=date(2027, 1, 15))
        invoices.issue_missing(today=MARCH, at=noon(MARCH))
        reference = receive(account, PREMIUM + 50_00, on=MARCH)
        take_back(reference, on=date(2027, 3, 5))
        standing = see(account, today=date(2027, 3, 5))
        assert [item.coverage_month.month for item in standing.open_invoices] == [3, 4]
        assert standing.due_cents == 2 * PREMIUM

    def test_cleared_money_that_was_taken_back_is_never_cleared(self) -> None:
        account = make_account()
        reference = receive(account, PREMIUM, on=DAY)
        take_back(reference, on=date(2027, 1, 12))
        assert allocation.clear(references=[reference], today=FEBRUARY, at=noon(FEBRUARY)) == []
        assert Receipt.objects.get().cleared_on is None

    @pytest.mark.parametrize("act", [allocation.settle, allocation.clear])
    def test_a_reference_never_counted_is_refused(self, act) -> None:
        with pytest.raises(UnableToFindReceipt, match="payment:404"):
            act(references=["payment:404"], today=DAY, at=noon(DAY))


def make_accounts(number: int) -> list[Account]:
    enrollments = [make_enrollment() for _ in range(number)]
    invoices.issue_missing(today=date(2027, 1, 5), at=noon(date(2027, 1, 5)))
    return list(Account.objects.filter(enrollment__in=enrollments))


def count_statements(act) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


class TestTheSameNumberOfStatementsForOneAndForFifty:
    """Each act on a set is told apart from reading it once more per account."""

    @staticmethod
    def receive_all(accounts: list[Account], day: date) -> list[str]:
        name = next(_sets)
        receipts = [NewReceipt(item.pk, f"check:{name}-{item.pk}", PREMIUM, day) for item in accounts]
        allocation.apply(receipts=receipts, today=day, at=noon(day))
        return [item.reference for item in receipts]

    def test_receiving_in_time(self) -> None:
        one, fifty = make_accounts(1), make_accounts(50)
        alone = count_statements(lambda: self.receive_all(one, DAY))
        assert count_statements(lambda: self.receive_all(fifty, DAY)) == alone

    def test_receiving_late(self) -> None:
        day = date(2027, 1, 24)
        one, fifty = make_accounts(1), make_accounts(50)
        alone = count_statements(lambda: self.receive_all(one, day))
        assert count_statements(lambda: self.receive_all(fifty, day)) == alone

    def test_clearing_and_taking_back(self) -> None:
        one, fifty = self.receive_all(make_accounts(1), DAY), self.receive_all(make_accounts(50), DAY)
        alone = count_statements(lambda: settle_and_clear(*one, on=date(2027, 1, 15)))
        assert count_statements(lambda: settle_and_clear(*fifty, on=date(2027, 1, 15))) == alone
        alone = count_statements(lambda: take_back(*one, on=date(2027, 1, 25), settled=True))
        assert count_statements(lambda: take_back(*fifty, on=date(2027, 1, 25), settled=True)) == alone

    def test_issuing_and_reviewing(self) -> None:
        day = date(2027, 1, 24)
        counts = []
        for number in (1, 50):
            for _ in range(number):
                make_enrollment()
            issue = count_statements(lambda: invoices.issue_missing(today=DAY, at=noon(DAY)))
            reviewed = count_statements(lambda: overdue.review(today=day, at=noon(day), run="test"))
            counts.append((issue, reviewed))
        assert counts[0] == counts[1]

    def test_reading_standings(self) -> None:
        one, fifty = make_accounts(1), make_accounts(50)
        self.receive_all(fifty[:25], DAY)
        keys = [item.pk for item in fifty]
        alone = count_statements(lambda: read_standings(account_ids=[one[0].pk], today=DAY))
        assert count_statements(lambda: read_standings(account_ids=keys, today=DAY)) == alone


def live_first_bill() -> Account:
    return make_account()


def live_credit_from_before() -> Account:
    account = make_account()
    receive(account, PREMIUM + 10_00, on=date(2027, 1, 8))
    return account


def live_a_push() -> Account:
    account = make_account()
    receive(account, 10_00, on=date(2027, 1, 8))
    review(date(2027, 1, 24))
    return account


def live_a_push_extended() -> Account:
    """The due date is moved after the start was pushed past it, and no review has seen that yet."""
    account = live_a_push()
    recorded = noon(date(2027, 1, 25))
    make_override(coverage_month=FEBRUARY, due_date=date(2027, 1, 31), recorded_at=recorded, account=account)
    return account


def live_an_end_extended() -> Account:
    """The same of a window that closed before the first payment."""
    account = make_account(window_ends=FEBRUARY)
    review(date(2027, 1, 24))
    recorded = noon(date(2027, 1, 25))
    make_override(coverage_month=FEBRUARY, due_date=date(2027, 1, 31), recorded_at=recorded, account=account)
    return account


def live_two_months() -> Account:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 8)), on=date(2027, 1, 15))
    return bill(account.enrollment, today=date(2027, 3, 2))


class TestWhatTheCallerKnows:
    """Money counted by standings that were read under the lock ends where it ends by what is read anew."""

    @staticmethod
    def count(account: Account, cents: int, day: date, *, known: bool) -> int:
        receipt = NewReceipt(account.pk, f"check:{next(_sets)}-{account.pk}", cents, day)
        with transaction.atomic():
            allocation.lock_accounts(account_ids=[account.pk])
            standings = read_standings(account_ids=[account.pk], today=day) if known else {}
            facts = {"receipts": [receipt], "standings": standings, "today": day, "at": noon(day)}
            return count_statements(lambda: allocation.apply_locked(**facts))

    @staticmethod
    def read_facts(account: Account, day: date) -> tuple[object, object, list[tuple[date, int]]]:
        enrollment, standing = read_enrollment(account), see(account, today=day)
        lies = Allocation.objects.filter(receipt__account=account).order_by("pk")
        return (
            (enrollment.status, enrollment.coverage_start, standing.credit_cents, standing.due_cents),
            [(bill.coverage_month, bill.received_cents) for bill in standing.invoices],
            list(lies.values_list("invoice__coverage_month", "cents")),
        )

    @pytest.mark.parametrize("cents", [50_00, PREMIUM, PREMIUM + 20_00, 3 * PREMIUM])
    @pytest.mark.parametrize(
        ("live", "day"),
        [
            (live_first_bill, date(2027, 1, 10)),
            (live_first_bill, date(2027, 1, 23)),
            (live_first_bill, date(2027, 1, 24)),
            (live_first_bill, date(2027, 6, 1)),
            (live_credit_from_before, date(2027, 1, 10)),
            (live_a_push, date(2027, 1, 25)),
            (live_a_push_extended, date(2027, 1, 28)),
            (live_an_end_extended, date(2027, 1, 28)),
            (live_two_months, date(2027, 3, 2)),
        ],
    )
    def test_ends_the_same(self, live, day: date, cents: int) -> None:
        ends = []
        for known in (True, False):  # one after the other: a review looks at everybody
            account = live()
            self.count(account, cents, day, known=known)
            ends.append(self.read_facts(account, day))
        assert ends[0] == ends[1]

    def test_money_that_lies_idle_beside_an_open_bill_goes_first(self, monkeypatch) -> None:
        day, landed = date(2027, 1, 10), []
        for known in (True, False):
            account = make_account()
            with monkeypatch.context() as patched:
                patched.setattr("billing.credit.spend_credit", lambda **_facts: None)
                receive(account, 10_00, on=date(2027, 1, 8))
            self.count(account, PREMIUM, day, known=known)
            landed.append(self.read_facts(account, day))
        assert landed[0] == landed[1]
        assert [cents for _month, cents in landed[0][-1]] == [10_00, PREMIUM - 10_00]

    def test_of_a_start_that_stands_still_nothing_is_read_again(self) -> None:
        # The receipt, its movement, and where it lies.
        assert self.count(live_first_bill(), PREMIUM, date(2027, 1, 23), known=True) == 3
        assert self.count(live_two_months(), PREMIUM, date(2027, 3, 2), known=True) == 3
        for live, day in ((live_first_bill, date(2027, 1, 24)), (live_a_push, date(2027, 1, 25))):
            assert self.count(live(), PREMIUM, day, known=True) > 3


steps = st.lists(
    st.tuples(
        st.sampled_from(["receive", "clear", "take back", "review", "night", "price", "waive", "extend"]),
        st.integers(1, 700_00),
        st.integers(0, 9),
        st.integers(0, 12),
    ),
    max_size=14,
)


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
@example(
    story=[("receive", 1, 0, 18), ("extend", 1, 0, 0), ("review", 1, 0, 1)]
)  # extended on the day of a push
@example(story=[("receive", 1, 0, 23), ("price", 1, 0, 20), ("night", 1, 0, 7)])  # cheaper after the due date
def test_whatever_happens_to_an_account_the_books_balance(story: list[tuple[str, int, int, int]]) -> None:
    with transaction.atomic():
        tell_story(story)
        transaction.set_rollback(True)  # each story begins with empty books


def tell_story(story: list[tuple[str, int, int, int]]) -> None:
    account, day = bill(make_enrollment()), date(2027, 1, 6)
    references: list[str] = []
    for what, cents, which, days in story:
        day += timedelta(days=days)
        if what == "receive":
            references.append(receive(account, cents, on=day - timedelta(days=which), today=day))
        elif what == "review":
            overdue.review(today=day, at=noon(day), run="story")
        elif what == "night":
            invoices.issue_missing(today=day, at=noon(day))
            overdue.review(today=day, at=noon(day), run="story")
        elif what in ("price", "waive", "extend"):
            speak(account, what, cents, which, day)
        elif references:
            act_on(references[which % len(references)], what, day)
        assert list_broken() == [], (what, day)
    standing = see(account, today=day)
    billed = read_balance(chart=Chart.RECEIVABLE, account_id=account.pk)
    assert standing.due_cents - standing.credit_cents == billed
    assert read_enrollment(account).coverage_start.day == 1


def speak(account: Account, what: str, cents: int, which: int, day: date) -> None:
    """Another price, a waiver asked for some days ago, or a later due date, of February or a month after it."""
    month = date(2027, 2 + which % 3, 1)
    if what == "price":
        make_rate(enrollment=read_enrollment(account), month=month, premium_cents=cents, at=noon(day))
    elif what == "waive":
        with suppress(UnableToCorrect):
            waive(account, month, cents, asked_on=day - timedelta(days=which), today=day)
    elif not DueDateOverride.objects.filter(account=account, coverage_month=month).exists():
        make_override(account=account, coverage_month=month, due_date=day, recorded_at=noon(day))


def act_on(reference: str, what: str, day: date) -> None:
    receipt = Receipt.objects.get(reference=reference)
    settled = Movement.objects.filter(reference=f"{reference}:settled").exists()
    if what == "take back":
        take_back(reference, on=day, settled=settled)
    elif not settled and receipt.taken_back_on is None:
        settle_and_clear(reference, on=day)
