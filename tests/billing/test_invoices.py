"""Invoices are issued once, for the months that should have one."""

from datetime import date

import pytest

from billing import invoices, lacking
from billing.accounts import list_accounts_of_member
from billing.models import Account, Invoice, Movement
from members.models import EnrollmentStatus, Notice
from tests.billing.books import (
    APRIL,
    ENROLLED,
    FEBRUARY,
    MARCH,
    MAY,
    PREMIUM,
    bill,
    make_account,
    noon,
    read_enrollment,
    receive,
    see,
    settle_and_clear,
)
from tests.people import make_enrollment, make_member, make_rate

pytestmark = pytest.mark.usefixtures("books")


def list_months(account: Account) -> list[date]:
    live = Invoice.objects.filter(account=account, voided_at=None)
    return list(live.order_by("coverage_month").values_list("coverage_month", flat=True))


def make_active_account() -> Account:
    """Paid on January 10, posted on January 15."""
    account = make_account()
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    return account


def issue(day: date) -> dict[str, int]:
    return dict(invoices.issue_missing(today=day, at=noon(day)))


def test_a_new_enrollment_gets_an_account_and_its_binder_as_soon_as_it_arrives() -> None:
    enrollment = make_enrollment(requested_start=APRIL)
    assert issue(ENROLLED) == {"accounts": 1, "invoices": 1}
    invoice = Invoice.objects.get(account__enrollment=enrollment)
    assert (invoice.coverage_month, invoice.due_date, invoice.is_binder) == (APRIL, date(2027, 3, 23), True)
    assert (invoice.amount_cents, invoice.issued_on) == (PREMIUM, ENROLLED)


def test_a_binder_is_due_when_intake_says() -> None:
    account = make_account(binder_due_date=date(2027, 1, 29))
    assert Invoice.objects.get(account=account).due_date == date(2027, 1, 29)


def test_issuing_twice_issues_once() -> None:
    make_account()
    assert issue(ENROLLED) == {"accounts": 0, "invoices": 0}
    assert (Invoice.objects.count(), Movement.objects.count()) == (1, 1)


def test_the_member_is_told_of_each_bill_once() -> None:
    account = make_account()
    issue(ENROLLED)
    notice = Notice.objects.get(event="bill_ready")
    invoice = Invoice.objects.get(account=account)
    assert notice.subject == f"invoice:{invoice.pk}"
    assert notice.facts["invoice_number"] == invoice.number
    assert notice.facts["due_date"] == "2027-01-23"


@pytest.mark.parametrize(
    ("more_cents", "asked_cents"),
    [(0, PREMIUM), (100_00, PREMIUM - 100_00), (PREMIUM, 0), (2 * PREMIUM, 0)],
)
def test_a_bill_asks_for_what_credit_leaves_to_pay(more_cents: int, asked_cents: int) -> None:
    account = make_active_account()
    if more_cents:
        receive(account, more_cents, on=date(2027, 1, 20))
    issue(date(2027, 2, 1))
    notice = Notice.objects.get(event="bill_ready", facts__coverage_month="2027-03-01")
    assert notice.facts["amount_cents"] == asked_cents == see(account, today=date(2027, 2, 1)).due_cents


@pytest.mark.parametrize(
    ("day", "months"),
    [
        (date(2027, 1, 31), [FEBRUARY]),
        (date(2027, 2, 1), [FEBRUARY, MARCH]),
        (date(2027, 2, 28), [FEBRUARY, MARCH]),
        (date(2027, 3, 1), [FEBRUARY, MARCH, APRIL]),
    ],
)
def test_an_active_enrollment_is_billed_on_the_first_of_the_month_before(
    day: date, months: list[date]
) -> None:
    account = make_active_account()
    issue(day)
    assert list_months(account) == months


def test_a_run_three_months_late_bills_every_month_it_missed() -> None:
    account = make_active_account()
    assert issue(APRIL)["invoices"] == 3
    assert list_months(account) == [FEBRUARY, MARCH, APRIL, MAY]
    assert list(Invoice.objects.filter(is_binder=True)) == [Invoice.objects.get(coverage_month=FEBRUARY)]


def test_a_waiting_enrollment_has_its_binder_and_nothing_more() -> None:
    account = make_account()
    issue(APRIL)
    assert list_months(account) == [FEBRUARY]


@pytest.mark.parametrize(
    ("ends_on", "months"),
    [
        (date(2027, 2, 28), [FEBRUARY]),
        (date(2027, 3, 31), [FEBRUARY, MARCH]),
        (date(2027, 4, 1), [FEBRUARY, MARCH, APRIL]),
        (None, [FEBRUARY, MARCH, APRIL, MAY]),
    ],
)
def test_no_month_after_the_last_day_of_coverage_is_billed(ends_on: date | None, months: list[date]) -> None:
    account = make_active_account()
    enrollment = read_enrollment(account)
    enrollment.ends_on = ends_on
    enrollment.save()
    issue(APRIL)
    issue(APRIL)
    assert list_months(account) == months


def test_an_enrollment_that_ends_before_it_starts_is_never_billed() -> None:
    account = make_account(ends_on=date(2027, 1, 31))
    assert list_months(account) == []


def test_each_month_costs_what_its_rate_says() -> None:
    account = make_active_account()
    make_rate(enrollment=read_enrollment(account), month=MARCH, premium_cents=400_00, subsidy_cents=150_00)
    issue(FEBRUARY)
    march = Invoice.objects.get(account=account, coverage_month=MARCH)
    assert (march.premium_cents, march.subsidy_cents, march.amount_cents) == (400_00, 150_00, 250_00)


def test_a_binder_that_owes_nothing_is_issued_and_makes_coverage_active_at_once() -> None:
    account = make_account(premium_cents=300_00, subsidy_cents=300_00)
    assert Invoice.objects.get(account=account).amount_cents == 0
    assert read_enrollment(account).status == EnrollmentStatus.ACTIVE
    assert [notice.event for notice in Notice.objects.all()] == ["coverage_confirmed"]
    assert not Movement.objects.exists()


def test_a_net_premium_of_20_cents_waits_for_its_payment() -> None:
    account = make_account(premium_cents=300_20, subsidy_cents=300_00)
    assert read_enrollment(account).status == EnrollmentStatus.WAITING
    settle_and_clear(receive(account, 20, on=date(2027, 1, 23)), on=date(2027, 1, 28))
    assert read_enrollment(account).status == EnrollmentStatus.ACTIVE


def test_credit_is_spent_on_the_next_bill() -> None:
    account = make_active_account()
    receive(account, 300_00, on=date(2027, 1, 20))
    assert see(account, today=date(2027, 1, 20)).credit_cents == 300_00
    issue(FEBRUARY)
    standing = see(account, today=FEBRUARY)
    assert (standing.due_cents, standing.credit_cents) == (0, 300_00 - PREMIUM)


def test_only_the_accounts_asked_for_are_billed() -> None:
    alice, bob = make_active_account(), make_active_account()
    invoices.issue_missing(today=FEBRUARY, at=noon(FEBRUARY), account_ids=[alice.pk])
    assert list_months(alice) == [FEBRUARY, MARCH]
    assert list_months(bob) == [FEBRUARY]


def test_a_run_that_dies_between_chunks_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lacking, "CHUNK", 2)
    for _ in range(5):
        make_enrollment()
    chunks = []

    def die_in_the_second(**facts):
        chunks.append(facts)
        if len(chunks) == 2:
            raise KeyboardInterrupt
        return write(**facts)

    write = invoices._write
    with monkeypatch.context() as patch:
        patch.setattr(invoices, "_write", die_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            issue(ENROLLED)
    assert Invoice.objects.count() == 2
    assert issue(ENROLLED) == {"accounts": 0, "invoices": 3}
    assert Invoice.objects.count() == Movement.objects.count() == 5


def test_a_members_accounts_are_listed_newest_first() -> None:
    alice = make_member()
    health, dental = (
        bill(make_enrollment(member=alice)),
        bill(make_enrollment(member=alice, product="dental")),
    )
    make_account()
    assert list_accounts_of_member(member_pk=alice.pk) == [dental.pk, health.pk]
