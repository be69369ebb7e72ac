"""Batches of checks that staff type in against a deposit slip: a draft until it is closed, then each line is a check."""

from django.conf import settings
from django.db import models

from billing.models import Account
from connector_pay.lib.money import format_dollars
from payments.models.checks import CheckKind, CheckSource


class CheckBatch(models.Model):
    """Checks typed in together, and the slip with which they are deposited.

    Closed once they equal the slip: from then on they are received checks. Until then nothing of it counts.
    """

    source = models.CharField(max_length=7, choices=CheckSource)
    deposit_on = models.DateField()
    slip_cents = models.PositiveBigIntegerField()
    slip_count = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=0, help_text="one more with each change")
    form_key = models.UUIDField(unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    dropped_at = models.DateTimeField(null=True, blank=True)
    drop_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "check batches"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(slip_cents__gt=0, slip_count__gt=0), name="slip_is_for_something"
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(dropped_at=None),
                name="batch_is_closed_or_dropped",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, closed_by=None)
                | models.Q(closed_at__isnull=False, closed_by__isnull=False),
                name="batch_is_closed_by_someone",
            ),
        ]
        indexes = [
            models.Index(
                fields=["made_at"],
                name="check_batch_open",
                condition=models.Q(closed_at=None, dropped_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"batch {self.pk} of {format_dollars(self.slip_cents)}"

    @property
    def is_open(self) -> bool:
        """Whether checks may still be typed in, changed and removed."""
        return self.closed_at is None and self.dropped_at is None

    @property
    def state(self) -> str:
        """Where it stands, in a word."""
        if self.dropped_at:
            return "Dropped"
        return "Closed" if self.closed_at else "Open"


class BatchLine(models.Model):
    """One check or money order of a batch, as it was typed in. Its form key becomes the check's."""

    batch = models.ForeignKey(CheckBatch, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=5, choices=CheckKind)
    number = models.CharField(max_length=20)
    payer = models.CharField(max_length=80)
    cents = models.PositiveIntegerField()
    received_on = models.DateField()
    is_another = models.BooleanField(
        default=False, help_text="typed in although a check of this number, payer and amount is known"
    )
    form_key = models.UUIDField(unique=True)
    typed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    typed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(cents__gt=0), name="batch_line_is_positive")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}, {format_dollars(self.cents)}"


class BatchShare(models.Model):
    """The part of a batch's check that is meant for one account."""

    line = models.ForeignKey(BatchLine, on_delete=models.CASCADE, related_name="shares")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    cents = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["line", "account"], name="one_batch_share_an_account"),
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="batch_share_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{format_dollars(self.cents)} of {self.line}"
