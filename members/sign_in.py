"""Signing in: members by email after activation with Member ID, date of birth and ZIP code; staff by username or email."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_network
from connector_pay.lib.form_fields import LONGEST_EMAIL
from members import second_person, staff_sessions
from members.contact import tell_password_changed
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

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **facts: Any) -> HttpResponse | None:
        """Staff are signed in once: the earlier session ends."""
        if isinstance(user, User) and user.is_staff:
            staff_sessions.begin(request=request, user=user)
        answer: HttpResponse | None = super().post_login(request, user, **facts)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every address in an email is the portal's own, whatever host and port the request named."""
        domain = urlsplit(settings.PORTAL_URL).netloc
        site = SimpleNamespace(name=settings.EXCHANGE["portal_name"], domain=domain)
        links = {name: _lead_here(link) for name, link in context.items() if name.endswith("_url")}
        super().send_mail(template_prefix, email, {**context, **links, "current_site": site})

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """A new password is kept and told; whoever of the staff has one approves nothing for a day: it may be somebody else's."""
        at = clock.now()
        today = clock.business_date(moment=at)
        with transaction.atomic():
            super().set_password(user, password)
            if isinstance(user, User):
                tell_password_changed(user=user, at=at, today=today)
                if user.is_staff:
                    second_person.note_change(user=user, what=["password"], by=user, today=today, at=at)

    def get_client_ip(self, request: HttpRequest) -> str:
        """What the limits on signing in and resetting passwords count; all whom nobody can place are counted together."""
        return read_network(request) or "unknown"


def read_username(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Under which name a try to sign in is counted: the username, also of who typed their email, in any spelling.

    An email that is nobody's is counted as it is, all in small letters. Empty where nothing was typed.
    """
    typed = credentials or {}
    email = str(typed.get("email") or "")
    found = (
        User.objects.filter(email__iexact=email).values_list("username", flat=True).first() if email else None
    )
    return (found or email or str(typed.get("username") or "")).lower()[:LONGEST_EMAIL]


def _lead_here(link: str) -> str:
    parts = urlsplit(link)
    query = f"?{parts.query}" if parts.query else ""
    return f"{settings.PORTAL_URL.rstrip('/')}{parts.path}{query}"
