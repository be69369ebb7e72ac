"""The demo clock, the job ledger, the log of looks, and the one table of ciphertext."""

from datetime import timedelta
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from connector_pay.lib import sealed


class DemoClock(models.Model):
    """How many days the business date runs ahead of the machine's, in demo mode. One row; forward only."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    days = models.PositiveIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_demo_clock")]

    def __str__(self) -> str:
        return f"{self.days} days ahead"

    @classmethod
    def read_days(cls) -> int:
        """Days ahead of machine time; 0 before the clock was ever moved."""
        return cls.objects.values_list("days", flat=True).first() or 0

    @classmethod
    def advance(cls, *, days: int) -> None:
        """Move the business date forward to `days` ahead of machine time; never back."""
        cls.objects.get_or_create(id=1, defaults={"days": 0})
        cls.objects.filter(id=1, days__lt=days).update(days=days)


class JobRun(models.Model):
    """One job of the timetable for one business date: asked for, started, finished, and what it did.

    Finished with an error: it only asked how things are, and that is the answer.
    """

    job = models.CharField(max_length=60)
    business_date = models.DateField()
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "business_date"], name="one_run_per_job_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.job} for {self.business_date}"

    @property
    def took(self) -> timedelta | None:
        """How long the run took, once it has finished."""
        return self.finished_at - self.started_at if self.finished_at and self.started_at else None


class SealedValue(models.Model):
    """Ciphertext: account numbers, half-typed forms, the bytes of bank files. The only table that key rotation rewrites."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    purpose = models.CharField(max_length=40)
    token = models.BinaryField()

    def __str__(self) -> str:
        return f"sealed {self.purpose}"

    @classmethod
    def make(cls, *, clear: bytes, purpose: str, row: UUID | None = None) -> Self:
        """A sealed value, not yet saved."""
        key = row or uuid4()
        return cls(id=key, purpose=purpose, token=sealed.seal(clear=clear, purpose=purpose, row=key))

    def replace(self, *, clear: bytes) -> None:
        """Seal another value in this row's place (not yet saved)."""
        self.token = sealed.seal(clear=clear, purpose=self.purpose, row=self.id)

    def open(self, *, purpose: str) -> bytes:
        """The clear value, for the purpose it was sealed for. Raises UnableToOpen."""
        return sealed.open_sealed(token=bytes(self.token), purpose=purpose, row=self.id)


class AccessLog(models.Model):
    """One look of one of the staff at a whole account number, or one list that was taken away. Append-only."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    what = models.CharField(max_length=60, help_text="what was looked at, or taken away")
    subject = models.CharField(max_length=300, help_text="which of it")
    why = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        permissions = [
            ("read_access_log", "Read who looked at account numbers and who took lists away"),
        ]
        verbose_name_plural = "access log"
        indexes = [models.Index(fields=["-at"], name="access_latest")]

    def __str__(self) -> str:
        return f"{self.what}: {self.subject}"
