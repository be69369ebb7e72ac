"""The staff's chapter of the tour: what they read, and what they decide."""

from typing import TYPE_CHECKING

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.test import override_settings
from django.urls import reverse

from billing.due_dates import next_month
from billing.print_batches import draw_waiting
from connector_pay.lib import clock
from payments.bank_accounts import validate
from payments.models import Payment, PaymentStatus
from tests import people
from tests.billing import behind
from tests.browser import households

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_staff(visit: "Visit") -> None:
    """The staff's side: one of each shape."""
    visit.portal.add_household(products=("health", "dental"))
    sign_in_as_staff(visit, looked_at=True)
    visit.open("/admin/members/member/", "staff-list")
    first = visit.page.locator("#result_list tbody th a").first.get_attribute("href")
    visit.open(first or "", "staff-member")
    visit.open("/admin/payments/payment/", "staff-payments")
    tour_waiting_accounts(visit)
    visit.open(reverse("demo_date"), "staff-demo-date")
    visit.open(reverse("demo_outbox"), "staff-demo-outbox")
    tour_paper(visit)
    tour_refunds(visit)
    tour_terminations(visit)


def tour_seeing(visit: "Visit") -> None:
    """What is found in the one box, a member's page, an account's timeline down to the bank's line, and the dashboard."""
    sign_in_as_staff(visit)
    household = households.add_with_credit(visit.portal)
    payment = households.find_payment(household, status=PaymentStatus.POSTED)
    visit.portal.add_household(products=("dental",), last_name=household.member.last_name)
    parked = households.park_a_return()
    for typed, name in (
        ("nobody at all", "staff-find-none"),
        (household.member.last_name[:3], "staff-find-several"),
    ):
        visit.open("/admin/")
        visit.fill("Find a member, payment, check or file", typed)
        visit.press("Find", name)
    visit.open("/admin/", "staff-first-page")
    visit.fill("Find a member, payment, check or file", household.member.member_id)
    visit.press("Find", "staff-member-at-a-glance")
    account = payment.account_id
    visit.open(reverse("admin:account_timeline", args=[account]), "staff-timeline")
    visit.open(f"{reverse('admin:account_ledger', args=[account])}?figure=paid", "staff-ledger-of-a-figure")
    visit.open(reverse("admin:payments_fileentry_line", args=[payment.entry.pk]), "staff-bank-line")
    visit.open(reverse("admin:payments_returnline_change", args=[parked.pk]), "staff-return-waits")
    visit.fill("What was done", "Asked the bank: the debit was not ours")
    visit.press("Close this return", "staff-return-closed")
    households.add_due_today(visit.portal)
    visit.open(reverse("admin:dashboard"), "staff-dashboard")
    visit.open(reverse("admin:pushes"), "staff-pushes")


def sign_in_as_staff(visit: "Visit", *, looked_at: bool = False, **facts: object) -> None:
    """By username, password and code, of an app of their own: portals side by side remember which codes were taken."""
    staff = people.make_staff(**facts)
    secret = people.give_second_step(staff, secret=generate_totp_secret())
    visit.page.context.clear_cookies()
    visit.open("/admin/", "staff-sign-in" if looked_at else "")
    visit.fill("Email or username", staff.username)
    visit.fill("Password", people.PASSWORD)
    visit.press("Sign in", "staff-second-step" if looked_at else "")
    visit.fill("Code", people.read_code(secret))
    visit.press("Sign in", "staff-index" if looked_at else "")


def tour_paper(visit: "Visit") -> None:
    """A batch of bills is made, drawn and closed; a bill's code is looked at."""
    visit.open(reverse("admin:billing_printbatch_changelist"), "staff-print-batches")
    with visit.page.expect_navigation():
        visit.page.get_by_role("button", name="Make a batch of bills").click()
    visit.look("staff-print-batch-made")
    draw_waiting(at=clock.now())
    visit.page.reload()
    visit.look("staff-print-batch-drawn")
    visit.press("All is in the mail: count it as sent", "staff-print-batch-closed")
    visit.open(reverse("admin:billing_billlink_changelist"))
    first = visit.page.locator("#result_list tbody th a").first.get_attribute("href")
    visit.open(first or "", "staff-bill-code")


def tour_refunds(visit: "Visit") -> None:
    """One of the staff asks for a refund by check, another approves it and notes the check's number."""
    household = households.add_with_credit(visit.portal)
    payment = households.find_payment(household, status=PaymentStatus.POSTED)
    visit.open(reverse("admin:payments_payment_change", args=[payment.pk]), "staff-payment")
    visit.follow("Ask for a refund", "staff-refund-ask")
    visit.press("Show what it does", "staff-refund-ask-empty")
    visit.page.get_by_label("By check").check()
    visit.fill("Why:", "Paid twice by mistake")
    visit.press("Show what it does", "staff-refund-preview")
    visit.press("Ask for this refund", "staff-refund-asked")
    asked = visit.page.url.removeprefix(visit.portal.url)
    sign_in_as_staff(visit)
    visit.open(asked, "staff-refund-to-approve")
    visit.press("Approve this refund", "staff-refund-approved")
    visit.open(reverse("admin:payments_refund_checks"), "staff-checks-to-print")
    visit.page.get_by_label("Number of the check").first.fill("1042")
    with visit.page.expect_navigation():
        visit.page.locator("main").get_by_role("button", name="Printed").first.click()
    visit.look("staff-checks-none")
    visit.open(reverse("admin:payments_refund_changelist"), "staff-refunds")
    visit.open(reverse("admin:payments_refund_due"), "staff-refunds-due")


def tour_terminations(visit: "Visit") -> None:
    """Coverage to be ended: the list, one that is kept without a reason, ended, asked back and declined."""
    today = clock.today()
    account = behind.cover(start=next_month(today, count=-4), today=today)
    episode = households.list_to_be_ended(account)
    visit.open(reverse("admin:billing_episode_changelist"), "staff-episodes")
    visit.follow("Coverage to be ended", "staff-terminations")
    visit.press("End the coverage that is ticked", "staff-terminations-none-ticked")
    visit.open(reverse("admin:billing_episode_change", args=[episode.pk]), "staff-episode-listed")
    visit.page.get_by_label("Why it is kept").fill(" ")
    visit.press("Keep this coverage", "staff-episode-no-reason")
    visit.press("End this coverage", "staff-episode-ended")
    visit.press("The member asks for it back", "staff-episode-asked")
    visit.press("Approve the reinstatement", "staff-episode-not-paid")


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
