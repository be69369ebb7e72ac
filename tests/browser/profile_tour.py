"""The tour of the profile: how a member is reached, what comes on paper, and the question before a session ends."""

from typing import TYPE_CHECKING

from members.email_links import write_link
from members.models import EmailChange
from tests import people

if TYPE_CHECKING:
    from tests.browser.tour import Visit
    from tests.portal import Household

UNTIL_ASKED = "28:30"  # a session of half an hour, less two minutes and the few seconds that are spared


def tour_profile(visit: "Visit") -> None:
    """Every page of the profile, empty, wrong and done."""
    from tests.browser.tour import sign_in

    household = visit.portal.add_household()
    sign_in(visit, household)
    visit.open("/profile/", "profile")
    visit.open("/profile/language/", "profile-language")
    visit.open("/profile/paperless/", "profile-paperless-not-confirmed")
    visit.page.get_by_label("Bills", exact=True).check()
    visit.press("Save", "profile-paperless-refused")
    visit.open("/profile/phone/", "profile-password")
    visit.fill("Password", people.PASSWORD)
    visit.press("Continue", "profile-phone")
    visit.fill("Phone number", "12")
    visit.press("Save", "profile-phone-wrong")
    visit.open("/profile/email/", "profile-email")
    visit.press("Send me the link", "profile-link-sent")
    visit.open(_find_link(household), "profile-email-link")
    visit.press("Yes, use this address", "profile-confirmed")
    visit.open(_find_link(household), "profile-email-link-used")
    visit.open("/profile/paperless/")
    visit.page.get_by_label("Bills", exact=True).check()
    visit.press("Save", "profile-paperless-not-agreed")
    visit.page.get_by_label("I have read this, and I agree").check()
    visit.press("Save", "profile-saved")


def tour_session(visit: "Visit") -> None:
    """The question before a session ends, for a member and for a guest; and the end."""
    from tests.browser.tour import find_bill, sign_in

    household = visit.portal.add_household()
    visit.page.clock.install()
    find_bill(visit, household)
    visit.page.clock.fast_forward(UNTIL_ASKED)
    visit.page.get_by_role("dialog").wait_for()
    visit.look("session-question-guest")
    sign_in(visit, household)
    visit.page.clock.fast_forward(UNTIL_ASKED)
    visit.page.get_by_role("dialog").wait_for()
    visit.look("session-question")
    with visit.page.expect_navigation():
        visit.page.clock.fast_forward("02:00")
    visit.look("session-ended")


def _find_link(household: "Household") -> str:
    """Where the last email with a link leads."""
    change = EmailChange.objects.filter(user=household.user).latest("pk")
    return f"/profile/email/{write_link(str(change.key)).rsplit('/', 2)[1]}/"
