"""Races in pairs: two things touch the same money at once. Without its guard the race is real; the guard stops it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from billing import invoices, overdue
from billing.balances import read_standing
from billing.models import Account, Receipt
from connector_pay.celery import read_timetable
from connector_pay.lib import states
from connector_pay.lib.jobs import JobRun, TimetableAlreadyRunning, run_until
from connector_pay.self_check import find_violations
from members.models import Enrollment, Notice, StartMove
from payments import recording, settlement, tasks
from payments.ach import batching
from payments.bank_accounts import approve
from payments.models import BankFile, FileEntry, Payment, PaymentStatus, ReturnLine
from payments.recording import UnableToCancel, cancel_payment, credit_due
from payments.settlement import PaymentReturn, return_payments, settle_due
from tests import people
from tests.conftest import CommittedDatabase
from tests.diary import eastern
from tests.payments.paying import (
    PREMIUM,
    TUESDAY,
    live,
    make_account,
    make_details,
    make_item,
    make_payer,
    noon,
    pay,
    pay_items,
    read,
    send,
    settle,
)
from tests.races.together import run_inside, run_together

WEDNESDAY = date(2027, 1, 13)
DUE, DAY_AFTER = date(2027, 1, 23), date(2027, 1, 24)
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
pytestmark = pytest.mark.usefixtures("committed_db")


def list_broken() -> set[str]:
    return {violation.name for violation in find_violations()}


def swap_unguarded(
    *, model: type[Any], ids: Sequence[int], before: str, after: str, changes: dict[str, Any]
) -> list[int]:
    """The move without its guard: read where the rows stand, then write."""
    found = sorted(model.objects.filter(pk__in=ids, status=before).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        columns = {"status": after, **changes}
        assignments = ", ".join(f"{name} = %s" for name in columns)
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {assignments} WHERE id = ANY(%s)", [*columns.values(), found]
        )
    return found


def lock_nothing(*, account_ids: object) -> list[Account]:
    """The lock taken away."""
    return []


def take_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (recording, settlement, overdue):
        monkeypatch.setattr(module, "lock_accounts", lock_nothing)
    monkeypatch.setattr("billing.allocation.lock_accounts", lock_nothing)


def prepare_valid_payment() -> Payment:
    payment = pay(make_account())
    approve(bank_account=payment.bank_account, at=noon(TUESDAY))
    return payment


def build() -> BankFile | None:
    return batching.build_file(today=TUESDAY, at=eastern(2027, 1, 12, 17))


def cancel(payment: Payment) -> None:
    cancel_payment(
        payment_id=payment.pk, today=TUESDAY, at=eastern(2027, 1, 12, 16, 59, 59), why="by the payer"
    )


class TestCancelingWhileTheFileIsBuilt:
    def test_a_payment_being_canceled_is_passed_over_by_the_file(self) -> None:
        payment = prepare_valid_payment()
        _, file = run_inside(lambda: cancel(payment), build, waits=False)
        payment.refresh_from_db()
        assert (file, payment.status) == (None, PaymentStatus.CANCELED)
        assert list_broken() == set()

    def test_a_payment_in_the_file_can_no_longer_be_canceled(self) -> None:
        payment = prepare_valid_payment()
        file, refusal = run_inside(build, lambda: cancel(payment), waits=True)
        payment.refresh_from_db()
        assert (file.entry_count, payment.status) == (1, PaymentStatus.SENDING)
        assert isinstance(refusal, UnableToCancel)
        assert list_broken() == set()

    def test_without_the_compare_and_swap_it_would_be_canceled_and_debited(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = prepare_valid_payment()
        monkeypatch.setattr(states, "_swap", swap_unguarded)
        run_inside(build, lambda: cancel(payment), waits=True)
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.CANCELED
        assert FileEntry.objects.filter(payment=payment).exists()
        assert "I9 one line in one file" in list_broken()

    def test_files_built_at_once_hold_each_payment_once(self) -> None:
        for _ in range(6):
            prepare_valid_payment()
        files = run_together(*[build] * 4)
        assert sorted(file.entry_count if file else 0 for file in files) == [0, 0, 0, 6]
        assert list_broken() == set()


class TestAReturnWhileDebitsSettle:
    @pytest.fixture
    def payment(self, committed_db: CommittedDatabase) -> Payment:
        payment = pay(make_account())
        send(TUESDAY)
        read(WEDNESDAY)
        return payment

    @staticmethod
    def give_back(payment: Payment) -> list[int]:
        returned = PaymentReturn(payment_id=payment.pk, code="R01", why="not enough money")
        return return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY))

    @staticmethod
    def settle() -> dict[str, int]:
        return dict(settle_due(today=WEDNESDAY, at=noon(WEDNESDAY)))

    def test_returned_while_it_settles_the_money_leaves_the_bank_again(self, payment: Payment) -> None:
        _, returned = run_inside(self.settle, lambda: self.give_back(payment), waits=True)
        assert returned == [payment.pk]
        assert self.find_broken() == set()

    def test_settling_while_it_is_returned_finds_nothing_to_settle(self, payment: Payment) -> None:
        _, counts = run_inside(lambda: self.give_back(payment), self.settle, waits=True)
        assert counts["settled"] == 0
        assert self.find_broken() == set()

    def test_without_the_compare_and_swap_what_was_returned_would_settle(
        self, payment: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(states, "_swap", swap_unguarded)
        take_locks_away(monkeypatch)
        run_inside(lambda: self.give_back(payment), self.settle, waits=True)
        assert {"I7 payments", "I17 receipts"} <= self.find_broken()

    @staticmethod
    def find_broken() -> set[str]:
        """The returns of these tests have no line of a file behind them."""
        return list_broken() - {"I10 returned once"}


class TestTwoPaymentsOnOneAccount:
    def test_both_count_once_and_the_second_sees_what_the_first_left_to_pay(self) -> None:
        account = make_account()
        items = [make_item(account, 200_00), make_item(account, PREMIUM)]
        run_inside(lambda: pay_items(items[:1]), lambda: pay_items(items[1:]), waits=True)
        standing = read_standing(account_id=account.pk, today=TUESDAY)
        assert (standing.due_cents, standing.credit_cents, Receipt.objects.count()) == (0, 200_00, 2)
        assert list_broken() == set()

    def test_without_the_lock_the_bill_would_be_paid_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        account = make_account()
        items = [make_item(account, 200_00), make_item(account, PREMIUM)]
        take_locks_away(monkeypatch)
        run_inside(lambda: pay_items(items[:1]), lambda: pay_items(items[1:]), waits=False)
        assert "I11 invoices" in list_broken()

    def test_eight_at_once_are_eight_receipts(self) -> None:
        account = make_account()
        item = make_item(account, 40_00)
        run_together(*[lambda: pay_items([item])] * 8)
        standing = read_standing(account_id=account.pk, today=TUESDAY)
        assert (Receipt.objects.count(), standing.credit_cents) == (8, 320_00 - PREMIUM)
        assert list_broken() == set()


def pay_on(account: Account, day: date) -> list[Payment]:
    """A request that reached us at noon of a day, whenever it is recorded."""
    return pay_items([make_item(account, today=day)], today=day)


def review() -> dict[str, int]:
    return dict(overdue.review(today=DAY_AFTER, at=eastern(2027, 1, 24, 0, 10), run="review_overdue"))


def read_start(account: Account) -> date:
    return Enrollment.objects.get(account=account).coverage_start


class TestPayingWhileTheReviewRuns:
    def test_paid_a_moment_before_midnight_and_committed_after_it_holds_the_start(self) -> None:
        account = make_account()
        _, counts = run_inside(lambda: pay_on(account, DUE), review, waits=True)
        assert (counts["pushed"], read_start(account)) == (0, FEBRUARY)
        assert list_broken() == set()

    def test_recorded_when_the_review_has_already_pushed_it_restores_the_start(self) -> None:
        account = make_account()
        counts, _ = run_inside(review, lambda: pay_on(account, DUE), waits=True)
        assert (counts["pushed"], read_start(account)) == (1, FEBRUARY)
        assert [move.start_after for move in StartMove.objects.order_by("pk")] == [MARCH, FEBRUARY]
        assert read_standing(account_id=account.pk, today=DAY_AFTER).binder_received
        assert list_broken() == set()

    def test_without_the_lock_the_review_would_push_a_start_that_was_paid_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = make_account()
        take_locks_away(monkeypatch)
        run_inside(lambda: pay_on(account, DUE), review, waits=False)
        assert (read_start(account), "I12 starts" in list_broken()) == (MARCH, True)

    def test_eight_payers_and_the_review_at_once_and_each_gets_the_start_they_were_told(self) -> None:
        in_time, late = [make_account() for _ in range(4)], [make_account() for _ in range(4)]
        acts = [lambda a=account: pay_on(a, DUE) for account in in_time]
        acts += [lambda a=account: pay_on(a, DAY_AFTER) for account in late]
        answers = run_together(*acts, review)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert {read_start(account) for account in in_time} == {FEBRUARY}
        assert {read_start(account) for account in late} == {MARCH}
        assert list_broken() == set()

    def test_paying_for_an_enrollment_that_the_review_has_just_expired_is_refused(self) -> None:
        account = make_account(window_ends=date(2027, 2, 28))
        item = make_item(account, today=DAY_AFTER)

        def pay_as_read_before() -> list[Payment]:
            return recording.record_payments(
                payer=make_payer(),
                bank=make_details(),
                items=[item],
                form_key=uuid4(),
                today=DAY_AFTER,
                at=noon(DAY_AFTER),
            )

        counts, refusal = run_inside(review, pay_as_read_before, waits=True)
        assert counts["expired"] == 1
        assert isinstance(refusal, recording.UnableToRecord)
        assert not Payment.objects.exists()

    def test_two_reviews_at_once_push_each_start_once(self) -> None:
        accounts = [make_account() for _ in range(5)]
        answers = run_together(review, review)
        assert sum(answer["pushed"] for answer in answers) == len(accounts)
        assert StartMove.objects.count() == len(accounts)
        assert Notice.objects.filter(event="start_pushed", channel="letter").count() == len(accounts)


class TestTheSameJobTwiceAtOnce:
    def test_the_bank_is_read_once_by_four_at_once(self) -> None:
        payment = pay(make_account(), number="1000000001")
        send(TUESDAY)
        live(WEDNESDAY, date(2027, 1, 18))
        answers = run_together(*[lambda: read(date(2027, 1, 19))] * 4)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert sum(answer["returned"] for answer in answers) == 1
        assert ReturnLine.objects.count() == 1
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.RETURNED
        assert list_broken() == set()

    def test_scheduled_money_counts_once(self) -> None:
        account = make_account()
        payer = make_payer(channel="web", user=people.make_user(member=account.enrollment.member))
        pay(account, received=WEDNESDAY, payer=payer)
        answers = run_together(*[lambda: credit_due(today=WEDNESDAY, at=noon(WEDNESDAY))] * 4)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert Receipt.objects.count() == 1
        assert list_broken() == set()

    def test_debits_settle_and_post_once(self) -> None:
        pay(make_account())
        send(TUESDAY)
        read(WEDNESDAY)
        answers = run_together(*[lambda: settle(WEDNESDAY)] * 4)
        assert sum(answer["settled"] for answer in answers) == 1
        live(date(2027, 1, 14), date(2027, 1, 18))
        read(date(2027, 1, 19))
        answers = run_together(*[lambda: settle(date(2027, 1, 19))] * 4)
        assert sum(answer["posted"] for answer in answers) == 1
        assert list_broken() == set()

    def test_bills_are_issued_once(self) -> None:
        for _ in range(5):
            people.make_enrollment()
        day = date(2027, 1, 5)
        answers = run_together(*[lambda: invoices.issue_missing(today=day, at=noon(day))] * 4)
        assert sum(answer["invoices"] for answer in answers) == 5
        assert list_broken() == set()

    def test_files_go_out_once(self) -> None:
        for _ in range(3):
            pay(make_account())
        answers = run_together(*[lambda: send(TUESDAY)] * 4)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert sum(answer["debits"] for answer in answers) == 3
        assert BankFile.objects.filter(direction="out", status="sent").count() == 1
        assert list_broken() == set()

    def test_of_two_that_run_the_timetable_one_runs_it(self) -> None:
        pay(make_account())

        def live_the_day() -> list[str]:
            return [
                ran.job for ran in run_until(timetable=read_timetable(), moment=eastern(2027, 1, 12, 23, 59))
            ]

        answers = run_together(*[live_the_day] * 3)
        refused = [answer for answer in answers if isinstance(answer, TimetableAlreadyRunning)]
        ran = [job for answer in answers if isinstance(answer, list) for job in answer]
        assert len(refused) + sum(isinstance(answer, list) for answer in answers) == 3
        assert sorted(ran) == sorted(job.name for job in read_timetable())
        assert not JobRun.objects.exclude(error="").exists()
        assert tasks.settle_due(day=TUESDAY, at=noon(TUESDAY))["settled"] == 0
