"""The code on a bill as a way to pay: it opens guest payment for that bill, with its plan, month, amount and due date, no name.

A code that is right always opens its bill, so that it helps where the limits on look-ups withhold what is due; tries that hit
nothing are counted, slowed down and answered as every other miss.
"""

import time as machine
from dataclasses import dataclass
from datetime import date, datetime

from billing.balances import OpenInvoice, Standing, read_standing
from billing.bill_links import UnableToFindLink, find_link
from billing.bills import Bill, find_bill
from billing.models import Invoice
from payments.channels import guest
from payments.channels.limits import count_lookup
from payments.payables import can_be_paid


class UnableToFindCode(LookupError):
    """No bill has the code that was scanned or typed."""


class UnableToUseCode(Exception):
    """The code has expired or was revoked; the bill may still be found by Member ID."""


@dataclass(frozen=True)
class CodedBill:
    """The bill of a code, and where its account stands."""

    bill: Bill
    standing: Standing

    @property
    def is_open(self) -> bool:
        """Whether something is still to pay on this very bill."""
        return self.bill.invoice.voided_at is None and self.bill.remaining_cents > 0

    @property
    def can_be_paid(self) -> bool:
        """Whether money is taken for the account, and something is due."""
        return can_be_paid(standing=self.standing) and self.standing.due_cents > 0

    @property
    def current(self) -> OpenInvoice | None:
        """The bill to pay instead, where this one is paid or replaced: the account's latest that is open."""
        payable = self.can_be_paid and not self.is_open
        return self.standing.open_invoices[-1] if payable else None

    @property
    def older_cents(self) -> int:
        """What is still to pay on older bills: money lands there first."""
        month = self.current.coverage_month if self.current else self.bill.invoice.coverage_month
        return sum(one.remaining_cents for one in self.standing.open_invoices if one.coverage_month < month)


def open_bill(*, code: str, address: str, today: date, at: datetime) -> CodedBill:
    """The bill of a code, however it is typed. Raises UnableToFindCode, UnableToUseCode."""
    began = machine.monotonic()
    try:
        link = find_link(code=code, today=today)
    except UnableToFindLink as miss:
        wait = count_lookup(
            address=address, identifier=f"code {code[: guest.LONGEST_IDENTIFIER]}", at=at
        ).wait_seconds
        machine.sleep(wait + max(began + guest.MISS_SECONDS - machine.monotonic(), 0))
        raise UnableToFindCode from miss
    if not link.opens:
        raise UnableToUseCode
    invoice = Invoice.objects.only("account_id").get(pk=link.invoice_id)
    return CodedBill(
        bill=find_bill(number=str(link.invoice_id), account_ids=[invoice.account_id]),
        standing=read_standing(account_id=invoice.account_id, today=today),
    )
