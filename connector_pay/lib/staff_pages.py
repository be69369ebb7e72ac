"""Staff's pages of acting: the permission, what an act will do, the reason, one button that names it; pressed twice, done once.

`show_act` is the page of one act; `press` is a button of another page. Both ask the permission first, call the domain, and say in
words why something cannot be done. A form key in the page makes the act once: hand it on to the domain's unique key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

LONGEST_WHY = 150
TEMPLATE = "admin/act.html"
Row = tuple[str, str, str]


class WhyForm(forms.Form):
    """Why something is done; kept with it."""

    why = forms.CharField(
        label="Why",
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with what is done. Write no account number here.",
        error_messages={"required": "Say why"},
    )
    form_key = forms.UUIDField(widget=forms.HiddenInput)


@dataclass(frozen=True)
class Effect:
    """What an act would do: tables of how things stand and would stand, sentences beside them; or why it cannot be done."""

    tables: Sequence[tuple[str, Sequence[Row]]] = ()
    words: Sequence[str] = ()
    refusal: str = ""


@dataclass(frozen=True)
class Done:
    """What is said once it is done, and the record that it made."""

    words: str
    record: Model


@dataclass(frozen=True)
class Page:
    """What the page says: its title, the button, the facts of what it is about, and what will happen.

    `back` is the record, or the kind of record, that the page leads back to.
    """

    title: str
    button: str
    back: Model | type[Model]
    facts: Sequence[tuple[str, str]] = ()
    words: Sequence[str] = ()
    template: str = TEMPLATE


@dataclass(frozen=True)
class Deed:
    """Something this person may do now: its words, and its address."""

    words: str
    url: str


def require(request: HttpRequest, permission: str) -> None:
    """Whoever lacks the permission is refused."""
    if not request.user.has_perm(permission):
        raise PermissionDenied("You may not do this. Ask an administrator for the right to.")


def show_act(
    request: HttpRequest,
    page: Page,
    *,
    act: Callable[[Mapping[str, Any]], str | Done],
    refusals: tuple[type[Exception], ...],
    preview: Callable[[Mapping[str, Any]], Effect] | None = None,
    form_class: type[forms.Form] = WhyForm,
    needs_preview: bool = False,
    **form_options: Any,
) -> HttpResponse:
    """Show the act, and do it once its button is pressed; `act` returns what is said then.

    With `needs_preview` what is typed decides the effect: it is shown before it can be done.
    """
    initial = {"form_key": uuid4(), **form_options.pop("initial", {})}
    form = form_class(request.POST or None, initial=initial, **form_options)
    seen = describe_typed(form) if form.is_bound and form.is_valid() else ""
    if seen and "act" in request.POST and (not needs_preview or request.POST.get("seen") == seen):
        try:
            return _finish(request, page, done=act(form.cleaned_data))
        except refusals as refusal:
            form.add_error(None, str(refusal))
    can_preview = preview is not None and (not needs_preview or bool(seen))
    effect = preview(form.cleaned_data if seen else {}) if preview and can_preview else Effect()
    shown = {
        "page": page,
        "form": form,
        "effect": effect,
        "seen": seen,
        "can_act": not effect.refusal and (not needs_preview or (bool(seen) and not form.errors)),
        "needs_preview": needs_preview,
    }
    return render_page(request, page.template, title=page.title, back=page.back, **shown)


def press(
    request: HttpRequest, *, act: Callable[[], object], refusals: tuple[type[Exception], ...], said: str
) -> bool:
    """What a button does, said in words; whether it was done."""
    try:
        act()
    except refusals as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, said)
    return True


def render_page(
    request: HttpRequest, template: str, *, title: str, back: Model | type[Model], **shown: Any
) -> HttpResponse:
    """A page of the staff's side, with its title and the way back."""
    is_record = isinstance(back, Model)
    way = {
        "title": title,
        "list_url": find_address(back),
        "back_url": find_address(back),
        "back_words": back if is_record else str(back._meta.verbose_name_plural).capitalize(),
        "opts": back._meta,
    }
    return render(request, template, {**admin.site.each_context(request), **way, **shown})


def read_why(request: HttpRequest) -> str:
    """The reason typed beside a button, on one line."""
    return " ".join(request.POST.get("why", "").split())[:LONGEST_WHY]


def find_address(row: Model | type[Model]) -> str:
    """The address of a record's page, or of the list of its kind."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    if isinstance(row, Model):
        return reverse(f"{name}_change", args=[row.pk])
    return reverse(f"{name}_changelist")


def describe_typed(form: forms.Form) -> str:
    """What was typed, but for the reason: what was shown is what is done."""
    left_out = ("why", "form_key")
    typed = [str(value) for name, value in sorted(form.cleaned_data.items()) if name not in left_out]
    return " ".join(typed) or "-"


def _finish(request: HttpRequest, page: Page, *, done: str | Done) -> HttpResponse:
    messages.success(request, done.words if isinstance(done, Done) else done)
    return redirect(find_address(done.record if isinstance(done, Done) else page.back))
