"""The forms of the profile: language, email address, phone number, and what comes without paper."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber
from phonenumber_field.phonenumber import to_python as read_phone

from connector_pay.lib.form_fields import LONGEST_EMAIL, TYPED_NUMBER
from members.contact import has_confirmed_email
from members.models import Choosable, Member
from members.paperless import KINDS

LONGEST_PHONE = 40
PHONE_EXAMPLE = _("Enter a US phone number with 10 digits, like 617-555-0123")
# Each in its own words, whatever the language of the page.
LANGUAGES = [("en", "English"), ("es", "Español")]


class LanguageForm(forms.Form):
    """The language of what we send."""

    language = forms.ChoiceField(
        label=_("Language"),
        choices=LANGUAGES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language"), "invalid_choice": _("Choose a language")},
    )


class EmailForm(forms.Form):
    """The address for signing in and for what we send."""

    email = forms.EmailField(
        label=_("Email address"),
        max_length=LONGEST_EMAIL,
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter your email address"),
            "max_length": _("Enter a shorter email address"),
            "invalid": _("Enter an email address, like name@example.org"),
        },
    )

    def __init__(self, *args: Any, member: Member, **options: Any) -> None:
        super().__init__(*args, **options)
        self.member = member

    def clean_email(self) -> str:
        """In small letters, and not what is confirmed already."""
        email = str(self.cleaned_data["email"]).lower()
        if email == self.member.email.lower() and has_confirmed_email(member=self.member):
            raise ValidationError(_("This is your email address, and it is confirmed. Enter another one"))
        return email


class PhoneForm(forms.Form):
    """The number by which guests find the bills; empty for none."""

    phone = forms.CharField(
        label=_("Phone number"),
        help_text=_("Leave the box empty to take the number off your account."),
        max_length=LONGEST_PHONE,
        required=False,
        widget=forms.TextInput({**TYPED_NUMBER, "inputmode": "tel", "autocomplete": "tel"}),
        error_messages={"max_length": PHONE_EXAMPLE},
    )

    def clean_phone(self) -> PhoneNumber | str:
        """A number of the country, or nothing."""
        typed = str(self.cleaned_data["phone"])
        if not typed:
            return ""
        number = read_phone(typed, region="US")
        if not number or not number.is_valid() or number.country_code != 1:
            raise ValidationError(PHONE_EXAMPLE)
        return PhoneNumber.from_string(number.as_e164)


class PaperlessForm(forms.Form):
    """What comes by email and not on paper; whoever takes paper off says that they agree."""

    paperless_bills = forms.BooleanField(label=KINDS[Choosable.PAPERLESS_BILLS], required=False)
    paperless_notices = forms.BooleanField(label=KINDS[Choosable.PAPERLESS_NOTICES], required=False)
    agree = forms.BooleanField(label=_("I have read this, and I agree"), required=False)

    def __init__(self, *args: Any, member: Member, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial = {kind.value: getattr(member, kind) for kind in KINDS}
        self.member = member

    @property
    def without_paper(self) -> list[str]:
        """The kinds that were ticked."""
        return [kind.value for kind in KINDS if self.cleaned_data[kind]]

    def clean(self) -> dict[str, Any]:
        """Taking paper off needs the member's yes; having it back needs nothing."""
        new = [kind for kind in self.without_paper if not getattr(self.member, kind)]
        if new and not has_confirmed_email(member=self.member):
            self.add_error(new[0], _("First confirm your email address. Until then we send paper"))
        elif new and not self.cleaned_data["agree"]:
            self.add_error("agree", _("Tick this box if you agree. Without it we send paper"))
        return self.cleaned_data
