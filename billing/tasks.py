"""Billing's jobs of the timetable: bills void after an end, invoices issued, and the nightly review of what is overdue."""

from datetime import date, datetime

from billing import ends, invoices, overdue
from connector_pay.lib.jobs import Counts


def void_ended(*, day: date, at: datetime) -> Counts:
    """Void the bills of months after the last day of coverage."""
    return ends.void_after_ends(today=day, at=at)


def issue_invoices(*, day: date, at: datetime) -> Counts:
    """The binders of new enrollments, and each month's invoices on the first of the month before."""
    return invoices.issue_missing(today=day, at=at)


def review_overdue(*, day: date, at: datetime) -> Counts:
    """Push the starts whose first payment was not received by its due date."""
    return overdue.review(today=day, at=at, run=f"review_overdue {day}")
