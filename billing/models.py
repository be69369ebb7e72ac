"""What is owed and what was received: accounts, invoices, receipts, due-date overrides, bills on paper, the ledger, episodes.

An account is what one enrollment owes and has paid. It is the row to lock before touching money.
"""

from django.conf import settings
from django.db import models

from billing.ladders import Kind, Ladder, find_ladder
from billing.policy import read_policy
from connector_pay.lib.money import format_dollars
from connector_pay.lib.states import StateMachine
from members.models import Enrollment, Notice


class Account(models.Model):
    """What one enrollment owes and has paid. Health and dental never share one."""

    enrollment = models.OneToOneField(Enrollment, on_delete=models.PROTECT, related_name="account")
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"account {self.pk} of {self.enrollment}"


class Invoice(models.Model):
    """One account, one coverage month; at most one that is not void. The first of an enrollment is the binder."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices")
    coverage_month = models.DateField()
    due_date = models.DateField()
    premium_cents = models.PositiveIntegerField()
    subsidy_cents = models.PositiveIntegerField(default=0)
    amount_cents = models.PositiveIntegerField(
        help_text="premium less subsidy: what this month adds to what is owed"
    )
    is_binder = models.BooleanField(default=False)
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
                condition=models.Q(amount_cents=models.F("premium_cents") - models.F("subsidy_cents")),
                name="amount_is_premium_less_subsidy",
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


def format_invoice_number(*, invoice_id: int) -> str:
    """The 10 digits by which the invoice is known."""
    return f"{invoice_id:010d}"


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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=models.Q(revoked_at=None), name="one_link_per_invoice"
            )
        ]

    def __str__(self) -> str:
        return f"code {self.pk} of {self.invoice}"


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


class DueDateOverride(models.Model):
    """A due date moved by policy, for a coverage month or for one account of it: data, not code."""

    coverage_month = models.DateField()
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT)
    due_date = models.DateField()
    reason = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["coverage_month"], condition=models.Q(account=None), name="one_override_per_month"
            ),
            models.UniqueConstraint(
                fields=["coverage_month", "account"], name="one_override_per_account_month"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coverage_month} due {self.due_date}"


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

    class Meta:
        verbose_name_plural = "print batches"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.business_date}, batch {self.pk}"


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
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="movement_is_positive"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="movement_goes_somewhere"
            ),
        ]
        indexes = [models.Index(fields=["business_date"], name="movement_by_day")]

    def __str__(self) -> str:
        return self.reference


class EpisodeStatus(models.TextChoices):
    """Where a time of falling behind stands."""

    OPEN = "open", "Behind"
    CURED = "cured", "Paid in time"
    LISTED = "listed", "To be ended"
    CANCELED = "canceled", "Not ended"
    ENDED = "ended", "Coverage ended"
    ASKED = "asked", "Reinstatement asked for"
    REINSTATED = "reinstated", "Reinstated"


EPISODE_MOVES = StateMachine(
    subject_field="episode",
    arrows={
        # Open again: a subsidy gained meanwhile gives the longer ladder.
        EpisodeStatus.OPEN: frozenset(
            {EpisodeStatus.OPEN, EpisodeStatus.CURED, EpisodeStatus.LISTED, EpisodeStatus.CANCELED}
        ),
        EpisodeStatus.LISTED: frozenset({EpisodeStatus.ENDED, EpisodeStatus.CURED, EpisodeStatus.CANCELED}),
        EpisodeStatus.ENDED: frozenset({EpisodeStatus.ASKED}),
        # Ended again: the reinstatement was declined.
        EpisodeStatus.ASKED: frozenset({EpisodeStatus.REINSTATED, EpisodeStatus.ENDED}),
        EpisodeStatus.CURED: frozenset(),
        EpisodeStatus.CANCELED: frozenset(),
        EpisodeStatus.REINSTATED: frozenset(),
    },
)
BEHIND = (EpisodeStatus.OPEN, EpisodeStatus.LISTED)


class Episode(models.Model):
    """One time of falling behind, from the night that found an unpaid month to its cure or the end of coverage.

    The oldest unpaid month and the ladder stay as they were found, but that a subsidy gained later gives the longer one.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="episodes")
    oldest_month = models.DateField()
    kind = models.CharField("ladder", max_length=5, choices=[(kind.value, kind.value) for kind in Kind])
    found_on = models.DateField()
    opened_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=EpisodeStatus, default=EpisodeStatus.OPEN)
    ended_on = models.DateField("last day of coverage", null=True, blank=True)
    planned_end = models.DateField(
        null=True, blank=True, help_text="the last day of coverage as it stood before"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_on = models.DateField(null=True, blank=True, help_text="the day of the termination notice")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status__in=("open", "listed")),
                name="one_open_episode_per_account",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=("ended", "asked", "reinstated"))
                | models.Q(ended_on__isnull=False, decided_by__isnull=False, decided_on__isnull=False),
                name="coverage_is_ended_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"behind since {self.oldest_month:%B %Y}"

    @property
    def ladder(self) -> Ladder:
        """Its notices, the last day to pay, and the end of coverage."""
        return find_ladder(
            oldest_month=self.oldest_month,
            kind=Kind(self.kind),
            found_on=self.found_on,
            due_day=read_policy().due_day,
        )


class EpisodeMove(models.Model):
    """One change of where an episode stands. Append-only."""

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="moves")
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    at = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
