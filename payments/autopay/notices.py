"""AutoPay's notices: on, changed, off; a draft is coming; and why nothing was drafted though something is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from billing.balances import Standing
from members.outbox import Telling
from payments.autopay.days import DraftDay
from payments.models import Mandate


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft of one mandate: its day, and what it takes or would have taken."""

    mandate: Mandate
    day: DraftDay
    cents: int


def read_with_people(*, mandates: QuerySet[Mandate]) -> list[Mandate]:
    """The mandates with all that a notice about them names, in the order of their accounts."""
    related = mandates.select_related(
        "account__enrollment__plan", "account__enrollment__member", "bank_account", "authorization"
    )
    return list(related.order_by("account_id", "pk"))


def tell_on(*, first_drafts: Iterable[Draft], replaced: Iterable[int]) -> list[Telling]:
    """AutoPay is on, or changed for accounts that had it (`replaced`): with a copy of what was authorized, word for word."""
    changed = set(replaced)
    return [
        _make(
            "autopay_changed" if draft.mandate.account_id in changed else "autopay_on",
            f"mandate:{draft.mandate.pk}",
            draft.mandate,
            _list_draft_facts(draft) | {"text": draft.mandate.authorization.text},
        )
        for draft in first_drafts
    ]


def tell_off(
    *,
    mandates: Iterable[Mandate],
    canceled: Mapping[int, int],
    standings: Mapping[int, Standing],
    ended: bool,
) -> list[Telling]:
    """AutoPay is off: which draft is not sent (`canceled`, in cents by account), and each bill still to pay."""
    return [
        _make(
            "autopay_off",
            f"mandate:{mandate.pk}",
            mandate,
            {
                "canceled_cents": canceled.get(mandate.account_id, 0),
                "bills": list_bills(standing=standings[mandate.account_id]),
                "ended": ended,
            },
        )
        for mandate in mandates
    ]


def tell_coming(*, drafts: Iterable[Draft]) -> list[Telling]:
    """What will be drafted, on which day, and until when that can be stopped."""
    return [
        _make(
            "autopay_coming",
            f"account:{draft.mandate.account_id}:draft:{draft.day.received_date}:{draft.cents}",
            draft.mandate,
            _list_draft_facts(draft) | {"debit_date": draft.day.debit_date, "cut_date": draft.day.cut_date},
        )
        for draft in drafts
    ]


def tell_above(*, drafts: Iterable[Draft], standings: Mapping[int, Standing]) -> list[Telling]:
    """More is due than the payer lets AutoPay take: nothing is drafted, pay in another way."""
    return [_tell_not_drafted("autopay_ceiling", draft, standings) for draft in drafts]


def tell_not_validated(*, drafts: Iterable[Draft], standings: Mapping[int, Standing]) -> list[Telling]:
    """The bank account was not validated in time: nothing is drafted, pay in another way."""
    return [_tell_not_drafted("autopay_waiting", draft, standings) for draft in drafts]


def list_bills(*, standing: Standing) -> list[dict[str, Any]]:
    """Each bill still to pay, as notices list them."""
    return [
        {
            "product": standing.product,
            "coverage_month": bill.coverage_month,
            "remaining_cents": bill.remaining_cents,
            "due_date": bill.due_date,
        }
        for bill in standing.open_invoices
    ]


def _tell_not_drafted(event: str, draft: Draft, standings: Mapping[int, Standing]) -> Telling:
    mandate, standing = draft.mandate, standings[draft.mandate.account_id]
    bills = {"bills": list_bills(standing=standing)}
    limit = {"ceiling_cents": mandate.authorization.amount_cents} if event == "autopay_ceiling" else {}
    subject = f"account:{mandate.account_id}:draft:{draft.day.received_date}"
    return _make(event, subject, mandate, _list_draft_facts(draft) | bills | limit)


def _list_draft_facts(draft: Draft) -> dict[str, Any]:
    return {"draft_date": draft.day.received_date, "amount_cents": draft.cents}


def _make(event: str, subject: str, mandate: Mandate, facts: Mapping[str, Any]) -> Telling:
    enrollment = mandate.account.enrollment
    named = {"product": enrollment.plan.product, "last_four": mandate.bank_account.last_four}
    return Telling(event=event, subject=subject, member=enrollment.member, facts={**named, **facts})
