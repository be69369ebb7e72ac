"""A tour of every page in every state: each chapter drives a browser through some of them and looks at each once.

What looking means is the visitor's business: the tests judge the page, `make screenshots` pictures it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.template.loader import render_to_string
from django.urls import reverse
from playwright.sync_api import Page

from billing.bill_links import ensure_links, format_code, revoke_links
from billing.models import Invoice
from connector_pay.lib import clock
from payments import drafts
from payments.models import PaymentStatus
from payments.routing_directory_generator import MERGED_ROUTING_NUMBER
from tests import people
from tests.browser import households
from tests.browser.correction_tour import tour_corrections
from tests.browser.handling_tour import tour_handling
from tests.browser.profile_tour import tour_profile, tour_session
from tests.browser.rights_tour import tour_rights
from tests.browser.staff_tour import sign_in_as_staff, tour_seeing, tour_staff
from tests.portal import Household, Portal

ROUTING, ACCOUNT = "011000015", "4820 0123 456789"
TRIES_UNTIL_LOCKED = 6


@dataclass(frozen=True)
class Visit:
    """A browser on its way through the portal; `look` is called with a name at each page worth a look."""

    page: Page
    portal: Portal
    look: Callable[[str], None]

    def open(self, path: str, name: str = "") -> None:
        """Go to an address; look at it if it is given a name."""
        self.page.goto(f"{self.portal.url}{path}")
        if name:
            self.look(name)

    def press(self, button: str, name: str = "") -> None:
        """Press a button of the page's main part; look at what comes if it is given a name."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("button", name=button).click()
        if name:
            self.look(name)

    def follow(self, link: str, name: str = "") -> None:
        """Follow a link of the page's main part; look at what comes if it is given a name."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=link).click()
        if name:
            self.look(name)

    def fill(self, label: str, text: str) -> None:
        """Type into the one box of this label."""
        self.page.get_by_label(label, exact=True).fill(text)


def look_also_in_spanish(page: Page, look: Callable[[str], None]) -> Callable[[str], None]:
    """Look at each page, and then at what its switch makes of it; the other language is left again afterwards."""

    def look_twice(name: str) -> None:
        look(name)
        switch = page.locator("#language")
        if not switch.count():
            return
        with page.expect_navigation():
            switch.click()
        look(f"{name}-es")
        with page.expect_navigation():
            switch.click()

    return look_twice


def sign_in(visit: Visit, household: Household) -> None:
    """Sign in as the household's member."""
    visit.page.context.clear_cookies()
    visit.open("/accounts/login/")
    visit.fill("Email", household.email)
    visit.fill("Password", household.password)
    visit.press("Sign in")


def find_bill(visit: Visit, household: Household, *, born: date | None = None) -> None:
    """A guest's first page, filled in and sent."""
    visit.open("/guest/")
    visit.fill("Member ID or phone number", household.member.member_id)
    for label, number in (("Month", born.month), ("Day", born.day), ("Year", born.year)) if born else ():
        visit.fill(label, str(number))
    visit.press("Find my bill")


def fill_bank(visit: Visit, *, account: str = ACCOUNT) -> None:
    """The bank page, as people type."""
    visit.fill("Name on the account", "Alice Alvarez")
    visit.page.get_by_label("Checking", exact=True).check()
    visit.fill("Routing number", ROUTING)
    visit.fill("Account number", account)
    visit.fill("Confirm account number", account)


def tick_all(visit: Visit) -> None:
    """Tick each authorization."""
    for box in visit.page.get_by_role("checkbox", name=re.compile("^I authorize")).all():
        box.check()


def tour_public_pages(visit: Visit) -> None:
    """What anyone may read."""
    visit.open("/", "front-door")
    visit.open("/how-to-pay/", "how-to-pay")
    visit.open("/help/", "help")
    visit.open("/faq/")
    for question in visit.page.locator("details").all():
        question.locator("summary").click()
    visit.look("faq")
    visit.portal.add_household(products=("health", "dental"))
    visit.open("/other-ways-to-pay/", "other-ways-to-pay")


def tour_sign_in(visit: Visit) -> None:
    """Signing in, and a new password."""
    household = visit.portal.add_household()
    visit.open("/accounts/login/", "sign-in")
    visit.press("Sign in", "sign-in-empty")
    visit.fill("Email", household.email)
    visit.fill("Password", "not the password")
    visit.press("Sign in", "sign-in-wrong")
    visit.open("/accounts/password/reset/", "password-reset")
    visit.press("Send me the link", "password-reset-empty")
    visit.fill("Email", household.email)
    visit.press("Send me the link", "password-reset-sent")
    visit.open("/accounts/password/reset/key/1-nonsense/", "password-reset-link-too-old")
    key = f"{user_pk_to_url_str(household.user)}-{default_token_generator.make_token(household.user)}"
    visit.open(f"/accounts/password/reset/key/{key}/", "password-reset-new-password")
    visit.press("Save new password", "password-reset-new-password-empty")
    for label in ("New password", "Type the new password again"):
        visit.fill(label, people.PASSWORD + " again")
    visit.press("Save new password", "password-reset-changed")
    sign_in(visit, Household(household.member, household.user, household.email, people.PASSWORD + " again"))
    visit.open("/accounts/password/change/", "password-change")
    visit.press("Save new password", "password-change-empty")
    visit.open("/accounts/logout/", "sign-out")
    visit.press("Sign out")
    visit.open("/accounts/signup/", "sign-up-closed")
    visit.open("/accounts/inactive/", "account-inactive")


def tour_activation(visit: Visit) -> None:
    """Setting up an account."""
    member = people.make_member(first_name="Rosa")
    visit.open("/activate/", "activate")
    visit.press("Continue", "activate-empty")
    _say_who(visit, member_id="003400000000", born=member.date_of_birth)
    visit.press("Continue", "activate-not-found")
    _say_who(visit, member_id=member.member_id, born=member.date_of_birth)
    visit.press("Continue", "activate-account")
    visit.press("Set up and sign in", "activate-account-empty")
    visit.fill("Email address", member.email)
    visit.fill("Password", "short")
    visit.fill("Type the password again", "other")
    visit.press("Set up and sign in", "activate-account-errors")
    visit.fill("Password", people.PASSWORD)
    visit.fill("Type the password again", people.PASSWORD)
    visit.press("Set up and sign in", "home-without-accounts")
    visit.open("/bills/", "bills-empty")
    visit.open("/payments/", "payment-history-empty")
    visit.open("/pay/", "pay-nothing")
    visit.page.context.clear_cookies()
    visit.open("/activate/")
    _say_who(visit, member_id=member.member_id, born=member.date_of_birth)
    visit.press("Continue", "activate-already")


def _say_who(visit: Visit, *, member_id: str, born: date) -> None:
    visit.fill("Member ID", member_id)
    for label, number in (("Month", born.month), ("Day", born.day), ("Year", born.year)):
        visit.fill(label, str(number))
    visit.fill("ZIP code", "02108")


def tour_guest(visit: Visit) -> None:
    """A guest who knows the date of birth, from the bill to the receipt."""
    household = visit.portal.add_household(products=("health", "dental"))
    born = household.member.date_of_birth
    visit.open("/guest/", "guest-find")
    visit.press("Find my bill", "guest-find-empty")
    visit.fill("Member ID or phone number", "0000 0000 0000")
    visit.press("Find my bill", "guest-find-not-found")
    visit.fill("Month", "13")
    visit.press("Find my bill", "guest-find-wrong-date")
    find_bill(visit, household, born=born)
    visit.look("guest-amount")
    _uncheck_all(visit)
    visit.press("Continue", "guest-amount-nothing-chosen")
    visit.page.get_by_label("Health", exact=True).check()
    visit.press("Continue", "guest-bank")
    visit.press("Continue", "guest-bank-empty")
    fill_bank(visit, account="4111 1111 1111 1111")
    visit.press("Continue", "guest-bank-card")
    fill_bank(visit)
    visit.page.get_by_label("Email for your receipt (optional)").fill("grace@example.org")
    visit.press("Continue", "guest-review")
    visit.press("Pay $312.44", "guest-review-nothing-ticked")
    visit.follow("Change Bank account", "guest-bank-typed-before")
    visit.press("Continue")
    tick_all(visit)
    visit.press("Pay $312.44", "guest-confirmation")
    visit.follow("Receipt", "guest-receipt")
    visit.follow("Cancel this payment", "cancel")
    _find_receipt(visit, household)
    visit.open("/guest/00000000-0000-0000-0000-000000000000/amount/", "start-again")


def tour_bill_codes(visit: Visit) -> None:
    """A guest who scans the code on a bill: one that is open, paid, replaced; and a code that opens nothing."""
    household = visit.portal.add_household()
    visit.page.context.clear_cookies()
    visit.open(_scan(households.find_bill(household, voided=False)), "bill-code")
    visit.press("Pay this bill", "bill-code-amount")
    visit.press("Continue")
    fill_bank(visit)
    visit.press("Continue", "bill-code-review")
    tick_all(visit)
    visit.press("Pay $312.44")
    visit.open(_scan(households.find_bill(household, voided=False)), "bill-code-paid")
    past = households.add_with_a_past(visit.portal)
    visit.open(_scan(households.list_bills(past.member)[-1]), "bill-code-with-an-older-bill")
    pushed = households.add_pushed(visit.portal)
    replaced = households.find_bill(pushed, voided=True)
    address = _scan(replaced)
    visit.open(address, "bill-code-replaced")
    revoke_links(invoice_ids=[replaced.pk], by=people.make_staff(), at=clock.now())
    visit.open(address, "bill-code-too-old")
    visit.open("/b/ABCDE-FGHIJ-KLMNO-PQRST/", "bill-code-none")


def _scan(bill: Invoice) -> str:
    """Where the code on a bill leads."""
    codes = ensure_links(invoice_ids=[bill.pk], today=clock.today(), at=clock.now())
    return reverse("bill_link", args=[format_code(codes[bill.pk])])


def _uncheck_all(visit: Visit) -> None:
    for box in visit.page.get_by_role("checkbox").all():
        box.uncheck()


def _find_receipt(visit: Visit, household: Household) -> None:
    number = households.find_payment(household, status=PaymentStatus.RECORDED).confirmation_number
    visit.page.context.clear_cookies()
    visit.open("/receipts/", "receipt-find")
    visit.press("Find receipt", "receipt-find-empty")
    visit.fill("Confirmation number", number)
    visit.fill("Last 4 of the bank account number", "0000")
    visit.press("Find receipt", "receipt-find-not-found")
    visit.fill("Last 4 of the bank account number", ACCOUNT[-4:])
    visit.press("Find receipt", "receipt-by-last-four")


def tour_unseen_guest(visit: Visit) -> None:
    """A guest without the date of birth."""
    household = visit.portal.add_household(products=("health", "dental"))
    find_bill(visit, household)
    visit.look("guest-amount-unseen")
    visit.press("Continue", "guest-amount-unseen-empty")
    visit.page.get_by_label("Dental").check()
    visit.fill("Amount", "31.50")
    visit.press("Continue")
    fill_bank(visit)
    visit.press("Continue", "guest-review-unseen")
    tick_all(visit)
    visit.press("Pay $31.50", "guest-confirmation-unseen")
    visit.open(_withhold(visit, household), "guest-amount-withheld")


def _withhold(visit: Visit, household: Household) -> str:
    """The amount page of a guest who gave the date of birth after too many look-ups."""
    cookies = visit.page.context.cookies()
    key = next(cookie["value"] for cookie in cookies if cookie["name"] == settings.SESSION_COOKIE_NAME)
    contents = drafts.Contents(
        account_ids=(households.find_account(household).pk,),
        shows_account=False,
        withheld=True,
        identifier=household.member.member_id,
        date_of_birth=household.member.date_of_birth,
    )
    digest = drafts.digest_session(SessionStore(session_key=key))
    draft = drafts.start_draft(user=None, session_digest=digest, contents=contents, at=clock.now())
    return reverse("guest_pay", args=[draft.pk, "amount"])


def tour_phone(visit: Visit) -> None:
    """A call in the browser, up to the words to be authorized."""
    household = visit.portal.add_household()
    visit.open("/phone/try/")
    visit.press("Call", "phone-call")
    for keys in ("1", household.member.member_id, f"{household.member.date_of_birth:%m%d%Y}", "1", "1"):
        visit.fill("Keys", keys)
        visit.press("Press keys")
    visit.look("phone-question")
    for keys in ("1", "1", ROUTING, ACCOUNT, ACCOUNT):
        visit.fill("Keys", keys)
        visit.press("Press keys")
    visit.look("phone-review")


def tour_member(visit: Visit) -> None:
    """A member pays both bills in one visit, and sees everything in progress."""
    household = visit.portal.add_household(products=("health", "dental"))
    sign_in(visit, household)
    visit.look("home-due")
    visit.follow("Make a payment", "pay-amount")
    visit.page.get_by_label("A different amount").first.check()
    visit.page.get_by_label("Other amount").first.fill("99999")
    visit.press("Continue", "pay-amount-too-much")
    visit.page.get_by_label("Other amount").first.fill("400.00")
    visit.press("Continue", "pay-amount-asked-once-more")
    visit.page.get_by_label("Other amount").first.fill("")
    visit.page.get_by_label("Total due: $312.44").check()
    visit.press("Continue", "pay-bank")
    fill_bank(visit)
    visit.press("Continue", "pay-review")
    tick_all(visit)
    visit.press("Pay $343.94", "confirmation")
    visit.follow("Receipt Health", "receipt-member")
    visit.open("/home/", "home-processing")
    bill = households.find_bill(household, voided=False)
    visit.open(f"/bills/{bill.number}/", "bill-processing")
    visit.open("/pay/", "pay-amount-nothing-due")
    visit.press("Continue", "pay-amount-nothing-due-error")


def tour_mailed(visit: Visit) -> None:
    """A check in the mail: nothing typed right, told, and not coming after all."""
    visit.follow("I mailed a check", "mailed-check")
    visit.fill("Amount of the check", "")
    visit.press("Tell us", "mailed-check-error")
    visit.fill("Amount of the check", "312.44")
    visit.press("Tell us", "home-check-expected")
    visit.follow("It is not coming", "mailed-check-not-coming")
    visit.press("It is not coming")


def tour_scheduling(visit: Visit) -> None:
    """A payment for a later day."""
    household = households.add_scheduling(visit.portal)
    sign_in(visit, household)
    visit.look("home-one-account")
    tour_mailed(visit)
    visit.follow("Make a payment")
    visit.page.get_by_label("On a later day").check()
    visit.look("pay-amount-later")
    visit.press("Continue", "pay-amount-later-empty")
    visit.fill("Later day", (clock.today() + timedelta(days=1)).isoformat())
    visit.press("Continue")
    fill_bank(visit)
    visit.press("Continue", "pay-review-scheduled")
    tick_all(visit)
    visit.press("Pay $312.44", "confirmation-scheduled")
    visit.follow("Receipt", "receipt-scheduled")
    visit.follow("Cancel this payment")
    visit.press("Cancel this payment", "receipt-canceled")


def tour_autopay(visit: Visit) -> None:
    """AutoPay: off, set up for both bills, changed, turned off; and as it stands after a return."""
    household = households.add_scheduling(visit.portal)
    households.add_dental(household)
    sign_in(visit, household)
    visit.open("/autopay/", "autopay-off")
    visit.open("/autopay/set-up/", "autopay-bills")
    _uncheck_all(visit)
    visit.press("Continue", "autopay-bills-nothing-chosen")
    visit.page.get_by_label("Health", exact=True).check()
    visit.page.get_by_label("Dental", exact=True).check()
    visit.fill("Most to take at once for dental (optional)", "20")
    visit.press("Continue", "autopay-bank")
    fill_bank(visit)
    visit.press("Continue", "autopay-review")
    visit.press("Turn on AutoPay", "autopay-review-nothing-ticked")
    tick_all(visit)
    visit.press("Turn on AutoPay", "autopay-confirmation")
    visit.open("/autopay/", "autopay-on")
    visit.open("/home/", "home-autopay")
    visit.follow("Make a payment", "pay-amount-autopay")
    visit.open("/autopay/")
    visit.page.locator("main").get_by_role("link", name="Turn off AutoPay").first.click()
    visit.look("autopay-turn-off")
    visit.press("Turn off AutoPay", "autopay-turned-off")
    stopped = households.add_with_autopay_stopped(visit.portal)
    sign_in(visit, stopped)
    visit.look("home-autopay-stopped")
    visit.open("/autopay/", "autopay-stopped")
    visit.open("/autopay/set-up/", "autopay-bills-missed")


def tour_past(visit: Visit) -> None:
    """A member with a history: paid, returned, canceled, past due."""
    household = households.add_with_a_past(visit.portal)
    sign_in(visit, household)
    visit.look("home-past-due")
    visit.open("/bills/", "bills")
    paid, *_others, due = households.list_bills(household.member)
    visit.open(f"/bills/{due.number}/", "bill-open")
    visit.open(f"/bills/{paid.number}/", "bill-paid")
    visit.open("/payments/", "payment-history")
    visit.open("/payments/?status=returned", "payment-history-filtered")
    visit.open("/payments/?since=nonsense&until=2001-01-01", "payment-history-wrong-date")
    for status, name in ((PaymentStatus.POSTED, "paid"), (PaymentStatus.RETURNED, "returned")):
        payment = households.find_payment(household, status=status)
        visit.open(f"/receipts/{payment.confirmation_number}/", f"receipt-{name}")
    visit.open(f"/receipts/{payment.confirmation_number}/cancel/", "cancel-too-late")
    visit.open("/pay/", "pay-amount-past-due")
    visit.press("Continue", "pay-bank-saved")
    households.add_directory()
    visit.page.get_by_label("Use another account").check()
    visit.fill("Routing number", MERGED_ROUTING_NUMBER)
    visit.fill("Account number", "12")
    visit.press("Continue", "pay-bank-another-error")
    fill_bank(visit)
    visit.fill("Routing number", MERGED_ROUTING_NUMBER)
    visit.press("Continue", "pay-review-merged-bank")


def tour_replaced_bill(visit: Visit) -> None:
    """A first bill that was not paid in time."""
    household = households.add_pushed(visit.portal)
    sign_in(visit, household)
    visit.look("home-start-moved")
    bill = households.find_bill(household, voided=True)
    visit.open(f"/bills/{bill.number}/", "bill-replaced")


def tour_many_accounts(visit: Visit) -> None:
    """Twelve accounts with long names: nothing due on some, past due on the others."""
    sign_in(visit, households.add_with_many_accounts(visit.portal))
    visit.look("home-twelve-accounts")
    visit.follow("Make a payment", "pay-amount-twelve-accounts")
    visit.press("Continue")
    fill_bank(visit)
    visit.press("Continue", "pay-review-twelve-accounts")


def tour_faults(visit: Visit) -> None:
    """Where nobody wanted to go."""
    visit.open("/no-such-page/", "fault-not-found")
    sign_in_as_staff(visit, is_superuser=False)
    visit.open("/admin/members/user/", "fault-not-allowed")
    visit.page.context.clear_cookies()
    visit.open("/guest/")
    visit.page.context.clear_cookies()
    visit.press("Find my bill", "fault-form-too-old")
    household = visit.portal.add_household()
    for _ in range(TRIES_UNTIL_LOCKED):
        visit.open("/accounts/login/")
        visit.fill("Email", household.email)
        visit.fill("Password", "not the password")
        visit.press("Sign in")
    visit.look("fault-too-many-tries")
    for status in (500, 503):
        _open_by_hand(visit, status)


def _open_by_hand(visit: Visit, status: int) -> None:
    """A fault nobody can bring about on purpose: the page that the portal would send."""
    path = f"{visit.portal.url}/fault-{status}/"
    visit.page.route(
        path,
        lambda route: route.fulfill(
            status=status, body=render_to_string(f"{status}.html"), content_type="text/html"
        ),
    )
    visit.open(f"/fault-{status}/", f"fault-{status}")


CHAPTERS: Mapping[str, Callable[[Visit], None]] = {
    "public pages": tour_public_pages,
    "sign-in": tour_sign_in,
    "activation": tour_activation,
    "guest": tour_guest,
    "unseen guest": tour_unseen_guest,
    "bill codes": tour_bill_codes,
    "phone": tour_phone,
    "member": tour_member,
    "scheduling": tour_scheduling,
    "autopay": tour_autopay,
    "past": tour_past,
    "profile": tour_profile,
    "session": tour_session,
    "replaced bill": tour_replaced_bill,
    "many accounts": tour_many_accounts,
    "faults": tour_faults,
    "staff": tour_staff,
    "staff handling": tour_handling,
    "corrections": tour_corrections,
    "seeing": tour_seeing,
    "rights": tour_rights,
}
