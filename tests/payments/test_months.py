"""The small picture of the months: paid, due, covered, moved; as they stand, and as a payment would leave them."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.balances import Standing, read_standing
from billing.invoices import issue_missing
from billing.models import Account
from members.models import EnrollmentStatus
from payments.months import Paying, list_months
from tests import people
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.payers import go_to_review, make_household, read, sign_in, start

DECEMBER, JANUARY, FEBRUARY, MARCH = date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)


@pytest.fixture(autouse=True)
def _day(diary: Diary) -> None:
    """The day of these tests, unless a test says otherwise."""


pytestmark = pytest.mark.starts(eastern(2027, 1, 20))


def tell(standing: Standing, *, today: date = date(2027, 1, 20), pays: Paying | None = None) -> list[str]:
    """Each month in one line."""
    return [
        f"{month.month:%B} {month.mark.words}{', starts' if month.starts else ''}"
        for month in list_months(standing=standing, today=today, paying=pays)
    ]


def make_covered(*, begun: date = DECEMBER, paid: int = 1) -> Standing:
    """Covered since a month, with so many of its bills paid and cleared, and the next bills issued."""
    enrolled = date(2026, 11, 10)
    account = paying.make_account(
        requested_start=begun, at=paying.noon(enrolled), today=enrolled, status=EnrollmentStatus.ACTIVE
    )
    for day in (date(2026, 12, 1), date(2027, 1, 1)):
        issue_missing(today=day, at=paying.noon(day))
    standing = read_standing(account_id=account.pk, today=date(2027, 1, 20))
    bills = [
        replace(bill, received_cents=bill.amount_cents, remaining_cents=0, cleared_cents=bill.amount_cents)
        if number < paid
        else bill
        for number, bill in enumerate(standing.invoices)
    ]
    open_bills = tuple(bill for bill in bills if bill.remaining_cents)
    return replace(standing, invoices=tuple(bills), open_invoices=open_bills)


def test_a_month_is_covered_past_due_or_due() -> None:
    assert tell(make_covered()) == ["December Covered", "January Past due", "February Due"]


def test_a_bill_is_due_on_its_due_date_and_past_due_the_day_after() -> None:
    standing = make_covered(paid=2)
    assert tell(standing, today=date(2027, 1, 23))[-1] == "February Due"
    assert tell(standing, today=date(2027, 1, 24))[-1] == "February Past due"


def test_a_month_that_is_paid_ahead_is_covered_from_its_first_day_on() -> None:
    standing = make_covered(paid=3)
    assert tell(standing, today=date(2027, 1, 31))[-1] == "February Paid"
    assert tell(standing, today=FEBRUARY)[-1] == "February Covered"


def test_money_lands_on_the_oldest_month_first() -> None:
    standing, today = make_covered(paid=1), date(2027, 1, 20)
    assert tell(standing, pays=Paying(284_17, today))[1:] == ["January This pays it", "February Due"]
    assert tell(standing, pays=Paying(284_18, today))[1:] == [
        "January This pays it",
        "February This pays a part",
    ]
    assert tell(standing, pays=Paying(284_16, today))[1:] == [
        "January This pays a part",
        "February Due",
    ]


def test_six_months_are_shown_at_most() -> None:
    bill = make_covered().invoices[0]
    many = tuple(replace(bill, coverage_month=date(2026, month, 1)) for month in range(1, 13))
    shown = tell(replace(make_covered(), invoices=many, open_invoices=()))
    assert len(shown) == 6
    assert shown[-1].startswith("December")


def test_a_first_bill_starts_coverage_if_it_is_paid_in_full_and_in_time() -> None:
    account = paying.make_account()
    standing = read_standing(account_id=account.pk, today=date(2027, 1, 23))
    on_time, late = date(2027, 1, 23), date(2027, 1, 24)
    assert tell(standing) == ["February Due, starts"]
    assert tell(standing, pays=Paying(284_17, on_time)) == ["February This pays it, starts"]
    assert tell(standing, pays=Paying(284_16, on_time)) == ["February This pays a part, starts"]
    moved = "February Not covered"
    assert tell(standing, today=late) == [moved, "March Due, starts"]
    assert tell(standing, today=late, pays=Paying(284_17, late)) == [
        moved,
        "March This pays it, starts",
    ]


@pytest.mark.starts(eastern(2027, 1, 24, 0, 30))
def test_home_shows_the_months_in_words(diary: Diary) -> None:
    member = people.make_member()
    early = date(2027, 1, 5)
    people.make_enrollment(member=member, at=paying.noon(early))
    issue_missing(today=early, at=paying.noon(early))
    page = read(sign_in(member).get("/home/"))
    assert "February 2027 Not covered March 2027 Due Coverage starts" in page


def test_review_shows_the_months_to_a_member_and_never_to_a_guest() -> None:
    member = make_household()
    client, guest = sign_in(member), Client()
    page = read(client.get(go_to_review(client, start(client), {})))
    assert "After this payment February 2027 This pays it Coverage starts" in page
    typed = {
        "date_of_birth_month": "4",
        "date_of_birth_day": "9",
        "date_of_birth_year": "1986",
    }
    amount = guest.post("/guest/", {"identifier": member.member_id, **typed})["Location"]
    page = read(guest.get(go_to_review(guest, amount, {})))
    assert "Received today, the member's coverage starts February 1, 2027." in page
    assert "This pays it" not in page


def test_twelve_accounts_ask_no_more_of_the_database_than_one() -> None:
    one, many = make_household(), make_household()
    for product in ["dental", *["health", "dental"] * 5]:
        people.make_enrollment(member=many, product=product)
    issue_missing(today=date(2027, 1, 20), at=eastern(2027, 1, 20))
    counts = []
    for member in (one, many):
        client = sign_in(member)
        client.get("/home/")
        accounts = Account.objects.filter(enrollment__member=member)
        review = go_to_review(client, start(client), {f"pay_{account.pk}": "on" for account in accounts})
        paths = ("/home/", start(client), review, "/autopay/", "/home/premium-dates.ics")
        counts.append([count_statements(client, path) for path in paths])
    assert counts[0] == counts[1]


def count_statements(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)
