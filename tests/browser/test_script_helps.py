"""Where script helps: the bank's name as its number is typed, and the time left as it runs out; nobody needs either."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from connector_pay.lib import clock
from tests.browser import households, tour
from tests.browser.tour import Visit
from tests.portal import Portal

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(page: Page, portal: Portal) -> Visit:
    """A browser that looks at nothing on its way."""
    return Visit(page, portal, lambda name: None)


def test_the_bank_is_named_while_its_number_is_typed_and_no_answer_stops_nobody(visit: Visit) -> None:
    households.add_directory()
    household = visit.portal.add_household()
    tour.find_bill(visit, household, born=household.member.date_of_birth)
    visit.press("Continue")
    box, name = visit.page.get_by_label("Routing number"), visit.page.get_by_role("status")
    box.press_sequentially("0110-0001-5")
    expect(name).to_have_text("This routing number belongs to SANDBOX BANK (MADE UP).")
    box.press("Backspace")
    expect(name).to_have_text("")
    visit.page.route("**/bank-name/", lambda route: route.abort())
    box.press_sequentially("5")
    tour.fill_bank(visit)
    expect(name).to_have_text("")
    visit.press("Continue")
    expect(visit.page.locator("main")).to_contain_text("SANDBOX BANK (MADE UP)")


def test_the_time_left_runs_out_on_the_screen_and_is_never_read_aloud_by_itself(visit: Visit) -> None:
    household = households.add_due_on(visit.portal, day=clock.today() + timedelta(days=1))
    visit.page.clock.install()
    tour.sign_in(visit, household)
    # Hours pass in this test, and the session would end: it does not here.
    visit.page.route("**/session/**", lambda route: route.fulfill(status=204))
    line = visit.page.locator("[data-seconds]")
    first = line.inner_text()
    assert re.search(r"left, until 11:59 p\.m\. Eastern on \w+ \d+, \d{4}\.$", first)
    assert line.evaluate("line => line.closest('[aria-live], [role]')") is None
    seconds = int(line.get_attribute("data-seconds") or 0)
    close, words = (3 * 60 + 12) * 60 + 30, "3 hours 12 minutes left, until 11:59 p.m. Eastern on"
    visit.page.clock.fast_forward((seconds - close) * 1000)
    expect(line).to_contain_text(words)
    visit.page.clock.fast_forward((close + 1) * 1000)
    expect(line).to_contain_text(re.compile("^The time to pay by .* is over. Load this page again"))
