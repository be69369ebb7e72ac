"""The forms of activation: who you are, then how you will sign in."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.exceptions import ValidationError as StdnumError

from connector_pay.lib.form_fields import LONGEST_EMAIL, TYPED_NUMBER, MemorableDateField
from members import member_id
from members.activation import draw_up_user
from members.models import Member, User
from members.password_forms import PASSWORD_HINT


class IdentityForm(forms.Form):
    """Member ID, date of birth and ZIP code, as the exchange has them."""

    member_id = forms.CharField(
        label=_("Member ID"),
        help_text=_("12 digits, on your bill or your letter from us. Spaces are fine."),
        max_length=40,
        widget=forms.TextInput(TYPED_NUMBER),
        error_messages={"required": _("Enter your 12-digit Member ID")},
    )
    date_of_birth = MemorableDateField(label=_("Date of birth"), help_text=_("For example: 4 28 1986"))
    zip_code = forms.RegexField(
        r"^\s*\d{5}(?:-?\d{4})?\s*\Z",
        label=_("ZIP code"),
        help_text=_("5 digits, of the address we write to"),
        strip=False,
        max_length=12,
        widget=forms.TextInput(TYPED_NUMBER),
        error_messages={
            "required": _("Enter your 5-digit ZIP code"),
            "invalid": _("Enter your 5-digit ZIP code, like 02108"),
        },
    )

    def clean_member_id(self) -> str:
        """The bare 12 digits."""
        try:
            return member_id.validate(self.cleaned_data["member_id"])
        except StdnumError:
            raise ValidationError(_("Enter the 12 digits of your Member ID")) from None

    def clean_zip_code(self) -> str:
        """The first five digits."""
        return str(self.cleaned_data["zip_code"]).strip()[:5]


class AccountForm(forms.Form):
    """The email address and password a member will sign in with."""

    email = forms.EmailField(
        label=_("Email address"),
        max_length=LONGEST_EMAIL,
        help_text=_("You will use it to sign in."),
        widget=forms.EmailInput({"autocomplete": "username"}),
        error_messages={
            "required": _("Enter your email address"),
            "max_length": _("Enter a shorter email address"),
            "invalid": _("Enter an email address, like name@example.org"),
        },
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=PASSWORD_HINT,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": _("Enter a password")},
    )
    password_again = forms.CharField(
        label=_("Type the password again"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": _("Type the password again")},
    )

    def __init__(self, *args: Any, member: Member, **options: Any) -> None:
        super().__init__(*args, **options)
        self.member = member

    def clean_email(self) -> str:
        """An address nobody signs in with yet, in small letters."""
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("Someone already signs in with this email address. Enter another one"))
        return email

    def clean_password(self) -> str:
        """A password that is not easy to guess from the member's own name or address."""
        password = str(self.cleaned_data["password"])
        email = str(self.cleaned_data.get("email", ""))
        validate_password(password, user=draw_up_user(member=self.member, email=email))
        return password

    def clean_password_again(self) -> str:
        """The same, typed twice."""
        again = str(self.cleaned_data["password_again"])
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise ValidationError(_("The two passwords are not the same"))
        return again
