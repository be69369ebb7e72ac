"""Form fields for what people type: a date in three boxes, and dollars with or without the sign."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connector_pay.lib.money import UnableToReadMoney, format_dollars, read_dollars

# What a number box needs so that phones show digits and browsers neither correct nor remember what was typed.
TYPED_NUMBER = {"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}
LONGEST_AMOUNT = 16
LONGEST_EMAIL = 254  # of any email that can be delivered, and of every column that keeps one


class MoneyInput(forms.TextInput):
    """A text box for dollars, shown with a dollar sign before it."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({**TYPED_NUMBER, "inputmode": "decimal", **(attrs or {})})


class MoneyField(forms.Field):
    """An amount in dollars as people type it ("$1,284.17", "1284"), handed on as whole cents.

    `least_cents` is the smallest amount accepted, one cent unless said otherwise. An amount that can be read
    in two ways ("1,28", "1284.1") is refused, never guessed.
    """

    widget = MoneyInput
    default_error_messages = {
        "required": _("Enter an amount, like 284.17"),
        "unreadable": _("Enter the amount in dollars and cents, like 284.17"),
        "too_small": _("Enter an amount of at least %(least)s"),
        "too_long": _("Enter a smaller amount"),
    }

    def __init__(self, *, least_cents: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.least_cents = least_cents

    def to_python(self, value: Any) -> int | None:
        """Cents for what was typed, None for an empty box."""
        typed = str(value or "").strip()
        if not typed:
            return None
        if len(typed) > LONGEST_AMOUNT:
            raise ValidationError(self.error_messages["too_long"], code="too_long")
        try:
            return read_dollars(typed)
        except UnableToReadMoney:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable") from None

    def validate(self, value: int | None) -> None:
        """Refuse an empty box where an amount is needed, and less than the least."""
        super().validate(value)
        if value is not None and value < self.least_cents:
            params = {"least": format_dollars(self.least_cents)}
            raise ValidationError(self.error_messages["too_small"], code="too_small", params=params)

    def prepare_value(self, value: Any) -> Any:
        """Cents become dollars for the box; what a person typed stays as it was."""
        return format_dollars(value).removeprefix("$") if isinstance(value, int) else value


class HintedRadios(forms.RadioSelect):
    """Radios with a hint under some of them: read after the label, and no part of it."""

    def __init__(self, *, hints: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.hints = hints

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Django's own, pointing at its hint."""
        option = super().create_option(*args, **options)
        hint = self.hints.get(str(option["value"]), "")
        if hint and "id" in option["attrs"]:
            option |= {"hint": hint, "hint_id": f"{option['attrs']['id']}_hint"}
            option["attrs"]["aria-describedby"] = option["hint_id"]
        return option


class MemorableDateInput(forms.MultiWidget):
    """Three text boxes, Month, Day and Year, each with its own label."""

    use_fieldset = True
    labels = {"month": _("Month"), "day": _("Day"), "year": _("Year")}

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({part: forms.TextInput(dict(TYPED_NUMBER)) for part in self.labels}, attrs)

    def decompress(self, value: Any) -> list[Any]:
        """A date becomes the text of its three boxes."""
        return (
            [str(value.month), str(value.day), str(value.year)]
            if isinstance(value, date)
            else [None, None, None]
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Django's own, with the part's name and label beside each box."""
        context = super().get_context(name, value, attrs)
        for subwidget, (part, label) in zip(
            context["widget"]["subwidgets"], self.labels.items(), strict=True
        ):
            subwidget |= {"part": part, "label": label}
        return context


class MemorableDateField(forms.Field):
    """A date a person knows by heart, typed as month, day and four-digit year.

    Empty boxes are no date. The error names the box to mend in its `part`, so that a page can lead there.
    """

    widget = MemorableDateInput
    default_error_messages = {
        "required": _("Enter the month, day and year"),
        "missing": _("Enter the month, day and year, or leave all three empty"),
        "month": _("Enter the month as a number from 1 to 12"),
        "day": _("Enter the day as a number from 1 to 31"),
        "year": _("Enter the year with 4 digits, like 1986"),
        "unreal": _("Check the day: that month does not have it"),
    }
    bounds = {"month": (1, 12), "day": (1, 31), "year": (1000, 9999)}

    def to_python(self, value: Any) -> date | None:
        """The date of the three boxes, None when all are empty."""
        if value is None or isinstance(value, date):
            return value
        typed = dict(zip(self.bounds, (str(part or "").strip() for part in value), strict=True))
        if not any(typed.values()):
            return None
        year, month, day = (self._read_part(part, typed) for part in ("year", "month", "day"))
        try:
            return date(year, month, day)
        except ValueError:
            raise self._refuse("unreal", part="day") from None

    def _read_part(self, part: str, typed: dict[str, str]) -> int:
        if not all(typed.values()):
            first_empty = next(name for name, text in typed.items() if not text)
            raise self._refuse("required" if self.required else "missing", part=first_empty)
        low, high = self.bounds[part]
        number = int(typed[part]) if re.fullmatch(r"[0-9]{1,4}", typed[part]) else 0
        if not low <= number <= high:
            raise self._refuse(part, part=part)
        return number

    def _refuse(self, code: str, *, part: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params={"part": part})
