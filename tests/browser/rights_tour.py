"""The chapter of who may do what: a second step set up, the staff's roles, what is taken away and by whom, a month's close."""

from typing import TYPE_CHECKING

from django.urls import reverse

from tests import people
from tests.browser import households
from tests.browser.staff_tour import sign_in_as_staff

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_rights(visit: "Visit") -> None:
    """An administrator's pages, from the first sign-in on."""
    tour_setting_up(visit)
    sign_in_as_staff(visit)
    clerk = people.make_clerk("cashier")
    visit.open(reverse("admin:members_user_rights"), "staff-rights")
    visit.open(reverse("admin:members_user_changelist"), "staff-people")
    visit.open(reverse("admin:members_user_change", args=[clerk.pk]), "staff-person")
    visit.press("Reset their second step", "staff-person-reset")
    visit.open(reverse("admin:members_staffevent_changelist"), "staff-history")
    visit.open(f"{reverse('admin:billing_movement_close')}?month=2020-01", "staff-month-close")
    visit.open(f"{reverse('admin:billing_movement_close')}?month=2999-01", "staff-month-not-over")
    visit.open(f"{reverse('admin:payments_payment_export')}?status__exact=posted", "staff-export")
    tour_number(visit)
    visit.open(reverse("admin:lib_accesslog_changelist"), "staff-access-log")


def tour_setting_up(visit: "Visit") -> None:
    """Somebody of the staff who has no second step yet sets up the app."""
    staff = people.make_staff()
    visit.open("/admin/")
    visit.fill("Email or username", staff.username)
    visit.fill("Password", people.PASSWORD)
    visit.press("Sign in", "staff-no-second-step")
    visit.follow("Set up the app")
    visit.fill("Password", people.PASSWORD)
    visit.press("Continue", "staff-set-up-app")
    secret = visit.page.locator(".cp-secret").inner_text()
    visit.fill("Code", people.read_code(secret))
    visit.press("Turn on", "staff-recovery-codes")
    visit.follow("Go to the staff pages", "staff-code-again")
    visit.open(reverse("mfa_index"), "staff-second-steps")
    visit.page.context.clear_cookies()


def tour_number(visit: "Visit") -> None:
    """A whole account number, asked for with a reason."""
    household = households.add_with_a_saved_account(visit.portal)
    account = household.user.bank_accounts.get()
    visit.open(reverse("admin:payments_bankaccount_number", args=[account.pk]), "staff-number-ask")
    visit.fill("Why:", "The payer’s bank asks")
    visit.press("Show the number", "staff-number")
