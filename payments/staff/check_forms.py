"""The forms of staff's work with checks: what came in, on which accounts it is put."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from billing.models import Account
from billing.scan_line import LENGTH as SCAN_LINE
from billing.scan_line import UnableToReadScanLine, read_scan_line
from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import WhyForm
from members import member_id
from members.models import EnrollmentStatus
from payments.alike_checks import Look, find_alike
from payments.checks import Share
from payments.models import CheckKind, CheckSource

PARTS = 3
MOST_CENTS = 1_000_000_00  # of one check
MOST_CHECKS = 500  # of one slip
BY_HAND = [(item.value, item.label) for item in (CheckSource.COUNTER, CheckSource.MAIL)]
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
                max_length=60,
                help_text=(
                    "Its number, the Member ID with health or dental, like 003456789012 dental, or the coupon’s line."
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


class PaperForm(SharesForm):
    """A check or money order as it lies before the person who types it in."""

    kind = forms.ChoiceField(label="What it is", choices=CheckKind.choices, widget=forms.RadioSelect)
    number = forms.CharField(label="Number", max_length=20, help_text="As printed on it.")
    payer = forms.CharField(label="Written by", max_length=80)
    amount = MoneyField(label="Amount")
    received_on = forms.DateField(
        label="Received on",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The day it reached us.",
    )
    is_another = forms.BooleanField(
        label="It is another check: I have looked at both", required=False, widget=forms.HiddenInput
    )

    def __init__(
        self, *args: Any, today: date, beside: Iterable[Look] = (), key: UUID | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.today, self.beside, self.key = today, beside, key
        self.fields["why"].required = False
        self.fields["why"].widget = forms.HiddenInput()
        self.fields["account_1"].help_text += " Leave it empty where nobody knows: the money then waits."
        boxes = ("kind", "source", "number", "payer", "amount", "received_on", "deposit_on")
        self.order_fields([*boxes, *_list_parts()])

    def clean(self) -> dict[str, Any]:
        """One that looks like a check that is known is asked about once more."""
        typed = super().clean()
        if {"number", "payer", "amount", "form_key"} <= set(typed):
            key = self.key or typed["form_key"]
            look = Look(typed["number"], typed["payer"], typed["amount"], key)
            alike = find_alike(looks=[look], beside=self.beside, today=self.today)
            if alike:
                self.fields["is_another"].widget = forms.CheckboxInput()
            if alike and not typed.get("is_another"):
                raise ValidationError(
                    f"Number, payer and amount are those of {alike[key]}. Tick the box below if it is another one."
                )
        return typed

    def clean_amount(self) -> int:
        """No more than any check for premiums."""
        cents: int = self.cleaned_data["amount"]
        if cents > MOST_CENTS:
            raise ValidationError(f"Enter {format_dollars(MOST_CENTS)} or less.")
        return cents

    def clean_number(self) -> str:
        """Letters, digits and hyphens."""
        number: str = self.cleaned_data["number"].strip()
        if not NUMBER.fullmatch(number):
            raise ValidationError("Enter the number in letters and digits, as it is printed.")
        return number

    def find_cents(self) -> int | None:
        """What was typed as its amount."""
        return self.cleaned_data.get("amount")


class CheckForm(PaperForm):
    """A check or money order as it was handed over, with the day of its deposit."""

    source = forms.ChoiceField(label="How it came", choices=BY_HAND, widget=forms.RadioSelect)
    deposit_on = forms.DateField(label="Deposited on", widget=forms.DateInput(attrs={"type": "date"}))


class SlipForm(forms.Form):
    """What a deposit slip says."""

    slip_cents = MoneyField(label="Total of the slip")
    slip_count = forms.IntegerField(label="Checks on the slip", min_value=1, max_value=MOST_CHECKS)
    deposit_on = forms.DateField(label="Deposited on", widget=forms.DateInput(attrs={"type": "date"}))
    source = forms.ChoiceField(label="How they came", choices=BY_HAND, widget=forms.RadioSelect)
    form_key = forms.UUIDField(widget=forms.HiddenInput)


class CloseForm(forms.Form):
    """The batch as it was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    form_key = forms.UUIDField(widget=forms.HiddenInput)


class UnableToReadAccount(ValueError):
    """What was typed names no one account; the text says so."""


def find_account(words: str) -> Account:
    """The account that was named: its number, a Member ID with health or dental, or the line of digits on a coupon.

    Raises UnableToReadAccount.
    """
    if len(re.sub(r"\D", "", words)) == SCAN_LINE:
        return _find_by_scan_line(words)
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


def _find_by_scan_line(words: str) -> Account:
    """The account whose bill the coupon is of, paid or replaced meanwhile or not."""
    try:
        line = read_scan_line(text=words)
    except UnableToReadScanLine as problem:
        raise UnableToReadAccount(str(problem)) from problem
    found = Account.objects.filter(
        invoices=int(line.invoice_number),
        enrollment__member__member_id=line.member_id,
        enrollment__plan__product=line.product,
    )
    account = found.select_related("enrollment__plan", "enrollment__member").first()
    if account is None:
        raise UnableToReadAccount("No bill has this line. Enter the Member ID with health or dental.")
    return account


def list_parts(shares: Sequence[Share]) -> dict[str, Any]:
    """What the boxes of the accounts begin with."""
    typed: dict[str, Any] = {}
    for number, share in enumerate(shares, start=1):
        typed |= {f"account_{number}": str(share.account_id), f"part_{number}": share.cents}
    return typed


def _list_parts() -> list[str]:
    return [f"{name}_{number}" for number in range(1, PARTS + 1) for name in ("account", "part")]
