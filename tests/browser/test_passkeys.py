"""A passkey as the second step, with the browser's own stand-in for a key: set up, and signed in with."""

import pytest
from playwright.sync_api import Page, expect

from tests import people
from tests.portal import Portal

pytestmark = pytest.mark.browser
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def type_password(page: Page, name: str) -> None:
    page.get_by_label("Email or username").fill(name)
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_staff_set_up_a_passkey_and_sign_in_with_it(page: Page, portal: Portal) -> None:
    staff = people.make_staff()
    here = portal.url.replace("127.0.0.1", "localhost")  # keys belong to a name, never to a number
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    page.goto(f"{here}/admin/")
    type_password(page, staff.username)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Add this key").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{here}/admin/")
    type_password(page, staff.username)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible()
