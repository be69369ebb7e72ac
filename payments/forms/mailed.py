"""The form with which a member says that a check is in the mail."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.form_fields import TYPED_NUMBER, MoneyField
from connector_pay.lib.money import format_dollars

MOST_CENTS = 100_000_00


class MailedForm(forms.Form):
    """How much, which check, and when it was mailed."""

    amount = MoneyField(label=_("Amount of the check"))
    number = forms.RegexField(
        r"^[0-9A-Za-z-]*$",
        label=_("Check number (optional)"),
        max_length=20,
        required=False,
        help_text=_("It is printed in the top right corner. It helps us find your check."),
        error_messages={"invalid": _("Enter the check number in letters and digits")},
        widget=forms.TextInput(attrs=TYPED_NUMBER),
    )
    mailed_on = forms.DateField(
        label=_("Day you mailed it"),
        error_messages={
            "required": _("Enter the day you mailed it"),
            "invalid": _("Enter a date, like 01/23/2027"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "cp-input--short"}),
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["mailed_on"].widget.attrs["max"] = today.isoformat()

    def clean_amount(self) -> int:
        """No more than any check for premiums."""
        cents: int = self.cleaned_data["amount"]
        if cents > MOST_CENTS:
            raise ValidationError(_("Enter %s or less") % format_dollars(MOST_CENTS))
        return cents
