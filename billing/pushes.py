"""Pushes to come: whose start of coverage the review of a coming night would move, while the money can still come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.due_date_overrides import read_due_date, read_due_dates
from billing.models import Account, DueDateOverride, Invoice
from billing.overdue import find_late
from members.models import Enrollment, EnrollmentStatus

CHOSEN_AT_MOST = 20_000  # accounts with due dates of their own that are looked at one by one


@dataclass(frozen=True, slots=True)
class Push:
    """A start that the review moves; to no day where the enrollment expires instead."""

    account: Account
    start_after: date | None


def find_uncovered(*, night: date) -> QuerySet[Account]:
    """The accounts whose first payment is not whole, and whose due date has passed when the review of `night` runs."""
    unpaid = Invoice.objects.filter(
        is_binder=True, voided_at=None, account__enrollment__status=EnrollmentStatus.WAITING
    )
    unpaid = unpaid.annotate(received=Coalesce(Sum("allocations__cents"), 0)).filter(
        amount_cents__gt=F("received")
    )
    own = _find_own()
    late = unpaid.filter(account__enrollment__coverage_start__in=_list_passed(night)).exclude(own)
    dated = _keep_late(unpaid.filter(own).values_list("account_id", flat=True)[:CHOSEN_AT_MOST], night=night)
    return Account.objects.filter(Q(pk__in=late.values("account")) | Q(pk__in=dated))


def list_pushes(*, night: date, after: int = 0, limit: int) -> list[Push]:
    """Some of them in the order of their accounts, each with the start that the review gives it."""
    accounts = find_uncovered(night=night).filter(pk__gt=after).order_by("pk")
    shown = list(accounts.select_related("enrollment__member", "enrollment__plan")[:limit])
    late = find_late(account_ids=[account.pk for account in shown], today=night)
    return [Push(account, late[account.pk]) for account in shown if account.pk in late]


def _list_passed(night: date) -> list[date]:
    """The starts that are waited for and whose due date, for everyone, has passed by that night."""
    due_date = read_due_date()
    waiting = Enrollment.objects.filter(status=EnrollmentStatus.WAITING)
    starts = waiting.values_list("coverage_start", flat=True).distinct()
    return [start for start in starts if due_date(start) < night]


def _find_own() -> Q:
    """The accounts whose due dates may be their own."""
    overridden = DueDateOverride.objects.filter(account__isnull=False).values("account")
    return Q(account__enrollment__binder_due_date__isnull=False) | Q(account__in=overridden)


def _keep_late(account_ids: Iterable[int], *, night: date) -> list[int]:
    asked = sorted(set(account_ids))
    starts = dict(Account.objects.filter(pk__among=asked).values_list("pk", "enrollment__coverage_start"))
    due_dates = read_due_dates(account_ids=asked)
    return [key for key in asked if due_dates[key](starts[key]) < night]
