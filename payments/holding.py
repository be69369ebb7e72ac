"""Holding: staff keep a payment out of bank files until they release it; its received date stands."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing.allocation import lock_accounts
from billing.policy import read_policy
from members.models import User
from payments.models import Payment, PaymentHold, PaymentStatus


class UnableToHold(ValueError):
    """The payment cannot be kept out of bank files, or is not; the text says why, for staff. Nothing was changed."""


def hold_payment(
    *, payment_id: int, by: User, why: str, form_key: UUID, today: date, at: datetime
) -> PaymentHold:
    """Keep a payment that is not yet in a bank file out of all of them; it counts as received as before.

    A form key used before returns the hold it made then. Raises UnableToHold.
    """
    if not why.strip():
        raise UnableToHold("Say why this payment is held.")
    with transaction.atomic():
        _lock(payment_id)
        made = PaymentHold.objects.filter(form_key=form_key).first()
        if made is not None:
            return made
        # Written on the payment itself: a file being built at this moment sees it, or has the payment already.
        if not Payment.objects.filter(pk=payment_id, status=PaymentStatus.RECORDED, is_held=False).update(
            is_held=True
        ):
            raise UnableToHold(_say_why_not(payment_id))
        return PaymentHold.objects.create(
            payment_id=payment_id,
            held_by=by,
            held_on=today,
            held_at=at,
            why=why.strip()[:200],
            form_key=form_key,
        )


def release_payment(*, payment_id: int, by: User, why: str, at: datetime) -> PaymentHold:
    """Let a payment on hold go into the next bank file. Raises UnableToHold."""
    if not why.strip():
        raise UnableToHold("Say why this payment is released.")
    with transaction.atomic():
        _lock(payment_id)
        held = Payment.objects.filter(pk=payment_id, status=PaymentStatus.RECORDED, is_held=True)
        if not held.update(is_held=False):
            raise UnableToHold("This payment is not on hold, or has ended meanwhile.")
        hold = PaymentHold.objects.get(payment=payment_id, released_at=None)
        hold.released_by, hold.released_at, hold.release_reason = by, at, why.strip()[:200]
        hold.save(update_fields=["released_by", "released_at", "release_reason"])
    return hold


def find_old_holds(*, today: date) -> QuerySet[PaymentHold]:
    """The holds that have lasted longer than the policy's days, the oldest first, for staff to look at."""
    since = today - timedelta(days=read_policy().longest_hold_days)
    waiting = PaymentHold.objects.filter(
        released_at=None, payment__status=PaymentStatus.RECORDED, held_on__lt=since
    )
    return waiting.select_related("payment__account__enrollment__member", "held_by").order_by("held_on", "pk")


def _lock(payment_id: int) -> None:
    lock_accounts(account_ids=Payment.objects.filter(pk=payment_id).values_list("account_id", flat=True))


def _say_why_not(payment_id: int) -> str:
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == PaymentStatus.RECORDED:
        return "This payment is on hold already."
    return f"This payment can no longer be held: {payment.get_status_display().lower()}."
