"""The staff's chapter of the tour: what they read, and what they decide."""

from typing import TYPE_CHECKING

from django.test import override_settings
from django.urls import reverse

from connector_pay.lib import clock
from payments.bank_accounts import validate
from payments.models import Payment
from tests import people
from tests.browser import households

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_staff(visit: "Visit") -> None:
    """The staff's side: one of each shape."""
    visit.portal.add_household(products=("health", "dental"))
    staff = people.make_staff()
    visit.open("/admin/login/", "staff-sign-in")
    visit.fill("Username:", staff.username)
    visit.fill("Password:", people.PASSWORD)
    visit.press("Log in", "staff-index")
    visit.open("/admin/members/member/", "staff-list")
    first = visit.page.locator("#result_list tbody th a").first.get_attribute("href")
    visit.open(first or "", "staff-member")
    visit.open("/admin/payments/payment/", "staff-payments")
    tour_waiting_accounts(visit)
    visit.open(reverse("demo_date"), "staff-demo-date")


def tour_waiting_accounts(visit: "Visit") -> None:
    """A bank account that waits for staff is refused without a reason, then with one; another is approved."""
    for _ in range(2):
        households.add_with_a_saved_account(visit.portal)
    with override_settings(BANK_VALIDATION_METHODS=["prenote", "manual"]):
        refused, approved = [payment.bank_account for payment in Payment.objects.order_by("-pk")[:2]]
        for account in (refused, approved):
            validate(bank_account=account, at=clock.now())
    visit.open("/admin/payments/bankaccount/?waiting=yes", "staff-bank-accounts-waiting")
    visit.open(_address(refused.pk), "staff-bank-account-waiting")
    visit.page.get_by_label("Reason for refusing").fill(" ")
    visit.press("Refuse", "staff-bank-account-no-reason")
    visit.page.get_by_label("Reason for refusing").fill("The name on the account is not the payer’s")
    visit.press("Refuse", "staff-bank-account-refused")
    visit.open(_address(approved.pk))
    visit.press("Approve", "staff-bank-account-approved")


def _address(key: int) -> str:
    return reverse("admin:payments_bankaccount_change", args=[key])
