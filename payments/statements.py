"""What paying does, in words: limits, what is authorized, when a payment is final, what its status is called.

One function for every channel: what a page, a call or a notice says comes from here.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from billing.balances import Standing
from billing.policy import read_policy
from connector_pay.lib.clock import EASTERN
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import EnrollmentStatus
from payments.ach.banking_days import FEDERAL_RESERVE, BankingCalendar
from payments.coverage_sentences import describe_effect as describe_effect
from payments.models import Payment, PaymentStatus
from payments.validation import count_waiting_days

AUTHORIZATION_VERSION = "single-debit-3"
ORAL_VERSION = "single-debit-tel-1"
HALVES_OF_DAY = {"en": ("a.m.", "p.m."), "es": ("a. m.", "p. m.")}

PUBLIC_STATUS = {
    PaymentStatus.RECORDED: gettext_lazy("Processing"),
    PaymentStatus.SENDING: gettext_lazy("Processing"),
    PaymentStatus.SENT: gettext_lazy("Processing"),
    PaymentStatus.SETTLED: gettext_lazy("Processing"),
    PaymentStatus.POSTED: gettext_lazy("Paid"),
    PaymentStatus.RETURNED: gettext_lazy("Returned"),
    PaymentStatus.CANCELED: gettext_lazy("Canceled"),
}


@dataclass(frozen=True)
class AmountLimits:
    """In whole cents: the least that is taken, above what the payer is warned, and the most that is taken."""

    minimum: int
    warn_above: int
    maximum: int


def amount_limits(*, standing: Standing | None) -> AmountLimits:
    """At least the lesser of $1 and what is due; at most the lesser of $10,000 and what is due and 3 premiums.

    Never less than what is due. A payer who is not shown the account has the flat limits, and no warning.
    """
    policy = read_policy()
    if standing is None:
        most = policy.maximum_payment_cents
        return AmountLimits(minimum=policy.minimum_payment_cents, warn_above=most, maximum=most)
    due = standing.due_cents
    ahead = due + policy.maximum_premiums_ahead * standing.monthly_premium_cents
    return AmountLimits(
        minimum=min(policy.minimum_payment_cents, due or policy.minimum_payment_cents),
        warn_above=due,
        maximum=max(due, min(policy.maximum_payment_cents, ahead)),
    )


def authorization_text(
    *, payee: str, amount_cents: int, debit_on: date, last_four: str, bill: str = "", language: str = "en"
) -> str:
    """What the payer agrees to, word for word: payee, amount, bill, day, account, corrections, how to cancel."""
    with override(language):
        return _(
            "I authorize %(payee)s to take %(amount)s %(how_often)s by electronic debit, from my bank account "
            "ending in %(last_four)s, on %(day)s or on a banking day soon after. If an error is made, "
            "%(payee)s may credit my account to correct it. I can cancel until the payment is sent to my "
            "bank, which happens at %(cutoff)s Eastern on banking days: on my receipt's page, or by calling "
            "%(phone)s. If my bank returns the payment, it does not count as received and coverage may not "
            "start or may be at risk. There is no fee."
        ) % {
            "payee": payee,
            "amount": format_dollars(amount_cents),
            "how_often": _("once, for the %s bill,") % bill.lower() if bill else _("once,"),
            "last_four": last_four,
            "day": long_date(debit_on),
            "cutoff": describe_cutoff(),
            "phone": settings.EXCHANGE["help_line"],
        }


def oral_authorization_text(
    *,
    payee: str,
    payer: str,
    amount_cents: int,
    debit_on: date,
    last_four: str,
    bill: str,
    today: date,
    language: str = "en",
) -> str:
    """What is read to a caller, who must say yes: all that the rule asks of a single debit authorized by phone.

    Source: Nacha Operating Rules, TEL entries: the day on or after, amount, name, account, a phone number, the day of the call,
    that it is one electronic debit, and how to cancel.
    """
    with override(language):
        return _(
            "Today is %(today)s. %(payer)s, you authorize %(payee)s to take %(amount)s, one time only, for the %(bill)s bill, "
            "by electronic debit from your bank account ending in %(last_four)s, on %(day)s or on a banking day soon "
            "after. You can cancel until the payment is sent to your bank, at %(cutoff)s Eastern on banking days. To "
            "cancel or to ask a question, call %(phone)s. If your bank returns the payment, it does not count as "
            "received, and coverage may not start or may be at risk. There is no fee. Do you agree?"
        ) % {
            "today": long_date(today),
            "payer": payer,
            "payee": payee,
            "amount": format_dollars(amount_cents),
            "bill": bill.lower(),
            "last_four": last_four,
            "day": long_date(debit_on),
            "cutoff": describe_cutoff(),
            "phone": settings.EXCHANGE["help_line"],
        }


def describe_cutoff(*, language: str = "") -> str:
    """The Eastern time at which payments go to the bank, as it is read aloud: 5 p.m., 3:30 p.m.; in the reader's language."""
    cutoff = read_policy().file_cutoff
    spoken = language or get_language() or "en"
    half = HALVES_OF_DAY.get(spoken, HALVES_OF_DAY["en"])[cutoff.hour >= 12]
    minutes = f":{cutoff.minute:02}" if cutoff.minute else ""
    return f"{cutoff.hour % 12 or 12}{minutes} {half}"


def expected_clearing_date(
    *,
    today: date,
    at: datetime,
    received_date: date,
    validated: bool = True,
    effective_date: date | None = None,
    calendar: BankingCalendar = FEDERAL_RESERVE,
) -> date:
    """The business date on which a payment is final: the 3rd banking day after its debit, if not returned.

    `effective_date` is the debit's own day once the payment is in a bank file; before that it is worked out
    from the next file. A bank account that staff or a prenote must answer for first adds the days that takes.
    """
    wait = 0 if validated else count_waiting_days()
    effective = effective_date or _find_effective_date(
        today=today, at=at, received_date=received_date, wait=wait, calendar=calendar
    )
    return calendar.add(effective, read_policy().posting_banking_days)


def describe_status(*, payment: Payment, today: date) -> str:
    """The one public word for where a payment stands: Scheduled, Processing, Paid, Returned, Canceled."""
    status = PaymentStatus(payment.status)
    if payment.received_date > today and PUBLIC_STATUS[status] == PUBLIC_STATUS[PaymentStatus.RECORDED]:
        return _("Scheduled")
    return str(PUBLIC_STATUS[status])


def describe_coverage(*, standing: Standing, today: date) -> str:
    """The public words for coverage: waiting for first payment; received, with the start; active; ended."""
    status = standing.enrollment_status
    if status in (EnrollmentStatus.ENDED, EnrollmentStatus.EXPIRED):
        return _("Ended")
    if status == EnrollmentStatus.WAITING and not standing.binder_received:
        return _("Waiting for first payment")
    if status == EnrollmentStatus.WAITING or standing.coverage_start > today:
        return _("First payment received, starts %(date)s") % {"date": long_date(standing.coverage_start)}
    return _("Active")


def describe_due(*, standing: Standing, today: date) -> list[str]:
    """By when what is owed is due, or was; each part with its own amount where bills of several days are open."""
    bills = standing.open_invoices
    if len({bill.due_date for bill in bills}) == 1:
        day = bills[0].due_date
        words = _("Was due %(day)s") if day < today else _("Due by %(day)s")
        return [words % {"day": long_date(day)}]
    lines = []
    for bill in bills:
        words = (
            _("%(amount)s was due %(day)s") if bill.due_date < today else _("%(amount)s is due by %(day)s")
        )
        lines.append(
            words % {"amount": format_dollars(bill.remaining_cents), "day": long_date(bill.due_date)}
        )
    return lines


def _find_effective_date(
    *, today: date, at: datetime, received_date: date, wait: int, calendar: BankingCalendar
) -> date:
    """The banking day after the first file it can be in: never before the day it counts as received."""
    too_late = at.astimezone(EASTERN).time() >= read_policy().file_cutoff
    first_file = calendar.add(today, 1) if too_late and calendar.is_banking_day(today) else today
    file_day = calendar.add(calendar.roll_forward(first_file), wait)
    return max(calendar.add(file_day, 1), calendar.roll_forward(received_date))
