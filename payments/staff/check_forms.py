"""The forms of staff's work with checks: what came in, on which accounts it is put."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.models import Account
from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.staff_pages import WhyForm
from members import member_id
from members.models import EnrollmentStatus
from payments.checks import Share
from payments.models import CheckKind, CheckSource

PARTS = 3
NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}")


class SharesForm(WhyForm):
    """The accounts that money is put on: by the Member ID and the plan, or by the account's number; each with its part."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for number in range(1, PARTS + 1):
            is_first = number == 1
            self.fields[f"account_{number}"] = forms.CharField(
                label=f"Account {number}",
                required=False,
                max_length=40,
                help_text=(
                    "Its number, or the Member ID with health or dental, like 003456789012 dental."
                    if is_first
                    else ""
                ),
            )
            self.fields[f"part_{number}"] = MoneyField(
                label=f"Amount for account {number}",
                required=False,
                help_text="Leave it empty where all of the money is for one account." if is_first else "",
            )

    def clean(self) -> dict[str, Any]:
        """The parts stand in `shares`; one account without an amount gets it all."""
        typed = super().clean() or {}
        found = list(self._read_parts())
        whole = self.find_cents()
        if len(found) == 1 and found[0][1] is None and whole:
            found = [(found[0][0], whole)]
        missing = [account for account, cents in found if cents is None]
        if missing:
            raise ValidationError("Enter the amount for each account.")
        typed["shares"] = tuple(Share(account, cents) for account, cents in found if cents is not None)
        return typed

    def find_cents(self) -> int | None:
        """The whole of what is shared out."""
        raise NotImplementedError

    def _read_parts(self) -> Iterator[tuple[int, int | None]]:
        for number in range(1, PARTS + 1):
            name = f"account_{number}"
            if words := self.cleaned_data.get(name, "").strip():
                try:
                    yield find_account(words).pk, self.cleaned_data.get(f"part_{number}")
                except UnableToReadAccount as problem:
                    self.add_error(name, str(problem))
            elif self.cleaned_data.get(f"part_{number}"):
                self.add_error(name, "Name the account for this amount.")


class MatchForm(SharesForm):
    """Where money that waits goes."""

    def __init__(self, *args: Any, cents: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cents = cents
        self.order_fields([*_list_parts(), "why"])

    def find_cents(self) -> int | None:
        """What the check is worth."""
        return self.cents


class CheckForm(SharesForm):
    """A check or money order as it was handed over."""

    kind = forms.ChoiceField(label="What it is", choices=CheckKind.choices, widget=forms.RadioSelect)
    source = forms.ChoiceField(
        label="How it came",
        choices=[(item.value, item.label) for item in (CheckSource.COUNTER, CheckSource.MAIL)],
        widget=forms.RadioSelect,
    )
    number = forms.CharField(label="Number", max_length=20, help_text="As printed on it.")
    payer = forms.CharField(label="Written by", max_length=80)
    amount = MoneyField(label="Amount")
    received_on = forms.DateField(
        label="Received on",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The day it reached us.",
    )
    deposit_on = forms.DateField(label="Deposited on", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["why"].required = False
        self.fields["why"].widget = forms.HiddenInput()
        self.fields["account_1"].help_text += " Leave it empty where nobody knows: the money then waits."
        boxes = ("kind", "source", "number", "payer", "amount", "received_on", "deposit_on")
        self.order_fields([*boxes, *_list_parts()])

    def clean_number(self) -> str:
        """Letters, digits and hyphens."""
        number: str = self.cleaned_data["number"].strip()
        if not NUMBER.fullmatch(number):
            raise ValidationError("Enter the number in letters and digits, as it is printed.")
        return number

    def find_cents(self) -> int | None:
        """What was typed as its amount."""
        return self.cleaned_data.get("amount")


class UnableToReadAccount(ValueError):
    """What was typed names no one account; the text says so."""


def find_account(words: str) -> Account:
    """The account that was named: its number, or a Member ID with health or dental. Raises UnableToReadAccount."""
    typed = words.lower().replace("-", " ")
    product = next((name for name in ("health", "dental") if name in typed), "")
    digits = re.sub(r"\D", "", typed)
    accounts = Account.objects.select_related("enrollment__plan", "enrollment__member")
    if len(digits) != member_id.LENGTH:
        found = list(accounts.filter(pk=int(digits))) if digits and len(digits) < member_id.LENGTH else []
    else:
        mine = accounts.filter(enrollment__member__member_id=digits).order_by("-pk")
        found = list(mine.filter(enrollment__plan__product=product) if product else mine)
        if len(found) > 1:
            alive = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)
            found = [item for item in found if item.enrollment.status in alive] or found
    if not found:
        raise UnableToReadAccount("No account has that number. Check it.")
    if len(found) > 1:
        named = ", ".join(f"{item.pk} ({item.enrollment.plan.name})" for item in found)
        raise UnableToReadAccount(f"This member has more than one account. Enter one number: {named}.")
    return found[0]


def suggest_days(*, today: date, deposit: date) -> dict[str, date]:
    """What the form begins with: received today."""
    return {"received_on": today, "deposit_on": deposit}


def _list_parts() -> list[str]:
    return [f"{name}_{number}" for number in range(1, PARTS + 1) for name in ("account", "part")]
