"""The guest's forms: finding a bill, and choosing one when nothing of the account may be shown."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.form_fields import TYPED_NUMBER, MemorableDateField, MoneyField
from connector_pay.lib.money import format_dollars
from members.models import Product
from payments.channels.guest import LONGEST_IDENTIFIER
from payments.forms.asking import SURE, AskingForm
from payments.payables import Payable
from payments.statements import amount_limits

MISS = _("We could not find one bill with that. Check the number, or use the 12-digit Member ID")


class FindBillForm(forms.Form):
    """Whose bill: the Member ID or the phone number on the account, and the date of birth to see what is due."""

    identifier = forms.CharField(
        label=_("Member ID or phone number"),
        max_length=LONGEST_IDENTIFIER,
        help_text=_("The Member ID has 12 digits and is on every bill. Spaces and hyphens are fine."),
        error_messages={
            "required": _("Enter the 12-digit Member ID, or the phone number on the account"),
            "max_length": MISS,
        },
        widget=forms.TextInput(attrs=TYPED_NUMBER),
    )
    date_of_birth = MemorableDateField(
        label=_("Member's date of birth (optional, to see what is due)"),
        required=False,
        help_text=_("For example: 4 28 1986"),
    )

    def __init__(self, *args: Any, requires_date_of_birth: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if requires_date_of_birth:
            self.fields["date_of_birth"].required = True
            self.fields["date_of_birth"].label = _("Member's date of birth")


class UnseenAmountForm(AskingForm):
    """Which bill and how much, for a guest who is shown nothing of the account."""

    product = forms.ChoiceField(
        label=_("Which bill do you want to pay?"),
        choices=Product.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose health or dental")},
    )
    amount = MoneyField(label=_("Amount"), help_text=_("In dollars and cents, like 284.17. No fee."))

    def __init__(self, *args: Any, ask_among: Sequence[Payable] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        if ask_among:
            self.fields["coverage"] = forms.ChoiceField(
                label=_("Coverage year"),
                choices=[(payable.coverage, payable.coverage) for payable in ask_among],
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose the coverage year that is on the bill")},
            )

    @property
    def typed(self) -> dict[str, Any]:
        """Everything as it was filled in, to be shown again by *Change*."""
        return {name: self.data.get(name) for name in self.fields if name != SURE}

    def clean_amount(self) -> int:
        """Only the flat limits hold: others would tell what is due."""
        cents: int = self.cleaned_data["amount"]
        limits = amount_limits(standing=None)
        refuse_out_of_bounds(cents, limits.minimum, limits.maximum)
        return cents


def refuse_out_of_bounds(cents: int, minimum: int, maximum: int) -> None:
    """Raises ValidationError in words that say what to do."""
    if cents < minimum:
        raise forms.ValidationError(_("Enter an amount of at least %s") % format_dollars(minimum))
    if cents > maximum:
        raise forms.ValidationError(_("Enter an amount of %s or less") % format_dollars(maximum))
