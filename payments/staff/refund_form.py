"""The form with which staff ask for a refund: how much, by which way, and why."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.models import Receipt
from connector_pay.lib.money import UnableToReadMoney, read_dollars
from payments.models import RefundMethod
from payments.refund_rules import PAYMENT


class RefundForm(forms.Form):
    """Money of a check has no bank account to go back to, and no debit to undo."""

    amount = forms.CharField(
        label="Amount",
        max_length=20,
        help_text="Dollars and cents, like 50.00.",
        error_messages={"required": "Enter dollars and cents, like 50.00"},
    )
    method = forms.ChoiceField(label="How the money goes back", widget=forms.RadioSelect)
    why = forms.CharField(
        label="Why",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the refund.",
        error_messages={"required": "Say why this money goes back"},
    )
    mail_to = forms.CharField(
        label="Mail its check to",
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Street, city, state and ZIP code, where the check does not go to the member’s address.",
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, receipt: Receipt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = RefundMethod.choices if receipt.reference.startswith(PAYMENT) else [_CHECK]
        self.fields["method"].choices = ways  # type: ignore[attr-defined]  # a ChoiceField's own

    @property
    def previewed(self) -> str:
        """What a preview has shown, to be sent back with the asking."""
        return f"{self.cleaned_data['cents']} {self.cleaned_data['method']}"

    def clean_mail_to(self) -> str:
        """Line by line, without empty ones."""
        lines = (line.strip() for line in self.cleaned_data["mail_to"].splitlines())
        return "\n".join(line for line in lines if line)

    def clean_amount(self) -> str:
        """Whole cents stand in `cents` beside what was typed."""
        typed: str = self.cleaned_data["amount"]
        try:
            self.cleaned_data["cents"] = read_dollars(typed)
        except UnableToReadMoney as problem:
            raise ValidationError(str(problem)) from problem
        return typed


_CHECK = (RefundMethod.CHECK.value, RefundMethod.CHECK.label)
