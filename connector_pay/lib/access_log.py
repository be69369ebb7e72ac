"""The log of looks: who saw a whole account number or took a list away, when, why, and how much of it."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser

from connector_pay.lib.masking import mask_digits
from connector_pay.lib.models import AccessLog

LONGEST_REASON = 200
LONGEST_SUBJECT = 300


class UnableToLook(Exception):
    """Nobody looks without saying why, nor at more than can be written down."""


def record_access(
    *, by: AbstractBaseUser, what: str, subject: str, why: str, rows: int, at: datetime
) -> AccessLog:
    """A look is written down before anything is shown, whole. Raises UnableToLook without a reason, or where it is too long."""
    reason = mask_digits(" ".join(why.split()))
    if not reason:
        raise UnableToLook("Say why. It is kept with your name.")
    if len(reason) > LONGEST_REASON:
        raise UnableToLook(f"Say why in at most {LONGEST_REASON} characters.")
    if len(subject) > LONGEST_SUBJECT:
        raise UnableToLook("These filters are too long to be kept with your name. Use fewer or shorter ones.")
    return AccessLog.objects.create(by_id=by.pk, what=what, subject=subject, why=reason, rows=rows, at=at)
