"""What is told about a refund: to who paid, and to the member, once the money is on its way or a bill is open again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils.translation import override

from billing.balances import Standing, read_standings
from members.outbox import Telling, tell
from payments.confirmation import format_number
from payments.coverage_sentences import describe_after_return
from payments.models import Refund, RefundMethod
from payments.payment_notices import AboutPayment, list_readers, read_about


def tell_refunded(*, refund_ids: Iterable[int], today: date, at: datetime) -> None:
    """Tell of each refund once: when it settles or its check is printed; of a reversal when it is approved, with what is
    owed again.
    """
    refunds = Refund.objects.filter(pk__in=list(refund_ids)).order_by("pk")
    refunds = refunds.select_related(
        "receipt__account__enrollment__member",
        "receipt__account__enrollment__plan",
    )
    listed = list(refunds)
    reversed_accounts = {item.receipt.account_id for item in listed if item.method == RefundMethod.REVERSAL}
    standings = read_standings(account_ids=reversed_accounts, today=today) if reversed_accounts else {}
    about = read_about(payment_ids={item.payment_id for item in listed if item.payment_id})
    tell(
        tellings=[
            telling
            for item in listed
            for telling in _list_tellings(
                item,
                about.get(item.payment_id or 0),
                standings.get(item.receipt.account_id),
                today=today,
            )
        ],
        today=today,
        at=at,
    )


def _list_tellings(
    refund: Refund, payment: AboutPayment | None, standing: Standing | None, *, today: date
) -> list[Telling]:
    facts, owed = _list_facts(refund), _list_owed(refund, standing, today=today)
    if payment is None:
        member = refund.receipt.account.enrollment.member
        return [Telling(event="refund", subject=refund.reference, member=member, facts=facts | owed)]
    facts |= {
        "confirmation_number": format_number(payment.confirmation_number),
        "last_four": payment.last_four,
    }
    tellings = []
    for reader in list_readers(payment=payment):
        # What is owed is the member's; the bank account is its payer's.
        told = facts | (owed if reader.is_billed else {})
        telling = reader.make_telling(event="refund", facts=told)
        subject = telling.subject.replace(payment.reference, refund.reference)
        tellings.append(replace(telling, subject=subject))
    return tellings


def _list_facts(refund: Refund) -> dict[str, Any]:
    return {
        "product": refund.receipt.account.enrollment.plan.product,
        "amount_cents": refund.cents,
        "received_date": refund.receipt.received_date,
        "method": refund.method,
        "check_number": refund.check_number,
        "goes_elsewhere": bool(refund.mail_to),
    }


def _list_owed(refund: Refund, standing: Standing | None, *, today: date) -> dict[str, Any]:
    """After a reversal: what is owed again, and what paying it does."""
    if refund.method != RefundMethod.REVERSAL or standing is None or not standing.due_cents:
        return {}
    with override(refund.receipt.account.enrollment.member.language):
        effect = describe_after_return(standing=standing, today=today)
    return {"due_cents": standing.due_cents, "due_date": standing.due_date, "effect": effect}
