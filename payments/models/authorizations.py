"""What payers agreed to: half-typed forms, single authorizations word for word, and mandates for AutoPay."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from billing.models import Account
from connector_pay.lib.models import SealedValue
from connector_pay.lib.states import StateMachine
from payments.models.bank_accounts import BankAccount
from payments.models.moves import Move


class PaymentChannel(models.TextChoices):
    """The way a payment came in."""

    WEB = "web", "Online, signed in"
    GUEST = "guest", "Online, as a guest"
    PHONE = "phone", "By phone"
    AUTOPAY = "autopay", "By AutoPay"


class PaymentDraft(models.Model):
    """A half-typed payment between the steps of the form, sealed. Its `form_key` makes it one payment, always."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    form_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    session_digest = models.CharField(max_length=64, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    sealed = models.OneToOneField(SealedValue, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"draft {self.id}"


class Authorization(models.Model):
    """What the payer agreed to, word for word, and how: the proof of a debit. Append-only."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="authorizations")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="authorizations")
    channel = models.CharField(max_length=10, choices=PaymentChannel)
    sec_code = models.CharField(max_length=3)
    recurring = models.BooleanField(default=False)
    amount_cents = models.PositiveIntegerField()
    debit_on_or_after = models.DateField()
    text = models.TextField()
    text_version = models.CharField(max_length=20)
    language = models.CharField(max_length=2)
    payer_name = models.CharField(max_length=80)
    account_last_four = models.CharField(max_length=4)
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who of the staff heard the caller say yes",
    )
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"authorization {self.pk}"


class MandateStatus(models.TextChoices):
    """Whether AutoPay may draft an account."""

    ON = "on", "On"
    SUSPENDED = "suspended", "Suspended until the payer or staff act"
    STOPPED = "stopped", "Stopped after a return"
    ENDED = "ended", "Turned off"


MANDATE_MOVES = StateMachine(
    subject_field="mandate",
    arrows={
        MandateStatus.ON: frozenset({MandateStatus.SUSPENDED, MandateStatus.STOPPED, MandateStatus.ENDED}),
        MandateStatus.SUSPENDED: frozenset({MandateStatus.ON, MandateStatus.STOPPED, MandateStatus.ENDED}),
        MandateStatus.STOPPED: frozenset(),
        MandateStatus.ENDED: frozenset(),
    },
)


class Mandate(models.Model):
    """A standing permission to draft one account's bills from one bank account. At most one of an account is alive.

    What its payer agreed to, the most that one draft may take among it, is its authorization; `ceiling_cents` is the limit
    that the payer chose, 0 for none. The first draft is that of `drafts_from`.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="mandates")
    authorization = models.OneToOneField(Authorization, on_delete=models.PROTECT, related_name="mandate")
    status = models.CharField(max_length=9, choices=MandateStatus, default=MandateStatus.ON)
    ceiling_cents = models.PositiveIntegerField(default=0)
    drafts_from = models.DateField()
    form_key = models.UUIDField(default=uuid4)
    given_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("change_mandate", "Turn AutoPay off, or let it go on")]
        constraints = [
            models.UniqueConstraint(fields=["form_key", "account"], name="one_mandate_per_form"),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status__in=("on", "suspended")),
                name="one_live_mandate_per_account",
            ),
        ]

    def __str__(self) -> str:
        return f"mandate {self.pk}"


class MandateMove(Move):
    """One change of a mandate's status. Append-only."""

    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="moves")


class DraftAnnouncement(models.Model):
    """A payer was told that up to this amount will be drafted on this day: by the bill's notice, or when turning AutoPay on.

    Append-only.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="draft_announcements")
    draft_date = models.DateField()
    amount_cents = models.PositiveIntegerField()
    announced_on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "draft_date", "announced_on", "amount_cents"], name="announced_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount_cents} cents on {self.draft_date}"
