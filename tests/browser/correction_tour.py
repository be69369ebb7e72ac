"""The staff's chapter of corrections: adjust, waive, give more time, for one and for everyone, and decide a start."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from billing.due_dates import next_month
from billing.models import Account, StartReview
from billing.start_reviews import NewReview, open_reviews
from connector_pay.lib import clock
from tests.browser import households
from tests.browser.staff_tour import sign_in_as_staff

if TYPE_CHECKING:
    from tests.browser.tour import Visit


def tour_corrections(visit: "Visit") -> None:
    """What is asked for, shown, approved by another; and an account's own page."""
    account = households.find_account(visit.portal.add_household())
    sign_in_as_staff(visit)
    tour_account(visit, account)
    tour_everyone(visit, account)
    tour_start(visit, account)


def tour_account(visit: "Visit", account: Account) -> None:
    """One account: each act with its preview."""
    month = account.enrollment.coverage_start
    visit.open(reverse("admin:billing_account_change", args=[account.pk]), "staff-account")
    visit.follow("Adjust a month")
    visit.page.get_by_label("Coverage month").select_option(month.isoformat())
    visit.fill("Amount:", "84.17")
    visit.press("Show what it does", "staff-adjust-no-reason")
    visit.fill("Why:", "The wrong rate was sent")
    visit.press("Show what it does", "staff-adjust-preview")
    visit.press("Adjust this month")
    visit.open(reverse("admin:billing_account_waive", args=[account.pk]))
    for label in ("First month", "Last month"):
        visit.page.get_by_label(label).select_option(month.isoformat())
    visit.fill("Why:", "Lost her job")
    visit.press("Show what it does", "staff-waive-preview")
    visit.open(reverse("admin:billing_account_due_date", args=[account.pk]))
    visit.page.get_by_label("Coverage month").select_option(month.isoformat())
    due = next_month(month, count=-1).replace(day=23)
    visit.fill("New due date:", (due + timedelta(days=5)).isoformat())
    visit.fill("Why:", "A flood")
    visit.press("Show what it does", "staff-due-date-preview")


def tour_everyone(visit: "Visit", account: Account) -> None:
    """A month's due date for everyone, asked for by one and approved by another; and an outage."""
    month, today = account.enrollment.coverage_start, clock.today()
    visit.open(reverse("admin:billing_correction_month"))
    visit.page.get_by_label("Coverage month").select_option(month.isoformat())
    due = next_month(month, count=-1).replace(day=23)
    visit.fill("New due date:", (due + timedelta(days=8)).isoformat())
    visit.fill("Why:", "A storm")
    visit.press("Show what it does", "staff-month-preview")
    visit.press("Ask for this due date", "staff-correction-own")
    asked = visit.page.url.removeprefix(visit.portal.url)
    sign_in_as_staff(visit)
    visit.open(asked, "staff-correction-to-approve")
    visit.press("Approve this correction")
    visit.open(reverse("admin:billing_correction_changelist"), "staff-corrections")
    visit.open(reverse("admin:billing_correction_outage"))
    last_due = (today if today.day > 23 else today.replace(day=1) - timedelta(days=1)).replace(day=23)
    visit.fill("From (Eastern):", f"{last_due} 20:00")
    visit.fill("To (Eastern):", f"{last_due} 22:30")
    visit.fill("What was down:", "The bank page")
    visit.fill("Public words:", "You could not pay that evening. You have one more day.")
    visit.press("Show what it does", "staff-outage-preview")
    visit.press("Record this outage", "staff-outage-recorded")


def tour_start(visit: "Visit", account: Account) -> None:
    """A start under review: the list, and the page that decides it."""
    start = account.enrollment.coverage_start
    why = "the rules give a month that has begun"
    new = NewReview(account.enrollment_id, start, next_month(start), why)
    open_reviews(reviews=[new], today=clock.today(), at=clock.now())
    review = StartReview.objects.latest("pk")
    visit.open(reverse("admin:billing_startreview_changelist"), "staff-start-reviews")
    visit.open(reverse("admin:billing_startreview_change", args=[review.pk]))
    visit.follow("Decide where coverage starts", "staff-start-decide")
    visit.page.get_by_role("radio", name="Coverage starts where it stands").check()
    visit.fill("Why:", "The member asked to keep it")
    visit.press("Decide this start")
