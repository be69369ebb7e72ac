"""What stands where: on a phone's first screen what is due and the button; on paper the bill or the receipt alone."""

import pytest
from playwright.sync_api import Locator, Page, expect

from payments.models import PaymentStatus
from tests.browser import households, tour
from tests.browser.tour import Visit
from tests.portal import Portal

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
MAKERS = {
    "pushed": households.add_pushed,
    "AutoPay stopped": households.add_with_autopay_stopped,
}


@pytest.fixture
def visit(page: Page, portal: Portal) -> Visit:
    """A browser that looks at nothing on its way."""
    return Visit(page, portal, lambda name: None)


def ends_at(thing: Locator) -> float:
    """How far down its lower edge is."""
    box = thing.bounding_box()
    assert box
    return box["y"] + box["height"]


def test_a_phone_s_first_screen_has_what_is_due_and_the_button(visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    for name, make in MAKERS.items():
        tour.sign_in(visit, make(visit.portal))
        main = visit.page.locator("main")
        assert ends_at(main.get_by_text("$").first) <= PHONE["height"], name
        assert ends_at(main.locator("a.usa-button").first) <= PHONE["height"], name
        assert visit.page.evaluate("window.scrollY") == 0, name


def test_a_bill_and_a_receipt_are_printed_without_what_only_a_screen_needs(visit: Visit) -> None:
    household = households.add_with_a_past(visit.portal)
    tour.sign_in(visit, household)
    visit.page.emulate_media(media="print")
    paid = households.find_payment(household, status=PaymentStatus.POSTED).confirmation_number
    bill = households.find_bill(household, voided=False)
    for path, words in ((f"/bills/{bill.number}/", bill.number), (f"/receipts/{paid}/", paid[:5])):
        visit.open(path)
        expect(visit.page.locator(".cp-letterhead")).to_be_visible()
        expect(visit.page.locator("main")).to_contain_text(words)
        for gone in ("header", "main .usa-button", "nav", "main a", ".cp-demo"):
            for thing in visit.page.locator(gone).all():
                expect(thing).to_be_hidden()
