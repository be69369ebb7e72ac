"""Checks that members say they have mailed: expected, never counted."""

from django.conf import settings
from django.db import models

from billing.models import Account
from connector_pay.lib.money import format_dollars


class MailedCheck(models.Model):
    """A check that a member told us is on its way to an account.

    It is expected until a check for the account comes in, the member withdraws it, or 30 days have passed.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mailed_checks")
    cents = models.PositiveIntegerField()
    number = models.CharField(max_length=20, blank=True)
    mailed_on = models.DateField()
    form_key = models.UUIDField(unique=True)
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    told_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="mailed_check_is_positive")
        ]
        indexes = [
            models.Index(
                fields=["mailed_on"], name="mailed_check_open", condition=models.Q(withdrawn_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"check of {format_dollars(self.cents)} in the mail"
