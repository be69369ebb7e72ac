"""What is told about checks: received with what it does to coverage, returned with what to do."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import override

from billing.balances import Standing, read_standings
from members.outbox import Telling, tell
from payments.coverage_sentences import describe_after_return, describe_effect
from payments.models import CheckShare


def tell_checks_received(
    *, share_ids: Iterable[int], standings: Mapping[int, Standing], today: date, at: datetime
) -> None:
    """Received, and what that does; `standings` as they were before."""
    tellings = []
    for share in _read(share_ids):
        standing, check = standings[share.account_id], share.received_check
        with override(share.account.enrollment.member.language):
            effect = describe_effect(
                standing=standing,
                amount_cents=share.cents,
                received_date=check.received_on,
                today=today,
                due_date_rule=standing.due_date_rule,
            )
        tellings.append(_make_telling("check_received", share, {"effect": effect}))
    tell(tellings=tellings, today=today, at=at)


def tell_checks_returned(*, share_ids: Iterable[int], today: date, at: datetime) -> None:
    """Returned: the bill is open again, and what paying today does."""
    shares = _read(share_ids)
    standings = read_standings(account_ids={share.account_id for share in shares}, today=today)
    tellings = []
    for share in shares:
        standing = standings[share.account_id]
        with override(share.account.enrollment.member.language):
            effect = describe_after_return(standing=standing, today=today)
        owed = {"due_cents": standing.due_cents, "due_date": standing.due_date} if standing.due_cents else {}
        tellings.append(_make_telling("check_returned", share, {"effect": effect} | owed))
    tell(tellings=tellings, today=today, at=at)


def _read(share_ids: Iterable[int]) -> list[CheckShare]:
    shares = CheckShare.objects.filter(pk__in=list(share_ids)).select_related(
        "received_check", "account__enrollment__member", "account__enrollment__plan"
    )
    return list(shares.order_by("pk"))


def _make_telling(event: str, share: CheckShare, more: dict[str, Any]) -> Telling:
    enrollment = share.account.enrollment
    facts = {
        "product": enrollment.plan.product,
        "amount_cents": share.cents,
        "received_date": share.received_check.received_on,
        "check_number": share.received_check.number,
    }
    return Telling(event=event, subject=share.reference, member=enrollment.member, facts=facts | more)
