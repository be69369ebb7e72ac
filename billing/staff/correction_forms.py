"""The forms with which staff ask for a correction: which month, how much, until when, and why; and of an outage."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.corrections import NewCorrection
from billing.due_dates import first_of_month, next_month
from billing.models import Account, CorrectionKind, StartDecision
from connector_pay.lib.clock import EASTERN
from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.staff_pages import WhyForm

MONTHS_AHEAD, MOST_MONTHS = 3, 36
Typed = Mapping[str, Any]


def list_months(*, account: Account, today: date) -> list[date]:
    """The coverage months of an account, up to some to come; the latest first."""
    enrollment = account.enrollment
    month, months = first_of_month(enrollment.requested_start), []
    last = max(next_month(today, count=MONTHS_AHEAD), month)
    while month <= min(last, enrollment.ends_on or last):
        months.append(month)
        month = next_month(month)
    return months[-MOST_MONTHS:][::-1]


def name_months(months: list[date]) -> list[tuple[str, str]]:
    """The months as choices."""
    return [(month.isoformat(), f"{month:%B %Y}") for month in months]


def make_day_field(label: str, *, help_text: str = "", required: bool = True) -> forms.DateField:
    """A day typed like 2027-01-31."""
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text or "Like 2027-01-31.",
        widget=forms.DateInput(attrs={"autocomplete": "off", "size": "12"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"required": "Enter a day like 2027-01-31", "invalid": "Enter a day like 2027-01-31"},
    )


class MonthForm(WhyForm):
    """What is asked for a coverage month."""

    month = forms.TypedChoiceField(label="Coverage month", coerce=date.fromisoformat)
    field_order: tuple[str, ...] = ("month",)

    def __init__(self, *args: Any, months: list[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("month", "last_month"):
            if name in self.fields:
                self.fields[name].choices = name_months(months)  # type: ignore[attr-defined]  # a ChoiceField's own


class AdjustForm(MonthForm):
    """Dollars taken off a month, or put on it."""

    way = forms.ChoiceField(
        label="What to do",
        choices=[("off", "Take off the month"), ("on", "Put on the month")],
        widget=forms.RadioSelect,
        initial="off",
    )
    amount = MoneyField(label="Amount", help_text="Dollars and cents, like 50.00.")
    field_order = ("month", "way", "amount", "why")

    @staticmethod
    def read(typed: Typed, *, account_id: int) -> NewCorrection:
        """What it asks for."""
        cents = typed["amount"] if typed["way"] == "on" else -typed["amount"]
        return NewCorrection(
            CorrectionKind.ADJUSTMENT, account_id=account_id, month=typed["month"], cents=cents
        )


class WaiveForm(MonthForm):
    """All or part of some months, from the day on which the member asked."""

    month = forms.TypedChoiceField(label="First month", coerce=date.fromisoformat)
    last_month = forms.TypedChoiceField(label="Last month", coerce=date.fromisoformat)
    way = forms.ChoiceField(
        label="How much",
        choices=[("whole", "All that is left of each month"), ("part", "This much of each month")],
        widget=forms.RadioSelect,
        initial="whole",
    )
    amount = MoneyField(label="Amount of each month", required=False, help_text="Only for part of a month.")
    asked_on = make_day_field(
        "Asked for on", help_text="The day the member asked. The waiver counts from it. Like 2027-01-20."
    )
    field_order = ("month", "last_month", "way", "amount", "asked_on", "why")

    def clean(self) -> dict[str, Any]:
        """Part of a month needs its amount."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        if typed.get("way") == "part" and "amount" in typed and not typed["amount"]:
            raise ValidationError({"amount": "Enter an amount, like 50.00"})
        return typed

    @staticmethod
    def read(typed: Typed, *, account_id: int) -> NewCorrection:
        """What it asks for."""
        is_whole = typed["way"] == "whole"
        return NewCorrection(
            CorrectionKind.WAIVER,
            account_id=account_id,
            month=typed["month"],
            last_month=typed["last_month"],
            is_whole=is_whole,
            cents=0 if is_whole else -typed["amount"],
            asked_on=typed["asked_on"],
        )


class DueDateForm(MonthForm):
    """A later due date of a month."""

    new_date = make_day_field("New due date", help_text="A later day than it has now. Like 2027-01-31.")
    field_order = ("month", "new_date", "why")

    @staticmethod
    def read(typed: Typed, *, account_id: int | None) -> NewCorrection:
        """What it asks for: of one account, or of everyone."""
        kind = CorrectionKind.MONTH_DUE_DATE if account_id is None else CorrectionKind.DUE_DATE
        return NewCorrection(kind, account_id=account_id, month=typed["month"], new_date=typed["new_date"])


class StartForm(WhyForm):
    """Where coverage starts."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=StartDecision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one"},
    )
    field_order = ("decision", "why")


class OutageForm(forms.Form):
    """When people could not pay, why, and what everyone may read of it."""

    began_at = forms.CharField(label="From (Eastern)", max_length=16, help_text="Like 2027-01-23 20:00.")
    ended_at = forms.CharField(label="To (Eastern)", max_length=16, help_text="Like 2027-01-24 01:30.")
    what = forms.CharField(
        label="What was down",
        max_length=180,
        help_text="For staff.",
        error_messages={"required": "Say what was down"},
    )
    public_words = forms.CharField(
        label="Public words",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What everyone may read on the front page, in short plain sentences.",
        error_messages={"required": "Say what everyone may read"},
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def clean_began_at(self) -> datetime:
        """The moment it began."""
        return _read_moment(self.cleaned_data["began_at"], is_end=False)

    def clean_ended_at(self) -> datetime:
        """The moment it was over."""
        return _read_moment(self.cleaned_data["ended_at"], is_end=True)


def _read_moment(typed: str, *, is_end: bool) -> datetime:
    """A moment typed as Eastern time. Of an hour that comes twice in autumn, what gives more time."""
    try:
        moment = datetime.strptime(typed.strip(), "%Y-%m-%d %H:%M")  # noqa: DTZ007  it is Eastern
    except ValueError:
        raise ValidationError("Enter a day and a time like 2027-01-23 20:00") from None
    return moment.replace(tzinfo=EASTERN, fold=int(is_end)).astimezone(UTC)
