"""Checks and money orders that came in: each paper, the accounts it was put on, and its history."""

from django.conf import settings
from django.db import models

from billing.models import Account
from connector_pay.lib.money import format_dollars
from connector_pay.lib.states import StateMachine
from payments.models.moves import Move


class CheckKind(models.TextChoices):
    """What was handed in."""

    CHECK = "check", "Check"
    MONEY_ORDER = "order", "Money order"


class CheckSource(models.TextChoices):
    """The way it came in."""

    COUNTER = "counter", "At the counter"
    MAIL = "mail", "By mail to the exchange"
    LOCKBOX = "lockbox", "By the bank's lockbox"


class CheckStatus(models.TextChoices):
    """Where a check stands."""

    UNMATCHED = "unmatched", "Names no account"
    BACK_ASKED = "back_asked", "To be sent back, waits for approval"
    SENT_BACK = "sent_back", "Sent back"
    RECEIVED = "received", "Received"
    CLEARED = "cleared", "Cleared"
    RETURNED = "returned", "Returned by the bank"


CHECK_MOVES = StateMachine(
    subject_field="received_check",
    arrows={
        CheckStatus.UNMATCHED: frozenset(
            {CheckStatus.RECEIVED, CheckStatus.BACK_ASKED, CheckStatus.RETURNED}
        ),
        # Unmatched again: sending it back was declined.
        CheckStatus.BACK_ASKED: frozenset(
            {CheckStatus.SENT_BACK, CheckStatus.UNMATCHED, CheckStatus.RETURNED}
        ),
        CheckStatus.RECEIVED: frozenset({CheckStatus.CLEARED, CheckStatus.RETURNED}),
        CheckStatus.CLEARED: frozenset({CheckStatus.RETURNED}),
        CheckStatus.RETURNED: frozenset(),
        CheckStatus.SENT_BACK: frozenset(),
    },
)


class ReceivedCheck(models.Model):
    """One check or money order: its number, who wrote it, when we received it and when the bank gets it.

    Its money lies on the accounts of its shares; while it has none it is in suspense.
    """

    number = models.CharField(max_length=20)
    payer = models.CharField(max_length=80)
    remitter_key = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="what tells checks of one bank account"
    )
    cents = models.PositiveIntegerField()
    received_on = models.DateField()
    deposit_on = models.DateField()
    kind = models.CharField(max_length=5, choices=CheckKind)
    source = models.CharField(max_length=7, choices=CheckSource)
    status = models.CharField(max_length=10, choices=CheckStatus, default=CheckStatus.UNMATCHED)
    banked_on = models.DateField(
        null=True, blank=True, help_text="the day from which its money is at the bank"
    )
    form_key = models.UUIDField(unique=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="none: read from a file",
    )
    recorded_at = models.DateTimeField()
    back_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="asked to send it back",
    )
    back_decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="sent it back",
    )

    class Meta:
        permissions = [
            ("record_check", "Record a check or money order"),
            ("return_check", "Record that the bank returned a check"),
            ("match_money", "Put unmatched money on accounts, and ask to send it back"),
            ("confirm_check", "Put a check above the limit for one person on accounts"),
            ("send_back_money", "Approve that unmatched money is sent back"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="check_is_positive"),
            models.CheckConstraint(
                condition=models.Q(back_decided_by=None)
                | ~models.Q(back_decided_by=models.F("back_asked_by")),
                name="sending_back_takes_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="sent_back")
                | models.Q(back_asked_by__isnull=False, back_decided_by__isnull=False),
                name="sending_back_is_decided_by_someone",
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="check_by_number"),
            models.Index(fields=["status", "deposit_on"], name="check_by_status"),
            models.Index(fields=["received_on"], name="check_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}, {format_dollars(self.cents)}"

    @property
    def held_reference(self) -> str:
        """How the books name it while it is in suspense."""
        return f"unmatched:{self.pk}"


class CheckShare(models.Model):
    """The part of a check that was put on one account. Append-only."""

    received_check = models.ForeignKey(ReceivedCheck, on_delete=models.PROTECT, related_name="shares")
    number = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="check_shares")
    cents = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["received_check", "number"], name="one_share_of_a_number"),
            models.UniqueConstraint(fields=["received_check", "account"], name="one_share_an_account"),
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="share_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{format_dollars(self.cents)} of {self.received_check}"

    @property
    def reference(self) -> str:
        """How the books name this money."""
        return f"check:{self.received_check_id}-{self.number}"


class CheckMove(Move):
    """One change of a check's status. Append-only."""

    received_check = models.ForeignKey(ReceivedCheck, on_delete=models.PROTECT, related_name="moves")
