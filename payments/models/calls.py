"""Calls: what stays of each phone call, and while it goes on what was keyed in, sealed."""

from uuid import uuid4

from django.db import models

from connector_pay.lib.models import SealedValue


class PhoneCall(models.Model):
    """A call to the payment line. Its `form_key` makes it one payment for each bill, whatever a carrier repeats.

    `turn` counts the webhooks that were answered. What was keyed in stands sealed until the call is over, and nowhere else.
    """

    call_id = models.CharField(max_length=64, unique=True, help_text="the carrier's own number of the call")
    caller = models.CharField(max_length=20, blank=True, help_text="how the caller's number ends")
    form_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    language = models.CharField(max_length=2)
    step = models.CharField(max_length=10)
    turn = models.PositiveIntegerField(default=0)
    sealed = models.OneToOneField(SealedValue, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    said_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="phone_call_kept",
                condition=models.Q(sealed__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"call of {self.started_at}"
