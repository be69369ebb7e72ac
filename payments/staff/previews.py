"""Previews of acts on payments for staff's pages: how the accounts stand and would stand, or why it cannot be done."""

from collections.abc import Callable, Iterable
from datetime import date

from billing.what_if import try_out
from connector_pay.lib.staff_pages import Effect


def preview_standings(
    *,
    act: Callable[[], object],
    account_ids: Iterable[int],
    refusals: tuple[type[Exception], ...],
    today: date,
) -> Effect:
    """How the accounts would stand: the act is done and taken back."""
    try:
        return Effect(tables=try_out(account_ids=account_ids, today=today, act=act).list_tables())
    except refusals as refusal:
        return Effect(refusal=str(refusal))
