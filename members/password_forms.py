"""The forms of signing in and of passwords: the sign-in package's own, in the portal's words."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from allauth.account import forms as account
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as totp
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PASSWORD_HINT = _(
    "At least 12 characters. Not only numbers, not your name or email, and not a password that many people use."
)
EMAIL_EXAMPLE = _("Enter an email address, like name@example.org")


class Words(NamedTuple):
    """What a box is called and what to do when it is empty; and its hint where it has one of ours."""

    label: Promise
    required: Promise
    hint: Promise | None = None


EMAIL = Words(_("Email"), _("Enter your email address"))
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
    """Email and password."""

    words = {"login": EMAIL, "password": PASSWORD}

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


class SecondStepForm(InOurWords, second_step.AuthenticateForm):
    """The code of the second step."""

    words = {"code": CODE}


class SecondStepAgainForm(InOurWords, second_step.ReauthenticateForm):
    """The code of the second step once more."""

    words = {"code": CODE}


class ActivateSecondStepForm(InOurWords, totp.ActivateTOTPForm):
    """The first code of a second step that is being set up."""

    words = {"code": CODE}
