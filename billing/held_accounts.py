"""Held accounts: whose first payment came back after coverage had started; staff look at them before anything ends."""

from collections.abc import Iterable

from billing.credit import read_remaining
from billing.models import Allocation
from connector_pay.lib.clock import business_date


def find_held(*, account_ids: Iterable[int]) -> set[int]:
    """The accounts whose binder is open again because its money was taken off it after coverage had started.

    Nothing ends by itself while this lasts: until the binder is paid again, or the review of the start is decided.
    """
    taken = Allocation.objects.filter(
        invoice__account__among=list(account_ids),
        invoice__is_binder=True,
        invoice__voided_at=None,
        cents__lt=0,
    )
    rows = taken.values_list(
        "invoice", "invoice__account", "invoice__account__enrollment__coverage_start", "at"
    )
    binders = {
        invoice_id: account_id
        for invoice_id, account_id, start, at in rows
        if business_date(moment=at) >= start
    }
    remaining = read_remaining(invoice_ids=binders)
    return {account_id for invoice_id, account_id in binders.items() if remaining[invoice_id] > 0}
