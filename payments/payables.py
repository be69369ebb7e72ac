"""Payables: which accounts a payer may pay, in which amounts, until when, and what to ask once more about."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.balances import Standing, read_standings
from billing.due_dates import first_of_month
from billing.policy import read_policy
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import EnrollmentStatus, Product
from payments.drafts import Chosen
from payments.models import Payment, PaymentStatus
from payments.statements import amount_limits

OPEN = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)
IN_PROGRESS = (PaymentStatus.RECORDED, PaymentStatus.SENDING, PaymentStatus.SENT, PaymentStatus.SETTLED)


@dataclass(frozen=True)
class Payable:
    """An account that can be paid. The label is "Health", with the coverage year where there are two of them."""

    account_id: int
    product: str
    label: str
    coverage: str
    standing: Standing


@dataclass(frozen=True)
class AmountOption:
    """An amount offered: its key in the form, its words, whole cents."""

    key: str
    words: str
    cents: int


def list_payables(*, account_ids: Iterable[int], today: date) -> list[Payable]:
    """The accounts that can be paid, health first: open ones, and ended ones on which something is still due."""
    return make_payables(standings=read_standings(account_ids=account_ids, today=today))


def make_payables(*, standings: Mapping[int, Standing]) -> list[Payable]:
    """Those of the accounts that can be paid, as these standings tell; health first."""
    found = [item for item in standings.values() if can_be_paid(standing=item)]
    found.sort(key=lambda item: (item.product != Product.HEALTH, _find_first_month(item), item.account_id))
    coverages = _name_coverages(found)
    return [
        Payable(
            account_id=item.account_id,
            product=item.product,
            label=_name_product(item, coverages[item.account_id], among=found),
            coverage=coverages[item.account_id],
            standing=item,
        )
        for item in found
    ]


def can_be_paid(*, standing: Standing) -> bool:
    """Whether money is taken for this account: while it is open, and after its end while something is still due."""
    is_owed = standing.enrollment_status == EnrollmentStatus.ENDED and standing.due_cents > 0
    return standing.enrollment_status in OPEN or is_owed


def list_amounts(*, standing: Standing) -> list[AmountOption]:
    """What is due in all; and this month's and the past due apart, where both are owed. Nothing where nothing is due."""
    due, this_month, past = standing.due_cents, standing.this_month_cents, standing.past_due_cents
    offered = [AmountOption("due", _("Total due: %s") % format_dollars(due), due)] if due else []
    if this_month and past:
        offered.append(AmountOption("month", _("This month: %s") % format_dollars(this_month), this_month))
        offered.append(AmountOption("past", _("Past due: %s") % format_dollars(past), past))
    return offered


def find_last_day(*, payables: Iterable[Payable], today: date) -> date:
    """The last day on which a payment for all of these may be scheduled: the earliest due date, today if that has come."""
    days = [payable.standing.due_date or today for payable in payables]
    return max(today, min(days, default=today))


def list_questions(
    *,
    chosen: Sequence[Chosen],
    payables: Mapping[int, Payable],
    shows_account: bool,
    received_date: date,
    in_progress: Iterable[Payment],
    session_digest: str,
) -> list[str]:
    """What to ask once more before going on: more than is due, or the same amount as a payment in progress.

    A guest who is not shown the account hears only of payments made in the same browser session.
    """
    same = find_same(
        chosen=chosen,
        received_date=received_date,
        in_progress=in_progress,
        session_digest=None if shows_account else session_digest,
    )
    questions = []
    for item in chosen:
        payable = payables[item.account_id]
        limits = amount_limits(standing=payable.standing if shows_account else None)
        if item.amount_cents > limits.warn_above:
            questions.append(_ask_about_more(payable, item.amount_cents))
        if item.account_id in same:
            questions.append(ask_about_same(payable=payable, payment=same[item.account_id]))
    return questions


def are_in_progress(*, account_ids: Iterable[int]) -> Q:
    """The payments of these accounts that are recorded and not yet final."""
    return Q(account__in=list(account_ids), status__in=IN_PROGRESS)


def read_in_progress(*, account_ids: Iterable[int]) -> list[Payment]:
    """The same, read."""
    return list(Payment.objects.filter(are_in_progress(account_ids=account_ids)))


def find_same(
    *,
    chosen: Sequence[Chosen],
    received_date: date,
    in_progress: Iterable[Payment],
    session_digest: str | None,
) -> dict[int, Payment]:
    """By account, the latest payment in progress of the same amount, received within the days of the policy.

    With a session's digest only that session's own payments are looked at.
    """
    days = timedelta(days=read_policy().duplicate_warning_days)
    amounts = {item.account_id: item.amount_cents for item in chosen}
    return {
        payment.account_id: payment
        for payment in sorted(in_progress, key=lambda payment: (payment.received_date, payment.pk))
        if amounts.get(payment.account_id) == payment.amount_cents
        and abs(payment.received_date - received_date) <= days
        and session_digest in (None, payment.session_digest)
    }


def ask_about_same(*, payable: Payable, payment: Payment) -> str:
    """The same amount is already on its way: say so."""
    return _(
        "%(bill)s: a payment of %(amount)s, received %(date)s, is already on its way. This one would be taken as well."
    ) % {
        "bill": payable.label,
        "amount": format_dollars(payment.amount_cents),
        "date": long_date(payment.received_date),
    }


def _find_first_month(standing: Standing) -> date:
    """The month that a payment reaches first: the oldest open bill's, else the last bill's."""
    if standing.open_invoices:
        return standing.open_invoices[0].coverage_month
    return (
        standing.latest_invoice.coverage_month
        if standing.latest_invoice
        else first_of_month(standing.coverage_start)
    )


def _name_coverages(standings: Sequence[Standing]) -> dict[int, str]:
    """Each account's coverage year; where two of one product share it, the month their coverage starts."""
    years = Counter((item.product, _find_first_month(item).year) for item in standings)
    month = pgettext("a month, in Django's date format", "F Y")
    return {
        item.account_id: str(_find_first_month(item).year)
        if years[item.product, _find_first_month(item).year] == 1
        else _("from %s") % dateformat.format(item.coverage_start, month)
        for item in standings
    }


def _name_product(standing: Standing, coverage: str, *, among: Sequence[Standing]) -> str:
    name = str(Product(standing.product).label)
    alone = sum(item.product == standing.product for item in among) == 1
    return name if alone else f"{name} {coverage}"


def _ask_about_more(payable: Payable, cents: int) -> str:
    due = payable.standing.due_cents
    facts = {"amount": format_dollars(cents), "due": format_dollars(due), "bill": payable.label}
    if not due:
        return (
            _("%(bill)s: you are paying %(amount)s, but nothing is due. It will be credit for the next bill.")
            % facts
        )
    return (
        _(
            "%(bill)s: you are paying %(amount)s, but %(due)s is due. The rest will be credit for the next bill."
        )
        % facts
    )
