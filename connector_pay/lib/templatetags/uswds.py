"""How a form's fields, its errors and a status are drawn with the U.S. Web Design System."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import forms, template
from django.forms.boundfield import BoundField
from django.template import Context
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from connector_pay.lib.form_fields import MemorableDateInput, MoneyInput

register = template.Library()

# The first row that fits says how a field is drawn: a narrower widget stands above the one it derives from.
KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (MemorableDateInput, "date"),
    (MoneyInput, "money"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
)
STATUS_TONES = {
    "Paid": "good",
    "Active": "good",
    "On": "good",
    "Scheduled": "waiting",
    "Processing": "waiting",
    "Payment processing": "waiting",
    "Waiting for first payment": "due",
    "Due": "due",
    "Past due": "bad",
    "Returned": "bad",
    "Stopped": "bad",
    "Paused": "due",
    "Ended": "off",
    "Canceled": "off",
    "Off": "off",
}


class Problem(NamedTuple):
    """One line of the error summary: the words, and the box to go to (empty when no single box is wrong)."""

    words: str
    target: str


@register.filter
def kind(field: BoundField) -> str:
    """Which drawing a field gets: date, money, radios, checkbox, checkboxes, select, textarea or text."""
    return next((name for widget, name in KINDS if isinstance(field.field.widget, widget)), "text")


@register.filter
def control(field: BoundField, css_class: str) -> SafeString:
    """The field's own box with a class of the design system beside its own classes."""
    own = field.field.widget.attrs.get("class", "")
    # Text inside an empty box is mistaken for an answer, so libraries' placeholders are left out.
    return field.as_widget(attrs={"class": f"{css_class} {own}".strip(), "placeholder": False})


@register.filter
def focus_id(field: BoundField) -> str:
    """The id of the box to go to when this field is wrong: the first choice, or the wrong part of a date."""
    widget_id = str(field.field.widget.attrs.get("id") or field.auto_id)
    drawn = kind(field)
    if drawn == "date":
        return f"{widget_id}_{list(MemorableDateInput.labels).index(wrong_part(field) or 'month')}"
    return f"{widget_id}_0" if drawn in {"radios", "checkboxes"} else widget_id


@register.filter
def wrong_part(field: BoundField) -> str:
    """Which of month, day and year the error of a date names; empty when none is named."""
    for error in field.errors.as_data():
        part = (error.params or {}).get("part", "")
        if part:
            return str(part)
    return ""


@register.filter
def status_tone(words: Any) -> str:
    """The tone (good, waiting, due, bad, off, info) of a public status word, in the reader's language."""
    tones = {gettext(word): tone for word, tone in STATUS_TONES.items()}
    return tones.get(str(words), "info")


@register.simple_tag
def collect_problems(*forms_or_lists: Any) -> list[Problem]:
    """Every error of the given forms, in the order of the page, in the words that stand beside the field."""
    return [problem for form in _flatten(forms_or_lists) for problem in _list_problems(form)]


@register.simple_tag(takes_context=True)
def error_prefix(context: Context) -> str:
    """ "Error: " before the title of a page whose form came back with errors, otherwise nothing."""
    values = list(context.flatten().values())
    return gettext("Error: ") if any(form.errors for form in _flatten(values)) else ""


@register.simple_block_tag
def written(content: str) -> str:
    """A part of the page, written before what stands above it: the header's switch asks it for a form that is typed into."""
    return content


@register.simple_tag(takes_context=True)
def keep_typed(context: Context) -> str:
    """After the language was switched, put what was typed back into the boxes, unchecked as it was; a card's number never."""
    typed = getattr(context.get("request"), "typed", None)
    for form in _flatten(context.flatten().values(), also_unsent=True) if typed is not None else ():
        if not getattr(form, "keeps_typed", True):
            continue
        hides = getattr(form, "hides", None)
        for name, field in form.fields.items():
            value = field.widget.value_from_datadict(typed, MultiValueDict(), form.add_prefix(name))
            if not field.widget.is_hidden and not (hides and hides(value)):
                form[name].initial = value
    return ""


def _flatten(values: Iterable[Any], *, also_unsent: bool = False) -> list[forms.BaseForm]:
    found: dict[int, forms.BaseForm] = {}
    for value in values:
        # By type, not isinstance: asking a lazy value (the CSRF token, the user) what it is would fetch it.
        for item in value if issubclass(type(value), list | tuple | forms.BaseFormSet) else [value]:
            if issubclass(type(item), forms.BaseForm) and (item.is_bound or also_unsent):
                found[id(item)] = item
    return list(found.values())


def _list_problems(form: forms.BaseForm) -> list[Problem]:
    problems = [Problem(str(words), "") for words in form.non_field_errors()]
    for name in form.fields:
        field = form[name]
        target = "" if field.is_hidden else focus_id(field)
        problems += [Problem(str(words), target) for words in field.errors]
    return problems
