"""Refunds: money that goes back to the person who paid it, asked for by one of the staff and approved by another.

Of credit left when coverage was over, the day's work asks.
"""

from django.conf import settings
from django.db import models

from billing.models import Receipt
from connector_pay.lib.states import StateMachine
from payments.models.bank_accounts import BankAccount
from payments.models.moves import Move
from payments.models.payments import Payment


class RefundMethod(models.TextChoices):
    """How the money goes back. A reversal undoes a debit that should never have been sent, within 5 banking days."""

    ACH = "ach", "To the bank account it came from"
    CHECK = "check", "By check"
    REVERSAL = "reversal", "Reversal of a wrong debit"


class RefundStatus(models.TextChoices):
    """Where a refund stands. Its money leaves the account's credit when it is approved."""

    ASKED = "asked", "Waits for approval"
    DECLINED = "declined", "Declined"
    APPROVED = "approved", "Approved"
    SENDING = "sending", "In a bank file"
    SENT = "sent", "Sent to the bank"
    SETTLED = "settled", "Settled"
    PRINTED = "printed", "Check printed"
    RETURNED = "returned", "Returned by the bank"


REFUND_MOVES = StateMachine(
    subject_field="refund",
    arrows={
        RefundStatus.ASKED: frozenset({RefundStatus.APPROVED, RefundStatus.DECLINED}),
        # Declined after approval: stopped before it went out, its money credit again.
        RefundStatus.APPROVED: frozenset({RefundStatus.SENDING, RefundStatus.PRINTED, RefundStatus.DECLINED}),
        RefundStatus.SENDING: frozenset({RefundStatus.SENT}),
        RefundStatus.SENT: frozenset({RefundStatus.SETTLED, RefundStatus.RETURNED}),
        RefundStatus.SETTLED: frozenset({RefundStatus.RETURNED}),
        RefundStatus.DECLINED: frozenset(),
        RefundStatus.PRINTED: frozenset(),
        RefundStatus.RETURNED: frozenset(),
    },
)


class Refund(models.Model):
    """Cents of one receipt on their way back to who paid them."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(
        Payment,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="refunds",
        help_text="the debit that brought it",
    )
    bank_account = models.ForeignKey(
        BankAccount,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="refunds",
        help_text="none: by check",
    )
    method = models.CharField(max_length=8, choices=RefundMethod)
    cents = models.PositiveIntegerField()
    payee = models.CharField(max_length=80)
    mail_to = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="where its check goes; empty: to the member's address",
    )
    why = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=RefundStatus, default=RefundStatus.ASKED)
    form_key = models.UUIDField(unique=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="none: by the day's work, of credit left when coverage was over",
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    effective_date = models.DateField(
        null=True, blank=True, help_text="the banking day on which the credit settles"
    )
    check_number = models.CharField(max_length=10, blank=True)
    printed_on = models.DateField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        permissions = [
            ("add_refund", "Ask for a refund"),
            ("change_refund", "Approve, decline or stop a refund; note the number of its check"),
            ("export_refund", "Take the list of refunds away as CSV"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="refund_is_positive"),
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("asked_by")),
                name="refund_takes_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(method="check", bank_account=None)
                | models.Q(method__in=("ach", "reversal"), bank_account__isnull=False, payment__isnull=False),
                name="refund_goes_somewhere",
            ),
            models.CheckConstraint(
                condition=models.Q(status="asked")
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="refund_is_decided_by_someone",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=models.Q(method="reversal") & ~models.Q(status="declined"),
                name="one_reversal_of_a_debit",
            ),
            models.UniqueConstraint(
                fields=["check_number"],
                condition=~models.Q(check_number=""),
                name="one_refund_of_a_check_number",
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"

    @property
    def reference(self) -> str:
        """How the books name this refund."""
        return f"refund:{self.pk}"


class RefundMove(Move):
    """One change of a refund's status. Append-only."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="moves")
