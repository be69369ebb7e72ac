"""Refund rules: which money may go back, from which day on, by which way, and how much of it.

They are judged when a refund is asked for, and again when it is approved.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from billing.balances import read_standing
from billing.credit import read_idle_cents
from billing.models import Chart, Movement, Receipt
from billing.policy import read_policy
from connector_pay.lib.clock import EASTERN
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments.ach.banking_days import FEDERAL_RESERVE, BankingCalendar
from payments.banking_calendar import read_calendar
from payments.models import (
    BankAccountStatus,
    Payment,
    PaymentStatus,
    ReceivedCheck,
    Refund,
    RefundMethod,
    RefundStatus,
)

PAYMENT = "payment:"
SHARE = re.compile(r"check:(\d+)-")  # a check's money on one account
SETTLED = (PaymentStatus.SETTLED, PaymentStatus.POSTED)


class UnableToRefund(ValueError):
    """The money may not go back, or not so; the text says why, for staff. Nothing was changed."""


@dataclass(frozen=True)
class Source:
    """The money that a refund is taken from: a receipt, and the debit that brought it where one did.

    `deposited_on` is the day on which the bank had the money of a check; `check` is the paper, where one is in our books.
    """

    receipt: Receipt
    payment: Payment | None
    deposited_on: date | None = None
    check: ReceivedCheck | None = None
    calendar: BankingCalendar = FEDERAL_RESERVE

    @property
    def refundable_on(self) -> date | None:
        """The first day on which it may be refunded; none while the bank does not have it."""
        policy = read_policy()
        if self.payment is None:
            if self.deposited_on is None:
                return None
            return self.calendar.add(self.deposited_on, policy.refund_check_banking_days)
        if self.payment.status not in SETTLED or self.payment.effective_date is None:
            return None
        return self.calendar.add(self.payment.effective_date, policy.refund_banking_days)

    @property
    def payee(self) -> str:
        """Who paid, so who is paid back: the name on the authorization or on the check, else the member's."""
        if self.payment is not None:
            return self.payment.authorization.payer_name
        return self.check.payer if self.check is not None else self._member_name

    @property
    def needs_address(self) -> bool:
        """Whether somebody else wrote the check: where they live is not known."""
        return self.check is not None and self.check.payer.casefold() != self._member_name.casefold()

    @property
    def _member_name(self) -> str:
        return self.receipt.account.enrollment.member.full_name[:80]

    def has_cleared(self, *, today: date) -> bool:
        """Whether the money is final and its wait is over."""
        return (
            self.receipt.cleared_on is not None
            and self.refundable_on is not None
            and self.receipt.cleared_on <= today
            and self.refundable_on <= today
        )


def read_sources(*, receipts: Iterable[Receipt]) -> dict[int, Source]:
    """The source of each receipt, by its id; as many statements for one as for many."""
    listed = list(receipts)
    if not listed:
        return {}
    numbers = {item.pk: _read_number(item.reference) for item in listed}
    payments = Payment.objects.select_related("bank_account", "authorization").in_bulk(
        [number for number in numbers.values() if number is not None]
    )
    others = [item.reference for item in listed if numbers[item.pk] is None]
    deposits, checks = _read_deposits(others), _read_checks(others)
    calendar = read_calendar()
    return {
        item.pk: Source(
            receipt=item,
            payment=payments.get(numbers[item.pk] or 0),
            deposited_on=_find_deposit(checks.get(item.reference)) or deposits.get(item.reference),
            check=checks.get(item.reference),
            calendar=calendar,
        )
        for item in listed
    }


def read_source(*, receipt_id: int) -> Source:
    """The source of one receipt. Raises UnableToRefund."""
    found = Receipt.objects.filter(pk=receipt_id).select_related("account__enrollment__member")
    sources = read_sources(receipts=found)
    if receipt_id not in sources:
        raise UnableToRefund(f"There is no money received with the number {receipt_id}.")
    return sources[receipt_id]


def judge(*, source: Source, method: str, cents: int, today: date, at: datetime) -> None:
    """Whether these cents may go back this way today. Under the account's lock. Raises UnableToRefund."""
    if source.receipt.taken_back_on is not None:
        raise UnableToRefund("The bank took this payment back. There is nothing to refund.")
    if method == RefundMethod.REVERSAL:
        _judge_reversal(source, cents=cents, today=today, at=at)
        return
    _judge_clearing(source, today=today)
    _judge_amount(source, cents=cents, today=today)
    if method == RefundMethod.ACH:
        _judge_bank_account(source)


def find_last_reversal_day(*, effective_date: date, calendar: BankingCalendar) -> date:
    """The last day whose bank file brings a reversal to the payer's bank in time."""
    return calendar.add(calendar.add(effective_date, read_policy().reversal_banking_days), -1)


def find_file_day(*, today: date, at: datetime, calendar: BankingCalendar) -> date:
    """The banking day of the next bank file: today's until its cut-off."""
    too_late = at.astimezone(EASTERN).time() >= read_policy().file_cutoff
    return calendar.add(today, 1) if too_late else calendar.roll_forward(today)


def _judge_clearing(source: Source, *, today: date) -> None:
    if source.has_cleared(today=today):
        return
    day = source.refundable_on
    if day is None or day <= today:
        raise UnableToRefund("This payment has not cleared yet. Only cleared money can be refunded.")
    raise UnableToRefund(f"This payment can be refunded from {long_date(day)}, once it has cleared.")


def _judge_amount(source: Source, *, cents: int, today: date) -> None:
    standing = read_standing(account_id=source.receipt.account_id, today=today)
    if standing.owed_back_cents:
        raise UnableToRefund(
            f"This account owes {format_dollars(standing.owed_back_cents)} for a refund whose payment the bank took back "
            "afterwards. Nothing more is refunded before that is settled."
        )
    idle = read_idle_cents(receipt_id=source.receipt.pk)
    if not idle:
        raise UnableToRefund("No credit is left of this payment: it pays bills, or was refunded before.")
    if not 0 < cents <= idle:
        raise UnableToRefund(f"Refund an amount between $0.01 and {format_dollars(idle)}: the credit left.")


def _judge_bank_account(source: Source) -> None:
    if source.payment is None:
        raise UnableToRefund("This money did not come from a bank account we know. Refund it by check.")
    if source.payment.bank_account.status != BankAccountStatus.VALID:
        raise UnableToRefund("The bank account it came from can no longer be used. Refund it by check.")


def _judge_reversal(source: Source, *, cents: int, today: date, at: datetime) -> None:
    """A wrong debit goes back whole, before its payer's bank would refuse the reversal; it need not have cleared."""
    payment = source.payment
    if payment is None:
        raise UnableToRefund("Only a bank debit can be reversed.")
    if payment.status not in SETTLED or payment.effective_date is None:
        raise UnableToRefund("Only a debit that has settled can be reversed.")
    calendar = source.calendar
    last = find_last_reversal_day(effective_date=payment.effective_date, calendar=calendar)
    if find_file_day(today=today, at=at, calendar=calendar) > last:
        raise UnableToRefund(
            f"It is too late to reverse this debit: the reversal had to be sent by {long_date(last)}. Refund it instead."
        )
    if cents != payment.amount_cents:
        raise UnableToRefund(
            f"A reversal returns the whole payment of {format_dollars(payment.amount_cents)}."
        )
    if _has_refunds(source.receipt):
        raise UnableToRefund("Part of this payment was refunded. It can no longer be reversed.")


def _has_refunds(receipt: Receipt) -> bool:
    """Whether another refund of the receipt has been approved and did not come back."""
    gone = (RefundStatus.ASKED, RefundStatus.DECLINED, RefundStatus.RETURNED)
    return Refund.objects.filter(receipt=receipt).exclude(status__in=gone).exists()


def _read_number(reference: str) -> int | None:
    """The id of the payment that a receipt's reference names."""
    return int(reference.removeprefix(PAYMENT)) if reference.startswith(PAYMENT) else None


def _read_deposits(references: list[str]) -> Mapping[str, date]:
    """The day on which the bank had the money of each receipt, by its reference."""
    if not references:
        return {}
    settled = Movement.objects.filter(reference__in=[f"{name}:settled" for name in references])
    settled = settled.filter(debit=Chart.BANK)
    return {
        reference.removesuffix(":settled"): day
        for reference, day in settled.values_list("reference", "business_date")
    }


def _read_checks(references: list[str]) -> Mapping[str, ReceivedCheck]:
    """The check that brought each receipt, by its reference, where one did."""
    shares = {name: int(found[1]) for name in references if (found := SHARE.match(name))}
    checks = ReceivedCheck.objects.in_bulk(set(shares.values())) if shares else {}
    return {name: checks[key] for name, key in shares.items() if key in checks}


def _find_deposit(check: ReceivedCheck | None) -> date | None:
    """The day of a check's deposit, however late it was put on its account."""
    return check.banked_on if check is not None else None


def refuse_unknown_address(source: Source, method: str, mail_to: str) -> None:
    """Raises UnableToRefund where a check would be mailed to who wrote the other, and nobody has said where they live."""
    if method == RefundMethod.CHECK and source.needs_address and not mail_to.strip():
        raise UnableToRefund(
            f"{source.payee} wrote this check. The refund goes to them: ask for it with their address."
        )


def refuse_second_reversal(source: Source, method: str) -> None:
    """Raises UnableToRefund where a reversal of this payment was asked for before, and not declined (one a payment, NACHA)."""
    if method != RefundMethod.REVERSAL:
        return
    reversals = Refund.objects.filter(payment=source.payment, method=RefundMethod.REVERSAL)
    if reversals.exclude(status=RefundStatus.DECLINED).exists():
        raise UnableToRefund("A reversal of this payment was asked for before.")
