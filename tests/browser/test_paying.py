"""People pay: by Member ID, by phone number, without a date of birth, signed in; with and without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from payments.models import Payment
from tests.portal import Household, Portal

pytestmark = pytest.mark.browser

ROUTING = "011000015"


def find_bill(page: Page, *, identifier: str, household: Household | None) -> None:
    """From the front door to the bill."""
    page.goto("/")
    page.get_by_role("link", name="Pay as a guest").first.click()
    page.get_by_label("Member ID or phone number").fill(identifier)
    if household:
        born = household.member.date_of_birth
        page.get_by_label("Month").fill(str(born.month))
        page.get_by_label("Day").fill(str(born.day))
        page.get_by_label("Year").fill(str(born.year))
    page.get_by_role("button", name="Find my bill").click()


def fill_bank(page: Page, *, account: str = "4820 0123 456789") -> None:
    """The bank page, as people type."""
    page.get_by_label("Name on the account").fill("Alice Alvarez")
    page.get_by_text("Checking", exact=True).click()
    page.get_by_label("Routing number").fill(ROUTING)
    page.get_by_label("Account number", exact=True).fill(account)
    page.get_by_label("Confirm account number").fill(account)
    page.get_by_role("button", name="Continue").click()


def authorize_and_pay(page: Page, *, total: str, payments: int = 1) -> None:
    """Tick each authorization and pay."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Check and authorize your payment")
    expect(page.locator("main")).to_contain_text("coverage starts")
    boxes = page.get_by_role("checkbox", name=re.compile("^I authorize"))
    expect(boxes).to_have_count(payments)
    for box in boxes.all():
        box.check(force=True)
    page.get_by_role("button", name=f"Pay {total}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payment received")
    expect(page.locator("main")).to_contain_text("Confirmation number")


def count_payments(household: Household) -> int:
    """How many payments the household has made."""
    return Payment.objects.filter(account__enrollment__member=household.member).count()


@pytest.fixture(params=["with script", "without script"])
def any_page(request: pytest.FixtureRequest) -> Page:
    """The same journey with JavaScript on and off."""
    return request.getfixturevalue("page" if request.param == "with script" else "plain_page")


def test_a_guest_pays_by_member_id_and_date_of_birth(portal: Portal, any_page: Page) -> None:
    household = portal.add_household()
    number = household.member.member_id
    find_bill(any_page, identifier=f"{number[:4]} {number[4:8]}-{number[8:]}", household=household)
    expect(any_page.locator("main")).to_contain_text("$312.44")
    any_page.get_by_role("button", name="Continue").click()
    fill_bank(any_page)
    authorize_and_pay(any_page, total="$312.44")
    assert count_payments(household) == 1


def test_a_guest_pays_by_phone_number(portal: Portal, any_page: Page) -> None:
    household = portal.add_household()
    phone = household.member.phone.as_national
    find_bill(any_page, identifier=phone, household=household)
    any_page.get_by_role("button", name="Continue").click()
    fill_bank(any_page)
    authorize_and_pay(any_page, total="$312.44")
    assert count_payments(household) == 1


def test_a_guest_without_a_date_of_birth_types_the_amount_and_sees_nothing_of_the_account(
    portal: Portal, any_page: Page
) -> None:
    household = portal.add_household()
    find_bill(any_page, identifier=household.member.member_id, household=None)
    expect(any_page.locator("main")).not_to_contain_text("312.44")
    expect(any_page.locator("main")).not_to_contain_text("Alice")
    any_page.get_by_text("Health", exact=True).click()
    any_page.get_by_label("Amount").fill("312.44")
    any_page.get_by_role("button", name="Continue").click()
    fill_bank(any_page)
    expect(any_page.locator("main")).to_contain_text(
        "If this is a first payment, it must cover the whole bill."
    )
    any_page.get_by_role("checkbox", name=re.compile("^I authorize")).check(force=True)
    any_page.get_by_role("button", name="Pay $312.44").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text("Payment received")
    assert count_payments(household) == 1


def test_a_member_pays_health_and_dental_in_one_visit(portal: Portal, any_page: Page) -> None:
    household = portal.add_household(products=("health", "dental"))
    any_page.goto("/")
    any_page.get_by_role("link", name="Sign in").first.click()
    any_page.get_by_label("Email").fill(household.email)
    any_page.get_by_label("Password").fill(household.password)
    any_page.get_by_role("button", name="Sign in").click()
    any_page.get_by_role("link", name="Make a payment").click()
    any_page.get_by_role("button", name="Continue").click()
    fill_bank(any_page)
    authorize_and_pay(any_page, total="$343.94", payments=2)
    assert count_payments(household) == 2
