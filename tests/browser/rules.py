"""What every page keeps to, as axe and the browser see it: no violation, and nothing wider than the screen."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.reading_grade import find_hard_reading

WIDTHS = (1200, 320)
AXE = Axe()
LARGE_TEXT = "document.documentElement.style.fontSize = '200%'"
ORDINARY_TEXT = "document.documentElement.style.fontSize = ''"
# Text spacing as a reader may set it (WCAG 1.4.12).
SPACED_TEXT = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
        p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
}"""
ORDINARY_SPACING = "document.adoptedStyleSheets = []"
# Django's own words for an empty or wrong box: every box of ours says what to do instead.
PACKAGES_WORDS = ("This field is required", "Enter a valid", "Select a valid choice")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_faults(*, page: Page) -> list[str]:
    """What is wrong with the page as it stands, at each width; one line a fault."""
    before = page.viewport_size
    page.evaluate(AXE.axe_script)
    faults = [f"{page.url} says “{word}”" for word in PACKAGES_WORDS if word in page.content()]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found = [_describe(violation) for violation in _find_violations(page=page)]
        found += ["must be scrolled sideways"] if overflows(page=page) else []
        faults += [f"{page.url} at {width}: {fault}" for fault in found]
    if before:
        page.set_viewport_size(before)
    return faults


def find_readers_faults(*, page: Page) -> list[str]:
    """The same, and what members and payers need besides: text that may be large or widely spaced, and plain words."""
    return [*find_faults(page=page), *_find_cramped_text(page=page), *find_hard_reading(page=page)]


def _find_cramped_text(*, page: Page) -> list[str]:
    """Whether text twice as large on half a screen, or spaced on a phone's, must be scrolled sideways."""
    before = page.viewport_size or {"width": 1200, "height": 900}
    faults = []
    for width, set_text, put_back, words in (
        (640, LARGE_TEXT, ORDINARY_TEXT, "with text of 200 %"),
        (320, SPACED_TEXT, ORDINARY_SPACING, "with spaced text"),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(set_text)
        faults += [f"{page.url} must be scrolled sideways {words}"] if overflows(page=page) else []
        page.evaluate(put_back)
    page.set_viewport_size(before)
    return faults


def _find_violations(*, page: Page) -> list[dict[str, Any]]:
    """What axe, which stands in the page already, finds by the tags that the portal promises."""
    # Preloading style sheets would make axe itself break the page's policy.
    options = {
        "runOnly": {"type": "tag", "values": AXE_TAGS},
        "preload": False,
        "resultTypes": ["violations"],
    }
    found: list[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(options)).violations", options
    )
    return found


def _describe(violation: dict[str, Any]) -> str:
    """One violation in one line: rule, what it asks, where."""
    places = "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"])
    return f"{violation['id']}: {violation['help']}: {places}"


def overflows(*, page: Page) -> bool:
    """Whether the page must be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
