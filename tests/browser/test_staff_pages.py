"""The staff's side in a browser: stock admin under our strict policy, readable by everybody, down to 320
pixels.
"""

import pytest
from allauth.mfa.totp.internal.auth import generate_totp_secret
from playwright.sync_api import Page, expect

from tests import people
from tests.browser.rules import find_faults
from tests.portal import Portal

pytestmark = pytest.mark.browser

# One of each shape: the others are drawn by the same templates.
LISTS = ("billing/invoice", "members/member", "members/user")


def sign_in(page: Page) -> None:
    staff = people.make_staff()
    secret = people.give_second_step(staff, secret=generate_totp_secret())
    page.goto("/admin/")
    page.get_by_label("Email or username").fill(staff.username)
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(people.read_code(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible()


def check(page: Page) -> None:
    """axe finds nothing, and nothing is wider than the screen, at both widths."""
    page.wait_for_load_state()
    assert find_faults(page=page) == []


def test_every_review_page_is_whole_under_our_policy(page: Page, portal: Portal):
    portal.add_household(products=("health", "dental"))
    page.goto("/admin/login/")
    check(page)
    sign_in(page)
    check(page)
    for name in LISTS:
        page.goto(f"/admin/{name}/")
        check(page)
        first = page.locator("#result_list tbody th a").first
        if first.count():
            page.goto(first.get_attribute("href"))
            check(page)


def test_staff_find_a_member_by_the_number_on_the_card(page: Page, portal: Portal):
    household = portal.add_household(first_name="Rosa", last_name="Delgado")
    sign_in(page)
    page.get_by_role("link", name="Members").last.click()
    number = household.member.member_id
    page.get_by_label("Find").fill(f"{number[:4]} {number[4:8]} {number[8:]}")
    page.get_by_role("button", name="Search").click()
    page.locator("#result_list tbody th a").click()
    expect(page.locator("#content")).to_contain_text("Rosa Delgado")
    expect(page.get_by_role("heading", name="Enrollments")).to_be_visible()


def test_the_demo_date_is_a_step_from_the_staffs_first_page(page: Page, portal: Portal):
    sign_in(page)
    page.get_by_role("link", name="Demo date").click()
    expect(page.get_by_role("button", name="Move forward one day")).to_be_visible()
    check(page)
    page.get_by_label("Move to a date").fill("2020-01-01")
    page.get_by_role("button", name="Move to this date").click()
    expect(page.get_by_text("Enter a date after today")).to_be_visible()
    check(page)
