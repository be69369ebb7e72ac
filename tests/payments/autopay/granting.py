"""Turning AutoPay on in tests, as the page does: planned, authorized, announced."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from billing.balances import Standing
from billing.models import Account
from connector_pay.lib.clock import business_date
from payments.autopay.plans import Plan, make_plans
from payments.autopay.setting_up import set_up
from payments.bank_accounts import BankDetails
from payments.drafts import Chosen
from payments.models import BankAccount, Mandate, PaymentChannel
from payments.payables import make_payables
from payments.recording import Payer
from tests.payments.paying import make_details
from tests.people import make_user


def make_member_payer(account: Account) -> Payer:
    """The member of the account, signed in."""
    member = account.enrollment.member
    user = getattr(member, "user", None) or make_user(member=member)
    return Payer(
        channel=PaymentChannel.WEB,
        user=user,
        name=member.full_name,
        address="192.0.2.7",
        browser="Firefox",
        language=member.language,
    )


def turn_on(
    *accounts: Account,
    at: datetime,
    bank: BankDetails | BankAccount | None = None,
    ceiling_cents: int = 0,
    **facts: Any,
) -> list[Mandate]:
    """AutoPay for these accounts of one member, from one bank account."""
    source = bank or make_details()
    chosen = [Chosen(account.pk, ceiling_cents) for account in accounts]

    def prepare(standings: Mapping[int, Standing], live: Mapping[int, Mandate]) -> Sequence[Plan]:
        payables = {payable.account_id: payable for payable in make_payables(standings=standings)}
        return make_plans(chosen=chosen, payables=payables, live=live, bank=source, language="en", at=at)

    return set_up(
        **{
            "payer": make_member_payer(accounts[0]),
            "bank": source,
            "account_ids": [account.pk for account in accounts],
            "prepare": prepare,
            "form_key": uuid4(),
            "today": business_date(moment=at),
            "at": at,
        }
        | facts
    )
