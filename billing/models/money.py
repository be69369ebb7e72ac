"""What was received, where it lies, what went back, and the ledger."""

from django.conf import settings
from django.db import models

from billing.models.bills import Account, Invoice
from connector_pay.lib.money import format_dollars


class Receipt(models.Model):
    """Money counted for an account as of its received date. A payment that is later returned was never received."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="receipts")
    reference = models.CharField(
        max_length=60, unique=True, help_text="where it came from, such as payment:123"
    )
    cents = models.PositiveIntegerField()
    received_date = models.DateField()
    counted_at = models.DateTimeField()
    cleared_on = models.DateField(null=True, help_text="the day it became final: posted")
    taken_back_on = models.DateField(null=True, help_text="the day it was found never to have been received")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(cents__gt=0), name="receipt_is_positive")]

    def __str__(self) -> str:
        return f"{format_dollars(self.cents)}, {self.reference}"


class ReceiptChange(models.Model):
    """Money found to be another account's, or to have come on another day: as it counted before, and since. Append-only.

    The receipt stands as its latest change left it; what it is not yet final for, or comes back from, follows it.
    """

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="changes")
    account_before = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    account_after = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    received_before = models.DateField()
    received_after = models.DateField()
    why = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    business_date = models.DateField()
    at = models.DateTimeField()
    form_key = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form_key", "receipt"], name="one_change_per_form"),
            models.CheckConstraint(
                condition=~models.Q(
                    account_before=models.F("account_after"), received_before=models.F("received_after")
                ),
                name="change_changes_something",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("by")),
                name="change_takes_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"change of {self.receipt}"


class Allocation(models.Model):
    """Part of a receipt put on an invoice (cents > 0) or taken off again (cents < 0). Append-only; the sum lies there."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    cents = models.IntegerField()
    reference = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cents} cents on {self.invoice_id}"


class Withdrawal(models.Model):
    """Part of a receipt that went back to who paid it (cents > 0), or came back (cents < 0). Append-only; the sum is gone."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="withdrawals")
    cents = models.IntegerField()
    reference = models.CharField(max_length=60, unique=True, help_text="what took it, such as refund:12")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(cents=0), name="withdrawal_is_not_nothing")]

    def __str__(self) -> str:
        return f"{self.cents} cents, {self.reference}"


class Chart(models.TextChoices):
    """The flat chart of accounts."""

    BANK = "bank", "Cash at the bank"
    IN_TRANSIT = "in_transit", "Debits under way"
    RECEIVABLE = "receivable", "Owed by members"
    PREMIUMS = "premiums", "Premiums billed"
    SUSPENSE = "suspense", "Suspense"
    REFUNDS = "refunds", "Refunds under way"


class Movement(models.Model):
    """One movement of the ledger: cents out of `credit`, into `debit`. Append-only; `reference` refuses a second posting."""

    debit = models.CharField(max_length=12, choices=Chart)
    credit = models.CharField(max_length=12, choices=Chart)
    cents = models.PositiveIntegerField()
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="movements")
    reference = models.CharField(max_length=80, unique=True)
    business_date = models.DateField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [
            ("export_movement", "Take the list of movements away as CSV"),
            ("close_month", "Draw up the month-close package"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="movement_is_positive"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="movement_goes_somewhere"
            ),
        ]
        indexes = [models.Index(fields=["business_date"], name="movement_by_day")]

    def __str__(self) -> str:
        return self.reference
