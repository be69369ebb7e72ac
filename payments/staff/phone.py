"""A payment taken by one of the staff while the caller is on the line: what to ask, what to read aloud, the caller's yes."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from billing.accounts import list_accounts_of_member
from billing.balances import read_standings
from billing.models import Account
from connector_pay.lib import clock
from connector_pay.lib.form_fields import MoneyField
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import find_address, require
from members.models import User
from payments.bank_numbers import UnableToUseBankAccount
from payments.channels.caller import Call, Reading, prepare_readings, take_payment
from payments.confirmation import format_number
from payments.drafts import (
    Chosen,
    Contents,
    Draft,
    UnableToFindDraft,
    discard_draft,
    ensure_session,
    find_draft,
    read_session_digest,
    start_draft,
)
from payments.forms.bank import BankForm
from payments.models import Payment
from payments.payables import Payable, list_payables, list_questions, read_in_progress
from payments.recording import UnableToRecord, find_recorded
from payments.review import UnableToReadReview, read_review, sign_review
from payments.tasks import wake_validation

MAY_TAKE = "payments.take_phone_payment"
NUMBERS = ("routing_number", "account_number", "confirm_account_number")
TOO_LONG = "This page was open too long. Read the words once more."


class AmountsForm(forms.Form):
    """How much for each bill; what is due stands there already."""

    def __init__(self, *args: Any, payables: Sequence[Payable], asked: int, **options: Any) -> None:
        super().__init__(*args, **options)
        for item in payables:
            due = item.standing.due_cents
            self.fields[f"amount_{item.account_id}"] = MoneyField(
                label=f"Amount for {item.label.lower()}",
                required=False,
                initial=due if item.account_id == asked and due else None,
                help_text=f"{format_dollars(due)} is due. Leave it empty to pay nothing here.",
            )
        self.fields["language"] = forms.ChoiceField(
            label="Language of the call",
            choices=[("en", "English"), ("es", "Spanish")],
            widget=forms.RadioSelect,
            initial="en",
        )

    def clean(self) -> dict[str, Any]:
        """At least one bill; what was chosen stands in `chosen`."""
        typed = super().clean() or {}
        typed["chosen"] = tuple(
            Chosen(int(name.removeprefix("amount_")), cents)
            for name, cents in sorted(typed.items())
            if name.startswith("amount_") and cents
        )
        if not typed["chosen"] and not self.errors:
            self.add_error(None, "Enter an amount for one bill or more.")
        return typed


class YesForm(forms.Form):
    """The caller's yes."""

    said_yes = forms.BooleanField(
        label="The caller said yes",
        error_messages={"required": "Tick “The caller said yes” once the caller has said so"},
    )
    token = forms.CharField(widget=forms.HiddenInput)


@never_cache
@sensitive_post_parameters(*NUMBERS)
@require_http_methods(["GET", "POST"])
def take(request: HttpRequest, account_id: int) -> HttpResponse:
    """What to ask the caller: for which bills, from which bank account, in whose name."""
    require(request, MAY_TAKE)
    at = clock.now()
    accounts = Account.objects.select_related("enrollment__member")
    account = get_object_or_404(accounts, pk=account_id)
    account_ids = list_accounts_of_member(member_pk=account.enrollment.member_id)
    payables = list_payables(account_ids=account_ids, today=clock.business_date(moment=at))
    amounts = AmountsForm(request.POST or None, payables=payables, asked=account_id)
    bank = BankForm(request.POST or None, saved=[], known=None, is_guest=True)
    bank.fields["receipt_email"].label = "Email of a caller who is not the member"
    bank.fields["receipt_email"].help_text = "Leave it empty where the member is calling."
    if request.method == "POST" and all([amounts.is_valid(), bank.is_valid()]):
        contents = Contents(
            account_ids=tuple(account_ids),
            chosen=amounts.cleaned_data["chosen"],
            bank=bank.details,
            receipt_email=bank.cleaned_data.get("receipt_email", ""),
            identifier=str(account_id),
            typed={"language": amounts.cleaned_data["language"]},
        )
        user, digest = cast("User", request.user), ensure_session(request)
        draft = start_draft(user=user, session_digest=digest, contents=contents, at=at)
        return redirect("admin:payments_payment_phone_read", draft.pk)
    member = account.enrollment.member
    shown = {
        "title": "Take a payment by phone",
        "forms": [amounts, bank],
        "member": member,
        "payables": payables,
    }
    return _render(request, "admin/payments/phone.html", shown, account=account)


@never_cache
@require_http_methods(["GET", "POST"])
def read_aloud(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """What to read to the caller; once the caller has said yes, the payment."""
    require(request, MAY_TAKE)
    at = clock.now()
    user, digest = cast("User", request.user), read_session_digest(request)
    try:
        draft = find_draft(draft_id=draft_id, user=user, session_digest=digest, at=at)
    except UnableToFindDraft:
        messages.error(request, "This call took too long, and what was typed is gone. Begin again.")
        return redirect("admin:billing_account_changelist")
    if draft.contents.recorded:
        return _lead_to(request, find_recorded(form_key=draft.form_key))
    form = YesForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            return _lead_to(request, _record(request, draft, token=form.cleaned_data["token"]))
        except (UnableToRecord, UnableToUseBankAccount) as refusal:
            form.add_error(None, str(refusal))
    return _draw(request, draft, form)


def _record(request: HttpRequest, draft: Draft, *, token: str) -> list[Payment]:
    """Raises UnableToRecord, UnableToUseBankAccount."""
    try:
        shown = read_review(token=token, draft_id=draft.id)["items"]
    except UnableToReadReview as problem:
        raise UnableToRecord(TOO_LONG) from problem
    at = clock.now()
    payments = take_payment(
        call=_read_call(draft.contents),
        shown=shown,
        by=cast("User", request.user),
        beside=draft.contents.account_ids,
        form_key=draft.form_key,
        today=clock.business_date(moment=at),
        at=at,
    )
    discard_draft(draft=draft)
    wake_validation(uses=payments)
    return payments


def _draw(request: HttpRequest, draft: Draft, form: YesForm) -> HttpResponse:
    contents, today = draft.contents, clock.today()
    standings = read_standings(account_ids=contents.account_ids, today=today)
    readings: list[Reading] = []
    try:
        readings = prepare_readings(call=_read_call(contents), standings=standings, today=today)
    except UnableToRecord as refusal:
        messages.error(request, str(refusal))
    errors = [*form.non_field_errors(), *form.errors.get("said_yes", [])]
    total = sum(reading.amount_cents for reading in readings)
    shown = {
        "title": "Read this to the caller",
        "form": YesForm(initial={"token": sign_review(draft=draft, items=readings)}),
        "errors": errors,
        "readings": readings,
        "questions": _list_questions(contents),
        "button": f"Record {format_dollars(total)}",
        "email": contents.receipt_email,
    }
    account = get_object_or_404(Account, pk=int(contents.identifier))
    return _render(request, "admin/payments/phone_read.html", shown, account=account)


def _list_questions(contents: Contents) -> list[str]:
    today = clock.today()
    payables = {
        item.account_id: item for item in list_payables(account_ids=contents.account_ids, today=today)
    }
    return list_questions(
        chosen=contents.chosen,
        payables=payables,
        shows_account=True,
        received_date=today,
        in_progress=read_in_progress(account_ids=[item.account_id for item in contents.chosen]),
        session_digest="",
    )


def _read_call(contents: Contents) -> Call:
    if contents.bank is None:
        raise UnableToRecord(TOO_LONG)
    return Call(
        amounts={item.account_id: item.amount_cents for item in contents.chosen},
        bank=contents.bank,
        language=str(contents.typed["language"]),
        email=contents.receipt_email,
    )


def _lead_to(request: HttpRequest, payments: Sequence[Payment]) -> HttpResponse:
    numbers = " and ".join(format_number(payment.confirmation_number) for payment in payments)
    messages.success(request, f"Recorded. Read the confirmation number to the caller: {numbers}.")
    return redirect(find_address(payments[0]))


def _render(request: HttpRequest, template: str, shown: dict[str, Any], *, account: Account) -> HttpResponse:
    back = {
        "back_url": reverse("admin:billing_account_change", args=[account.pk]),
        "back_words": str(account),
    }
    return render(request, template, {**admin.site.each_context(request), **back, **shown})
