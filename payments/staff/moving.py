"""Received money moved to the right account, or dated as it came, on the staff's side: both sides shown before it is done."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import corrections
from billing.corrections import NewCorrection, UnableToCorrect
from billing.models import CorrectionKind, CorrectionStatus, Receipt
from billing.receipt_changes import Decision, NewPlace, UnableToChangeReceipt, change_receipts
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import Done, Effect, Page, WhyForm, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.moving import UnableToMoveMoney, move_money
from payments.received_dates import NOT_THIS, may_be_corrected
from payments.staff.check_forms import UnableToReadAccount, find_account
from payments.staff.previews import preview_standings

MAY_MOVE, MAY_CHANGE_DATE = "payments.move_payment", "payments.change_received_date"


class MoveForm(WhyForm):
    """The account that the money was meant for."""

    account = forms.CharField(
        label="The right account",
        max_length=40,
        help_text="Its number, or the Member ID with health or dental, like 003456789012 dental.",
        error_messages={"required": "Name the account that this money was meant for"},
    )
    field_order = ("account", "why")

    def clean_account(self) -> int:
        """Its key."""
        try:
            return find_account(self.cleaned_data["account"]).pk
        except UnableToReadAccount as problem:
            raise ValidationError(str(problem)) from problem


class DateForm(WhyForm):
    """The day on which it was received."""

    received_date = forms.DateField(
        label="Received on",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Enter the day on which it was received"},
    )
    field_order = ("received_date", "why")


@require_http_methods(["GET", "POST"])
@never_cache
def move(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """Move received money to the account it was meant for."""
    require(request, MAY_MOVE)
    receipt = _find(receipt_id)

    def act(typed: Mapping[str, Any]) -> str:
        move_money(
            receipt_id=receipt_id,
            account_id=typed["account"],
            decision=_decide(request, typed),
            today=clock.today(),
            at=clock.now(),
        )
        return "Moved, its received date kept. Both members are told."

    def preview(typed: Mapping[str, Any]) -> Effect:
        accounts = [receipt.account_id, typed["account"]]
        return preview_standings(
            act=lambda: act(typed), account_ids=accounts, refusals=(UnableToMoveMoney,), today=clock.today()
        )

    return show_act(
        request,
        _describe_moving(receipt),
        act=act,
        refusals=(UnableToMoveMoney,),
        preview=preview,
        form_class=MoveForm,
        needs_preview=True,
    )


@require_http_methods(["GET", "POST"])
@never_cache
def correct_received_date(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """Correct the day on which a check, or a payment by phone, was received."""
    require(request, MAY_CHANGE_DATE)
    receipt = _find(receipt_id)

    def act(typed: Mapping[str, Any]) -> str | Done:
        correction = corrections.ask(
            new=_describe(receipt, typed),
            why=typed["why"],
            form_key=typed["form_key"],
            by=cast("User", request.user),
            today=clock.today(),
            at=clock.now(),
        )
        if correction.status == CorrectionStatus.ASKED:
            return Done("Asked for. Another person must approve it.", correction)
        return "Corrected. The member is told."

    def preview(typed: Mapping[str, Any]) -> Effect:
        if not may_be_corrected(receipt=receipt):
            return Effect(refusal=NOT_THIS)
        place = NewPlace(receipt.pk, receipt.account_id, typed["received_date"])
        today, at = clock.today(), clock.now()
        return preview_standings(
            act=lambda: change_receipts(places=[place], decision=_decide(request, typed), today=today, at=at),
            account_ids=[receipt.account_id],
            refusals=(UnableToChangeReceipt,),
            today=today,
        )

    return show_act(
        request,
        _describe_correcting(receipt),
        act=act,
        refusals=(UnableToCorrect,),
        preview=preview,
        form_class=DateForm,
        needs_preview=True,
        initial={"received_date": receipt.received_date},
    )


def _describe_moving(receipt: Receipt) -> Page:
    return Page(
        title="Move this money to another account",
        button="Move this money",
        back=receipt,
        facts=_list_facts(receipt),
        words=[
            f"It counts as received on {long_date(receipt.received_date)} as before, on the right account.",
            "The bills it paid are open again. Starts of coverage and past due bills of both accounts are worked out anew.",
            "Both members are told, each of their own bill alone.",
        ],
    )


def _describe_correcting(receipt: Receipt) -> Page:
    return Page(
        title="Correct the received date",
        button="Correct the date",
        back=receipt,
        facts=_list_facts(receipt),
        words=[
            "Whether it came in time is decided anew, and so is the start of coverage. The member is told.",
            "Moved back across a due date, the 23rd of a month or the account's own, another person must approve it.",
        ],
    )


def _find(receipt_id: int) -> Receipt:
    receipts = Receipt.objects.select_related("account__enrollment__member", "account__enrollment__plan")
    return get_object_or_404(receipts, pk=receipt_id)


def _describe(receipt: Receipt, typed: Mapping[str, Any]) -> NewCorrection:
    return NewCorrection(
        kind=CorrectionKind.RECEIVED_DATE,
        account_id=receipt.account_id,
        receipt_id=receipt.pk,
        new_date=typed["received_date"],
    )


def _decide(request: HttpRequest, typed: Mapping[str, Any]) -> Decision:
    return Decision(by=cast("User", request.user), why=typed["why"], form_key=typed["form_key"])


def _list_facts(receipt: Receipt) -> list[tuple[str, str]]:
    enrollment = receipt.account.enrollment
    return [
        ("Money", f"{format_dollars(receipt.cents)}, {receipt.reference}"),
        ("Counts for", f"{enrollment.member}, {enrollment.plan.name}"),
        ("Account", str(receipt.account_id)),
        ("Received", long_date(receipt.received_date)),
        ("Final", long_date(receipt.cleared_on) if receipt.cleared_on else "not yet"),
    ]
