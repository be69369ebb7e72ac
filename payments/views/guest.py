"""Paying as a guest: find the bill, then the same steps as a member; nothing of the account without the date of birth."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_network
from payments.channels.guest import (
    FoundBill,
    UnableToFindBill,
    UnableToLookUpPhone,
    find_bill,
    requires_date_of_birth,
    slow_down,
)
from payments.drafts import Chosen, Contents, ensure_session, start_draft
from payments.forms.finding import MISS, FindBillForm, UnseenAmountForm
from payments.models import PaymentChannel
from payments.payables import Payable, list_questions, read_in_progress
from payments.views.journey import AMOUNT, BANK, FIND, REVIEW, Journey, describe_step, see_other
from payments.views.pay import NUMBERS, show_amount
from payments.views.session import clear_computer
from payments.views.steps import show_bank, show_review, take_step


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Find your bill: the first step of a guest's payment."""
    at = clock.now()
    form, found = _look_up(request, at=at, initial={})
    if found is None:
        return _draw_find(request, form)
    contents = _describe_found(Contents(), found, form)
    draft = start_draft(user=None, session_digest=ensure_session(request), contents=contents, at=at)
    return see_other(reverse("guest_pay", args=[draft.pk, AMOUNT]))


@never_cache
@sensitive_post_parameters(*NUMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, draft: UUID, step: str) -> HttpResponse:
    """One step of a guest's payment."""
    at = clock.now()
    steps = {FIND: find_again, AMOUNT: choose_amount, BANK: show_bank, REVIEW: show_review}
    return take_step(request, draft_id=draft, step=step, steps=steps, channel=PaymentChannel.GUEST, at=at)


@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    """Clear this computer: the session ends, and with it what this browser may see. Members are signed out."""
    words = _("This computer is cleared. Nothing you typed or saw here can be opened again.")
    return clear_computer(request, words=words)


def find_again(journey: Journey) -> HttpResponse:
    """*Change* leads back to the first step; what was typed is kept, and so is the bank account."""
    contents = journey.contents
    initial = {"identifier": contents.identifier, "date_of_birth": contents.date_of_birth}
    form, found = _look_up(journey.request, at=journey.at, initial=initial)
    if found is None:
        return _draw_find(journey.request, form)
    journey.keep(_describe_found(contents, found, form))
    return journey.go(AMOUNT)


def choose_amount(journey: Journey) -> HttpResponse:
    """What is due, where it may be shown; else which bill and how much."""
    return show_amount(journey) if journey.contents.shows_account else _choose_unseen(journey)


def _look_up(
    request: HttpRequest, *, at: datetime, initial: dict[str, Any]
) -> tuple[FindBillForm, FoundBill | None]:
    strict = requires_date_of_birth()
    if request.method != "POST":
        return FindBillForm(initial=initial, requires_date_of_birth=strict), None
    form = FindBillForm(request.POST, requires_date_of_birth=strict)
    if not form.is_valid():
        return form, None
    try:
        found = find_bill(
            **form.cleaned_data,
            address=read_network(request) or "",
            today=clock.business_date(moment=at),
            at=at,
        )
    except UnableToFindBill:
        form.add_error("identifier", MISS)
    except UnableToLookUpPhone:
        form.add_error(
            "identifier", _("We cannot look up phone numbers right now. Use the 12-digit Member ID")
        )
    else:
        return form, found
    return form, None


def _describe_found(before: Contents, found: FoundBill, form: FindBillForm) -> Contents:
    """What is kept of the look-up; amounts typed for other accounts are not."""
    facts: dict[str, Any] = {
        "account_ids": found.account_ids,
        "shows_account": found.shows_account,
        "withheld": found.withheld,
        "person": found.person,
        "identifier": form.cleaned_data["identifier"],
        "bill_number": "",
        "date_of_birth": form.cleaned_data["date_of_birth"],
    }
    same = (before.account_ids, before.shows_account) == (found.account_ids, found.shows_account)
    forgotten: dict[str, Any] = {} if same else {"typed": {}, "chosen": (), "pay_on": None}
    return replace(before, **facts, **forgotten)


def _draw_find(request: HttpRequest, form: FindBillForm) -> HttpResponse:
    context = {"form": form, **describe_step(FIND, is_guest=True)}
    return render(request, "payments/guest_find.html", context)


def _choose_unseen(journey: Journey) -> HttpResponse:
    if journey.request.method != "POST":
        return _draw_unseen(journey, UnseenAmountForm(initial=dict(journey.contents.typed)))
    form = UnseenAmountForm(journey.request.POST)
    if not form.is_valid():
        return _draw_unseen(journey, form)
    form, payable = _find_unseen(journey, form)
    if payable is None:
        return _draw_unseen(journey, form)
    chosen = (Chosen(payable.account_id, form.cleaned_data["amount"]),)
    questions = list_questions(
        chosen=chosen,
        payables={payable.account_id: payable},
        shows_account=False,
        received_date=journey.today,
        in_progress=read_in_progress(account_ids=[item.account_id for item in chosen]),
        session_digest=journey.session_digest,
    )
    if form.ask_again(questions):
        return _draw_unseen(journey, form)
    journey.keep(replace(journey.contents, typed=form.typed, chosen=chosen, pay_on=None))
    return journey.go(BANK)


def _find_unseen(journey: Journey, form: UnseenAmountForm) -> tuple[UnseenAmountForm, Payable | None]:
    """The bill of the chosen product; where there are two the coverage year is asked, where there is none it is a miss."""
    product = form.cleaned_data["product"]
    slow_down(
        identifier=journey.contents.identifier,
        product=product,
        address=read_network(journey.request) or "",
        at=journey.at,
    )
    fitting = [payable for payable in journey.read_payables() if payable.product == product]
    if not fitting:
        form.add_error("product", MISS)
    if len(fitting) > 1:
        form = UnseenAmountForm(journey.request.POST, ask_among=fitting)
        wanted = form.cleaned_data.get("coverage") if form.is_valid() else None
        fitting = [payable for payable in fitting if payable.coverage == wanted]
    return form, fitting[0] if fitting else None


def _draw_unseen(journey: Journey, form: UnseenAmountForm) -> HttpResponse:
    return journey.show("payments/guest_amount.html", AMOUNT, form=form)
