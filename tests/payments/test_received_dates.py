"""The received date of a check is corrected: forward by one person, back across a due date by two; the start follows."""

from datetime import date
from uuid import uuid4

import pytest

from billing import overdue
from billing.corrections import UnableToCorrect
from billing.models import Account, CorrectionKind, Receipt, ReceiptChange, StartDecision, StartReview
from billing.receipt_changes import Decision
from members.models import Notice, User
from payments.received_dates import UnableToChangeDate, change_received_date, takes_two
from tests import people
from tests.billing import correcting
from tests.billing.correcting import make_override
from tests.payments.checking import bank, receive
from tests.payments.paying import PREMIUM, make_account, noon, pay
from tests.payments.test_moving import move

pytestmark = pytest.mark.usefixtures("books")
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
DUE, LATE, MONDAY = date(2027, 1, 23), date(2027, 1, 24), date(2027, 1, 25)


@pytest.fixture
def account(books: None) -> Account:
    return make_account()


def read_start(account: Account) -> date:
    account.enrollment.refresh_from_db()
    return account.enrollment.coverage_start


def receive_on(account: Account, day: date) -> Receipt:
    """A check that came on a day and was recorded on Monday, after the nights before."""
    overdue.review(today=LATE, at=noon(LATE), run="test")
    receive((account, PREMIUM), today=MONDAY, received_on=day, deposit_on=MONDAY)
    return Receipt.objects.get()


def change(
    receipt: Receipt, day: date, *, today: date = MONDAY, approved_by: User | None = None
) -> ReceiptChange:
    decision = Decision(
        by=people.make_staff(), why="the stamp says so", form_key=uuid4(), approved_by=approved_by
    )
    return change_received_date(
        receipt_id=receipt.pk, received_date=day, decision=decision, today=today, at=noon(today)
    )


@pytest.mark.parametrize(
    ("before", "after", "needed"),
    [
        (LATE, DUE, True),
        (date(2027, 2, 24), date(2027, 1, 30), True),
        (DUE, date(2027, 1, 22), False),
        (DUE, LATE, False),
        (date(2027, 2, 22), LATE, False),
    ],
)
def test_only_back_across_a_23rd_takes_two(account: Account, before: date, after: date, needed: bool) -> None:
    assert takes_two(account_id=account.pk, before=before, after=after) is needed


@pytest.mark.parametrize("whose", ["hers", "everyone's", "another's"])
def test_so_does_back_across_a_due_date_that_was_moved(account: Account, whose: str) -> None:
    moved = {"coverage_month": FEBRUARY, "due_date": date(2027, 1, 28), "recorded_at": noon(MONDAY)}
    owner = {"hers": account, "everyone's": None, "another's": make_account()}[whose]
    make_override(account=owner, **moved)
    days = {"before": date(2027, 1, 29), "after": date(2027, 1, 28)}
    assert takes_two(account_id=account.pk, **days) is (whose != "another's")


def test_so_does_back_across_the_date_that_intake_named(books: None) -> None:
    account = make_account(binder_due_date=date(2027, 2, 4))
    receipt = receive_on(account, MONDAY)
    change(receipt, date(2027, 2, 5), today=date(2027, 2, 5))
    with pytest.raises(UnableToChangeDate, match="Another person must approve"):
        change(receipt, date(2027, 2, 4), today=date(2027, 2, 5))


def test_moved_back_to_the_due_date_by_two_people_the_start_is_given_back(account: Account) -> None:
    receipt = receive_on(account, LATE)
    assert read_start(account) == MARCH
    with pytest.raises(UnableToChangeDate, match="Another person must approve"):
        change(receipt, DUE)
    assert read_start(account) == MARCH
    change(receipt, DUE, approved_by=people.make_staff())
    assert read_start(account) == FEBRUARY
    assert Notice.objects.filter(event="received_date_changed").exists()


def test_moved_forward_past_the_due_date_one_person_suffices_and_the_start_is_pushed(
    account: Account,
) -> None:
    receipt = receive_on(account, DUE)
    assert read_start(account) == FEBRUARY
    change(receipt, LATE)
    assert read_start(account) == MARCH


def test_of_coverage_that_has_started_staff_decide(account: Account) -> None:
    receipt = receive_on(account, DUE)
    started = date(2027, 2, 10)
    bank(started)
    assert account.enrollment.__class__.objects.get(pk=account.enrollment_id).status == "active"
    change(receipt, LATE, today=started)
    assert read_start(account) == FEBRUARY
    assert StartReview.objects.get().rules_give == MARCH


def test_a_start_that_staff_decided_is_not_asked_about_again(account: Account) -> None:
    receipt, started = receive_on(account, DUE), date(2027, 2, 10)
    bank(started)
    change(receipt, LATE, today=started)
    correcting.decide(StartReview.objects.get(), StartDecision.KEEP, today=started)
    change(receipt, MONDAY, today=started)
    assert StartReview.objects.count() == 1


def test_a_day_to_come_or_of_a_payment_online_is_refused(account: Account) -> None:
    pay(account)
    with pytest.raises(UnableToChangeDate, match="check or of a payment by phone"):
        change(Receipt.objects.get(), DUE)
    receipt = Receipt.objects.get(reference__startswith=f"check:{receive((account, PREMIUM)).pk}-")
    with pytest.raises(UnableToChangeDate, match="to come"):
        change(receipt, date(2027, 1, 26))


def test_approved_after_the_money_was_moved_to_another_account_it_is_refused(account: Account) -> None:
    receipt = receive_on(account, LATE)
    kind = CorrectionKind.RECEIVED_DATE
    asked = correcting.ask(kind, account, today=MONDAY, receipt_id=receipt.pk, new_date=DUE)
    move(receipt.reference, make_account(today=MONDAY), today=MONDAY)
    with pytest.raises(UnableToCorrect, match="counts for another account now"):
        correcting.approve(asked, today=MONDAY)
    assert ReceiptChange.objects.get().received_after == LATE
