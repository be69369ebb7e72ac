"""A plain bill is the bill that would have been written by itself."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from billing import invoices, plain_bills
from billing.models import Account, Invoice, Movement
from billing.plain_bills import issue_plain
from members.models import Notice
from tests.billing.books import (
    FEBRUARY,
    MARCH,
    PREMIUM,
    make_account,
    noon,
    receive,
    settle_and_clear,
)
from tests.billing.correcting import make_override
from tests.people import make_member, make_plan, make_rate

pytestmark = pytest.mark.usefixtures("books")
SAID_AT = noon(date(2027, 1, 1))
HOUSEHOLDS = {
    "by letter": {},
    "by email": {"paperless_bills": True},
    "paperless but without an email address": {"paperless_bills": True, "email": ""},
    "in Spanish": {"language": "es"},
    "dental": {"product": "dental"},
    "another price from March on": {"rates": [(MARCH, 300_00, 0)]},
    "another price from March on, said twice": {"rates": [(MARCH, 300_00, 0), (MARCH, 310_00, 10_00)]},
    "another price from April on": {"rates": [(date(2027, 4, 1), 300_00, 0)]},
    "another plan from February on": {"plans": [FEBRUARY]},
    "another plan from March on": {"plans": [FEBRUARY, MARCH]},
    "another plan from April on": {"plans": [FEBRUARY, date(2027, 4, 1)]},
    "nothing to pay": {"rates": [(MARCH, PREMIUM, PREMIUM)]},
}


def make_active_account(
    *, product: str = "health", rates: Any = (), plans: Any = (), **facts: Any
) -> Account:
    """Paid on January 10, posted on January 15; the prices were said before anything was billed."""
    account = make_account(member=make_member(**facts), product=product, at=SAID_AT)
    for month, premium, subsidy in rates:
        make_rate(
            enrollment=account.enrollment,
            month=month,
            premium_cents=premium,
            subsidy_cents=subsidy,
            at=SAID_AT,
        )
    say_plans(account, plans)
    settle_and_clear(receive(account, PREMIUM, on=date(2027, 1, 10)), on=date(2027, 1, 15))
    return account


def say_plans(account: Account, months: Iterable[date]) -> None:
    """The same price under another plan from each of these months on."""
    for month in months:
        plan = make_plan(code=f"HL-{month}", name=f"The plan of {month}")
        make_rate(enrollment=account.enrollment, month=month, premium_cents=PREMIUM, plan=plan, at=SAID_AT)


def read_written(account: Account) -> list[dict[str, Any]]:
    """The bill of March, its movement and its notice, without what is theirs alone."""
    invoice = Invoice.objects.get(account=account, coverage_month=MARCH)
    number = str(invoice.pk)
    movements = Movement.objects.filter(reference=f"invoice:{number}:issued")
    notices = Notice.objects.filter(subject=f"invoice:{number}", member=account.enrollment.member)
    rows = [*Invoice.objects.filter(pk=invoice.pk).values(), *movements.values(), *notices.values()]
    for row in rows:
        for name in ("id", "account_id", "member_id"):
            row.pop(name, None)
        if row.get("address"):
            assert row["address"] == account.enrollment.member.email
            row["address"] = "its own"
        for name in ("reference", "subject"):
            row[name] = row.get(name, "").replace(number, "NUMBER")
        if "facts" in row:
            assert row["facts"].pop("invoice_number") == invoice.number
    return rows


@pytest.mark.parametrize("household", HOUSEHOLDS.values(), ids=HOUSEHOLDS)
def test_a_plain_bill_is_the_one_that_would_have_been_written_by_itself(household: dict[str, Any]) -> None:
    plain, single = make_active_account(**household), make_active_account(**household)
    at = noon(FEBRUARY)
    assert issue_plain(account_ids=[plain.pk], today=FEBRUARY, at=at) == {plain.pk}
    month = invoices.MonthToBill(single.pk, single.enrollment_id, MARCH, None)
    invoices.issue_months(months=[month], today=FEBRUARY, at=at)
    written = read_written(plain)
    assert written == read_written(single)
    assert len(written) == (1 if household.get("rates") == [(MARCH, PREMIUM, PREMIUM)] else 3)


def test_a_rate_said_while_the_bill_is_written_does_not_put_another_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = make_active_account(plans=[FEBRUARY, MARCH])
    read = plain_bills.find_plan_month

    def say_meanwhile(**facts: Any) -> date | None:
        plan = make_plan(code="HL-before", name="The plan of before")
        before = {"month": date(2026, 12, 1), "premium_cents": 999_00, "plan": plan}
        make_rate(enrollment=account.enrollment, **before)
        return read(**facts)

    monkeypatch.setattr(plain_bills, "find_plan_month", say_meanwhile)
    at = noon(FEBRUARY)
    assert issue_plain(account_ids=[account.pk], today=FEBRUARY, at=at) == {account.pk}
    invoice = Invoice.objects.get(account=account, coverage_month=MARCH)
    assert invoice.premium_cents == PREMIUM
    told = Notice.objects.filter(subject=f"invoice:{invoice.pk}")
    assert {notice.facts["plan_name"] for notice in told} == {f"The plan of {MARCH}"}


def test_what_is_not_plain_is_left() -> None:
    waiting, credited, own_date, late, changed = (
        make_account(),
        *(make_active_account() for _ in range(4)),
    )
    receive(credited, 50_00, on=date(2027, 1, 20))
    make_override(
        account=own_date,
        coverage_month=MARCH,
        due_date=date(2027, 2, 26),
        reason="told so",
        recorded_at=noon(FEBRUARY),
    )
    keys = [account.pk for account in (waiting, credited, own_date, changed)]
    make_rate(enrollment=changed.enrollment, month=FEBRUARY, premium_cents=300_00, at=noon(date(2027, 1, 20)))
    assert issue_plain(account_ids=keys, today=FEBRUARY, at=noon(FEBRUARY)) == set()
    assert issue_plain(account_ids=[late.pk], today=date(2027, 2, 24), at=noon(FEBRUARY)) == set()
    assert issue_plain(account_ids=[late.pk], today=date(2027, 2, 23), at=noon(FEBRUARY)) == {late.pk}
    assert issue_plain(account_ids=[late.pk], today=date(2027, 2, 23), at=noon(FEBRUARY)) == set()


def test_two_months_that_are_lacking_are_not_plain() -> None:
    account, april = make_active_account(), date(2027, 3, 1)
    assert issue_plain(account_ids=[account.pk], today=april, at=noon(april)) == set()
