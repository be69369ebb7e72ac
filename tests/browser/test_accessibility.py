"""Pages for everybody: nothing for axe to find on any page, and what axe cannot see: keyboard, focus, errors, forced colors."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import tour
from tests.browser.rules import find_faults, find_readers_faults
from tests.browser.tour import CHAPTERS, Visit
from tests.portal import Portal
from tests.reading_grade import STAFF

pytestmark = pytest.mark.browser

MOST_TABS = 60
# The staff's chapters stand in modules of their own, and their pages in English alone.
MEMBERS_CHAPTERS = [name for name, walk in CHAPTERS.items() if walk.__module__ == tour.__name__]
# What a keyboard user hears of the box they are in: its label, or its own words.
READ_FOCUSED = """() => {
    const box = document.activeElement;
    return (box.labels?.length ? box.labels[0] : box).innerText.trim();
}"""
# The outline is drawn around the box itself, or around the circle or square that stands for it.
READ_OUTLINE = """() => {
    const box = document.activeElement, ticked = /radio|checkbox/.test(box.type);
    const style = ticked ? getComputedStyle(box.nextElementSibling, "::before") : getComputedStyle(box);
    return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
}"""
READ_OWN_OUTLINE = """box => {
    const style = getComputedStyle(box);
    return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
}"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_nothing_is_to_be_found_on_any_page_at_either_width(page: Page, portal: Portal, chapter: str) -> None:
    faults: list[str] = []
    find = find_faults if chapter in STAFF else find_readers_faults
    CHAPTERS[chapter](
        Visit(page, portal, lambda name: faults.extend(f"{name}: {one}" for one in find(page=page)))
    )
    assert faults == [], "\n".join(faults)


@pytest.mark.prove
@pytest.mark.parametrize("chapter", MEMBERS_CHAPTERS)
def test_nothing_is_to_be_found_in_spanish_either(page: Page, portal: Portal, chapter: str) -> None:
    faults: list[str] = []

    def look(name: str) -> None:
        faults.extend(f"{name}: {one}" for one in find_faults(page=page))

    CHAPTERS[chapter](Visit(page, portal, tour.look_also_in_spanish(page, look)))
    assert faults == [], "\n".join(faults)


def test_a_guest_pays_with_the_keyboard_alone_and_always_sees_where_they_are(
    page: Page, portal: Portal
) -> None:
    household = portal.add_household()
    born = household.member.date_of_birth
    page.goto("/")
    go_on(page, "Pay as a guest", "Enter")
    type_into(page, "Member ID or phone number", household.member.member_id)
    for label, number in (("Month", born.month), ("Day", born.day), ("Year", born.year)):
        type_into(page, label, str(number))
    go_on(page, "Find my bill", "Enter")
    go_on(page, "Continue", "Space")
    type_into(page, "Name on the account", "Alice Alvarez")
    press_on(page, "Checking", "Space")
    for label, number in (
        ("Routing number", tour.ROUTING),
        ("Account number", tour.ACCOUNT),
        ("Confirm account number", tour.ACCOUNT),
    ):
        type_into(page, label, number)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check and authorize your payment")
    press_on(page, "I authorize", "Space")
    go_on(page, "Pay $312.44", "Enter")
    heading = page.get_by_role("heading", name="Payment received", level=1)
    expect(heading).to_be_focused()
    expect(page.locator("main")).to_contain_text("Confirmation number")


def test_the_first_tab_skips_to_the_page_itself(page: Page, portal: Portal) -> None:
    page.goto("/guest/")
    press_on(page, "Skip to main content", "Enter")
    page.keyboard.press("Tab")
    assert "Member ID" in page.evaluate(READ_FOCUSED)


@pytest.mark.parametrize("kind", ["page", "plain_page"])
def test_an_error_takes_the_focus_names_itself_in_the_title_and_leads_to_its_box(
    request: pytest.FixtureRequest, portal: Portal, kind: str
) -> None:
    page: Page = request.getfixturevalue(kind)
    page.goto("/guest/")
    page.get_by_role("button", name="Find my bill").click()
    expect(page).to_have_title(re.compile("^Error: Find your bill"))
    summary = page.get_by_role("region", name="There is a problem")
    expect(summary).to_be_focused()
    expect(page.locator("main > :first-child")).to_have_class("cp-problem")
    words = "Enter the 12-digit Member ID, or the phone number on the account"
    expect(page.locator("#div_id_identifier")).to_contain_text(words)
    summary.get_by_role("link", name=words).click()
    box = page.get_by_label("Member ID or phone number")
    if kind == "page":
        expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-invalid", "true")


def test_in_colors_of_the_reader_s_own_boxes_buttons_and_the_focus_are_seen(
    page: Page, portal: Portal
) -> None:
    household = portal.add_household(products=("health", "dental"))
    page.emulate_media(forced_colors="active")
    visit = Visit(page, portal, lambda name: None)
    tour.find_bill(visit, household, born=household.member.date_of_birth)
    box, radio = page.get_by_role("checkbox").first, page.get_by_role("radio").first
    for choice in (box, radio):
        assert choice.evaluate("box => getComputedStyle(box).opacity") == "1"
        assert (
            choice.evaluate("box => getComputedStyle(box.nextElementSibling, '::before').visibility")
            == "hidden"
        )
    button = page.get_by_role("button", name="Continue")
    assert button.evaluate("button => parseFloat(getComputedStyle(button).borderTopWidth)") >= 2
    for thing in (box, button):
        thing.focus()
        page.keyboard.press("Shift")  # a key makes the focus a keyboard's
        assert thing.evaluate(READ_OWN_OUTLINE) >= 2
    button.click()
    visit.press("Continue")
    assert page.locator(".cp-problem").evaluate("box => getComputedStyle(box).borderTopStyle") == "solid"


def press_on(page: Page, words: str, key: str) -> None:
    """Tab on until the focus is on what says so, then press the key."""
    tab_to(page, words)
    page.keyboard.press(key)


def go_on(page: Page, words: str, key: str) -> None:
    """The same where the key leads to the next page."""
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press(key)


def type_into(page: Page, label: str, text: str) -> None:
    """Tab on to the box of this label and type."""
    tab_to(page, label)
    page.keyboard.type(text)


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus is on what begins with these words; every stop on the way shows where it is."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(READ_OUTLINE) >= 2, page.evaluate("document.activeElement.outerHTML")
        if page.evaluate(READ_FOCUSED).startswith(words):
            return
    raise AssertionError(f"{page.url}: no Tab leads to {words}")
