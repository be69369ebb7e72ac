"""What is owed: accounts, invoices with their lines, adjustments, and due dates that were moved."""

from datetime import date

import pghistory
from django.conf import settings
from django.db import models

from connector_pay.lib.money import format_dollars
from members.models import Enrollment


class Account(models.Model):
    """What one enrollment owes and has paid. Health and dental never share one."""

    enrollment = models.OneToOneField(Enrollment, on_delete=models.PROTECT, related_name="account")
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"account {self.pk} of {self.enrollment}"


class Invoice(models.Model):
    """One account, one coverage month; at most one that is not void. The first of an enrollment is the binder.

    The binder of a retroactive enrollment is several invoices, one for each month to date, due together: `binder_start` is
    the start of coverage that they are for.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices")
    coverage_month = models.DateField()
    due_date = models.DateField()
    premium_cents = models.PositiveIntegerField()
    subsidy_cents = models.PositiveIntegerField(default=0)
    adjustment_cents = models.IntegerField(default=0, db_default=0, help_text="the sum of its lines")
    amount_cents = models.PositiveIntegerField(
        help_text="premium less subsidy, and its adjustment: what this bill adds to what is owed"
    )
    is_binder = models.BooleanField(default=False)
    binder_start = models.DateField(
        null=True, blank=True, help_text="of a binder: the first month of the coverage it starts"
    )
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "coverage_month"],
                condition=models.Q(voided_at=None),
                name="one_open_invoice_per_month",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    amount_cents=models.F("premium_cents")
                    - models.F("subsidy_cents")
                    + models.F("adjustment_cents")
                ),
                name="amount_is_premium_less_subsidy_adjusted",
            ),
            models.CheckConstraint(
                condition=models.Q(is_binder=True, binder_start__lte=models.F("coverage_month"))
                | models.Q(is_binder=False, binder_start=None),
                name="binder_names_its_start",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_date"],
                name="binder_by_due_date",
                condition=models.Q(is_binder=True, voided_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"invoice {self.number}"

    @property
    def number(self) -> str:
        """The 10 digits on the bill and in its scan line."""
        return format_invoice_number(invoice_id=self.pk)

    @property
    def due_month(self) -> date:
        """The month whose due date it has: of a binder, that of the start of coverage."""
        return self.binder_start or self.coverage_month


def format_invoice_number(*, invoice_id: int) -> str:
    """The 10 digits by which the invoice is known."""
    return f"{invoice_id:010d}"


class LineReason(models.TextChoices):
    """Why a bill asks for more or less than the price of its month."""

    WAIVER = "waiver", "Hardship waiver"
    CORRECTION = "correction", "Correction"
    CHANGE = "change", "Price changed after the bill"


class InvoiceLine(models.Model):
    """What a bill adds (cents > 0) or takes off, for its own month or, as an increase, for an earlier one. Append-only."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    for_month = models.DateField()
    cents = models.IntegerField()
    why = models.CharField(max_length=10, choices=LineReason)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(cents=0), name="line_is_not_nothing"),
            models.UniqueConstraint(fields=["invoice", "for_month", "why"], name="one_line_per_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.cents} cents for {self.for_month}, {self.why}"


class AdjustmentKind(models.TextChoices):
    """What staff may do to the price of a month."""

    WAIVER = "waiver", "Hardship waiver"
    CORRECTION = "correction", "Correction"


class Adjustment(models.Model):
    """What staff take off a month (cents < 0) or put on it, beside its rate. Append-only.

    A waiver counts from the day it was asked for, however late it is granted, and can satisfy a binder.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="adjustments")
    coverage_month = models.DateField()
    cents = models.IntegerField()
    kind = models.CharField(max_length=10, choices=AdjustmentKind)
    counts_from = models.DateField(help_text="the day it was asked for")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", help_text="who recorded it"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="nobody, where it took no second person",
    )
    correction = models.ForeignKey(
        "billing.Correction", null=True, blank=True, on_delete=models.PROTECT, related_name="adjustments"
    )
    recorded_at = models.DateTimeField()
    reference = models.CharField(
        max_length=60, unique=True, help_text="what it is known by, such as waiver:KEY:2027-02"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(cents=0), name="adjustment_is_not_nothing"),
            models.CheckConstraint(
                condition=models.Q(kind="correction") | models.Q(cents__lt=0), name="waiver_takes_off"
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("asked_by")),
                name="adjustment_is_not_approved_by_its_asker",
            ),
            # Not checked of the rows that were made before there were corrections.
            models.CheckConstraint(
                condition=models.Q(correction__isnull=False), name="adjustment_has_its_correction"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {format_dollars(abs(self.cents))} for {self.coverage_month}"


BILLED_LATE = "billed after its due date"  # why the day's work gives an account more time


@pghistory.track(
    pghistory.InsertEvent("recorded"), pghistory.UpdateEvent("changed"), model_name="DueDateOverrideEvent"
)
class DueDateOverride(models.Model):
    """A due date moved by policy, for a coverage month or for one account of it: data, not code. The latest row holds.

    People move it by a correction; the day's work gives time to a month that we billed late.
    """

    coverage_month = models.DateField()
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT)
    due_date = models.DateField()
    reason = models.CharField(max_length=200)
    correction = models.OneToOneField(
        "billing.Correction", null=True, blank=True, on_delete=models.PROTECT, related_name="override"
    )
    is_older = models.BooleanField(
        default=False, db_default=False, help_text="moved before people did so by corrections"
    )
    recorded_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(
        null=True, blank=True, help_text="when a nightly review first held every start to it"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["coverage_month"],
                condition=models.Q(account=None, correction=None),
                name="one_override_per_month",
            ),
            models.UniqueConstraint(
                fields=["coverage_month", "account"],
                condition=models.Q(correction=None),
                name="one_override_per_account_month",
            ),
            models.CheckConstraint(
                condition=models.Q(is_older=True)
                | models.Q(correction__isnull=False)
                | models.Q(account__isnull=False, reason=BILLED_LATE),
                name="override_has_its_correction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coverage_month} due {self.due_date}"
