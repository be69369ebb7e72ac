"""How money moves: sealed bank accounts, half-typed payments, authorizations, payments and their history, bank files."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from billing.models import Account
from connector_pay.lib.models import SealedValue
from connector_pay.lib.states import StateMachine


class AccountKind(models.TextChoices):
    """The two kinds of bank account a premium may be paid from."""

    CHECKING = "checking", "Checking"
    SAVINGS = "savings", "Savings"


class PaymentChannel(models.TextChoices):
    """The way a payment came in."""

    WEB = "web", "Online, signed in"
    GUEST = "guest", "Online, as a guest"


class BankAccountStatus(models.TextChoices):
    """Whether a debit may be sent to this account."""

    UNCHECKED = "unchecked", "Not yet validated"
    VALID = "valid", "Validated"
    FAILED = "failed", "Did not validate"
    BLOCKED = "blocked", "Blocked after a return"


class PaymentStatus(models.TextChoices):
    """Where a payment stands. `payments.statements` has the one public phrase of each."""

    RECORDED = "recorded", "Recorded"
    SENDING = "sending", "In a bank file"
    SENT = "sent", "Sent to the bank"
    SETTLED = "settled", "Settled"
    POSTED = "posted", "Posted"
    RETURNED = "returned", "Returned"
    CANCELED = "canceled", "Canceled"


class FileStatus(models.TextChoices):
    """Where a bank file stands. UNKNOWN: nobody can say whether the bank has it."""

    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    ACCEPTED = "accepted", "Accepted by the bank"
    REJECTED = "rejected", "Rejected by the bank"
    UNKNOWN = "unknown", "Outcome unknown"
    READ = "read", "Read"
    REFUSED = "refused", "Refused"


BANK_ACCOUNT_MOVES = StateMachine(
    subject_field="bank_account",
    arrows={
        BankAccountStatus.UNCHECKED: frozenset(
            {BankAccountStatus.VALID, BankAccountStatus.FAILED, BankAccountStatus.BLOCKED}
        ),
        BankAccountStatus.VALID: frozenset({BankAccountStatus.BLOCKED}),
        BankAccountStatus.FAILED: frozenset(),
        BankAccountStatus.BLOCKED: frozenset({BankAccountStatus.UNCHECKED}),
    },
)
PAYMENT_MOVES = StateMachine(
    subject_field="payment",
    arrows={
        PaymentStatus.RECORDED: frozenset(
            {PaymentStatus.SENDING, PaymentStatus.CANCELED, PaymentStatus.RETURNED}
        ),
        PaymentStatus.SENDING: frozenset({PaymentStatus.SENT}),
        PaymentStatus.SENT: frozenset({PaymentStatus.SETTLED, PaymentStatus.RETURNED}),
        PaymentStatus.SETTLED: frozenset({PaymentStatus.POSTED, PaymentStatus.RETURNED}),
        PaymentStatus.POSTED: frozenset({PaymentStatus.RETURNED}),
        PaymentStatus.RETURNED: frozenset(),
        PaymentStatus.CANCELED: frozenset(),
    },
)
FILE_MOVES = StateMachine(
    subject_field="file",
    arrows={
        FileStatus.SENDING: frozenset({FileStatus.SENT, FileStatus.UNKNOWN}),
        FileStatus.UNKNOWN: frozenset({FileStatus.SENT, FileStatus.SENDING}),
        FileStatus.SENT: frozenset({FileStatus.ACCEPTED, FileStatus.REJECTED}),
    },
)


class Move(models.Model):
    """One arrow taken. Append-only."""

    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    at = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"


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
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"authorization {self.pk}"


class Payment(models.Model):
    """One debit of one bank account for one billing account."""

    confirmation_number = models.CharField(max_length=10, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="payments")
    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="payments")
    amount_cents = models.PositiveIntegerField()
    received_date = models.DateField()
    status = models.CharField(max_length=8, choices=PaymentStatus, default=PaymentStatus.RECORDED)
    channel = models.CharField(max_length=10, choices=PaymentChannel)
    form_key = models.UUIDField()
    session_digest = models.CharField(max_length=64, blank=True, db_index=True)
    coverage_sentence = models.TextField(help_text="what the payer was told paying does, before authorizing")
    receipt_email = models.EmailField(blank=True)
    recorded_at = models.DateTimeField()
    effective_date = models.DateField(
        null=True, blank=True, help_text="the banking day the debit is due to settle"
    )
    posted_on = models.DateField(null=True, blank=True)
    return_code = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form_key", "account"], name="one_payment_per_form"),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="payment_is_positive"),
        ]
        indexes = [
            models.Index(fields=["status", "received_date"], name="payment_by_status"),
            models.Index(fields=["-recorded_at", "-id"], name="payment_latest"),
        ]

    def __str__(self) -> str:
        return self.confirmation_number

    @property
    def reference(self) -> str:
        """How the books name this payment."""
        return f"payment:{self.pk}"


class PaymentMove(Move):
    """One change of a payment's status. Append-only."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="moves")


class BankFile(models.Model):
    """A file to or from the bank: its name, its operator's duplicate key, its totals, and the sha256 of its clear text."""

    class Direction(models.TextChoices):
        OUT = "out", "To the bank"
        IN = "in", "From the bank"

    class Kind(models.TextChoices):
        DEBITS = "debits", "Debits"
        RETURNS = "returns", "Returns and corrections"
        ACKNOWLEDGEMENT = "ack", "Acknowledgement"

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
    """One debit at one line of one bank file, under a trace number never used before in its cycle. Append-only."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="entries")
    line = models.PositiveIntegerField()
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="entry")
    trace = models.CharField(max_length=15)
    cycle = models.PositiveIntegerField()
    amount_cents = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trace", "cycle"], name="one_entry_of_a_trace"),
            models.UniqueConstraint(fields=["file", "line"], name="one_entry_a_line"),
        ]
        verbose_name_plural = "file entries"

    def __str__(self) -> str:
        return self.trace


class ReturnLine(models.Model):
    """One return or correction that the bank sent: applied once to the debit it names, or parked for a person. Append-only."""

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

    def __str__(self) -> str:
        return f"{self.code} of {self.trace}"


class LookupCount(models.Model):
    """How often a bill was looked for in one window of time, when Redis does not count. The key tells nothing of who looked."""

    key = models.CharField(max_length=64, help_text="a keyed fingerprint of what is counted")
    window_starts_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["window_starts_at", "key"], name="one_count_of_a_key_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.count} from {self.window_starts_at}"
