"""What a bill says in figures: each line adds up to what is due, whatever was paid, returned, refunded or left open."""

from datetime import date

import pytest
from django.test.utils import CaptureQueriesContext

from billing.bill_figures import BillFigures, read_figures
from billing.models import Account, Invoice
from tests.billing.books import (
    ENROLLED,
    FEBRUARY,
    MARCH,
    PREMIUM,
    bill,
    make_account,
    receive,
    settle_and_clear,
    take_back,
)

pytestmark = pytest.mark.usefixtures("books")


def read_latest(account: Account, *, today: date) -> BillFigures:
    """The account's latest bill."""
    invoice = Invoice.objects.filter(account=account, voided_at=None).latest("coverage_month")
    figures = read_figures(invoice_ids=[invoice.pk], today=today)[invoice.pk]
    amount = figures.invoice.premium_cents - figures.invoice.subsidy_cents
    assert figures.previous_cents - figures.payments_cents + amount == figures.due_cents
    return figures


def test_a_first_bill_has_nothing_before_it() -> None:
    figures = read_latest(make_account(subsidy_cents=28_27), today=ENROLLED)
    assert (figures.previous_cents, figures.payments_cents, figures.due_cents) == (0, 0, PREMIUM - 28_27)
    assert (figures.past_due_cents, figures.credit_cents, figures.recent) == (0, 0, ())
    assert [item.coverage_month for item in figures.open_months] == [FEBRUARY]


def test_what_was_owed_when_the_bill_before_went_out_and_what_came_since() -> None:
    account = make_account(status="active")
    receive(account, 100_00, on=date(2027, 1, 31))
    bill(account.enrollment, today=FEBRUARY)
    receive(account, 50_00, on=date(2027, 2, 1))
    bill(account.enrollment, today=MARCH)
    figures = read_latest(account, today=MARCH)
    assert figures.previous_cents == 2 * PREMIUM - 100_00
    assert figures.payments_cents == 50_00
    assert figures.due_cents == 3 * PREMIUM - 150_00
    assert [item.remaining_cents for item in figures.open_months] == [PREMIUM - 150_00, PREMIUM, PREMIUM]


@pytest.mark.parametrize(("today", "past"), [(date(2027, 2, 23), PREMIUM), (date(2027, 2, 24), 2 * PREMIUM)])
def test_past_due_is_what_should_have_been_paid_before_today(today: date, past: int) -> None:
    account = make_account(status="active")
    bill(account.enrollment, today=FEBRUARY)
    assert read_latest(account, today=today).past_due_cents == past


def test_money_paid_ahead_is_a_credit_from_before_and_the_rest_is_kept() -> None:
    account = make_account(status="active")
    receive(account, 2 * PREMIUM + 10_00, on=date(2027, 1, 4))
    bill(account.enrollment, today=FEBRUARY)
    figures = read_latest(account, today=FEBRUARY)
    assert (figures.previous_cents, figures.payments_cents, figures.due_cents) == (-PREMIUM, 0, 0)
    assert figures.credit_cents == 10_00
    assert figures.open_months == ()


def test_a_payment_that_came_back_is_shown_and_does_not_count() -> None:
    account = make_account(status="active")
    reference = receive(account, PREMIUM, on=date(2027, 1, 20))
    settle_and_clear(reference, on=date(2027, 1, 25))
    assert [(one.cents, one.cleared, one.stands) for one in read_latest(account, today=FEBRUARY).recent] == [
        (PREMIUM, True, True)
    ]
    take_back(reference, on=date(2027, 1, 26), settled=True)
    figures = read_latest(account, today=FEBRUARY)
    assert figures.due_cents == PREMIUM
    assert [(one.cents, one.stands) for one in figures.recent] == [(PREMIUM, False)]


def test_only_the_latest_five_payments_are_listed_the_newest_first() -> None:
    account = make_account(status="active")
    for day in range(10, 17):
        receive(account, 1_00, on=date(2027, 1, day))
    recent = read_latest(account, today=FEBRUARY).recent
    assert [one.received_date.day for one in recent] == [16, 15, 14, 13, 12]


def test_an_older_bill_counts_only_the_months_up_to_its_own() -> None:
    account = make_account(status="active")
    bill(account.enrollment, today=FEBRUARY)
    first = Invoice.objects.get(account=account, coverage_month=FEBRUARY)
    assert read_figures(invoice_ids=[first.pk], today=FEBRUARY)[first.pk].due_cents == PREMIUM


def test_many_bills_take_as_many_statements_as_one(django_assert_num_queries) -> None:
    from django.db import connection

    accounts = [make_account(status="active") for _ in range(4)]
    ids = list(Invoice.objects.filter(account__in=accounts).values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as one:
        read_figures(invoice_ids=ids[:1], today=ENROLLED)
    with django_assert_num_queries(len(one)):
        assert list(read_figures(invoice_ids=ids[::-1], today=ENROLLED)) == ids[::-1]
