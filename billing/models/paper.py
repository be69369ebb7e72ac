"""Bills and letters on paper: the codes of bills, and print batches with their parts and letters."""

from django.conf import settings
from django.db import models

from billing.models.bills import Invoice
from members.models import Notice


class BillLink(models.Model):
    """The code in a bill's QR, which opens guest payment for that bill. One for each invoice, until it is revoked.

    The code itself is kept nowhere: it is made from `seed` with a key that the database does not hold, and found by `digest`.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="links")
    seed = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_on = models.DateField("last day it opens the bill")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="nobody, where it has expired",
    )

    class Meta:
        default_permissions = ()
        permissions = [("change_billlink", "Revoke the code of a bill")]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=models.Q(revoked_at=None), name="one_link_per_invoice"
            )
        ]

    def __str__(self) -> str:
        return f"code {self.pk} of {self.invoice}"


class PrintKind(models.TextChoices):
    """What a print batch holds: bills with their coupons, or letters on letterhead."""

    BILLS = "bills", "Bills"
    LETTERS = "letters", "Letters"


class PrintBatch(models.Model):
    """Letters that go to the printer together. Closed once they are in the mail: from then on they count as sent."""

    kind = models.CharField(max_length=7, choices=PrintKind)
    business_date = models.DateField()
    letters = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name_plural = "print batches"
        default_permissions = ()
        permissions = [
            ("add_printbatch", "Make a batch of bills or letters to print"),
            ("change_printbatch", "Count a print batch as mailed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.business_date}, batch {self.pk}"


class MailRead(models.Model):
    """The checks that came by mail until this day are in the books, or were waited for long enough. Append-only.

    Letters about starts that were pushed by that day may be printed.
    """

    until = models.DateField(unique=True)
    why = models.CharField(max_length=80)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"mail until {self.until}"


class PrintPart(models.Model):
    """A part of a print batch: one PDF, drawn at once."""

    batch = models.ForeignKey(PrintBatch, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    letters = models.PositiveIntegerField()
    document = models.BinaryField(default=b"", editable=False)
    drawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="one_part_per_number")]
        indexes = [
            models.Index(fields=["id"], name="part_to_draw", condition=models.Q(drawn_at=None)),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.batch}"


class PrintedLetter(models.Model):
    """A letter's place in the one print batch it goes out with. Append-only."""

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="printed")
    part = models.ForeignKey(PrintPart, on_delete=models.PROTECT, related_name="places")
    position = models.PositiveIntegerField(help_text="in the batch, by ZIP code")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "position"], name="one_letter_per_place")]

    def __str__(self) -> str:
        return f"letter {self.position} of {self.part}"
