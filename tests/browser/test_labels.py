"""The labels that other programs rely on: each leads to exactly one thing of its page, and boxes can be ticked by them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import households, tour
from tests.browser.tour import Visit
from tests.portal import Portal

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page: Page, portal: Portal) -> Visit:
    """A browser that looks at nothing on its way."""
    return Visit(page, portal, lambda name: None)


def test_the_front_door_has_its_two_doors(page: Page, portal: Portal) -> None:
    page.goto("/")
    for name in ("Sign in", "Pay as a guest"):
        expect(page.get_by_role("link", name=name)).to_have_count(1)


def test_a_guest_with_the_date_of_birth(visit: Visit) -> None:
    page, household = visit.page, visit.portal.add_household(products=("health", "dental"))
    visit.open("/guest/")
    for label in ("Member ID or phone number", "Month", "Day", "Year"):
        expect(page.get_by_label(label)).to_have_count(1)
    group = page.get_by_role("group", name="Member's date of birth (optional, to see what is due)")
    expect(group.get_by_role("textbox")).to_have_count(3)
    expect(page.get_by_role("button", name="Find my bill")).to_have_count(1)
    tour.find_bill(visit, household, born=household.member.date_of_birth)
    page.get_by_label("Dental").uncheck()
    page.get_by_label("Health").check()
    page.get_by_role("button", name="Continue").click()
    fill_bank_by_label(page)
    boxes = page.get_by_role("checkbox", name=re.compile("^I authorize"))
    boxes.check()
    page.get_by_role("button", name=re.compile(r"^Pay \$")).click()
    expect(page.get_by_role("heading", name="Payment received")).to_have_count(1)
    expect(page.get_by_text("Confirmation number")).to_have_count(1)


def test_a_guest_without_the_date_of_birth(visit: Visit) -> None:
    page, household = visit.page, visit.portal.add_household(products=("health", "dental"))
    tour.find_bill(visit, household)
    page.get_by_label("Health").check()
    page.get_by_label("Dental").check()
    expect(page.get_by_label("Dental")).to_be_checked()
    expect(page.get_by_label("Health")).not_to_be_checked()
    page.get_by_label("Amount").fill("31.50")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Routing number")).to_have_count(1)


def test_a_home_without_bills_leads_to_the_exchange_and_not_to_an_empty_page(visit: Visit) -> None:
    tour.sign_in(visit, visit.portal.add_household(products=()))
    expect(visit.page.get_by_role("link", name="Make a payment")).to_have_count(0)
    expect(visit.page.get_by_role("link", name=re.compile("^Choose a plan"))).to_have_count(1)


@pytest.mark.parametrize("products", [("health",), ("health", "dental")])
def test_home_with_a_bill_has_one_link_to_make_a_payment(visit: Visit, products: tuple[str, ...]) -> None:
    household = visit.portal.add_household(products=products)
    tour.sign_in(visit, household)
    expect(visit.page.get_by_role("link", name="Make a payment")).to_have_count(1)
    for product in ("health", "dental"):
        link = visit.page.get_by_role("link", name=f"Pay {product} bill")
        expect(link).to_have_count(1 if product in products else 0)


def test_a_member_with_a_saved_account_finds_every_box_of_another_one(visit: Visit) -> None:
    household = households.add_with_a_saved_account(visit.portal)
    tour.sign_in(visit, household)
    visit.page.get_by_role("link", name="Make a payment").click()
    visit.page.get_by_role("button", name="Continue").click()
    visit.page.get_by_label("Use another account").check()
    fill_bank_by_label(visit.page)
    expect(visit.page.get_by_role("checkbox", name=re.compile("^I authorize"))).to_have_count(2)


def fill_bank_by_label(page: Page) -> None:
    """The bank page by its labels alone, each found once."""
    page.get_by_label("Name on the account").fill("Alice Alvarez")
    page.get_by_label("Savings").check()
    page.get_by_label("Checking").check()
    page.get_by_label("Routing number").fill(tour.ROUTING)
    page.get_by_label("Account number", exact=True).fill(tour.ACCOUNT)
    page.get_by_label("Confirm account number").fill(tour.ACCOUNT)
    page.get_by_role("button", name="Continue").click()
