"""The first page of AutoPay: which bills, and the most that may be taken at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from billing.policy import read_policy
from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.money import format_dollars
from payments.autopay.plans import Plan
from payments.drafts import Chosen


class Group(NamedTuple):
    """The boxes of one bill, as the page draws them."""

    plan: Plan
    pay: BoundField | None
    limit: BoundField


class AutoPayForm(forms.Form):
    """For each account a checkbox, where there are two, and a box for a limit. After a valid answer `chosen` holds the limits."""

    def __init__(self, *args: Any, plans: Sequence[Plan], **options: Any) -> None:
        super().__init__(*args, **options)
        self.plans = plans
        self.chosen: tuple[Chosen, ...] = ()
        policy = read_policy()
        for plan in plans:
            key, bill = plan.payable.account_id, plan.payable.label.lower()
            if len(plans) > 1:
                self.fields[f"pay_{key}"] = forms.BooleanField(
                    label=plan.payable.label, required=False, initial=True
                )
            self.fields[f"limit_{key}"] = MoneyField(
                label=_("Most to take at once for %s (optional)") % bill,
                help_text=_("If a bill is higher, we take nothing and tell you."),
                required=False,
                least_cents=policy.minimum_payment_cents,
            )

    @property
    def groups(self) -> list[Group]:
        """The boxes, bill by bill."""
        return [
            Group(
                plan=plan,
                pay=self[f"pay_{plan.payable.account_id}"] if len(self.plans) > 1 else None,
                limit=self[f"limit_{plan.payable.account_id}"],
            )
            for plan in self.plans
        ]

    @property
    def typed(self) -> dict[str, Any]:
        """Everything as it was filled in, to be shown again by *Change*."""
        return {name: self.data.get(name) for name in self.fields}

    def clean(self) -> dict[str, Any]:
        """Find what was chosen; every mistake is put beside its box."""
        wanted = [plan.payable.account_id for plan in self.plans if self._is_wanted(plan)]
        if not wanted:
            self.add_error(
                f"pay_{self.plans[0].payable.account_id}", _("Choose at least one bill for AutoPay")
            )
        most_cents = read_policy().maximum_payment_cents
        for key in wanted:
            if (self.cleaned_data.get(f"limit_{key}") or 0) > most_cents:
                words = _("Enter %s or less, or leave the box empty") % format_dollars(most_cents)
                self.add_error(f"limit_{key}", words)
        self.chosen = tuple(Chosen(key, self.cleaned_data.get(f"limit_{key}") or 0) for key in wanted)
        return self.cleaned_data

    def _is_wanted(self, plan: Plan) -> bool:
        return len(self.plans) == 1 or bool(self.cleaned_data.get(f"pay_{plan.payable.account_id}"))
