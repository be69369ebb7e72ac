"""Setting up AutoPay: what the payer authorized is kept word for word, its drafts announced, the payer told, once a form."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from members.outbox import tell
from payments.autopay.announcing import keep_announced
from payments.autopay.notices import Draft, read_with_people, tell_on
from payments.autopay.plans import AUTOPAY_VERSION, Plan, find_dropped
from payments.bank_accounts import BankDetails
from payments.canceling import cancel_unsent
from payments.mandates import Grant, find_live, grant_mandates
from payments.models import Authorization, BankAccount, Mandate
from payments.payables import OPEN
from payments.recording import Payer, find_bank_account

PreparePlans = Callable[[Mapping[int, Standing], Mapping[int, Mandate]], Sequence[Plan]]


class UnableToSetUp(ValueError):
    """AutoPay cannot be set up as it was shown; the text says why, for the page. Nothing was recorded."""


def set_up(
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    account_ids: Sequence[int],
    beside: Sequence[int] = (),
    prepare: PreparePlans,
    form_key: UUID,
    today: date,
    at: datetime,
) -> list[Mandate]:
    """Turn AutoPay on for these accounts, or change it, all or none: what `prepare` plans under the lock, as it was authorized.

    A form key that was used before changes nothing and returns what it made then. The standings of the accounts `beside` are
    read as well. Raises UnableToSetUp, UnableToRecord, UnableToUseBankAccount.
    """
    with transaction.atomic():
        lock_accounts(account_ids=account_ids)
        if repeated := find_set_up(form_key=form_key):
            return repeated
        standings = read_standings(account_ids={*account_ids, *beside}, today=today)
        live = read_live(account_ids=account_ids)
        plans = prepare(standings, live)
        bank_account = find_bank_account(bank, payer=payer, at=at)
        mandates = _grant(plans, bank_account, payer=payer, form_key=form_key, at=at)
        _drop_unsent(plans, live, bank, today=today, at=at)
        _announce(plans, mandates, live, today=today, at=at)
        return mandates


def find_set_up(*, form_key: UUID) -> list[Mandate]:
    """What this form has turned on, none if it has not been sent before."""
    return read_with_people(mandates=Mandate.objects.filter(form_key=form_key))


def read_live(*, account_ids: Sequence[int]) -> dict[int, Mandate]:
    """By account, the mandate that is on or suspended."""
    live = find_live().filter(account__in=account_ids).select_related("bank_account", "authorization")
    return {mandate.account_id: mandate for mandate in live}


def may_set_up(*, standing: Standing) -> bool:
    """Whether bills are still to come: AutoPay ends with the enrollment."""
    return standing.enrollment_status in OPEN


def _grant(
    plans: Sequence[Plan], bank_account: BankAccount, *, payer: Payer, form_key: UUID, at: datetime
) -> list[Mandate]:
    proofs = Authorization.objects.bulk_create(
        Authorization(
            account_id=plan.payable.account_id,
            bank_account=bank_account,
            channel=payer.channel,
            sec_code="WEB",
            recurring=True,
            amount_cents=plan.most_cents,
            debit_on_or_after=plan.first.day.received_date,
            text=plan.authorization,
            text_version=AUTOPAY_VERSION,
            language=payer.language,
            payer_name=payer.name[:80],
            account_last_four=bank_account.last_four,
            given_at=at,
            given_by=payer.user,
            address=payer.address,
            browser=payer.browser[:300],
        )
        for plan in plans
    )
    grants = [
        Grant(proof, plan.first.day.received_date, plan.ceiling_cents)
        for plan, proof in zip(plans, proofs, strict=True)
    ]
    granted = grant_mandates(grants=grants, bank_account=bank_account, form_key=form_key, at=at)
    return read_with_people(mandates=Mandate.objects.filter(pk__in=[mandate.pk for mandate in granted]))


def _drop_unsent(
    plans: Sequence[Plan],
    live: Mapping[int, Mandate],
    bank: BankDetails | BankAccount,
    *,
    today: date,
    at: datetime,
) -> None:
    """A draft not yet in a bank file is canceled where the payer has changed the bank account, or allows no longer as much."""
    dropped: list[int] = []
    for plan in plans:
        old = live.get(plan.payable.account_id)
        if old:
            ended = find_dropped(old=old, bank=bank, ceiling_cents=plan.ceiling_cents)
            dropped += ended.values_list("pk", flat=True)
    if dropped:
        cancel_unsent(payment_ids=dropped, today=today, at=at, why="AutoPay was changed")


def _announce(
    plans: Sequence[Plan],
    mandates: Sequence[Mandate],
    live: Mapping[int, Mandate],
    *,
    today: date,
    at: datetime,
) -> None:
    """The amount and the day that were shown count as announced; the payer gets a copy of everything."""
    by_account = {plan.payable.account_id: plan for plan in plans}
    drafts = [
        Draft(mandate, by_account[mandate.account_id].first.day, by_account[mandate.account_id].first.cents)
        for mandate in mandates
    ]
    keep_announced(drafts=drafts, today=today, at=at)
    tell(tellings=tell_on(first_drafts=drafts, replaced=live), today=today, at=at)
