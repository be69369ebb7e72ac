"""Plans: what AutoPay will do for a bill, shown before it is authorized, and the words of the standing authorization."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.policy import read_policy
from connector_pay.lib.clock import business_date
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments.ach.banking_days import BankingCalendar
from payments.autopay.amounts import Forecast, Outlook, forecast, list_missed, read_outlooks
from payments.autopay.days import DraftDay, find_first_draft, find_following, find_next_draft
from payments.bank_accounts import BankDetails, fingerprint
from payments.banking_calendar import read_calendar
from payments.coverage_sentences import describe_not_paying
from payments.drafts import Chosen
from payments.models import BankAccount, BankAccountStatus, Mandate, MandateStatus, Payment, PaymentStatus
from payments.payables import Payable
from payments.recording import find_uncounted
from payments.statements import describe_cutoff
from payments.validation import count_waiting_days

AUTOPAY_VERSION = "autopay-2"
DRAFTS_SHOWN = 3


@dataclass(frozen=True)
class Missed:
    """An open bill that AutoPay will not pay in full by its due date: what is left of it, and what not paying it does."""

    coverage_month: date
    cents: int
    due_date: date
    consequence: str


@dataclass(frozen=True)
class Plan:
    """AutoPay for one bill as it is shown: its next drafts, what it will not pay in time, and the words to be authorized.

    `ceiling_cents` is the limit that the payer chose, 0 for none; `bank` the fingerprint of the bank account, empty while none
    is chosen.
    """

    payable: Payable
    ceiling_cents: int
    forecasts: Sequence[Forecast]
    missed: Sequence[Missed]
    authorization: str
    bank: str

    @property
    def first(self) -> Forecast:
        """The first draft."""
        return self.forecasts[0]

    @property
    def most_cents(self) -> int:
        """The most that one draft may take."""
        return find_most(ceiling_cents=self.ceiling_cents)

    @property
    def is_above(self) -> bool:
        """Whether a bill is missed because it is more than one draft may take."""
        return bool(self.missed) and self.missed[-1].due_date >= self.first.day.received_date

    @property
    def reminder(self) -> str:
        """What the page says while its box is not ticked."""
        return _("Tick the box to authorize AutoPay for the %s bill") % self.payable.label.lower()

    @property
    def shown(self) -> dict[str, Any]:
        """What travels signed with the form."""
        return {
            "account": self.payable.account_id,
            "ceiling": self.ceiling_cents,
            "drafts": [[item.day.received_date.isoformat(), item.cents] for item in self.forecasts],
            "missed": [[item.due_date.isoformat(), item.cents, item.consequence] for item in self.missed],
            "authorization": hashlib.sha256(self.authorization.encode()).hexdigest(),
            "bank": self.bank,
        }


def find_most(*, ceiling_cents: int) -> int:
    """The most that one draft may take: the payer's limit, else the most that any payment may be."""
    return ceiling_cents or read_policy().maximum_payment_cents


def make_plans(
    *,
    chosen: Sequence[Chosen],
    payables: Mapping[int, Payable],
    live: Mapping[int, Mandate],
    bank: BankDetails | BankAccount | None,
    language: str,
    at: datetime,
) -> list[Plan]:
    """What AutoPay does for each bill from now on; `chosen` are the accounts with their limits, `live` the mandates they have."""
    calendar, today = read_calendar(), business_date(moment=at)
    outlooks = read_outlooks(
        standings={item.account_id: payables[item.account_id].standing for item in chosen}
    )
    plans = []
    for item in chosen:
        old = live.get(item.account_id)
        outlook = _leave_out_dropped(outlooks[item.account_id], old, bank, item.amount_cents)
        first = _find_first(old, bank, calendar=calendar, at=at)
        forecasts = forecast(outlook=outlook, days=list_days(first=first, calendar=calendar))
        plans.append(
            Plan(
                payable=payables[item.account_id],
                ceiling_cents=item.amount_cents,
                forecasts=forecasts,
                missed=_list_missed(outlook, forecasts, item.amount_cents, today),
                authorization=write_authorization(
                    bill=payables[item.account_id].label,
                    last_four=bank.last_four if bank else "",
                    most_cents=find_most(ceiling_cents=item.amount_cents),
                    starts_on=first.received_date,
                    language=language,
                ),
                bank=fingerprint(bank=bank) if bank else "",
            )
        )
    return plans


def list_days(*, first: DraftDay, calendar: BankingCalendar) -> list[DraftDay]:
    """The draft days that are shown, and the one after them."""
    days = [first]
    while len(days) <= DRAFTS_SHOWN:
        days.append(find_following(draft=days[-1], calendar=calendar))
    return days


def write_authorization(
    *, bill: str, last_four: str, most_cents: int, starts_on: date, language: str = "en"
) -> str:
    """What the payer agrees to, word for word (12 CFR 1005.10): payee, amounts, days, notice, how to stop it, returns."""
    with override(language):
        return _(
            "I authorize %(payee)s to take what is due on my %(bill)s bill each month by electronic debit, from my bank "
            "account ending in %(last_four)s. The amount is that of the bill, less what I have paid in another way, "
            "and never more than %(most)s. Each payment counts as received on day %(day)s of the month, from %(start)s on. "
            "The debit is on that day or on the next banking day. %(payee)s tells me the amount and the day at least "
            "%(notice)s days before. I can turn AutoPay off on the AutoPay page or by calling %(phone)s. If I do so "
            "by %(cutoff)s Eastern on the banking day before a debit, that debit is not made. AutoPay goes on until I turn it "
            "off or this coverage ends. If my bank returns a payment, it does not count as received, coverage may not "
            "start or may be at risk, and AutoPay may stop. If an error is made, %(payee)s may credit my account to "
            "correct it. There is no fee."
        ) % {
            "payee": settings.EXCHANGE["name"],
            "bill": bill.lower(),
            "last_four": last_four,
            "most": format_dollars(most_cents),
            "day": read_policy().autopay_day,
            "start": long_date(starts_on),
            "notice": read_policy().autopay_notice_days,
            "phone": settings.EXCHANGE["help_line"],
            "cutoff": describe_cutoff(language=language),
        }


def describe_change(*, shown: Sequence[Mapping[str, Any]], plans: Sequence[Plan]) -> str:
    """What is no longer as it was shown, in one sentence for the payer; empty where nothing has changed."""
    now = [plan.shown for plan in plans]
    if list(shown) == now:
        return ""
    if [item["account"] for item in shown] != [item["account"] for item in now]:
        return _("The bills were changed while this page was open. Check everything once more")
    for before, after in zip(shown, now, strict=True):
        if before["drafts"][0][0] != after["drafts"][0][0]:
            return _("The first draft is now %s. Check everything once more") % long_date(
                date.fromisoformat(after["drafts"][0][0])
            )
        if before["bank"] != after["bank"]:
            return _("The bank account was changed while this page was open. Check everything once more")
        if before["ceiling"] != after["ceiling"]:
            return _("The limit was changed while this page was open. Check everything once more")
    return _("What is due has changed while this page was open. Check everything once more")


def goes_on(*, old: Mandate | None, bank: BankDetails | BankAccount | None) -> bool:
    """Whether AutoPay is on already for the same bank account, so that a new authorization leaves no gap."""
    is_on = old is not None and old.status == MandateStatus.ON
    return bool(is_on and old and isinstance(bank, BankAccount) and old.bank_account_id == bank.pk)


def find_dropped(*, old: Mandate, bank: BankDetails | BankAccount, ceiling_cents: int) -> QuerySet[Payment]:
    """The drafts, not yet in a bank file, that a new authorization ends: of another bank account, or above the new limit."""
    allowed_cents = find_most(ceiling_cents=ceiling_cents) if goes_on(old=old, bank=bank) else 0
    return Payment.objects.filter(
        authorization=old.authorization_id, status=PaymentStatus.RECORDED, amount_cents__gt=allowed_cents
    )


def _leave_out_dropped(
    outlook: Outlook, old: Mandate | None, bank: BankDetails | BankAccount | None, ceiling_cents: int
) -> Outlook:
    """What is on its way, without the drafts that this change ends: what they were to pay is missed, or drafted later."""
    if old is None or bank is None:
        return outlook
    dropped = find_dropped(old=old, bank=bank, ceiling_cents=ceiling_cents)
    cents = sum(find_uncounted(Q(pk__in=dropped)).values_list("amount_cents", flat=True))
    return replace(outlook, scheduled_cents=outlook.scheduled_cents - cents)


def _find_first(
    old: Mandate | None, bank: BankDetails | BankAccount | None, *, calendar: BankingCalendar, at: datetime
) -> DraftDay:
    if old and goes_on(old=old, bank=bank):
        day = find_next_draft(at=at, calendar=calendar)
        while day.received_date < old.drafts_from:
            day = find_following(draft=day, calendar=calendar)
        return day
    is_valid = bank is None or (isinstance(bank, BankAccount) and bank.status == BankAccountStatus.VALID)
    return find_first_draft(at=at, waiting_days=0 if is_valid else count_waiting_days(), calendar=calendar)


def _list_missed(
    outlook: Outlook, forecasts: Sequence[Forecast], ceiling_cents: int, today: date
) -> list[Missed]:
    most_cents = find_most(ceiling_cents=ceiling_cents)
    return [
        Missed(
            coverage_month=bill.coverage_month,
            cents=bill.remaining_cents,
            due_date=bill.due_date,
            consequence=describe_not_paying(
                standing=outlook.standing,
                bill=bill,
                paid_on=_find_later(bill.due_date, forecasts),
                today=today,
            ),
        )
        for bill in list_missed(outlook=outlook, forecasts=forecasts, most_cents=most_cents)
    ]


def _find_later(due_date: date, forecasts: Sequence[Forecast]) -> date:
    """The first draft day after a due date: until then a bill that is missed stays unpaid."""
    later = [item.day.received_date for item in forecasts if item.day.received_date > due_date]
    return later[0] if later else due_date + timedelta(days=1)
