"""A member's home, bills and history: what is due and by when, what to do next, and no link that leads to nothing."""

from datetime import date

import pytest
from django.test import Client

from billing import invoices
from billing.models import Invoice
from members.models import EnrollmentStatus
from tests import people
from tests.diary import Diary, eastern
from tests.payments import paying
from tests.payments.payers import authorize, find_as_guest, go_to_review, make_household, read, sign_in, start

pytestmark = pytest.mark.starts(eastern(2027, 1, 20))


@pytest.fixture(autouse=True)
def _noon_of_january_20(diary: Diary) -> None:
    """The day of these tests, unless a test says otherwise."""


def make_behind() -> Client:
    """A member who has been covered since December and has paid neither January nor February."""
    member = people.make_member()
    begun = date(2026, 12, 1)
    people.make_enrollment(
        member=member, requested_start=date(2027, 1, 1), status=EnrollmentStatus.ACTIVE, at=paying.noon(begun)
    )
    for day in (begun, date(2027, 1, 1)):
        invoices.issue_missing(today=day, at=paying.noon(day))
    return sign_in(member)


@pytest.mark.starts(eastern(2027, 1, 24, 0, 30))
def test_home_says_what_paying_today_does_before_the_nightly_review_has_run(diary: Diary) -> None:
    member = people.make_member()
    early = date(2027, 1, 5)
    people.make_enrollment(member=member, requested_start=date(2027, 2, 1), at=paying.noon(early))
    invoices.issue_missing(today=early, at=paying.noon(early))
    page = read(sign_in(member).get("/home/"))
    assert "Pay today: coverage starts March 1, 2027." in page
    assert "coverage does not start on February 1, 2027" in page
    assert "if paid by January 23" not in page


def test_home_says_which_part_was_due_when_what_follows_and_where_to_turn() -> None:
    page = read(make_behind().get("/home/"))
    assert "$284.17 was due December 23, 2026" in page
    assert "$284.17 is due by January 23, 2027" in page
    assert "If this stays unpaid, your coverage can end." in page
    assert "Cannot pay? Ask for a waiver" in page


def test_a_bill_says_that_the_older_one_is_paid_first() -> None:
    client = make_behind()
    older, bill = Invoice.objects.order_by("coverage_month")
    page = read(client.get(f"/bills/{bill.number}/"))
    assert "An older bill is open too: $284.17." in page
    assert "paying this one in full takes $568.34" in page
    assert "An older bill" not in read(client.get(f"/bills/{older.number}/"))


def test_without_bills_no_page_offers_a_payment_that_leads_to_nothing() -> None:
    client = sign_in(people.make_member())
    for path in ("/home/", "/bills/", "/payments/"):
        page = read(client.get(path))
        assert "Make a payment" not in page
        assert "Choose a plan at" in page


def test_links_in_tables_name_the_bill_and_its_amount() -> None:
    client = sign_in(make_household())
    bills = client.get("/bills/").content.decode()
    assert '<th scope="row"' in bills
    assert "February 2027 , Health, $284.17" in read(client.get("/bills/"))
    authorize(client, go_to_review(client, start(client), {}))
    assert '<th scope="row"' in client.get("/payments/").content.decode()
    assert "January 20, 2027 , Health, $284.17" in read(client.get("/payments/"))


def test_a_guest_can_clear_the_computer_from_the_amount_on() -> None:
    member = make_household()
    client = Client()
    page = client.get(find_as_guest(client, member.member_id, member.date_of_birth)["Location"])
    assert "Clear this computer" in read(page)
    assert "Ask for a waiver" in read(page)


def test_a_member_downloads_a_bill_as_a_pdf() -> None:
    client = sign_in(make_household())
    number = Invoice.objects.get().number
    assert f"/bills/{number}/bill.pdf" in client.get(f"/bills/{number}/").content.decode()
    answer = client.get(f"/bills/{number}/bill.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="bill-{number}.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert b"pdfuaid" in answer.content
    assert client.post(f"/bills/{number}/bill.pdf").status_code == 405


def test_another_persons_bill_is_no_bill() -> None:
    make_household()
    number = Invoice.objects.get().number
    bob = sign_in(make_household(first_name="Bob"))
    for path in (f"/bills/{number}/bill.pdf", "/bills/0/bill.pdf", "/bills/x/bill.pdf", "/bills/²/bill.pdf"):
        assert bob.get(path).status_code == 404
    assert Client().get(f"/bills/{number}/bill.pdf")["Location"].startswith("/accounts/login/")
    clerk = Client()
    clerk.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    assert clerk.get(f"/bills/{number}/bill.pdf")["Location"] == "/admin/"
