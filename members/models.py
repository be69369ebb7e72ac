"""Who is covered and by what: people, carriers, plans, enrollments with their history, intake events and notices."""

from typing import ClassVar
from uuid import uuid4

import pghistory
import pgtrigger
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Upper
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from connector_pay.lib.states import StateMachine


class Product(models.TextChoices):
    """The two products of an exchange. They never share an account."""

    HEALTH = "health", _("Health")
    DENTAL = "dental", _("Dental")


class Channel(models.TextChoices):
    """How a notice reaches a person."""

    EMAIL = "email", "Email"
    LETTER = "letter", "Letter"


class EnrollmentStatus(models.TextChoices):
    """Where an enrollment stands. ACTIVE is effectuated: the first payment has posted, or none was owed."""

    WAITING = "waiting", "Waiting for first payment"
    ACTIVE = "active", "Active"
    ENDED = "ended", "Ended"
    EXPIRED = "expired", "Expired unpaid"


ENROLLMENT_MOVES = StateMachine(
    subject_field="enrollment",
    arrows={
        EnrollmentStatus.WAITING: frozenset(
            {EnrollmentStatus.ACTIVE, EnrollmentStatus.EXPIRED, EnrollmentStatus.ENDED}
        ),
        EnrollmentStatus.ACTIVE: frozenset({EnrollmentStatus.ENDED, EnrollmentStatus.WAITING}),
        EnrollmentStatus.ENDED: frozenset({EnrollmentStatus.ACTIVE}),
        EnrollmentStatus.EXPIRED: frozenset({EnrollmentStatus.WAITING}),
    },
)


@pghistory.track(
    pghistory.UpdateEvent("changed"),
    fields=["language", "email", "phone", "paperless_bills", "paperless_notices"],
    model_name="MemberEvent",
)
class Member(models.Model):
    """The primary subscriber of a household, known by a 12-digit Member ID kept as text."""

    member_id = models.CharField("Member ID", max_length=12, unique=True)
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    date_of_birth = models.DateField()
    email = models.EmailField(blank=True)
    phone = PhoneNumberField(blank=True)
    language = models.CharField(max_length=2, choices=[("en", "English"), ("es", "Spanish")], default="en")
    street = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=2)
    zip_code = models.CharField("ZIP code", max_length=5)
    paperless_bills = models.BooleanField(default=False)
    paperless_notices = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(member_id__regex=r"^\d{12}$"), name="member_id_is_12_digits"
            )
        ]
        indexes = [
            models.Index(fields=["phone"], name="member_by_phone"),
            models.Index(fields=["last_name"], name="member_by_name"),
            models.Index(Upper("email"), name="member_by_email"),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.member_id})"

    @property
    def full_name(self) -> str:
        """First and last name, as on the card."""
        return f"{self.first_name} {self.last_name}"


class Choosable(models.TextChoices):
    """What members choose here, as its column is called."""

    LANGUAGE = "language", "Language"
    EMAIL = "email", "Email address"
    PHONE = "phone", "Phone number"
    PAPERLESS_BILLS = "paperless_bills", "Bills without paper"
    PAPERLESS_NOTICES = "paperless_notices", "Letters without paper"


_RIGHTS = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
_OLD, _NEW = (", ".join(f"{row}.{name}" for name in (*_RIGHTS, "password")) for row in ("OLD", "NEW"))


@pghistory.track(
    pghistory.InsertEvent("added", condition=pgtrigger.Condition("(NEW.is_staff)")),
    pghistory.UpdateEvent(
        "changed",
        condition=pgtrigger.Condition(
            f"((OLD.is_staff OR NEW.is_staff) AND ({_OLD}) IS DISTINCT FROM ({_NEW}))"
        ),
    ),
    fields=list(_RIGHTS),
    model_name="StaffEvent",
)
class User(AbstractUser):
    """Someone who signs in: a member, by email; or staff of the exchange, by username."""

    email = models.EmailField(_("email address"), unique=True)
    member = models.OneToOneField(
        Member, null=True, blank=True, on_delete=models.PROTECT, related_name="user"
    )
    staff_session = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="the one session in which staff are signed in",
    )
    sessions_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="another one ends every session there is",
    )
    rights_changed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="when the account of one of the staff was made, or its email, password or role changed",
    )

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta(AbstractUser.Meta):
        indexes = [models.Index(Upper("email"), name="user_by_email")]

    def get_session_auth_hash(self) -> str:
        """What each session is held against: it ends with a new password, and when its person signs out everywhere."""
        own: str = super().get_session_auth_hash()
        return (
            salted_hmac(self.sessions_key, own, algorithm="sha256").hexdigest() if self.sessions_key else own
        )


@pghistory.track(
    pghistory.InsertEvent("given"),
    pghistory.DeleteEvent("taken away"),
    obj_field=None,
    model_name="RoleEvent",
)
class GivenRole(User.groups.through):  # type: ignore[name-defined]  # Django makes it
    """Which role one of the staff has; what became of it is in its history."""

    class Meta:
        proxy = True
        default_permissions = ()


@pghistory.track(
    pghistory.InsertEvent("set up"),
    pghistory.DeleteEvent("taken away"),
    fields=["user", "type"],
    obj_field=None,
    model_name="SecondStepEvent",
)
class SecondStep(Authenticator):
    """A second step of somebody's signing in, its secret apart; what became of it is in its history."""

    class Meta:
        proxy = True
        default_permissions = ()


class MemberChoice(models.Model):
    """One thing a member chose here, by whom, when and from where, and what they agreed to, word for word. Append-only."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="choices")
    what = models.CharField(max_length=20, choices=Choosable)
    before = models.CharField(max_length=254, blank=True)
    after = models.CharField(max_length=254, blank=True)
    text = models.TextField(blank=True)
    text_version = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=2)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["member", "at"], name="choice_by_day")]

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.before or 'none'} to {self.after or 'none'}"


class EmailChange(models.Model):
    """An email address that its person has still to confirm, or has confirmed, by the link we sent there."""

    key = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="email_changes")
    email = models.EmailField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "asked_at"], name="email_change_by_user"),
            models.Index(fields=["email", "asked_at"], name="email_change_by_email"),
        ]

    def __str__(self) -> str:
        return self.email


class Carrier(models.Model):
    """An insurance company whose plans the exchange sells."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Plan(models.Model):
    """A health or dental plan, and where checks for it are mailed."""

    code = models.CharField(max_length=30, unique=True)
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    product = models.CharField(max_length=6, choices=Product)
    remittance_name = models.CharField(max_length=120)
    remittance_address = models.TextField()

    def __str__(self) -> str:
        return self.name


class Enrollment(models.Model):
    """One member in one plan. `coverage_start` is where the start stands today; each change of it is a StartMove."""

    external_id = models.CharField("enrollment ID", max_length=40, unique=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="enrollments")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    status = models.CharField(max_length=8, choices=EnrollmentStatus, default=EnrollmentStatus.WAITING)
    requested_start = models.DateField()
    coverage_start = models.DateField()
    window_ends = models.DateField()
    binder_due_date = models.DateField(null=True, blank=True)
    ends_on = models.DateField("last day of coverage", null=True, blank=True)
    subsidized = models.BooleanField(default=False)
    enrolled_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["status", "coverage_start"], name="enrollment_waiting")]

    def __str__(self) -> str:
        return f"{self.external_id}: {self.plan}"


class EnrollmentMove(models.Model):
    """One change of an enrollment's status. Append-only."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="moves")
    before = models.CharField(max_length=8)
    after = models.CharField(max_length=8)
    at = models.DateTimeField()
    why = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"


class StartMove(models.Model):
    """One change of the day coverage starts: pushed, or restored. Append-only."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="start_moves")
    start_before = models.DateField()
    start_after = models.DateField()
    why = models.CharField(max_length=200)
    run = models.CharField(max_length=80)
    at = models.DateTimeField()
    business_date = models.DateField()

    def __str__(self) -> str:
        return f"{self.start_before} to {self.start_after}"


class PremiumRate(models.Model):
    """What one month of an enrollment costs from a month on, as intake said it. Append-only: the latest word holds.

    `plan` and `subsidized` are what the enrollment becomes with that month; none leaves them as they were.
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="rates")
    from_month = models.DateField()
    premium_cents = models.PositiveIntegerField()
    subsidy_cents = models.PositiveIntegerField(default=0)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    subsidized = models.BooleanField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(subsidy_cents__lte=models.F("premium_cents")),
                name="subsidy_within_premium",
            )
        ]
        indexes = [models.Index(fields=["enrollment", "from_month"], name="rate_by_month")]

    def __str__(self) -> str:
        return f"{self.net_cents} cents from {self.from_month}"

    @property
    def net_cents(self) -> int:
        """What the member owes for a month."""
        return self.premium_cents - self.subsidy_cents


class IntakeEvent(models.Model):
    """One event the exchange sent us, applied once. Append-only."""

    event_id = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=20)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="intake_events")
    sha256 = models.CharField(max_length=64)
    applied_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.event_id


class Notice(models.Model):
    """Something we tell a person, once per event, subject and channel. The outbox: unsent rows have no `sent_at`."""

    event = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, help_text="what it is about, such as payment:123")
    channel = models.CharField(max_length=6, choices=Channel)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="notices")
    address = models.EmailField(blank=True, help_text="where an email goes; empty for letters")
    language = models.CharField(max_length=2, default="en")
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField()
    business_date = models.DateField()
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_tries = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often it could not be handed over"
    )
    next_try_at = models.DateTimeField(
        null=True, blank=True, help_text="set while it waits because it could not be handed over"
    )

    class Meta:
        permissions = [("resend_notice", "Send a notice again")]
        constraints = [
            models.UniqueConstraint(fields=["event", "subject", "channel"], name="one_notice_per_event")
        ]
        indexes = [models.Index(fields=["id"], name="notice_unsent", condition=models.Q(sent_at=None))]

    def __str__(self) -> str:
        return f"{self.event} about {self.subject} by {self.channel}"


class NoticeCopy(models.Model):
    """A notice sent again by staff, its words as they were: the first one, the copy, who sent it and why. Append-only."""

    first = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="copies")
    copy = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="copy_of")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=200)
    form_key = models.UUIDField(unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"copy of {self.first}"
