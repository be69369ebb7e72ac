"""Signing in: members by email after activation with Member ID, date of birth and ZIP code; staff too."""

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.addresses import read_network
from connector_pay.lib.form_fields import LONGEST_EMAIL
from members.models import User


class PortalAccountAdapter(DefaultAccountAdapter):
    """Accounts are activated against the exchange's records, never opened freely."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _(
            "The email or the password is not right. Check both, or get a new password"
        ),
        "enter_current_password": _("Enter the password you use now"),
        "incorrect_password": _("The password is not right. Type it again"),
        "too_many_login_attempts": _("There were too many tries. Wait 15 minutes and try again, or call us"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No one signs up without a Member ID: see the activation page."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Only members and the exchange's staff sign in; anyone else gets the words of a wrong password."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return user if isinstance(user, User) and (user.member_id or user.is_staff) else None

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Whom axes has locked out at one address uses up none of the tries that the person has everywhere."""
        if AxesProxyHandler.is_allowed(request, credentials):
            super().pre_authenticate(request, **credentials)

    def get_client_ip(self, request: HttpRequest) -> str:
        """What the limits on signing in and resetting passwords count; all whom nobody can place are counted together."""
        return read_network(request) or "unknown"


def read_username(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Under which name a try to sign in is counted: the username, also of who typed their email in any spelling.

    An email that is nobody's is counted as it is, in small letters. Empty where nothing was typed.
    """
    typed = credentials or {}
    email = str(typed.get("email") or "")
    found = (
        User.objects.filter(email__iexact=email).values_list("username", flat=True).first() if email else None
    )
    return (found or email.lower() or str(typed.get("username") or ""))[:LONGEST_EMAIL]
