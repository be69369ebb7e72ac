"""The forms around receipts: finding one without signing in, and filtering the payment history."""

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Product
from payments.confirmation import compact_number
from payments.forms.bank import TYPED_ACCOUNT
from payments.receipts import STATUS_GROUPS, PaymentFilter

STATUS_WORDS = {
    "processing": _("Scheduled or processing"),
    "paid": _("Paid"),
    "returned": _("Returned"),
    "canceled": _("Canceled"),
}
WRONG_DATE = _("Enter a date, like 01/23/2027")


class FindReceiptForm(forms.Form):
    """A confirmation number, and the last four of the bank account it was paid from."""

    number = forms.CharField(
        label=_("Confirmation number"),
        max_length=20,
        help_text=_("10 letters and digits, on your receipt or in your email"),
        error_messages={"required": _("Enter the confirmation number from your receipt")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    last_four = forms.CharField(
        label=_("Last 4 of the bank account number"),
        max_length=8,
        error_messages={"required": _("Enter the last 4 of the bank account number you paid from")},
        widget=forms.TextInput(attrs=TYPED_ACCOUNT),
    )

    def clean_number(self) -> str:
        """The number without spaces and hyphens."""
        return compact_number(self.cleaned_data["number"])

    def clean_last_four(self) -> str:
        """As it is kept: letters large, without spaces and hyphens."""
        return compact_number(self.cleaned_data["last_four"])


class HistoryForm(forms.Form):
    """What to show of the payment history; everything, unless told."""

    product = forms.ChoiceField(
        label=_("Plan"), required=False, choices=[("", _("All plans")), *Product.choices]
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("Any status")), *((key, STATUS_WORDS[key]) for key in STATUS_GROUPS)],
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        error_messages={"invalid": WRONG_DATE},
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = forms.DateField(
        label=_("To"),
        required=False,
        error_messages={"invalid": WRONG_DATE},
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def read_filter(self) -> PaymentFilter:
        """What was asked for; a field that cannot be read filters nothing, and its error is shown beside it."""
        self.is_valid()
        return PaymentFilter(**{name: value for name, value in self.cleaned_data.items() if value})
