"""Bank accounts as payers gave them, sealed; how each was validated, and the prenotes that asked its bank."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.models import SealedValue
from connector_pay.lib.states import StateMachine
from payments.models.moves import Move


class AccountKind(models.TextChoices):
    """The two kinds of bank account a premium may be paid from."""

    CHECKING = "checking", _("Checking")
    SAVINGS = "savings", _("Savings")


class BankAccountStatus(models.TextChoices):
    """Whether a debit may be sent to this account."""

    UNCHECKED = "unchecked", "Not yet validated"
    VALID = "valid", "Validated"
    FAILED = "failed", "Did not validate"
    BLOCKED = "blocked", "Blocked after a return"
    PAUSED = "paused", "Paused: too often without enough money"


BANK_ACCOUNT_MOVES = StateMachine(
    subject_field="bank_account",
    arrows={
        BankAccountStatus.UNCHECKED: frozenset(
            {
                BankAccountStatus.VALID,
                BankAccountStatus.FAILED,
                BankAccountStatus.BLOCKED,
                BankAccountStatus.PAUSED,
            }
        ),
        BankAccountStatus.VALID: frozenset({BankAccountStatus.BLOCKED, BankAccountStatus.PAUSED}),
        BankAccountStatus.FAILED: frozenset(),
        BankAccountStatus.BLOCKED: frozenset({BankAccountStatus.UNCHECKED}),
        BankAccountStatus.PAUSED: frozenset({BankAccountStatus.VALID, BankAccountStatus.BLOCKED}),
    },
)


class BankAccount(models.Model):
    """A bank account a payment is drawn on. The number is sealed; `blind_index` tells equal routing and account numbers."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bank_accounts",
        help_text="who may use it again; a guest's is never used again",
    )
    holder_name = models.CharField("name on the account", max_length=80)
    kind = models.CharField(max_length=8, choices=AccountKind)
    routing_number = models.CharField(max_length=9)
    last_four = models.CharField(max_length=4)
    blind_index = models.CharField(max_length=64, db_index=True)
    sealed = models.OneToOneField(SealedValue, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=BankAccountStatus, default=BankAccountStatus.UNCHECKED)
    nickname = models.CharField(max_length=40, blank=True)
    added_at = models.DateTimeField()
    hidden_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["last_four"], name="bank_account_by_last_four")]
        default_permissions = ()
        permissions = [
            ("change_bankaccount", "Approve or refuse a bank account that waits"),
            ("lift_pause", "Let a paused bank account pay again"),
            ("reveal_account_number", "See a whole account number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ending {self.last_four}"


class BankAccountMove(Move):
    """One change of a bank account's status. Append-only."""

    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="moves")


class Validation(models.Model):
    """One try to validate a bank account: the method and what it said. Append-only."""

    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="validations")
    method = models.CharField(max_length=10)
    outcome = models.CharField(max_length=10)
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.method}: {self.outcome}"


class Prenote(models.Model):
    """A debit of nothing that asks a bank whether an account exists: passed unless it comes back within its banking days."""

    class Outcome(models.TextChoices):
        WAITING = "", "Waiting"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"

    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="prenotes")
    asked_at = models.DateTimeField()
    effective_date = models.DateField(
        null=True, help_text="the banking day on which it settles, once in a bank file"
    )
    outcome = models.CharField(max_length=6, choices=Outcome, default=Outcome.WAITING, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank_account"], condition=models.Q(outcome=""), name="one_prenote_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="") ^ models.Q(decided_at__isnull=False),
                name="prenote_is_decided_once",
            ),
        ]

    def __str__(self) -> str:
        return f"prenote {self.pk}"


class RoutingNumber(models.Model):
    """One bank's routing number, from the directory that the operator supplies: its name, and the number it moved to."""

    number = models.CharField(max_length=9, primary_key=True)
    bank_name = models.CharField(max_length=36)
    successor = models.CharField(
        max_length=9, blank=True, help_text="where entries for a merged bank go; empty for a bank that stands"
    )
    state = models.CharField(max_length=2, blank=True)
    changed_on = models.DateField(null=True)
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} {self.bank_name}"
