"""The first visit costs little: few requests, small answers, and no letter that the page does not use."""

import gzip
import urllib.request

import pytest
from playwright.sync_api import Browser

from tests.browser.first_visit import MOST_BYTES, MOST_REQUESTS, visit
from tests.portal import Portal

pytestmark = pytest.mark.browser
HEADERS = 600  # of an answer, at most


def weigh(url: str) -> int:
    """The bytes of a collected file: compressed, unless it is a font, which is compressed already."""
    with urllib.request.urlopen(url) as answer:
        body = answer.read()
    return HEADERS + len(body if url.endswith(".woff2") else gzip.compress(body))


def test_the_first_page_takes_few_requests_and_few_bytes(browser: Browser, portal: Portal) -> None:
    loaded = visit(browser=browser, url=portal.url)
    names = [item.name for item in loaded]
    assert len(names) <= MOST_REQUESTS, names
    assert sum(weigh(item.url) for item in loaded) <= MOST_BYTES
    assert {name for name in names if name.endswith(".woff2")} == {
        "sourcesanspro-regular-webfont.woff2",
        "sourcesanspro-bold-webfont.woff2",
    }
