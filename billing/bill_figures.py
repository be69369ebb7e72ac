"""What a bill says in figures: what was owed before, what was paid since, this month, and what is due; set by set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.balances import OpenInvoice, Standing, read_standings
from billing.credit import sum_withdrawn
from billing.models import Allocation, Invoice, Receipt
from billing.rates import read_plans
from members.models import Plan

RECENT = 5


@dataclass(frozen=True, slots=True)
class RecentPayment:
    """Money received lately for the account; `stands` is False for a payment that came back."""

    received_date: date
    cents: int
    cleared: bool
    stands: bool


@dataclass(frozen=True, slots=True)
class BillFigures:
    """One bill in whole cents. `previous_cents` - `payments_cents` + `invoice.amount_cents` = `due_cents`, always.

    What counts is the account's months up to the bill's own. `previous_cents` is what was owed, or was credit if negative, when
    the bill before went out; `payments_cents` came since. `open_months` are those of them still to pay, oldest first; part of
    what is due is past due. `credit_cents` lies on no bill yet. `plan` is that of the bill's month.
    """

    invoice: Invoice
    plan: Plan
    standing: Standing
    due_date: date
    previous_cents: int
    payments_cents: int
    due_cents: int
    past_due_cents: int
    credit_cents: int
    open_months: tuple[OpenInvoice, ...]
    recent: tuple[RecentPayment, ...]

    @property
    def adjustment_cents(self) -> int:
        """What the bill asks for beside premium and subsidy."""
        return self.invoice.amount_cents - self.invoice.premium_cents + self.invoice.subsidy_cents


@dataclass(frozen=True, slots=True)
class _Placed:
    """Money that lies on a month, by the day it was received."""

    month: date
    received_date: date
    cents: int


def read_figures(*, invoice_ids: Iterable[int], today: date) -> dict[int, BillFigures]:
    """The figures of each bill as they stand, void ones too, by invoice; as many statements for one as for many."""
    asked = _read_invoices(list(invoice_ids))
    account_ids = {invoice.account_id for invoice in asked}
    standings = read_standings(account_ids=account_ids, today=today)
    placed, recent = _read_placed(account_ids), _read_recent(account_ids)
    plans = read_plans(enrollments=[invoice.account.enrollment for invoice in asked])
    return {
        invoice.pk: _compute(
            invoice,
            plan=plans[invoice.account.enrollment_id].find(month=invoice.coverage_month),
            standing=standings[invoice.account_id],
            placed=placed.get(invoice.account_id, ()),
            recent=recent.get(invoice.account_id, ()),
            today=today,
        )
        for invoice in asked
    }


def _compute(
    invoice: Invoice,
    *,
    plan: Plan,
    standing: Standing,
    placed: Sequence[_Placed],
    recent: Sequence[RecentPayment],
    today: date,
) -> BillFigures:
    month = invoice.coverage_month
    open_months = tuple(item for item in standing.open_invoices if item.coverage_month <= month)
    due = sum(item.remaining_cents for item in open_months)
    due_dates = {item.id: item.due_date for item in open_months}
    counted = [item for item in placed if item.month <= month]
    since = getattr(invoice, "previous_issued_on")  # noqa: B009  (annotated by _read_invoices)
    payments = sum(item.cents for item in counted if since is None or item.received_date >= since)
    return BillFigures(
        invoice=invoice,
        plan=plan,
        standing=standing,
        due_date=due_dates.get(invoice.pk) or standing.due_date_rule(invoice.due_month),
        previous_cents=due + payments - invoice.amount_cents,
        payments_cents=payments,
        due_cents=due,
        past_due_cents=sum(item.remaining_cents for item in open_months if item.due_date < today),
        credit_cents=standing.credit_cents,
        open_months=open_months,
        recent=tuple(recent),
    )


def _read_invoices(invoice_ids: Sequence[int]) -> list[Invoice]:
    """The bills in the order they were asked for, each with the day on which the one before it was issued."""
    before = Invoice.objects.filter(
        account=OuterRef("account"), voided_at=None, coverage_month__lt=OuterRef("coverage_month")
    ).order_by("-coverage_month")
    invoices = Invoice.objects.select_related("account__enrollment__member", "account__enrollment__plan")
    found = invoices.annotate(previous_issued_on=Subquery(before.values("issued_on")[:1])).in_bulk(
        invoice_ids
    )
    return [found[key] for key in invoice_ids if key in found]


def _read_placed(account_ids: Iterable[int]) -> Mapping[int, Sequence[_Placed]]:
    """What lies on each account's bills that stand."""
    placed: defaultdict[int, list[_Placed]] = defaultdict(list)
    lying = Allocation.objects.filter(invoice__account__in=account_ids, invoice__voided_at=None)
    columns = ("invoice__account", "invoice__coverage_month", "receipt__received_date")
    sums = lying.values_list(*columns).annotate(net=Sum("cents")).exclude(net=0)
    for account_id, month, received_date, cents in sums.order_by():
        placed[account_id].append(_Placed(month, received_date, cents))
    return placed


def _read_recent(account_ids: Iterable[int]) -> Mapping[int, Sequence[RecentPayment]]:
    """Each account's latest receipts, the newest first; what was refunded of one is not shown as paid."""
    recent: defaultdict[int, list[RecentPayment]] = defaultdict(list)
    latest = Receipt.objects.filter(account=OuterRef("account")).order_by("-received_date", "-pk")
    receipts = Receipt.objects.filter(account__in=account_ids, pk__in=Subquery(latest.values("pk")[:RECENT]))
    kept = Coalesce(F("cents") - sum_withdrawn(), 0, output_field=IntegerField())
    rows = receipts.annotate(kept=kept).order_by("account", "-received_date", "-pk")
    for account_id, received_date, cents, cleared_on, taken_back_on in rows.values_list(
        "account", "received_date", "kept", "cleared_on", "taken_back_on"
    ):
        if cents or taken_back_on:
            recent[account_id].append(
                RecentPayment(
                    received_date, cents, cleared=cleared_on is not None, stands=taken_back_on is None
                )
            )
    return recent
