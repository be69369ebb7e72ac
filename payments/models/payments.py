"""Payments: each one debit of one bank account for one billing account, and its history."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Upper

from billing.models import Account
from connector_pay.lib.states import StateMachine
from payments.models.authorizations import Authorization, PaymentChannel
from payments.models.bank_accounts import BankAccount
from payments.models.moves import Move

MOST_RETRIES = 2  # of one debit; the network's own limit


class PaymentStatus(models.TextChoices):
    """Where a payment stands. `payments.statements` has the one public phrase of each."""

    RECORDED = "recorded", "Recorded"
    SENDING = "sending", "In a bank file"
    SENT = "sent", "Sent to the bank"
    SETTLED = "settled", "Settled"
    POSTED = "posted", "Posted"
    RETURNED = "returned", "Returned"
    CANCELED = "canceled", "Canceled"


PAYMENT_MOVES = StateMachine(
    subject_field="payment",
    arrows={
        PaymentStatus.RECORDED: frozenset(
            {PaymentStatus.SENDING, PaymentStatus.CANCELED, PaymentStatus.RETURNED}
        ),
        PaymentStatus.SENDING: frozenset({PaymentStatus.SENT}),
        PaymentStatus.SENT: frozenset({PaymentStatus.SETTLED, PaymentStatus.RETURNED}),
        PaymentStatus.SETTLED: frozenset({PaymentStatus.POSTED, PaymentStatus.RETURNED}),
        PaymentStatus.POSTED: frozenset({PaymentStatus.RETURNED}),
        PaymentStatus.RETURNED: frozenset(),
        PaymentStatus.CANCELED: frozenset(),
    },
)


class Payment(models.Model):
    """One debit of one bank account for one billing account."""

    confirmation_number = models.CharField(max_length=10, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="payments")
    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="payments")
    amount_cents = models.PositiveIntegerField()
    received_date = models.DateField()
    status = models.CharField(max_length=8, choices=PaymentStatus, default=PaymentStatus.RECORDED)
    channel = models.CharField(max_length=10, choices=PaymentChannel)
    form_key = models.UUIDField()
    session_digest = models.CharField(max_length=64, blank=True, db_index=True)
    coverage_sentence = models.TextField(help_text="what the payer was told paying does, before authorizing")
    receipt_email = models.EmailField(blank=True)
    recorded_at = models.DateTimeField()
    effective_date = models.DateField(
        null=True, blank=True, help_text="the banking day the debit is due to settle"
    )
    posted_on = models.DateField(null=True, blank=True)
    return_code = models.CharField(max_length=3, blank=True)
    retry_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="retries",
        help_text="the returned debit that this one sends again, unchanged",
    )
    retry_number = models.PositiveSmallIntegerField(default=0, help_text="0: not a retry")
    is_held = models.BooleanField(
        "on hold", default=False, db_default=False, help_text="staff keep it out of bank files"
    )

    class Meta:
        default_permissions = ()
        permissions = [
            ("cancel_payment", "Cancel a payment before it goes to the bank"),
            ("hold_payment", "Keep a payment out of bank files, and release it"),
            ("take_phone_payment", "Take a payment from a caller by phone"),
            ("move_payment", "Move received money to another account"),
            ("change_received_date", "Correct the received date of a check or phone payment"),
            ("export_payment", "Take the list of payments away as CSV"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["retry_of", "retry_number"],
                condition=models.Q(retry_of__isnull=False),
                name="one_retry_of_a_number",
            ),
            models.CheckConstraint(
                condition=models.Q(retry_of=None, retry_number=0)
                | models.Q(retry_of__isnull=False, retry_number__range=(1, MOST_RETRIES)),
                name="retries_are_counted",
            ),
            models.UniqueConstraint(fields=["form_key", "account"], name="one_payment_per_form"),
            models.UniqueConstraint(
                fields=["account", "received_date"],
                condition=models.Q(channel="autopay", retry_of=None),
                name="one_draft_per_draft_day",
            ),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="payment_is_positive"),
        ]
        indexes = [
            models.Index(fields=["status", "received_date"], name="payment_by_status"),
            models.Index(fields=["-recorded_at", "-id"], name="payment_latest"),
            models.Index(fields=["id"], name="payment_on_hold", condition=models.Q(is_held=True)),
            models.Index(fields=["status", "-recorded_at", "-id"], name="payment_latest_by_status"),
            # What was collected, by day and method, is read from the index alone.
            models.Index(
                fields=["received_date"],
                include=["status", "channel", "amount_cents"],
                name="payment_by_received",
            ),
            models.Index(
                Upper("receipt_email"), name="payment_by_email", condition=~models.Q(receipt_email="")
            ),
        ]

    def __str__(self) -> str:
        return self.confirmation_number

    @property
    def reference(self) -> str:
        """How the books name this payment."""
        return f"payment:{self.pk}"


class PaymentMove(Move):
    """One change of a payment's status. Append-only."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="moves")


class PaymentHold(models.Model):
    """A time in which staff keep a payment out of bank files: from whose word on and why, and whose word ended it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="holds")
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    held_on = models.DateField()
    held_at = models.DateTimeField()
    why = models.CharField(max_length=200)
    form_key = models.UUIDField(unique=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=models.Q(released_at=None), name="one_hold_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(released_at=None, released_by=None)
                | models.Q(released_at__isnull=False, released_by__isnull=False),
                name="hold_is_released_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"hold of {self.payment} since {self.held_on}"
