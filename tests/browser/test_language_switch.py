"""The switch to the other language in a browser without script: what was typed stays, and so does the focus."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_the_switch_keeps_what_was_typed_and_the_focus(plain_page: Page) -> None:
    plain_page.goto("/guest/?from=letter")
    plain_page.get_by_label("Member ID or phone number").fill("0034 5678")
    plain_page.get_by_label("Month").fill("4")
    plain_page.get_by_role("button", name="Español").press("Enter")
    expect(plain_page.get_by_label("Número de miembro o de teléfono")).to_have_value("0034 5678")
    expect(plain_page.get_by_label("Mes")).to_have_value("4")
    expect(plain_page.locator("html")).to_have_attribute("lang", "es")
    back = plain_page.get_by_role("button", name="English")
    expect(back).to_be_focused()
    assert "/guest/?from=letter" in plain_page.url
    back.press("Enter")
    expect(plain_page.get_by_label("Member ID or phone number")).to_have_value("0034 5678")
