"""A waiver takes off given months from the day it was asked for, and can satisfy a first payment."""

from datetime import date
from typing import Any

import pytest

from billing.corrections import UnableToCorrect
from billing.invoices import issue_missing
from billing.models import Account, Adjustment, Correction, CorrectionKind, Invoice
from members.models import EnrollmentStatus, Notice
from members.notices import write
from tests.billing.books import (
    FEBRUARY,
    MARCH,
    PREMIUM,
    make_account,
    noon,
    read_enrollment,
    receive,
    review,
    see,
    settle_and_clear,
)
from tests.billing.correcting import ask, make_override, waive

pytestmark = pytest.mark.usefixtures("books")
ASKED = date(2027, 1, 20)


def grant(
    account: Account,
    cents: int | None = None,
    *,
    month: date = FEBRUARY,
    asked_on: date = ASKED,
    today: date = ASKED,
    **facts: Any,
) -> Correction:
    return waive(account, month, cents, today=today, asked_on=asked_on, **facts)


def read_state(account: Account) -> tuple[str, date]:
    enrollment = read_enrollment(account)
    return enrollment.status, enrollment.coverage_start


def test_a_full_waiver_of_the_first_bill_makes_coverage_active_without_payment() -> None:
    account = make_account()
    grant(account)
    assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)
    invoice = Invoice.objects.get(account=account, voided_at=None)
    assert (invoice.premium_cents, invoice.adjustment_cents, invoice.amount_cents) == (PREMIUM, -PREMIUM, 0)
    told = Notice.objects.filter(event="bill_ready").latest("pk")
    assert (told.facts["invoice_number"], told.facts["amount_cents"]) == (invoice.number, 0)
    words = write(event="bill_ready", language="en", facts=told.facts).body
    assert "Nothing is left to pay for this month." in words
    assert "Money we already received" not in words
    confirmed = Notice.objects.filter(event="coverage_confirmed").latest("pk")
    assert confirmed.facts["amount_cents"] == 0


def test_a_partial_waiver_leaves_the_rest_to_pay_and_the_rest_in_time_holds_the_start() -> None:
    account = make_account()
    grant(account, cents=200_00)
    assert see(account, today=ASKED).due_cents == PREMIUM - 200_00
    receive(account, PREMIUM - 200_00, on=date(2027, 1, 23))
    review(date(2027, 1, 24))
    assert read_state(account) == (EnrollmentStatus.WAITING, FEBRUARY)


@pytest.mark.parametrize(("asked_on", "start"), [(date(2027, 1, 23), FEBRUARY), (date(2027, 1, 24), MARCH)])
def test_granted_after_the_push_it_counts_from_the_day_it_was_asked_for(asked_on: date, start: date) -> None:
    account = make_account()
    receive(account, 84_17, on=date(2027, 1, 12))
    review(date(2027, 1, 24))
    grant(account, cents=200_00, asked_on=asked_on, today=date(2027, 1, 28))
    assert read_state(account) == (EnrollmentStatus.WAITING, start)
    assert see(account, today=date(2027, 1, 28)).binder_received == (start == FEBRUARY)


@pytest.mark.parametrize(
    ("asked_on", "today", "status"), [(23, 23, "applied"), (23, 24, "asked"), (24, 25, "applied")]
)
def test_asked_for_before_a_due_date_that_has_passed_it_takes_two_whatever_the_amount(
    asked_on: int, today: int, status: str
) -> None:
    days = {"asked_on": date(2027, 1, asked_on), "today": date(2027, 1, today)}
    asked = ask(CorrectionKind.WAIVER, make_account(), month=FEBRUARY, cents=-1, **days)
    assert asked.status == status


def test_a_due_date_moved_for_the_account_counts_like_a_23rd() -> None:
    account, due_date = make_account(), date(2027, 1, 28)
    make_override(account=account, coverage_month=FEBRUARY, due_date=due_date, recorded_at=noon(ASKED))
    days = {"asked_on": due_date, "today": date(2027, 1, 29)}
    assert ask(CorrectionKind.WAIVER, account, month=FEBRUARY, cents=-1, **days).status == "asked"


def test_granted_when_the_month_has_begun_it_waits_for_staff() -> None:
    account = make_account()
    review(date(2027, 1, 24))
    grant(account, today=date(2027, 2, 3))
    assert read_state(account) == (EnrollmentStatus.WAITING, MARCH)
    review_row = read_enrollment(account).start_reviews.get()
    assert (review_row.stands_at, review_row.rules_give, review_row.decided_at) == (MARCH, FEBRUARY, None)


def test_a_paid_month_waived_later_is_credit() -> None:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    grant(account, cents=100_00, asked_on=date(2027, 2, 2), today=date(2027, 2, 3))
    standing = see(account, today=date(2027, 2, 3))
    assert (standing.due_cents, standing.credit_cents) == (0, 100_00)
    assert read_state(account) == (EnrollmentStatus.ACTIVE, FEBRUARY)


def test_a_month_not_billed_yet_is_billed_for_less() -> None:
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    grant(account, month=MARCH)
    issue_missing(today=FEBRUARY, at=noon(FEBRUARY))
    assert Invoice.objects.get(account=account, coverage_month=MARCH).amount_cents == 0


def test_the_same_form_again_waives_nothing_more() -> None:
    account = make_account()
    first = grant(account, cents=50_00, key="H1")
    assert grant(account, cents=50_00, key="H1") == first
    assert see(account, today=ASKED).due_cents == PREMIUM - 50_00


def test_several_months_are_waived_together() -> None:
    account = make_account()
    grant(account, cents=50_00, last_month=MARCH)
    made = Adjustment.objects.order_by("coverage_month").values_list("coverage_month", "cents", "counts_from")
    assert list(made) == [(FEBRUARY, -50_00, ASKED), (MARCH, -50_00, ASKED)]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"cents": PREMIUM + 1}, "does not come to that much"),
        ({"cents": -1}, "never adds"),
        ({"cents": 0}, "not nothing"),
        ({"month": date(2026, 12, 1)}, "December 2026"),
        ({"month": date(2027, 2, 2)}, "first day"),
        ({"month": MARCH, "last_month": FEBRUARY}, "before the first"),
        ({"asked_on": date(2027, 1, 21)}, "has not come"),
        ({"asked_on": date(2027, 1, 4)}, "enrolled on January 5, 2027"),
        ({"why": " "}, "Say why"),
    ],
)
def test_what_cannot_be_waived_changes_nothing(facts: dict[str, Any], words: str) -> None:
    account = make_account()
    with pytest.raises(UnableToCorrect, match=words):
        grant(account, **facts)
    assert not Adjustment.objects.exists()
