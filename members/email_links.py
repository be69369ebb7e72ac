"""The link that confirms a new email address: signed when it is written, so that no table holds it."""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "members.email_links"


def write_link(key: str) -> str:
    """Where the email leads, for the change of this key."""
    token = signing.Signer(salt=SALT, sep=".").sign(str(key))
    return f"{settings.PORTAL_URL.rstrip('/')}{reverse('confirm_email', args=[token])}"


def read_token(token: str) -> UUID | None:
    """The key of the change that a link is for; None for a link that is not ours."""
    try:
        return UUID(signing.Signer(salt=SALT, sep=".").unsign(token))
    except (signing.BadSignature, ValueError):
        return None
