"""Corrections: what people ask for that alters money or dates, and who decided it; and outages, after which due dates move."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.due_dates import next_month
from billing.models.bills import Account
from billing.models.money import Receipt
from billing.models.starts import StartDecision, StartReview
from connector_pay.lib.states import StateMachine


class Outage(models.Model):
    """A time in which people could not pay, and what the public is told of it. Append-only."""

    began_at = models.DateTimeField("from")
    ended_at = models.DateTimeField("to")
    what = models.CharField("what was down", max_length=200)
    public_words = models.CharField(max_length=300, help_text="what everyone may read of it")
    form_key = models.UUIDField(unique=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ended_at__gt=models.F("began_at")), name="outage_lasts")
        ]
        permissions = [("record_outage", "Record an outage and ask for more time for everyone")]

    def __str__(self) -> str:
        return f"outage {self.pk}: {self.what}"


class CorrectionKind(models.TextChoices):
    """What may be corrected. What each kind does, and whether it takes a second person, says billing.correction_kinds."""

    ADJUSTMENT = "adjustment", "Adjustment"
    WAIVER = "waiver", "Hardship waiver"
    DUE_DATE = "due_date", "Due date of one account"
    MONTH_DUE_DATE = "month_due", "Due date of a month, for everyone"
    START = "start", "Start of coverage"
    RECEIVED_DATE = "received", "Received date across a due date"


class CorrectionStatus(models.TextChoices):
    """Where a correction stands."""

    ASKED = "asked", "Waits for a second person"
    APPLIED = "applied", "Done"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


CORRECTION_MOVES = StateMachine(
    subject_field="correction",
    arrows={
        CorrectionStatus.ASKED: frozenset(
            {CorrectionStatus.APPLIED, CorrectionStatus.DECLINED, CorrectionStatus.WITHDRAWN}
        ),
        CorrectionStatus.APPLIED: frozenset(),
        CorrectionStatus.DECLINED: frozenset(),
        CorrectionStatus.WITHDRAWN: frozenset(),
    },
)
OF_ONE_ACCOUNT = ("adjustment", "waiver", "due_date", "start", "received")


class Correction(models.Model):
    """One change of money or dates that a person asks for. It is done at once, or once another person has approved it.

    `decided_by` is the second person: nobody where one sufficed, or where it was withdrawn.
    """

    kind = models.CharField(max_length=10, choices=CorrectionKind)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    month = models.DateField("coverage month", null=True, blank=True)
    last_month = models.DateField(null=True, blank=True, help_text="of several months: the last")
    cents = models.IntegerField(default=0, help_text="of each month: put on it, or taken off (negative)")
    is_whole = models.BooleanField("whole month", default=False, help_text="all that is left of each month")
    total_cents = models.PositiveIntegerField(default=0, help_text="what it came to in all when asked for")
    new_date = models.DateField(null=True, blank=True, help_text="the due date or received date it gives")
    receipt = models.ForeignKey(
        Receipt, null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    start_review = models.ForeignKey(
        StartReview, null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    decision = models.CharField(max_length=4, choices=StartDecision, blank=True)
    outage = models.ForeignKey(
        Outage, null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    why = models.CharField(max_length=200)
    form_key = models.UUIDField(unique=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_on = models.DateField(help_text="the day the member asked for it: a waiver counts from it")
    takes_two = models.BooleanField("takes a second person")
    status = models.CharField(max_length=9, choices=CorrectionStatus, default=CorrectionStatus.ASKED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("asked_by")),
                name="nobody_approves_their_own",
            ),
            models.CheckConstraint(
                condition=~Q(status="applied") | Q(takes_two=False) | Q(decided_by__isnull=False),
                name="correction_takes_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status="asked", decided_at=None, decided_by=None)
                | (~Q(status="asked") & Q(decided_at__isnull=False)),
                name="correction_is_decided_once",
            ),
            models.CheckConstraint(
                condition=~Q(status="declined") | Q(decided_by__isnull=False),
                name="correction_is_declined_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(kind="adjustment", month__isnull=False, is_whole=False) & ~Q(cents=0)
                | Q(kind="waiver", month__isnull=False, last_month__gte=models.F("month"), cents__lte=0)
                | Q(kind__in=("due_date", "month_due"), month__isnull=False, new_date__isnull=False)
                | Q(kind="start", start_review__isnull=False) & ~Q(decision="")
                | Q(kind="received", receipt__isnull=False, new_date__isnull=False),
                name="correction_says_what",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_ONE_ACCOUNT, account__isnull=False)
                | Q(kind="month_due", account=None, takes_two=True),
                name="correction_is_of_an_account",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="correction_waiting", condition=Q(status="asked")),
        ]
        permissions = [
            ("adjust_account", "Adjust what a month comes to"),
            ("waive_premium", "Waive premiums in hardship"),
            ("move_due_date", "Give one account more time to pay"),
            ("move_month_due_date", "Ask for more time to pay for everyone"),
            ("decide_start", "Decide where coverage starts"),
            ("decide_correction", "Approve or decline a correction that another person asked for"),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}: {self.get_kind_display().lower()}"

    @property
    def reference(self) -> str:
        """How what it did names it."""
        return f"correction:{self.pk}"

    @property
    def months(self) -> tuple[date, ...]:
        """The coverage months it is about, in order."""
        if self.month is None:
            return ()
        months = [self.month]
        while self.last_month is not None and months[-1] < self.last_month:
            months.append(next_month(months[-1]))
        return tuple(months)


class CorrectionMove(models.Model):
    """One change of where a correction stands. Append-only."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="moves")
    before = models.CharField(max_length=9)
    after = models.CharField(max_length=9)
    at = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
