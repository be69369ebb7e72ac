"""Bank files: to the bank and from it, their sealed bytes, each line that went out, and each that came back."""

import pghistory
from django.conf import settings
from django.db import models

from connector_pay.lib.models import SealedValue
from connector_pay.lib.states import StateMachine
from payments.models.bank_accounts import Prenote
from payments.models.moves import Move
from payments.models.payments import Payment
from payments.models.refunds import Refund


class FileStatus(models.TextChoices):
    """Where a bank file stands. UNKNOWN: nobody can say whether the bank has it."""

    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    ACCEPTED = "accepted", "Accepted by the bank"
    REJECTED = "rejected", "Rejected by the bank"
    UNKNOWN = "unknown", "Outcome unknown"
    READ = "read", "Read"
    REFUSED = "refused", "Refused"


FILE_MOVES = StateMachine(
    subject_field="file",
    arrows={
        FileStatus.SENDING: frozenset({FileStatus.SENT, FileStatus.UNKNOWN}),
        FileStatus.UNKNOWN: frozenset({FileStatus.SENT, FileStatus.SENDING}),
        FileStatus.SENT: frozenset({FileStatus.ACCEPTED, FileStatus.REJECTED}),
    },
)


class BankFile(models.Model):
    """A file to or from the bank: its name, its operator's duplicate key, its totals, and the sha256 of its clear text."""

    class Direction(models.TextChoices):
        OUT = "out", "To the bank"
        IN = "in", "From the bank"

    class Kind(models.TextChoices):
        ENTRIES = "entries", "Debits, credits and prenotes"
        RETURNS = "returns", "Returns and corrections"
        ACKNOWLEDGEMENT = "ack", "Acknowledgement"
        LOCKBOX = "lockbox", "Checks of a lockbox"

    name = models.CharField(max_length=80)
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=8, choices=Kind)
    status = models.CharField(max_length=8, choices=FileStatus)
    business_date = models.DateField(help_text="the banking day it was built for, or that it reports on")
    origin = models.CharField(max_length=10, blank=True)
    created_on = models.DateField(null=True)
    created_time = models.CharField(max_length=4, blank=True)
    modifier = models.CharField(max_length=1, blank=True)
    sha256 = models.CharField(max_length=64)
    line_count = models.PositiveIntegerField()
    entry_count = models.PositiveIntegerField(default=0)
    debit_cents = models.BigIntegerField(default=0)
    credit_cents = models.BigIntegerField(default=0)
    fault = models.TextField(blank=True)
    stored_at = models.DateTimeField()

    class Meta:
        permissions = [("resolve_file", "Say whether the bank has a file of unknown outcome")]
        constraints = [
            models.UniqueConstraint(fields=["direction", "name"], name="one_file_of_a_name"),
            models.UniqueConstraint(
                fields=["origin", "created_on", "created_time", "modifier"],
                condition=models.Q(direction="out"),
                name="operator_refuses_duplicates",
            ),
            models.UniqueConstraint(
                fields=["sha256"], condition=models.Q(direction="in"), name="read_a_file_once"
            ),
        ]
        indexes = [models.Index(fields=["name"], opclasses=["varchar_pattern_ops"], name="file_by_name")]

    def __str__(self) -> str:
        return self.name


class FileMove(Move):
    """One change of a bank file's status. Append-only."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="moves")


class FileChunk(models.Model):
    """Up to 10,000 lines of a bank file, sealed. Append-only."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="chunks")
    number = models.PositiveIntegerField()
    sealed = models.OneToOneField(SealedValue, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="one_chunk_of_a_number")]

    def __str__(self) -> str:
        return f"{self.file} part {self.number}"


class FileEntry(models.Model):
    """One entry at one line of one bank file, under a trace number never used before in its cycle. Append-only.

    It moves the money of one payment or one refund, or is a prenote. What a return is matched on is kept as it was sent.
    """

    class Kind(models.TextChoices):
        DEBIT = "debit", "Debit"
        RETRY = "retry", "Debit sent again"
        PRENOTE = "prenote", "Prenote"
        REFUND = "refund", "Refund"
        REVERSAL = "reversal", "Reversal"

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="entries")
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    payment = models.OneToOneField(Payment, null=True, on_delete=models.PROTECT, related_name="entry")
    refund = models.OneToOneField(Refund, null=True, on_delete=models.PROTECT, related_name="entry")
    prenote = models.OneToOneField(Prenote, null=True, on_delete=models.PROTECT, related_name="entry")
    trace = models.CharField(max_length=15)
    cycle = models.PositiveIntegerField()
    amount_cents = models.PositiveIntegerField()
    individual_id = models.CharField(
        max_length=15, db_index=True, help_text="our number for it, which returns bring back"
    )
    blind_index = models.CharField(
        max_length=64, help_text="of the routing and account number as they were sent"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trace", "cycle"], name="one_entry_of_a_trace"),
            models.UniqueConstraint(fields=["file", "line"], name="one_entry_a_line"),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=("debit", "retry"), payment__isnull=False, refund=None, prenote=None
                )
                | models.Q(kind__in=("refund", "reversal"), payment=None, refund__isnull=False, prenote=None)
                | models.Q(kind="prenote", payment=None, refund=None, prenote__isnull=False, amount_cents=0),
                name="entry_is_of_one_thing",
            ),
        ]
        verbose_name_plural = "file entries"

    def __str__(self) -> str:
        return self.trace


class ReturnLine(models.Model):
    """One return or correction that the bank sent: applied once to the entry it names, or parked for a person. Append-only."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="return_lines")
    line = models.PositiveIntegerField()
    code = models.CharField(max_length=3)
    trace = models.CharField(max_length=15)
    amount_cents = models.PositiveIntegerField()
    entry = models.ForeignKey(FileEntry, null=True, on_delete=models.PROTECT, related_name="return_lines")
    applied = models.BooleanField()
    parked_because = models.CharField(max_length=200, blank=True)
    sealed = models.OneToOneField(
        SealedValue, on_delete=models.PROTECT, related_name="+", help_text="the raw lines"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one_return_a_line"),
            models.UniqueConstraint(
                fields=["entry"],
                condition=models.Q(applied=True, code__startswith="R"),
                name="one_return_an_entry",
            ),
        ]
        indexes = [
            # Few ever come; what is typed is held against them.
            models.Index(
                fields=["entry"],
                condition=models.Q(applied=True, code__in=("R13", "R28")),
                name="return_of_a_routing_number",
            ),
            models.Index(fields=["trace"], name="return_by_trace"),
            models.Index(fields=["id"], name="return_parked", condition=models.Q(applied=False)),
        ]
        permissions = [("resolve_returnline", "Close a return that waits for a person")]

    def __str__(self) -> str:
        return f"{self.code} of {self.trace}"


class ReturnResolution(models.Model):
    """One of the staff has dealt with a parked line: who, when, and what was done about it. Append-only."""

    line = models.OneToOneField(ReturnLine, on_delete=models.PROTECT, related_name="resolution")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    why = models.CharField("what was done", max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(why=""), name="resolution_says_why")]

    def __str__(self) -> str:
        return self.why


class FileAnswer(models.Model):
    """What one of the staff heard from the bank about a file of unknown outcome. Append-only."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="answers")
    is_sent = models.BooleanField("the bank has it")
    asked = models.CharField("whom they asked", max_length=200)
    reference = models.CharField("the bank's reference", max_length=40)
    form_key = models.UUIDField(unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        heard = "the bank has it" if self.is_sent else "the bank never had it"
        return f"{self.by}: {heard}, says {self.asked} ({self.reference})"


@pghistory.track(
    pghistory.InsertEvent("recorded"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    model_name="BankingDayOverrideEvent",
)
class BankingDayOverride(models.Model):
    """A day on which the Federal Reserve does other than its calendar says: closed after all, or open after all."""

    day = models.DateField(unique=True)
    is_open = models.BooleanField()
    reason = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day} {'open' if self.is_open else 'closed'}"
