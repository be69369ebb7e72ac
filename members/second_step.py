"""The second step of signing in: secrets kept sealed, a code taken once, wrong codes counted like wrong passwords."""

from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt, is_mfa_enabled
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.models import SealedValue
from members.models import User

SEALED_FOR = "second_step"
STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
LAST_TAKEN = "last_taken"  # the 30 seconds whose code was taken last


class PortalMFAAdapter(DefaultMFAAdapter):
    """Secrets lie sealed, beside all others; whoever works for the exchange keeps a second step."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right. Type the code that the app shows now"),
        "cannot_delete_authenticator": _(
            "Staff always have a second step. Add another one first, or ask an administrator to reset yours"
        ),
    }

    def get_totp_issuer(self) -> str:
        """The name under which the app on the phone keeps it."""
        return str(settings.EXCHANGE["portal_name"])

    def get_totp_label(self, user: User) -> str:
        """Staff are known by username, members by email."""
        return user.username if user.is_staff else user.email

    def encrypt(self, text: str) -> str:
        """Seal a secret; what stays in its place is the sealed row's id."""
        sealed = SealedValue.make(clear=text.encode(), purpose=SEALED_FOR)
        sealed.save(force_insert=True)
        return str(sealed.pk)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret in clear, to compare a code with."""
        return SealedValue.objects.get(pk=UUID(encrypted_text)).open(purpose=SEALED_FOR).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last second step of one of the staff stays."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=STEPS)
        return not authenticator.user.is_staff or others.exclude(pk=authenticator.pk).exists()


class TakenOnce:
    """A form that takes a code: never the same one twice, and only so many wrong ones."""

    user: User

    def clean_code(self) -> str:
        """The code, if it is right, new, and not one wrong code too many."""
        _refuse_locked_out(self.user)
        try:
            with transaction.atomic():
                totp = _lock(self.user)
                moment = _find_moment(totp, str(self.cleaned_data["code"])) if totp else None  # type: ignore[attr-defined]
                if totp and moment is not None and moment <= totp.data.get(LAST_TAKEN, 0):
                    check_rate_limit(self.user)
                    raise PortalMFAAdapter().validation_error("incorrect_code")
                code: str = super().clean_code()  # type: ignore[misc]  # the package's form
                if totp and moment is not None:
                    totp.data[LAST_TAKEN] = moment
                    totp.save(update_fields=["data"])
                return code
        except ValidationError:
            _count_failure(self.user)
            raise


class RemovePasskeyView(RemoveWebAuthnView):
    """The package's page, which does not ask by itself whether the passkey may go."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Removed, or refused in plain words."""
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect(self.get_success_url())
        answer: HttpResponse = super().form_valid(form)
        return answer


def has_passed(request: HttpRequest) -> bool:
    """Whether whoever is signed in took a second step in this session."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def find_way_on(*, user: User) -> str:
    """Where one of the staff takes the second step, or sets it up."""
    if is_mfa_enabled(user, [Authenticator.Type.TOTP]):
        return reverse("mfa_reauthenticate")
    if is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN]):
        return reverse("mfa_reauthenticate_webauthn")
    return reverse("mfa_index")


def reset(*, user: User) -> None:
    """Take a person's second steps away: at the next sign-in they set up a new one."""
    Authenticator.objects.filter(user=user).delete()


def _refuse_locked_out(user: User) -> None:
    """Raises ValidationError where this person has failed too often from this address."""
    if not AxesProxyHandler.is_allowed(context.request, {"username": user.username}):
        context.request.axes_locked_out = True
        raise ValidationError(_("There were too many tries. Wait 15 minutes and try again, or call us"))


def _count_failure(user: User) -> None:
    """A wrong code counts as a wrong password does, in the database."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=context.request)


def _lock(user: User) -> Authenticator | None:
    """The same code typed in two windows at once is one code."""
    return Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()


def _find_moment(totp: Authenticator, code: str) -> int | None:
    """Which half minute's code it is, among those that are taken now."""
    secret = decrypt(totp.data["secret"])
    typed = normalize_user_code(code)
    return next(
        (
            moment
            for moment in yield_hotp_counters_from_time()
            if format_hotp_value(hotp_value(secret, moment)) == typed
        ),
        None,
    )
