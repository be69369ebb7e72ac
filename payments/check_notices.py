"""What is told about checks: received with what it does to coverage, returned with what to do."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import override

from billing.balances import Standing, read_standings
from billing.models import Account, Receipt
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
        tellings.append(_make_telling("check_received", share, share.account, {"effect": effect}))
    tell(tellings=tellings, today=today, at=at)


def tell_checks_returned(*, share_ids: Iterable[int], today: date, at: datetime) -> None:
    """Returned: the bill is open again, and what paying today does; told of the account for which its money counted."""
    shares = _read(share_ids)
    accounts = _read_accounts(shares)
    standings = read_standings(account_ids={account.pk for account in accounts.values()}, today=today)
    tellings = []
    for share in shares:
        account = accounts[share.reference]
        standing = standings[account.pk]
        with override(account.enrollment.member.language):
            effect = describe_after_return(standing=standing, today=today)
        owed = {"due_cents": standing.due_cents, "due_date": standing.due_date} if standing.due_cents else {}
        tellings.append(_make_telling("check_returned", share, account, {"effect": effect} | owed))
    tell(tellings=tellings, today=today, at=at)


def _read_accounts(shares: Iterable[CheckShare]) -> dict[str, Account]:
    """By the reference of each share: staff may have moved its money to another account than it names."""
    receipts = Receipt.objects.filter(reference__in=[share.reference for share in shares])
    people = receipts.select_related("account__enrollment__member", "account__enrollment__plan")
    return {receipt.reference: receipt.account for receipt in people}


def _read(share_ids: Iterable[int]) -> list[CheckShare]:
    shares = CheckShare.objects.filter(pk__in=list(share_ids)).select_related(
        "received_check", "account__enrollment__member", "account__enrollment__plan"
    )
    return list(shares.order_by("pk"))


def _make_telling(event: str, share: CheckShare, account: Account, more: dict[str, Any]) -> Telling:
    enrollment = account.enrollment
    facts = {
        "product": enrollment.plan.product,
        "amount_cents": share.cents,
        "received_date": share.received_check.received_on,
        "check_number": share.received_check.number,
    }
    return Telling(event=event, subject=share.reference, member=enrollment.member, facts=facts | more)
