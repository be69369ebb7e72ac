"""A browser for the tests that drive pages as people do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser.chromium import start_chromium
from tests.portal import Portal


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, once for the worker."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium, headless."""
    chromium = start_chromium(playwright)
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Browser, portal: Portal) -> Iterator[Page]:
    """A page of a fresh browser session, as wide as a laptop's; any error of a script or of the CSP fails the test."""
    yield from open_page(browser, portal)


@pytest.fixture
def plain_page(browser: Browser, portal: Portal) -> Iterator[Page]:
    """The same with JavaScript off."""
    yield from open_page(browser, portal, java_script_enabled=False)


def open_page(browser: Browser, portal: Portal, **options: object) -> Iterator[Page]:
    """A page that remembers every complaint of the browser."""
    context = browser.new_context(base_url=portal.url, viewport={"width": 1200, "height": 900}, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    yield page
    context.close()
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    """An error of a script, a style or the policy; a page that is itself an error page (404, 429) is none."""
    own_status = (
        message.text.startswith("Failed to load resource") and "/static/" not in message.location["url"]
    )
    return message.type == "error" and not own_status
