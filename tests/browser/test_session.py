"""The question before a session ends: it takes the focus and gives it back, Esc stays, and what was typed is there again."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.profile_tour import UNTIL_ASKED
from tests.portal import Household, Portal

pytestmark = pytest.mark.browser


def sign_in(page: Page, household: Household) -> None:
    """On the sign-in page, wherever it leads."""
    page.get_by_label("Email").fill(household.email)
    page.get_by_label("Password").fill(household.password)
    page.get_by_role("button", name="Sign in").click()


def test_the_question_takes_the_focus_gives_it_back_and_staying_starts_the_time_anew(
    page: Page, portal: Portal
) -> None:
    page.clock.install()
    page.goto("/accounts/login/")
    sign_in(page, portal.add_household())
    link = page.get_by_role("link", name="Bills", exact=True)
    dialog = page.get_by_role("dialog", name="Do you want to stay signed in?")
    stay = dialog.get_by_role("button", name="Yes, stay signed in")
    for way in ("button", "Escape"):
        link.focus()
        page.clock.fast_forward("27:30")
        expect(dialog).to_be_hidden()
        page.clock.fast_forward("00:30")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_text("in 2 minutes.")).to_be_visible()
        expect(stay).to_be_focused()
        page.clock.fast_forward("01:10")
        expect(dialog.get_by_text("in 1 minute.")).to_be_visible()
        expect(dialog.get_by_text("in 2 minutes.")).to_be_hidden()
        with page.expect_response("**/session/extend/") as answer:
            page.keyboard.press("Escape") if way == "Escape" else page.keyboard.press("Enter")
        assert answer.value.status == 204
        expect(dialog).to_be_hidden()
        expect(link).to_be_focused()
    page.clock.fast_forward(UNTIL_ASKED)
    dialog.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_at_the_end_a_member_signs_in_again_and_finds_what_was_typed_and_another_tab_counts(
    page: Page, portal: Portal
) -> None:
    household = portal.add_household()
    page.clock.install()
    page.goto("/accounts/login/")
    sign_in(page, household)
    page.get_by_role("link", name="Make a payment").click()
    page.get_by_label("A different amount").check(force=True)
    page.get_by_label("Other amount").fill("12.34")
    page.clock.fast_forward(UNTIL_ASKED)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    other = page.context.new_page()
    other.goto("/home/")
    expect(dialog).to_be_hidden()
    other.close()
    with page.expect_response(lambda answer: answer.request.method == "POST") as kept:
        page.clock.fast_forward(UNTIL_ASKED)
    assert kept.value.status == 204
    page.clock.fast_forward("02:00")
    expect(page.locator("main")).to_contain_text("You were away for a while, so we signed you out.")
    sign_in(page, household)
    expect(page.get_by_role("heading", level=1)).to_have_text("How much do you want to pay?")
    expect(page.get_by_label("Other amount")).to_have_value("12.34")


def test_without_script_there_is_no_question_and_the_page_says_how_long_it_lasts(
    plain_page: Page, portal: Portal
) -> None:
    plain_page.goto("/accounts/login/")
    sign_in(plain_page, portal.add_household())
    expect(plain_page.locator("dialog")).to_be_hidden()
    expect(plain_page.locator("footer")).to_contain_text("You stay signed in for 30 minutes")
