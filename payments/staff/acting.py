"""The page of one act of staff's: what it will do to money and to dates, the reason, one button that names it.

A form key in the page makes it once, however often the button is pressed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import dateformat

from billing.balances import Standing, read_standings
from billing.models import Account
from connector_pay.lib.money import format_dollars
from members.models import EnrollmentStatus

LONGEST_WHY = 150
TEMPLATE = "admin/payments/act.html"
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
    """How some accounts would stand before and after: a table of its own for each; or why it cannot be done."""

    tables: Sequence[tuple[str, Sequence[Row]]] = ()
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
    seen = _describe(form) if form.is_bound and form.is_valid() else ""
    if seen and "act" in request.POST and (not needs_preview or request.POST.get("seen") == seen):
        try:
            done = act(form.cleaned_data)
        except refusals as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done.words if isinstance(done, Done) else done)
            return redirect(find_address(done.record if isinstance(done, Done) else page.back))
    can_preview = preview is not None and (not needs_preview or bool(seen))
    effect = preview(form.cleaned_data if seen else {}) if preview and can_preview else Effect()
    shown = {
        "page": page,
        "title": page.title,
        "form": form,
        "effect": effect,
        "seen": seen,
        "can_act": not effect.refusal and (not needs_preview or (bool(seen) and not form.errors)),
        "needs_preview": needs_preview,
        "back_url": find_address(page.back),
        "back_words": page.back
        if isinstance(page.back, Model)
        else str(page.back._meta.verbose_name_plural).capitalize(),
        "opts": page.back._meta,
    }
    return render(request, page.template, {**admin.site.each_context(request), **shown})


def preview_standings(
    *,
    act: Callable[[], object],
    account_ids: Iterable[int],
    refusals: tuple[type[Exception], ...],
    today: date,
) -> Effect:
    """How the accounts would stand: the act is done and taken back."""
    ids = sorted(set(account_ids))
    with transaction.atomic():
        before = read_standings(account_ids=ids, today=today)
        try:
            with transaction.atomic():
                act()
                after = read_standings(account_ids=ids, today=today)
        except refusals as refusal:
            return Effect(refusal=str(refusal))
        finally:
            transaction.set_rollback(True)
    names = _name_accounts(ids)
    return Effect(tables=[(names[key], list_rows(before[key], after[key])) for key in ids])


def list_rows(before: Standing, after: Standing) -> list[Row]:
    """What decides about an account, before and after."""
    return [
        ("Owed on its bills", format_dollars(before.due_cents), format_dollars(after.due_cents)),
        ("Of it past due", format_dollars(before.past_due_cents), format_dollars(after.past_due_cents)),
        ("Credit", format_dollars(before.credit_cents), format_dollars(after.credit_cents)),
        ("Next due date", _say_day(before.due_date), _say_day(after.due_date)),
        ("Coverage starts", _say_day(before.coverage_start), _say_day(after.coverage_start)),
        ("Coverage", _say_status(before), _say_status(after)),
    ]


def _name_accounts(account_ids: Sequence[int]) -> dict[int, str]:
    """Each by its number, its member and its plan."""
    accounts = Account.objects.filter(pk__in=account_ids)
    found = accounts.select_related("enrollment__member", "enrollment__plan")
    return {
        item.pk: f"account {item.pk}, {item.enrollment.member}, {item.enrollment.plan.name}" for item in found
    }


def _say_day(day: date | None) -> str:
    return dateformat.format(day, "F j, Y") if day else "none"


def _say_status(standing: Standing) -> str:
    return str(EnrollmentStatus(standing.enrollment_status).label)


def _describe(form: forms.Form) -> str:
    """What was typed, but for the reason, so that it is what was shown."""
    left_out = ("why", "form_key")
    return (
        " ".join(str(value) for name, value in sorted(form.cleaned_data.items()) if name not in left_out)
        or "-"
    )


def find_address(row: Model | type[Model]) -> str:
    """The address of a record's page, or of the list of its kind."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    return (
        reverse(f"{name}_change", args=[row.pk]) if isinstance(row, Model) else reverse(f"{name}_changelist")
    )
