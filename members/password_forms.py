"""The forms of signing in and of passwords: the sign-in package's own, in the portal's words."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from allauth.account import forms as account
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.second_step import TakenOnce

PASSWORD_HINT = _(
    "At least 12 characters. Not only numbers, not your name or email, and not a password that many people use."
)
STAFFS_SIDE = "/admin/"
EMAIL_EXAMPLE = _("Enter an email address, like name@example.org")


class Words(NamedTuple):
    """What a box is called and what to do when it is empty; and its hint where it has one of ours."""

    label: Promise
    required: Promise
    hint: Promise | None = None


EMAIL = Words(_("Email"), _("Enter your email address"))
EMAIL_OR_USERNAME = Words(_("Email or username"), _("Enter your email address or username"))
PASSWORD = Words(_("Password"), _("Enter your password"))
NEW_PASSWORD = Words(_("New password"), _("Enter a new password"), PASSWORD_HINT)
AGAIN = Words(_("Type the new password again"), _("Type the new password again"))
CODE = Words(_("Code"), _("Enter the 6-digit code"))


class InOurWords:
    """Every box of `words` gets our label, hint and message; the rest of the form stays the package's."""

    words: ClassVar[Mapping[str, Words]] = {}
    fields: dict[str, Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, words in self.words.items():
            field = self.fields[name]
            field.label = words.label
            field.error_messages["required"] = words.required
            if words.hint:
                field.help_text = words.hint
            if words is EMAIL:
                field.error_messages["invalid"] = EMAIL_EXAMPLE


class LoginForm(InOurWords, account.LoginForm):
    """Email and password; staff may type their username instead."""

    words = {"login": EMAIL, "password": PASSWORD}

    def __init__(self, *args: Any, request: HttpRequest | None = None, **options: Any) -> None:
        super().__init__(*args, request=request, **options)
        login = self.fields["login"]
        login.widget.attrs = {"autocomplete": "username"}
        login.widget.input_type = "email"
        if request is not None and leads_to_staff(request):
            login.label = EMAIL_OR_USERNAME.label
            login.error_messages["required"] = EMAIL_OR_USERNAME.required
            login.widget.input_type = "text"

    def clean_login(self) -> str:
        """What has an @ is an email address, anything else a username."""
        login: str = super().clean_login()
        if "@" in login:
            try:
                validate_email(login)
            except ValidationError:
                raise ValidationError(EMAIL_EXAMPLE) from None
        return login

    def clean(self) -> dict[str, Any]:
        """A refusal stands beside the first of the two boxes, so that the error summary leads there."""
        try:
            super().clean()
        except ValidationError as refusal:
            self.add_error("login", refusal)
        return self.cleaned_data


class ResetPasswordForm(InOurWords, account.ResetPasswordForm):
    """Where to send the link."""

    words = {"email": EMAIL}


class NewPasswordForm(InOurWords, account.ResetPasswordKeyForm):
    """The new password, twice, behind the link that was sent."""

    words = {"password1": NEW_PASSWORD, "password2": AGAIN}


class ChangePasswordForm(InOurWords, account.ChangePasswordForm):
    """The password now, and the new one twice."""

    words = {
        "oldpassword": Words(_("Password now"), _("Enter the password you use now")),
        "password1": NEW_PASSWORD,
        "password2": AGAIN,
    }


class SetPasswordForm(InOurWords, account.SetPasswordForm):
    """A first password, twice."""

    words = {"password1": NEW_PASSWORD, "password2": AGAIN}


class ReauthenticateForm(InOurWords, account.ReauthenticateForm):
    """The password once more."""

    words = {"password": PASSWORD}


class SecondStepForm(InOurWords, TakenOnce, second_step.AuthenticateForm):
    """The code of the second step."""

    words = {"code": CODE}


class SecondStepAgainForm(InOurWords, TakenOnce, second_step.ReauthenticateForm):
    """The code of the second step once more."""

    words = {"code": CODE}


class ActivateSecondStepForm(InOurWords, totp.ActivateTOTPForm):
    """The first code of a second step that is being set up."""

    words = {"code": CODE}


class AddPasskeyForm(InOurWords, webauthn.AddWebAuthnForm):
    """What a passkey is called, so that its owner knows it again."""

    words = {"name": Words(_("Name"), _("Enter a name for the key"))}


def leads_to_staff(request: HttpRequest) -> bool:
    """Whether whoever signs in here wants to go on to the staff's side."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted.startswith(STAFFS_SIDE)
