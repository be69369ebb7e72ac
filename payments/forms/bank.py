"""The bank page: a saved account, or a name, a type, a routing number and an account number typed twice."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connector_pay.lib.form_fields import LONGEST_EMAIL, TYPED_NUMBER, HintedRadios
from payments.bank_accounts import BankDetails
from payments.bank_numbers import (
    UnableToUseBankAccount,
    check_account_number,
    check_holder_name,
    check_routing_number,
    looks_like_card,
)
from payments.models import AccountKind, BankAccount
from payments.saved_accounts import describe_account, find_last_good, name_account

NEW, KEEP, REPLACE = "new", "keep", "replace"
NUMBER = ("account_number", "confirm_account_number")
ORDER = ("source", "holder_name", "kind", "routing_number", "number_choice", *NUMBER)
LONGEST_ACCOUNT_NUMBER = 17
LONGEST_KEPT = 254
# An account number may hold letters, so phones show the whole keyboard for it.
TYPED_ACCOUNT = {**TYPED_NUMBER, "inputmode": "text", "autocapitalize": "characters"}
_DIGITS = re.compile(r"\d(?:[ -]?\d){4,}")


class BankForm(forms.Form):
    """Boxes that a saved account makes needless may stay empty; a card number is refused and never shown again.

    `known` is what was typed before: its number is offered as "Ending 6789: keep it". After a valid answer `details` is the
    account typed, or None where `saved_account_id` names a saved one.
    """

    holder_name = forms.CharField(
        label=gettext_lazy("Name on the account"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Type of account"),
        choices=AccountKind.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    routing_number = forms.CharField(
        label=gettext_lazy("Routing number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("9 digits, bottom left of your check"),
        widget=forms.TextInput(attrs=TYPED_NUMBER),
    )
    account_number = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=60,
        required=False,
        help_text=gettext_lazy(
            "Not the number on your debit card or deposit slip. Spaces and hyphens are fine."
        ),
        widget=forms.TextInput(attrs=TYPED_ACCOUNT),
    )
    confirm_account_number = forms.CharField(
        label=gettext_lazy("Confirm account number"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs=TYPED_ACCOUNT),
    )

    def __init__(
        self,
        *args: Any,
        saved: Sequence[BankAccount],
        known: BankDetails | None,
        is_guest: bool,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.known = known
        self.details: BankDetails | None = None
        if saved:
            self.fields["source"] = _choose_source(saved)
        if known:
            self.fields["number_choice"] = _choose_number(known)
        if is_guest:
            self.fields["receipt_email"] = _receipt_email()
        if self.data.get("not_a_card"):
            self._offer_the_way_out()
        self.order_fields(ORDER)

    @property
    def saved_account_id(self) -> int | None:
        """The saved account that was chosen."""
        source = self.cleaned_data.get("source", NEW)
        return int(source) if source != NEW else None

    def hides(self, typed: Any) -> bool:
        """Whether the page must not show this again, though nothing was checked: a card's number."""
        return looks_like_card(str(typed or ""))

    @property
    def half_typed(self) -> dict[str, str]:
        """The boxes as they are filled in, without the numbers of an account, and without a card's."""
        kept = {name: str(self.data.get(name, "")) for name in self.fields if name not in NUMBER}
        return {name: text[:LONGEST_KEPT] for name, text in kept.items() if text}

    def clean(self) -> dict[str, Any]:
        """Check what was typed, unless a saved account was chosen; every mistake is put beside its box."""
        cards = self._hide_cards()
        if self.cleaned_data.get("source", NEW) != NEW or "source" in self.errors:
            if any(self.cleaned_data.get(box) for box in NUMBER):
                self.add_error(
                    "source",
                    _("Choose “Use another account” to use the numbers you typed, or empty their boxes"),
                )
            return self.cleaned_data
        typed = self.cleaned_data
        name = self._check("holder_name", _check_name)
        if not typed.get("kind"):
            self.add_error("kind", _("Choose checking or savings"))
        if cards:
            self._refuse_card(cards)
            return typed
        routing = self._check("routing_number", check_routing_number)
        keeps = self.known is not None and typed.get("number_choice") == KEEP
        number = self._keep_number() if keeps else self._read_number()
        if not self.errors:
            not_a_card = self.known.not_a_card if self.known and keeps else bool(typed.get("not_a_card"))
            self.details = BankDetails(name, typed["kind"], routing, number, not_a_card)
        return typed

    def _keep_number(self) -> str:
        if any(self.cleaned_data.get(box) for box in NUMBER):
            self.add_error("account_number", _("Choose “Replace it” to use this number, or empty both boxes"))
        return self.known.account_number if self.known else ""

    def _read_number(self) -> str:
        number = self._check("account_number", check_account_number)
        again = _compact(self.cleaned_data.get("confirm_account_number", ""))
        if number and not again:
            self.add_error("confirm_account_number", _("Enter the same account number again"))
        elif number and again != number:
            self.add_error(
                "confirm_account_number", _("The two account numbers are not the same. Check both")
            )
        return number

    def _hide_cards(self) -> list[str]:
        """The boxes that hold a card's number, which the page does not show again; none where the payer says it is no card."""
        is_account = bool(self.cleaned_data.get("not_a_card"))
        boxes = ("routing_number",) if is_account else ("routing_number", *NUMBER)
        cards = [box for box in boxes if looks_like_card(self.data.get(box, ""))]
        if cards:
            self.data = {name: "" if name in cards else value for name, value in self.data.items()}
        return cards

    def _refuse_card(self, boxes: Sequence[str]) -> None:
        words = _(
            "That looks like a card number. We cannot take cards. Enter the number from the bottom of your check"
        )
        typed = _compact(self.cleaned_data.get("account_number", ""))
        self.add_error(boxes[0], words)
        if "account_number" in boxes and len(typed) <= LONGEST_ACCOUNT_NUMBER:
            self._offer_the_way_out()

    def _offer_the_way_out(self) -> None:
        self.fields["not_a_card"] = forms.BooleanField(
            label=_("This is a bank account number, not a card number"),
            help_text=_("Tick this box and type the number again."),
            required=False,
        )

    def _check(self, box: str, check: Any) -> str:
        """What the check makes of the box; its words beside the box where it refuses."""
        if box in self.errors:
            return ""
        try:
            return str(check(self.cleaned_data.get(box, "")))
        except UnableToUseBankAccount as refusal:
            self.add_error(box, str(refusal))
            return ""


def _check_name(text: str) -> str:
    name = check_holder_name(text)
    if not any(letter.isalpha() for letter in name) or _DIGITS.search(name):
        raise UnableToUseBankAccount(_("Enter the name on the account, as your bank writes it"))
    return name


def _choose_source(saved: Sequence[BankAccount]) -> forms.ChoiceField:
    choices = [(str(account.pk), name_account(account)) for account in saved]
    hints = {str(account.pk): describe_account(account) for account in saved}
    return forms.ChoiceField(
        label=_("Pay from"),
        choices=[*choices, (NEW, _("Use another account"))],
        widget=HintedRadios(hints=hints),
        initial=str(find_last_good(accounts=saved) or NEW),
        error_messages={"required": _("Choose the account to pay from")},
    )


def _choose_number(known: BankDetails) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("The account number you typed before"),
        choices=[(KEEP, _("Ending %s: keep it") % known.last_four), (REPLACE, _("Replace it"))],
        widget=forms.RadioSelect,
        initial=KEEP,
        required=False,
    )


def _receipt_email() -> forms.EmailField:
    return forms.EmailField(
        label=_("Email for your receipt (optional)"),
        max_length=LONGEST_EMAIL,
        required=False,
        error_messages={
            "invalid": _("Enter an email address, like name@example.com, or leave it empty"),
            "max_length": _("Enter a shorter email address, or leave it empty"),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


def _compact(text: str) -> str:
    return re.sub(r"[\s.\-‐‑–—/]", "", text).upper()
