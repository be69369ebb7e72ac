"""Turning AutoPay off: nothing more is drafted, a draft not yet in a bank file is not sent, the bills still to pay are told."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from billing.accounts import lock_accounts
from billing.balances import read_standings
from connector_pay.lib.jobs import Counts
from members.models import EnrollmentStatus
from members.outbox import tell
from payments.autopay.amounts import read_on_its_way
from payments.autopay.notices import read_with_people, tell_off
from payments.canceling import cancel_unsent
from payments.mandates import end_mandates, find_live, resume_mandates
from payments.models import Mandate, MandateStatus, Payment, PaymentStatus
from payments.recording import CHUNK

BY_PAYER, WITH_ENROLLMENT = "turned off by the payer", "the enrollment is over"
OVER = (EnrollmentStatus.ENDED, EnrollmentStatus.EXPIRED)


def turn_off(*, account_ids: Iterable[int], today: date, at: datetime, why: str = BY_PAYER) -> int:
    """The payer wants no more drafts of these accounts; returns how many were on. What is in a bank file still goes out."""
    ids = list(account_ids)
    with transaction.atomic():
        lock_accounts(account_ids=ids)
        return _end(ids, why=why, today=today, at=at)


def go_on(*, account_id: int, at: datetime, why: str) -> bool:
    """The payer wants AutoPay to go on after it was suspended, as it was authorized; False if it does not wait for that."""
    with transaction.atomic():
        lock_accounts(account_ids=[account_id])
        suspended = find_live().filter(account=account_id, status=MandateStatus.SUSPENDED)
        return bool(resume_mandates(mandate_ids=suspended.values_list("pk", flat=True), at=at, why=why))


def end_with_enrollments(*, today: date, at: datetime) -> Counts:
    """AutoPay ends with the enrollment, ended or expired. Safe to run twice, resumes in chunks."""
    over = find_live().filter(account__enrollment__status__in=OVER)
    waiting = sorted(over.values_list("account_id", flat=True))
    ended = 0
    for start in range(0, len(waiting), CHUNK):
        with transaction.atomic():
            chunk = waiting[start : start + CHUNK]
            lock_accounts(account_ids=chunk)
            ended += _end(chunk, why=WITH_ENROLLMENT, today=today, at=at)
    return {"ended": ended}


def _end(account_ids: Sequence[int], *, why: str, today: date, at: datetime) -> int:
    live = find_live().filter(account__in=account_ids).values_list("pk", flat=True)
    moved = end_mandates(mandate_ids=list(live), at=at, why=why)
    mandates = read_with_people(mandates=Mandate.objects.filter(pk__in=moved))
    unsent = Payment.objects.filter(
        authorization__in=[mandate.authorization_id for mandate in mandates], status=PaymentStatus.RECORDED
    )
    dropped = list(unsent.values_list("pk", flat=True))
    if dropped:
        cancel_unsent(payment_ids=dropped, today=today, at=at, why=f"AutoPay: {why}", told_by_caller=dropped)
    canceled = Payment.objects.filter(pk__in=dropped, status=PaymentStatus.CANCELED).values("account")
    ours = [mandate.account_id for mandate in mandates]
    tellings = tell_off(
        mandates=mandates,
        canceled=dict(canceled.annotate(cents=Sum("amount_cents")).values_list("account", "cents")),
        standings=read_standings(account_ids=ours, today=today),
        on_their_way=read_on_its_way(account_ids=ours),
        ended=why == WITH_ENROLLMENT,
    )
    tell(tellings=tellings, today=today, at=at)
    return len(mandates)
