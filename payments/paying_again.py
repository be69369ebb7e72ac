"""Paying again: what came back and is still owed, made ready to be paid once more, with only the bank account to choose."""

from collections.abc import Mapping, Sequence
from typing import Any

from billing.balances import Standing
from connector_pay.lib.money import format_dollars
from payments.coverage_sentences import waits_for_first_payment
from payments.drafts import Chosen, Contents
from payments.models import Payment, PaymentStatus
from payments.payables import Payable, can_be_paid
from payments.statements import amount_limits


class UnableToPayAgain(Exception):
    """The payment did not come back, or nothing is owed on its account."""


def list_returned(*, standings: Mapping[int, Standing]) -> list[Payment]:
    """Of each account that still owes, the latest payment if it came back. As many statements for one account as for many."""
    owing = [
        key for key, standing in standings.items() if standing.due_cents and can_be_paid(standing=standing)
    ]
    made = Payment.objects.filter(account__among=owing).exclude(status=PaymentStatus.CANCELED)
    latest = made.select_related("account__enrollment__plan").order_by("account", "-recorded_at", "-pk")
    return [payment for payment in latest.distinct("account") if payment.status == PaymentStatus.RETURNED]


def prepare_contents(*, payment: Payment, payables: Sequence[Payable]) -> Contents:
    """The same bill and amount as before, never more than is due; a first bill is paid in full. Raises UnableToPayAgain.

    What was paid from is not chosen beforehand: it is what must be mended.
    """
    known = {payable.account_id: payable for payable in payables}
    payable = known.get(payment.account_id)
    if payment.status != PaymentStatus.RETURNED or payable is None or not payable.standing.due_cents:
        raise UnableToPayAgain
    cents = _find_cents(payment, payable.standing)
    return Contents(
        account_ids=tuple(known),
        typed=_fill_in(payable, cents, known),
        chosen=(Chosen(payable.account_id, cents),),
        must_choose_bank=True,
    )


def _find_cents(payment: Payment, standing: Standing) -> int:
    if waits_for_first_payment(standing=standing):
        return standing.due_cents
    return max(min(payment.amount_cents, standing.due_cents), amount_limits(standing=standing).minimum)


def _fill_in(payable: Payable, cents: int, known: Mapping[int, Payable]) -> dict[str, Any]:
    """The amount page as it would have been filled in, for *Change*."""
    ticked = {f"pay_{key}": key == payable.account_id for key in known}
    if cents == payable.standing.due_cents:
        return ticked
    amount = format_dollars(cents).removeprefix("$")
    return {**ticked, f"choice_{payable.account_id}": "other", f"other_{payable.account_id}": amount}
