"""The amount page: which bills, how much of each, and on which day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments.drafts import Chosen
from payments.forms.asking import SURE, AskingForm
from payments.payables import AmountOption, Payable, find_last_day, list_amounts
from payments.statements import amount_limits

OTHER, TODAY, LATER = "other", "today", "later"


class Group(NamedTuple):
    """The boxes of one bill, as the page draws them."""

    payable: Payable
    pay: BoundField | None
    choice: BoundField | None
    other: BoundField


class AmountForm(AskingForm):
    """For each account a checkbox (where there are two), what is due as radios, and a box for another amount; then the day.

    `can_schedule` is False for guests: they pay today. After a valid answer `chosen` and `pay_on` say what was chosen.
    """

    def __init__(
        self, *args: Any, payables: Sequence[Payable], today: date, can_schedule: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.payables, self.today = payables, today
        self.offered = {payable.account_id: list_amounts(standing=payable.standing) for payable in payables}
        self.chosen: tuple[Chosen, ...] = ()
        self.pay_on: date | None = None
        for payable in payables:
            self._add_account(payable)
        if can_schedule and any(
            find_last_day(payables=[payable], today=today) > today for payable in payables
        ):
            self._add_days()

    @property
    def groups(self) -> list[Group]:
        """The boxes, bill by bill."""
        return [
            Group(
                payable=payable,
                pay=self._find_box("pay", payable),
                choice=self._find_box("choice", payable),
                other=self[f"other_{payable.account_id}"],
            )
            for payable in self.payables
        ]

    @property
    def typed(self) -> dict[str, Any]:
        """Everything as it was filled in, to be shown again by *Change*."""
        return {name: self.data.get(name) for name in self.fields if name != SURE}

    def clean(self) -> dict[str, Any]:
        """Find what was chosen; every mistake is put beside its box."""
        wanted = [payable for payable in self.payables if self._is_wanted(payable)]
        if not wanted:
            self.add_error(f"pay_{self.payables[0].account_id}", _("Choose at least one bill to pay"))
        amounts = [(payable.account_id, self._read_cents(payable)) for payable in wanted]
        self.chosen = tuple(Chosen(key, cents) for key, cents in amounts if cents is not None)
        self.pay_on = self._read_day(wanted)
        return self.cleaned_data

    def _add_account(self, payable: Payable) -> None:
        key, offered = payable.account_id, self.offered[payable.account_id]
        if len(self.payables) > 1:
            self.fields[f"pay_{key}"] = forms.BooleanField(
                label=payable.label, required=False, initial=payable.standing.due_cents > 0
            )
        if offered:
            self.fields[f"choice_{key}"] = forms.ChoiceField(
                label=_("How much for %s?") % payable.label.lower(),
                choices=[
                    *((option.key, option.words) for option in offered),
                    (OTHER, _("A different amount")),
                ],
                widget=forms.RadioSelect,
                required=False,
                initial=offered[0].key,
            )
        # Which bill it is for stands in the hint: the label of the bill's own checkbox is to be found once.
        self.fields[f"other_{key}"] = MoneyField(
            label=_("Other amount") if offered else _("Amount"),
            help_text=_("For the %s bill") % payable.label.lower() if len(self.payables) > 1 else "",
            required=False,
        )

    def _add_days(self) -> None:
        last = max(find_last_day(payables=[payable], today=self.today) for payable in self.payables)
        self.fields["when"] = forms.ChoiceField(
            label=_("When should it count as received?"),
            choices=[(TODAY, _("Today, %s") % long_date(self.today)), (LATER, _("On a later day"))],
            widget=forms.RadioSelect,
            required=False,
            initial=TODAY,
        )
        self.fields["later"] = forms.DateField(
            label=_("Later day"),
            required=False,
            help_text=_("Up to the due date, %s") % long_date(last),
            error_messages={"invalid": gettext_lazy("Enter a date, like 01/23/2027")},
            widget=forms.DateInput(
                format="%Y-%m-%d",
                attrs={
                    "type": "date",
                    "min": self.today.isoformat(),
                    "max": last.isoformat(),
                    "class": "cp-input--short",
                },
            ),
        )

    def _find_box(self, kind: str, payable: Payable) -> BoundField | None:
        name = f"{kind}_{payable.account_id}"
        return self[name] if name in self.fields else None

    def _is_wanted(self, payable: Payable) -> bool:
        return len(self.payables) == 1 or bool(self.cleaned_data.get(f"pay_{payable.account_id}"))

    def _read_cents(self, payable: Payable) -> int | None:
        """The amount in cents; None where it is missing or wrong, with the reason beside its box."""
        offered = self.offered[payable.account_id]
        box, typed = f"other_{payable.account_id}", self.cleaned_data.get(f"other_{payable.account_id}")
        choice = self.cleaned_data.get(f"choice_{payable.account_id}") if offered else OTHER
        if box in self.errors:
            return None
        if choice != OTHER and typed is not None:
            self.add_error(box, _("Choose “A different amount” to pay what you typed, or empty this box"))
            return None
        if choice != OTHER:
            return self._check_bounds(payable, box, _find_option(offered, choice).cents)
        if typed is None:
            self.add_error(box, _("Enter an amount, like 284.17"))
            return None
        return self._check_bounds(payable, box, int(typed))

    def _check_bounds(self, payable: Payable, box: str, cents: int) -> int | None:
        limits = amount_limits(standing=payable.standing)
        if cents < limits.minimum:
            self.add_error(box, _("Enter an amount of at least %s") % format_dollars(limits.minimum))
            return None
        if cents > limits.maximum:
            words = _("Enter %s or less. That is the most we can take for this bill now")
            self.add_error(box, words % format_dollars(limits.maximum))
            return None
        return cents

    def _read_day(self, wanted: Sequence[Payable]) -> date | None:
        """The later day that was chosen; None for today, or where it is wrong."""
        if "when" not in self.fields or "later" in self.errors:
            return None
        later: date | None = self.cleaned_data.get("later")
        is_later = self.cleaned_data.get("when") == LATER
        if later is None or not is_later:
            if is_later:
                self.add_error("later", _("Enter the day, or choose today"))
            elif later is not None and later != self.today:
                self.add_error("later", _("Choose “On a later day” to use this date, or empty this box"))
            return None
        last = find_last_day(payables=wanted, today=self.today)
        if not self.today <= later <= last:
            facts: Mapping[str, str] = {"first": long_date(self.today), "last": long_date(last)}
            self.add_error("later", _("Choose a day from %(first)s to %(last)s") % facts)
            return None
        return later if later > self.today else None


def _find_option(offered: Sequence[AmountOption], key: str | None) -> AmountOption:
    """The option of this key; what is due in all where none was sent."""
    return next((option for option in offered if option.key == key), offered[0])
