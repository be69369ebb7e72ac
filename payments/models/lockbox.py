"""The bank's lockbox files: each applied once, whatever its name; why each check went where it went, and what came back."""

from django.conf import settings
from django.db import models

from connector_pay.lib.money import format_dollars
from payments.models.checks import ReceivedCheck
from payments.models.files import BankFile


class LockboxWay(models.TextChoices):
    """What put a check of a lockbox file where it is."""

    COUPON = "coupon", "By its coupons"
    MEMBER_ID = "member_id", "By its Member ID"
    SPLIT = "split", "Split: what health and dental owe"
    REMITTER = "remitter", "By its remitter"
    QUEUE = "queue", "To staff: names no account"


class LockboxFile(models.Model):
    """A lockbox file that was applied: the day of its deposit, its checks and their sum. Append-only.

    `items_key` tells its checks: the same deposit in a file of other bytes is the same file.
    """

    file = models.OneToOneField(BankFile, on_delete=models.PROTECT, related_name="lockbox")
    items_key = models.CharField(max_length=64, unique=True)
    deposit_on = models.DateField("day of deposit")
    count = models.PositiveIntegerField("checks")
    cents = models.BigIntegerField()
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="none: by the timetable or a command",
    )

    class Meta:
        permissions = [("import_lockbox", "Import a lockbox file")]

    def __str__(self) -> str:
        return f"Lockbox {self.file.name}, {format_dollars(self.cents)}"


class LockboxItem(models.Model):
    """One check of a lockbox file: what was written on it and its coupons, and why it went where it went. Append-only."""

    file = models.ForeignKey(LockboxFile, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveIntegerField(help_text="its place in the file, counted from 1")
    line = models.PositiveIntegerField()
    received_check = models.OneToOneField(
        ReceivedCheck, on_delete=models.PROTECT, related_name="lockbox_item"
    )
    way = models.CharField("how it was matched", max_length=9, choices=LockboxWay)
    words = models.TextField(blank=True, help_text="the Member IDs, scan lines and words that came with it")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="one_lockbox_item_of_a_number")
        ]

    def __str__(self) -> str:
        return f"item {self.number}"


class LockboxReturn(models.Model):
    """One check that a lockbox file says was returned: the check it is of, or why it waits for a person. Append-only."""

    file = models.ForeignKey(LockboxFile, on_delete=models.PROTECT, related_name="returns")
    number = models.PositiveIntegerField(help_text="its place among the returns of the file, counted from 1")
    line = models.PositiveIntegerField()
    check_number = models.CharField(max_length=20)
    cents = models.PositiveIntegerField()
    why = models.CharField("the bank's reason", max_length=80)
    received_check = models.OneToOneField(
        ReceivedCheck, null=True, blank=True, on_delete=models.PROTECT, related_name="lockbox_return"
    )
    parked_because = models.CharField("why it waits for a person", max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="one_lockbox_return_of_a_number")
        ]
        indexes = [
            models.Index(fields=["check_number"], name="lockbox_return_by_number"),
            models.Index(
                fields=["id"], name="lockbox_return_parked", condition=models.Q(received_check=None)
            ),
        ]

    def __str__(self) -> str:
        return f"Return of check {self.check_number}, {format_dollars(self.cents)}"


class LockboxReturnClosing(models.Model):
    """One of the staff has dealt with a return that waited: who, when, and what was done about it. Append-only."""

    returned = models.OneToOneField(LockboxReturn, on_delete=models.PROTECT, related_name="closing")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    why = models.CharField("what was done", max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(why=""), name="lockbox_return_closing_says_why")
        ]

    def __str__(self) -> str:
        return self.why
