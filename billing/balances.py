"""Balances: where an account stands today: what is owed for which month, and what was received."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.accounts import UnableToFindAccount
from billing.binders import make_first_payments
from billing.credit import sum_withdrawn
from billing.due_date_overrides import read_due_dates
from billing.due_dates import DueDate, find_due_date, first_of_month
from billing.first_payments import FirstPayment
from billing.models import Account, Invoice, Receipt, format_invoice_number
from billing.premiums import Terms
from billing.rates import read_terms
from connector_pay.lib.written_once import write_once
from members.models import EnrollmentStatus


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that is not void, with the money received for it; `cleared_cents` of that is final.

    The due date is the one in force today, overrides included. In `Standing.open_invoices` something remains
    to be received; elsewhere it may be paid.
    """

    id: int
    number: str
    coverage_month: date
    due_date: date
    amount_cents: int
    received_cents: int
    remaining_cents: int
    is_binder: bool
    cleared_cents: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account owes and has paid as of a day, and where its coverage stands. Money in whole cents.

    `due_cents` = `past_due_cents` + `this_month_cents`; a received payment is not owed, cleared or not.
    `due_date` is the oldest open bill's, `due_date_rule` gives any month's, overrides included. `invoices` are all that are not
    void, paid ones too, the oldest month first. `binder` is the first bill of those that the first payment must cover. While
    coverage waits for it, `first_payment` tells what a payment would do.

    `owed_back_cents` were refunded from a payment that the bank took back afterwards. No bill asks for them and they are not
    part of what is due: what is due decides AutoPay, the start and the end of coverage, and nobody loses coverage over a refund
    that we paid. Staff ask for them; until they have come back nothing more is refunded.
    """

    account_id: int
    enrollment_id: int
    member_id: int
    product: str
    plan_name: str
    coverage_start: date
    requested_start: date
    enrollment_status: str
    binder: OpenInvoice | None
    open_invoices: tuple[OpenInvoice, ...]
    due_cents: int
    this_month_cents: int
    past_due_cents: int
    due_date: date | None
    credit_cents: int
    monthly_premium_cents: int
    in_progress_cents: int
    binder_received: bool
    latest_invoice: OpenInvoice | None
    due_date_rule: DueDate = find_due_date
    owed_back_cents: int = 0
    first_payment: FirstPayment | None = None
    invoices: tuple[OpenInvoice, ...] = ()

    def stands_still(self, *, today: date) -> bool:
        """Whether a review has no start to move: it is as asked for, and its due date, if it waits, has not passed."""
        requested = first_of_month(self.requested_start)
        if self.coverage_start != requested or self.enrollment_status == EnrollmentStatus.EXPIRED:
            return False
        return self.enrollment_status != EnrollmentStatus.WAITING or self.due_date_rule(requested) >= today


def read_standings(*, account_ids: Iterable[int], today: date) -> dict[int, Standing]:
    """Each account's standing, in the order of their ids; as many statements for one account as for many.

    An id without an account is left out. Raises UnableToPriceMonth for an enrollment without a rate.
    """
    return _stand(_read_covered(account_ids), today=today)


def read_standings_of(*, accounts: Iterable[Account], today: date) -> dict[int, Standing]:
    """`read_standings` of accounts that were read with their enrollment and plan, which are not read again."""
    covered = [_Covered.of(account) for account in accounts]
    return _stand(sorted(covered, key=lambda account: account.account_id), today=today)


def _stand(accounts: "Sequence[_Covered]", *, today: date) -> dict[int, Standing]:
    if not accounts:
        return {}
    keys = [account.account_id for account in accounts]
    due_dates = read_due_dates(account_ids=keys)
    invoices = _read_invoices(keys, due_dates)
    money = _read_money(keys)
    terms = read_terms(enrollments={account.account_id: account.enrollment_id for account in accounts})
    first_payments = _read_first_payments(accounts, terms, due_dates)
    return {
        account.account_id: _make_standing(
            account=account,
            invoices=invoices.get(account.account_id, ()),
            money=money.get(account.account_id, _NO_MONEY),
            terms=terms[account.account_id],
            due_date_rule=due_dates[account.account_id],
            first_payment=first_payments.get(account.account_id),
            today=today,
        )
        for account in accounts
    }


def read_standing(*, account_id: int, today: date) -> Standing:
    """One account's standing. Raises UnableToFindAccount."""
    standings = read_standings(account_ids=[account_id], today=today)
    if account_id not in standings:
        raise UnableToFindAccount(f"There is no account {account_id}.")
    return standings[account_id]


@dataclass(frozen=True, slots=True)
class _Covered:
    """An account, and the coverage that it pays for."""

    account_id: int
    enrollment_id: int
    member_id: int
    product: str
    plan_name: str
    coverage_start: date
    requested_start: date
    enrollment_status: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Of an account that is read with its enrollment and plan."""
        enrollment = account.enrollment
        return cls(
            account_id=account.pk,
            enrollment_id=enrollment.pk,
            member_id=enrollment.member_id,
            product=enrollment.plan.product,
            plan_name=enrollment.plan.name,
            coverage_start=enrollment.coverage_start,
            requested_start=enrollment.requested_start,
            enrollment_status=enrollment.status,
        )


def _read_covered(account_ids: Iterable[int]) -> list[_Covered]:
    return [_Covered(*row) for row in _read_covered_rows(account_ids)]


@write_once
def _read_covered_rows(account_ids: list[int]) -> QuerySet[Account, Any]:
    accounts = Account.objects.filter(pk__among=account_ids).order_by("pk")
    return accounts.values_list(
        "pk",
        "enrollment_id",
        "enrollment__member_id",
        "enrollment__plan__product",
        "enrollment__plan__name",
        "enrollment__coverage_start",
        "enrollment__requested_start",
        "enrollment__status",
    )


def _read_first_payments(
    accounts: Sequence[_Covered], terms: Mapping[int, Terms], due_dates: Mapping[int, DueDate]
) -> dict[int, FirstPayment]:
    """For each account that waits for its first payment, all that decides its start."""
    waiting = {
        account.account_id: account.requested_start
        for account in accounts
        if account.enrollment_status == EnrollmentStatus.WAITING
    }
    return make_first_payments(requested=waiting, terms=terms, due_dates=due_dates) if waiting else {}


def _read_invoices(
    account_ids: Sequence[int], due_dates: Mapping[int, DueDate]
) -> dict[int, tuple[OpenInvoice, ...]]:
    """Every invoice that is not void, paid ones too, oldest coverage month first, by account."""
    listed: defaultdict[int, list[OpenInvoice]] = defaultdict(list)
    rows = _read_invoice_rows(account_ids)
    for account_id, key, month, binder_start, amount, is_binder, received, cleared_cents in rows:
        listed[account_id].append(
            OpenInvoice(
                id=key,
                number=format_invoice_number(invoice_id=key),
                coverage_month=month,
                due_date=due_dates[account_id](binder_start or month),
                amount_cents=amount,
                received_cents=received,
                remaining_cents=amount - received,
                is_binder=is_binder,
                cleared_cents=cleared_cents,
            )
        )
    return {key: tuple(found) for key, found in listed.items()}


@write_once
def _read_invoice_rows(account_ids: list[int]) -> QuerySet[Invoice, Any]:
    cleared = Sum("allocations__cents", filter=Q(allocations__receipt__cleared_on__isnull=False))
    invoices = Invoice.objects.filter(account__among=account_ids, voided_at=None).annotate(
        received=Coalesce(Sum("allocations__cents"), 0), cleared=Coalesce(cleared, 0)
    )
    columns = ("pk", "coverage_month", "binder_start", "amount_cents", "is_binder", "received", "cleared")
    return invoices.order_by("account", "coverage_month").values_list("account_id", *columns)


@dataclass(frozen=True, slots=True)
class _Money:
    """What an account has received: in all that stands and was not refunded, of that not yet cleared, and what was refunded
    of money that no longer stands.
    """

    received_cents: int
    in_progress_cents: int
    owed_back_cents: int


_NO_MONEY = _Money(received_cents=0, in_progress_cents=0, owed_back_cents=0)


def _read_money(account_ids: Sequence[int]) -> dict[int, _Money]:
    return {key: _Money(*cents) for key, *cents in _read_sums(account_ids)}


@write_once
def _read_sums(account_ids: list[int]) -> QuerySet[Receipt, Any]:
    receipts = Receipt.objects.filter(account__among=account_ids)
    kept = receipts.annotate(withdrawn=sum_withdrawn(), kept=F("cents") - F("withdrawn")).values("account")
    stands = Q(taken_back_on=None)
    sums = kept.annotate(
        received=Coalesce(Sum("kept", filter=stands), 0),
        in_progress=Coalesce(Sum("kept", filter=stands & Q(cleared_on=None)), 0),
        owed_back=Coalesce(Sum("withdrawn", filter=~stands), 0),
    )
    return sums.values_list("account", "received", "in_progress", "owed_back")


def _make_standing(
    *,
    account: _Covered,
    invoices: Sequence[OpenInvoice],
    money: _Money,
    terms: Terms,
    due_date_rule: DueDate,
    first_payment: FirstPayment | None,
    today: date,
) -> Standing:
    unpaid = tuple(invoice for invoice in invoices if invoice.remaining_cents)
    binders = [invoice for invoice in invoices if invoice.is_binder]
    due = sum(invoice.remaining_cents for invoice in unpaid)
    past_due = sum(invoice.remaining_cents for invoice in unpaid if invoice.due_date < today)
    month = max(account.coverage_start, first_of_month(today))
    return Standing(
        account_id=account.account_id,
        enrollment_id=account.enrollment_id,
        member_id=account.member_id,
        product=account.product,
        plan_name=account.plan_name,
        coverage_start=account.coverage_start,
        requested_start=account.requested_start,
        enrollment_status=account.enrollment_status,
        binder=binders[0] if binders else None,
        open_invoices=unpaid,
        due_cents=due,
        this_month_cents=due - past_due,
        past_due_cents=past_due,
        due_date=unpaid[0].due_date if unpaid else None,
        credit_cents=money.received_cents - sum(invoice.received_cents for invoice in invoices),
        monthly_premium_cents=terms.find_cents(month=month),
        in_progress_cents=money.in_progress_cents,
        binder_received=bool(binders) and not any(invoice.remaining_cents for invoice in binders),
        latest_invoice=invoices[-1] if invoices else None,
        due_date_rule=due_date_rule,
        owed_back_cents=money.owed_back_cents,
        first_payment=first_payment,
        invoices=tuple(invoices),
    )
