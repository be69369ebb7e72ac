"""The log of looks: who saw a whole account number or took a list away, when, why, and how much of it."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser

from connector_pay.lib.models import AccessLog

LONGEST_REASON = 200
LONGEST_SUBJECT = 300


class UnableToLook(Exception):
    """Nobody looks without saying why."""


def record_access(
    *, by: AbstractBaseUser, what: str, subject: str, why: str, rows: int, at: datetime
) -> AccessLog:
    """A look is written down before anything is shown. Raises UnableToLook without a reason."""
    reason = " ".join(why.split())[:LONGEST_REASON]
    if not reason:
        raise UnableToLook("Say why. It is kept with your name.")
    return AccessLog.objects.create(
        by_id=by.pk, what=what, subject=subject[:LONGEST_SUBJECT], why=reason, rows=rows, at=at
    )
