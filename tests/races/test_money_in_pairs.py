"""Races in pairs: two things touch the same money at once. Without its guard the race is real; the guard stops it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import IntegrityError, connection

from billing import invoices, overdue
from billing.balances import read_standing
from billing.models import Account, Receipt
from connector_pay.celery import read_timetable
from connector_pay.lib import states
from connector_pay.lib.jobs import JobRun, TimetableAlreadyRunning, run_until
from connector_pay.self_check import find_violations
from members.models import Enrollment, Notice, StartMove
from payments import recording, returns, settlement, tasks
from payments.ach import batching, claiming
from payments.bank_accounts import approve
from payments.canceling import UnableToCancel, cancel_payment
from payments.models import (
    PAYMENT_MOVES,
    BankFile,
    FileEntry,
    Payment,
    PaymentMove,
    PaymentStatus,
    Refund,
    ReturnLine,
)
from payments.recording import credit_due
from payments.returns import PaymentReturn, return_payments
from payments.settlement import settle_due
from tests import databases, people
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
from tests.payments.refunding import CLEARED, ask_and_approve, find_receipt, overpay
from tests.races.together import run_inside, run_together
from tests.standing import list_guards

WEDNESDAY = date(2027, 1, 13)
DUE, DAY_AFTER = date(2027, 1, 23), date(2027, 1, 24)
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
pytestmark = pytest.mark.usefixtures("committed_db")


def list_broken() -> set[str]:
    return {violation.name for violation in find_violations()}


def take_guards_away(monkeypatch: pytest.MonkeyPatch, database: CommittedDatabase) -> None:
    """Moves without the compare-and-swap, and without the database's trigger, which refuses an arrow that is not allowed."""
    monkeypatch.setattr(states, "_swap", swap_unguarded)
    owner = psycopg2.connect(databases.url_of(database.name, owner=True))
    with owner, owner.cursor() as cursor:
        for table, guard in list_guards():
            cursor.execute(f"DROP TRIGGER {guard} ON {table}")
    owner.close()


def swap_unguarded(
    *, model: type[Any], ids: Sequence[int], before: str, after: str, changes: dict[str, Any]
) -> list[int]:
    """The move without its guard: read where the rows stand, then write."""
    found = sorted(model.objects.filter(pk__in=ids, status=before).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        columns = {"status": after, **changes}
        assignments = ", ".join(f"{states._find_column(model, name)} = %s" for name in columns)
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {assignments} WHERE id = ANY(%s)", [*columns.values(), found]
        )
    return found


def lock_nothing(*, account_ids: object) -> list[Account]:
    """The lock taken away."""
    return []


def take_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (recording, returns, settlement, overdue):
        monkeypatch.setattr(module, "lock_accounts", lock_nothing)
    monkeypatch.setattr("billing.allocation.lock_accounts", lock_nothing)
    monkeypatch.setattr("billing.accounts.lock_accounts", lock_nothing)


def prepare_valid_payment() -> Payment:
    payment = pay(make_account())
    approve(bank_account=payment.bank_account, at=noon(TUESDAY))
    return payment


def build() -> list[BankFile]:
    return batching.build_files(today=TUESDAY, at=eastern(2027, 1, 12, 17))


def cancel(payment: Payment) -> None:
    cancel_payment(
        payment_id=payment.pk, today=TUESDAY, at=eastern(2027, 1, 12, 16, 59, 59), why="by the payer"
    )


class TestCancelingWhileTheFileIsBuilt:
    def test_a_payment_being_canceled_is_passed_over_by_the_file(self) -> None:
        payment = prepare_valid_payment()
        _, files = run_inside(lambda: cancel(payment), build, waits=False)
        payment.refresh_from_db()
        assert (files, payment.status) == ([], PaymentStatus.CANCELED)
        assert list_broken() == set()

    def test_a_payment_in_the_file_can_no_longer_be_canceled(self) -> None:
        payment = prepare_valid_payment()
        (file,), refusal = run_inside(build, lambda: cancel(payment), waits=True)
        payment.refresh_from_db()
        assert (file.entry_count, payment.status) == (1, PaymentStatus.SENDING)
        assert isinstance(refusal, UnableToCancel)
        assert list_broken() == set()

    def test_without_the_compare_and_swap_it_would_be_canceled_and_debited(
        self, monkeypatch: pytest.MonkeyPatch, committed_db: CommittedDatabase
    ) -> None:
        payment = prepare_valid_payment()
        take_guards_away(monkeypatch, committed_db)
        run_inside(build, lambda: cancel(payment), waits=True)
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.CANCELED
        assert FileEntry.objects.filter(payment=payment).exists()
        assert "I9 one line in one file" in list_broken()

    def test_files_built_at_once_hold_each_payment_once(self) -> None:
        for _ in range(6):
            prepare_valid_payment()
        built = run_together(*[build] * 8)
        assert sorted([file.entry_count for file in files] for files in built) == [[]] * 7 + [[6]]
        assert list_broken() == set()


class TestTwoFilesBuiltAtOnce:
    @staticmethod
    def pay_and_build() -> list[BankFile]:
        prepare_valid_payment()
        return build()

    def test_the_second_builder_waits_and_takes_the_next_modifier_and_higher_traces(self) -> None:
        prepare_valid_payment()
        (first,), (second,) = run_inside(build, self.pay_and_build, waits=True)
        assert [file.modifier for file in (first, second)] == ["A", "B"]
        assert first.entries.get().trace < second.entries.get().trace
        assert list_broken() == set()

    def test_without_its_turn_the_second_would_take_the_same_name_and_fail(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepare_valid_payment()
        monkeypatch.setattr(batching, "_wait_for_turn", lambda: None)
        (first,), refusal = run_inside(build, self.pay_and_build, waits=True)
        assert isinstance(refusal, IntegrityError)
        assert list(BankFile.objects.all()) == [first]


class TestADebitThatComesBackWhileItsRefundGoesOut:
    @pytest.fixture
    def refund(self, committed_db: CommittedDatabase) -> Refund:
        return ask_and_approve(find_receipt(overpay()))

    @staticmethod
    def give_back(refund: Refund) -> list[int]:
        returned = PaymentReturn(payment_id=refund.payment_id, code="R10", why="not authorized")
        return return_payments(returns=[returned], today=CLEARED, at=noon(CLEARED))

    @staticmethod
    def begin_to_give_back(refund: Refund) -> None:
        """A return as far as its first step: the debit has moved, its refund not yet."""
        PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=[refund.payment_id],
            before=PaymentStatus.POSTED,
            after=PaymentStatus.RETURNED,
            at=noon(CLEARED),
        )

    @staticmethod
    def build() -> list[BankFile]:
        return batching.build_files(today=CLEARED, at=eastern(2027, 1, 21, 17))

    def test_a_refund_is_passed_over_while_its_debit_comes_back(self, refund: Refund) -> None:
        _, files = run_inside(lambda: self.give_back(refund), self.build, waits=False)
        assert (files, self.build()) == ([], []), "nor does it go out afterwards"
        assert not FileEntry.objects.filter(refund=refund).exists()
        assert self.find_broken() == set()

    def test_a_return_waits_until_the_refund_is_in_its_file(self, refund: Refund) -> None:
        (file,), returned = run_inside(self.build, lambda: self.give_back(refund), waits=True)
        assert (file.credit_cents, returned) == (refund.cents, [refund.payment_id])
        assert self.find_broken() == set()

    def test_the_hold_on_the_debit_stops_a_refund_that_a_return_has_not_reached_yet(
        self, refund: Refund
    ) -> None:
        _, files = run_inside(lambda: self.begin_to_give_back(refund), self.build, waits=False)
        assert files == []

    def test_without_the_hold_on_the_debit_both_would_go_out(
        self, refund: Refund, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unheld = claiming._REFUNDS.replace("FOR SHARE OF payment SKIP LOCKED", "")
        assert unheld != claiming._REFUNDS
        monkeypatch.setattr(claiming, "_REFUNDS", unheld)
        _, files = run_inside(lambda: self.begin_to_give_back(refund), self.build, waits=False)
        assert len(files) == 1

    @staticmethod
    def find_broken() -> set[str]:
        """The returns of these tests have no line of a file behind them."""
        return list_broken() - {"I10 returned once"}


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
        self, payment: Payment, monkeypatch: pytest.MonkeyPatch, committed_db: CommittedDatabase
    ) -> None:
        take_guards_away(monkeypatch, committed_db)
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
        assert sorted(ran) == sorted(job.name for job in read_timetable() if job.days(TUESDAY))
        assert not JobRun.objects.exclude(error="").exists()
        assert tasks.settle_due(day=TUESDAY, at=noon(TUESDAY))["settled"] == 0


class TestAReturnWhileItSettles:
    """The return file and the settling of the same debit, each inside the other's transaction, and both at once."""

    def prepare(self) -> tuple[Payment, PaymentReturn]:
        payment = pay(make_account())
        send(TUESDAY)
        read(WEDNESDAY)
        return payment, PaymentReturn(payment_id=payment.pk, code="R01", why="no money")

    def test_a_return_in_hand_makes_the_settling_wait_and_leave_it(self) -> None:
        payment, returned = self.prepare()
        ids, counts = run_inside(
            lambda: return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY)),
            lambda: settle(WEDNESDAY),
            waits=True,
        )
        assert (ids, counts["settled"]) == ([payment.pk], 0)
        self.check(payment)

    def test_a_settling_in_hand_makes_the_return_wait_and_take_it_back_from_the_bank(self) -> None:
        payment, returned = self.prepare()
        counts, ids = run_inside(
            lambda: settle(WEDNESDAY),
            lambda: return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY)),
            waits=True,
        )
        assert (counts["settled"], ids) == (1, [payment.pk])
        self.check(payment)

    def test_without_the_compare_and_swap_a_returned_debit_would_settle(
        self, monkeypatch: pytest.MonkeyPatch, committed_db: CommittedDatabase
    ) -> None:
        payment, returned = self.prepare()
        take_locks_away(monkeypatch)
        take_guards_away(monkeypatch, committed_db)
        run_inside(
            lambda: return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY)),
            lambda: settle(WEDNESDAY),
            waits=True,
        )
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.SETTLED
        assert {"I7 payments", "I17 receipts"} <= list_broken()

    def test_four_of_each_at_once_return_it_once(self) -> None:
        payment, returned = self.prepare()

        def give_back() -> list[int]:
            return return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY))

        answers = run_together(*[give_back] * 4, *[lambda: settle(WEDNESDAY)] * 4)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert sum(answer == [payment.pk] for answer in answers) == 1
        self.check(payment)

    def check(self, payment: Payment) -> None:
        payment.refresh_from_db()
        assert payment.status == PaymentStatus.RETURNED
        assert read_standing(account_id=payment.account_id, today=WEDNESDAY).due_cents == PREMIUM
        # The line that told of it is not there: the return was called without its file.
        assert list_broken() <= {"I10 returned once"}


class TestRetriesMadeTwiceAtOnce:
    def test_each_is_made_once(self, settings: Any) -> None:
        from payments.retries import make_retries

        settings.PREMIUM_POLICY = {"retry_returns": True}
        payment = pay(make_account())
        send(TUESDAY)
        returned = PaymentReturn(payment_id=payment.pk, code="R01", why="no money")
        return_payments(returns=[returned], today=WEDNESDAY, at=noon(WEDNESDAY))
        day = date(2027, 1, 15)
        answers = run_together(*[lambda: make_retries(today=day, at=noon(day))] * 4)
        assert sorted(answer["retried"] for answer in answers) == [0, 0, 0, 1]
        assert Payment.objects.filter(retry_of=payment).count() == 1
