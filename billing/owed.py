"""What was owed on a day: the bills as they stood then, less the money received by then, however late it was counted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import F

from billing.credit import sum_withdrawn
from billing.models import Invoice, Receipt
from connector_pay.lib.clock import business_date


@dataclass(frozen=True, slots=True)
class Bill:
    """Cents of a bill from the day it was issued until the day it was voided, if it was."""

    cents: int
    issued_on: date
    voided_on: date | None = None


@dataclass(slots=True)
class Owed:
    """The bills of an account, and its money by the day it was received."""

    bills: list[Bill] = field(default_factory=list)
    money: list[tuple[date, int]] = field(default_factory=list)

    def find_cents(self, *, day: date) -> int:
        """What was owed at the end of the day; never less than nothing: what was paid ahead is credit."""
        asked = sum(
            bill.cents
            for bill in self.bills
            if bill.issued_on <= day and (bill.voided_on is None or bill.voided_on > day)
        )
        return max(0, asked - sum(cents for received, cents in self.money if received <= day))


def read_owed(*, account_ids: Iterable[int]) -> dict[int, Owed]:
    """Each account's bills and money, to be asked about any day. Two statements. An account without either owes nothing."""
    found: defaultdict[int, Owed] = defaultdict(Owed)
    keys = list(account_ids)
    bills = Invoice.objects.filter(account__among=keys).order_by("pk")
    for account_id, cents, issued_on, voided_at in bills.values_list(
        "account_id", "amount_cents", "issued_on", "voided_at"
    ):
        voided_on = business_date(moment=voided_at) if voided_at else None
        found[account_id].bills.append(Bill(cents, issued_on, voided_on))
    receipts = Receipt.objects.filter(account__among=keys, taken_back_on=None).order_by("pk")
    kept = receipts.annotate(kept=F("cents") - sum_withdrawn())
    for account_id, received, cents in kept.values_list("account_id", "received_date", "kept"):
        found[account_id].money.append((received, cents))
    return dict(found)
