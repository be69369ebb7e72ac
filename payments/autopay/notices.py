"""AutoPay's notices: on, changed, off; a draft is coming; and why nothing was drafted though something is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from billing.balances import Standing
from members.outbox import Telling
from payments.autopay.amounts import OnItsWay
from payments.autopay.days import DraftDay
from payments.models import Mandate
from payments.statements import describe_cutoff


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft of one mandate: its day, and what it takes or would have taken."""

    mandate: Mandate
    day: DraftDay
    cents: int

    @property
    def most_cents(self) -> int:
        """The most that was authorized."""
        return self.mandate.authorization.amount_cents

    @property
    def is_above(self) -> bool:
        """Whether it is more than was authorized, so that nothing is taken."""
        return self.cents > self.most_cents


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
            _list_draft_facts(draft)
            | _list_limit_facts(draft)
            | {"text": draft.mandate.authorization.text, "above": draft.is_above},
        )
        for draft in first_drafts
    ]


def tell_off(
    *,
    mandates: Iterable[Mandate],
    canceled: Mapping[int, int],
    standings: Mapping[int, Standing],
    on_their_way: Mapping[int, OnItsWay],
    ended: bool,
) -> list[Telling]:
    """AutoPay is off: which draft is not sent (`canceled`, in cents by account), and each bill still to pay.

    What is on its way by account (`on_their_way`) is left out of the bills.
    """
    return [
        _make(
            "autopay_off",
            f"mandate:{mandate.pk}",
            mandate,
            {
                "canceled_cents": canceled.get(mandate.account_id, 0),
                "ended": ended,
            }
            | _list_money_facts(standings[mandate.account_id], on_their_way[mandate.account_id]),
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
            _list_draft_facts(draft)
            | {
                "debit_date": draft.day.debit_date,
                "cut_date": draft.day.cut_date,
                "cutoff": describe_cutoff(language=draft.mandate.account.enrollment.member.language),
            },
        )
        for draft in drafts
    ]


def tell_above(
    *, drafts: Iterable[Draft], standings: Mapping[int, Standing], on_their_way: Mapping[int, OnItsWay]
) -> list[Telling]:
    """More is due than the payer lets AutoPay take: nothing is drafted, pay in another way. Told once a draft of a mandate."""
    return [
        _tell_not_drafted("autopay_ceiling", draft, standings, on_their_way, _list_limit_facts(draft))
        for draft in drafts
    ]


def tell_not_validated(
    *, drafts: Iterable[Draft], standings: Mapping[int, Standing], on_their_way: Mapping[int, OnItsWay]
) -> list[Telling]:
    """The bank account was not validated in time: nothing is drafted, pay in another way."""
    return [_tell_not_drafted("autopay_waiting", draft, standings, on_their_way, {}) for draft in drafts]


def list_bills(*, standing: Standing, paid_cents: int = 0) -> list[dict[str, Any]]:
    """Each bill still to pay, as notices list them, once what is on its way (`paid_cents`) has landed on the oldest first."""
    bills = []
    for bill in standing.open_invoices:
        left_cents = max(0, bill.remaining_cents - paid_cents)
        paid_cents = max(0, paid_cents - bill.remaining_cents)
        if left_cents:
            bills.append(
                {
                    "product": standing.product,
                    "coverage_month": bill.coverage_month,
                    "remaining_cents": left_cents,
                    "due_date": bill.due_date,
                }
            )
    return bills


def _tell_not_drafted(
    event: str,
    draft: Draft,
    standings: Mapping[int, Standing],
    on_their_way: Mapping[int, OnItsWay],
    more: Mapping[str, Any],
) -> Telling:
    mandate = draft.mandate
    money = _list_money_facts(standings[mandate.account_id], on_their_way[mandate.account_id])
    subject = f"account:{mandate.account_id}:draft:{draft.day.received_date}:mandate:{mandate.pk}"
    return _make(event, subject, mandate, {**_list_draft_facts(draft), **money, **more})


def _list_money_facts(standing: Standing, on_its_way: OnItsWay) -> dict[str, Any]:
    """The bills still to pay, and what must not be paid again."""
    return {
        "bills": list_bills(standing=standing, paid_cents=on_its_way.cents),
        "at_bank_cents": on_its_way.at_bank_cents,
        "scheduled_cents": on_its_way.cents - on_its_way.at_bank_cents,
    }


def _list_limit_facts(draft: Draft) -> dict[str, Any]:
    """The most that one draft takes, and whether that is not the payer's own limit but that of every payment."""
    return {"ceiling_cents": draft.most_cents, "is_flat": not draft.mandate.ceiling_cents}


def _list_draft_facts(draft: Draft) -> dict[str, Any]:
    return {"draft_date": draft.day.received_date, "amount_cents": draft.cents}


def _make(event: str, subject: str, mandate: Mandate, facts: Mapping[str, Any]) -> Telling:
    enrollment = mandate.account.enrollment
    named = {"product": enrollment.plan.product, "last_four": mandate.bank_account.last_four}
    return Telling(event=event, subject=subject, member=enrollment.member, facts={**named, **facts})
