"""A member's bills: each month that was billed, what lies on it, and its status in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.due_date_overrides import read_due_date, read_due_dates
from billing.due_dates import DueDate
from billing.models import Allocation, Invoice
from billing.rates import Plans, read_plans
from members.models import Plan


class UnableToFindBill(Exception):
    """No bill of these accounts has that number."""


@dataclass(frozen=True)
class Bill:
    """One month's bill of one account. Money is whole cents; `cleared_cents` is the part of `received_cents` that is final.

    The due date is the one in force now, overrides included; the plan is that of the month.
    """

    invoice: Invoice
    plan: Plan
    due_date: date
    received_cents: int
    cleared_cents: int

    @property
    def remaining_cents(self) -> int:
        """What is still to pay."""
        return max(self.invoice.amount_cents - self.received_cents, 0)

    def describe_status(self, *, today: date) -> str:
        """Replaced, Paid, Payment processing, Past due or Due. A received payment is never shown as owed."""
        if self.invoice.voided_at:
            return _("Replaced")
        if self.cleared_cents >= self.invoice.amount_cents:
            return _("Paid")
        if not self.remaining_cents:
            return _("Payment processing")
        return _("Past due") if self.due_date < today else _("Due")


@dataclass(frozen=True)
class MoneyOnBill:
    """Part of a receipt that lies on a bill."""

    received_date: date
    cents: int
    cleared_on: date | None


def list_bills(*, account_ids: Iterable[int]) -> list[Bill]:
    """Every bill of the accounts that is not void, the latest month first."""
    ids = list(account_ids)
    due_dates = read_due_dates(account_ids=ids)
    live = _with_money(Invoice.objects.filter(account_id__in=ids, voided_at=None))
    invoices = list(live.order_by("-coverage_month", "account_id"))
    plans = _read_plans(invoices)
    return [_make(invoice, due_dates[invoice.account_id], plans) for invoice in invoices]


def find_bill(*, number: str, account_ids: Iterable[int]) -> Bill:
    """The bill with this number, void or not, if it is one of these accounts'. Raises UnableToFindBill."""
    if not number.isdecimal() or len(number) > 10:
        raise UnableToFindBill
    invoice = _with_money(Invoice.objects.filter(pk=int(number), account_id__in=list(account_ids))).first()
    if invoice is None:
        raise UnableToFindBill
    return _make(invoice, read_due_date(account_id=invoice.account_id), _read_plans([invoice]))


def list_money(*, invoice_id: int) -> list[MoneyOnBill]:
    """What lies on a bill, by receipt, oldest first."""
    rows = (
        Allocation.objects.filter(invoice_id=invoice_id)
        .values("receipt_id", "receipt__received_date", "receipt__cleared_on")
        .annotate(on_bill=Sum("cents"))
        .filter(on_bill__gt=0)
        .order_by("receipt__received_date", "receipt_id")
    )
    return [
        MoneyOnBill(
            received_date=row["receipt__received_date"],
            cents=row["on_bill"],
            cleared_on=row["receipt__cleared_on"],
        )
        for row in rows
    ]


def _with_money(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    money = Allocation.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    received = money.annotate(total=Sum("cents")).values("total")
    cleared = money.filter(receipt__cleared_on__isnull=False).annotate(total=Sum("cents")).values("total")
    return invoices.select_related("account__enrollment__plan").annotate(
        received=Coalesce(Subquery(received, output_field=IntegerField()), 0),
        cleared=Coalesce(Subquery(cleared, output_field=IntegerField()), 0),
    )


def _read_plans(invoices: Iterable[Invoice]) -> dict[int, Plans]:
    return read_plans(enrollments=[invoice.account.enrollment for invoice in invoices])


def _make(invoice: Invoice, due_date: DueDate, plans: Mapping[int, Plans]) -> Bill:
    return Bill(
        invoice=invoice,
        plan=plans[invoice.account.enrollment_id].find(month=invoice.coverage_month),
        due_date=due_date(invoice.due_month),
        received_cents=getattr(invoice, "received"),  # noqa: B009  (annotated by _with_money)
        cleared_cents=getattr(invoice, "cleared"),  # noqa: B009
    )
