"""What staff do with one payment: cancel it, keep it out of bank files, release it; each with what it does and a reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.models import Receipt
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import Effect, Page, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.canceling import UnableToCancel, cancel_payment
from payments.confirmation import format_number
from payments.holding import UnableToHold, hold_payment, release_payment
from payments.models import Payment, PaymentStatus
from payments.staff.moving import MAY_MOVE, correct_received_date, move
from payments.staff.notices import resend
from payments.staff.phone import read_aloud, take
from payments.staff.previews import preview_standings

MAY_CANCEL, MAY_HOLD = "payments.cancel_payment", "payments.hold_payment"


@dataclass(frozen=True)
class Deed:
    """Something this person may do now: its words, and its address."""

    words: str
    url: str


def list_urls(*, wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of what staff do with a payment."""
    return [
        path("<int:payment_id>/cancel/", wrap(cancel), name="payments_payment_cancel"),
        path("<int:payment_id>/hold/", wrap(hold), name="payments_payment_hold"),
        path("<int:payment_id>/release/", wrap(release), name="payments_payment_release"),
        path("money/<int:receipt_id>/move/", wrap(move), name="payments_payment_move"),
        path(
            "money/<int:receipt_id>/received-date/",
            wrap(correct_received_date),
            name="payments_payment_received_date",
        ),
        path("notice/<int:notice_id>/resend/", wrap(resend), name="payments_notice_resend"),
        path("phone/<int:account_id>/", wrap(take), name="payments_payment_phone"),
        path("phone/read/<uuid:draft_id>/", wrap(read_aloud), name="payments_payment_phone_read"),
    ]


def list_deeds(payment: Payment, *, request: HttpRequest) -> list[Deed]:
    """What this person may do with the payment as it stands."""
    is_unsent = payment.status == PaymentStatus.RECORDED
    deeds = [
        (is_unsent, MAY_CANCEL, "Cancel this payment", "cancel"),
        (is_unsent and not payment.is_held, MAY_HOLD, "Hold this payment", "hold"),
        (is_unsent and payment.is_held, MAY_HOLD, "Release this payment", "release"),
    ]
    found = [
        Deed(words, reverse(f"admin:payments_payment_{name}", args=[payment.pk]))
        for is_possible, permission, words, name in deeds
        if is_possible and request.user.has_perm(permission)
    ]
    receipt = Receipt.objects.filter(reference=payment.reference, taken_back_on=None).first()
    if receipt and request.user.has_perm(MAY_MOVE):
        found.append(
            Deed("Move to another account", reverse("admin:payments_payment_move", args=[receipt.pk]))
        )
    return found


@require_http_methods(["GET", "POST"])
@never_cache
def cancel(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Cancel a payment that is not yet in a bank file."""
    require(request, MAY_CANCEL)
    payment = find_payment(payment_id)
    today, at = clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> str:
        why = f"by {request.user.get_username()}: {typed.get('why') or 'a preview'}"
        if Payment.objects.get(pk=payment_id).status != PaymentStatus.CANCELED:  # pressed twice
            cancel_payment(payment_id=payment_id, today=today, at=at, why=why)
        return "Canceled. No money will be taken, and the member is told."

    def preview(typed: Mapping[str, Any]) -> Effect:
        return preview_standings(
            act=lambda: act({}),
            account_ids=[payment.account_id],
            refusals=(UnableToCancel,),
            today=today,
        )

    page = Page(
        title="Cancel this payment",
        button="Cancel this payment",
        back=payment,
        facts=list_facts(payment),
        words=[
            "No money will be taken. The payment counts as never received, and its bills are open again.",
            "The member is told at once.",
        ],
    )
    return show_act(request, page, act=act, refusals=(UnableToCancel,), preview=preview)


@require_http_methods(["GET", "POST"])
@never_cache
def hold(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Keep a payment out of bank files."""
    require(request, MAY_HOLD)
    payment = find_payment(payment_id)

    def act(typed: Mapping[str, Any]) -> str:
        by, today, at = cast("User", request.user), clock.today(), clock.now()
        hold_payment(payment_id=payment_id, by=by, today=today, at=at, **typed)
        return "On hold. It goes into no bank file until it is released."

    page = Page(
        title="Hold this payment",
        button="Hold this payment",
        back=payment,
        facts=list_facts(payment),
        words=[
            "It goes into no bank file until somebody releases it. It can still be canceled.",
            f"It counts as received on {long_date(payment.received_date)} as before: no bill and no start of coverage changes.",
            "The member sees the same status as before, and is told nothing.",
        ],
    )
    return show_act(request, page, act=act, refusals=(UnableToHold,))


@require_http_methods(["GET", "POST"])
@never_cache
def release(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Let a payment on hold go out."""
    require(request, MAY_HOLD)
    payment = find_payment(payment_id)

    def act(typed: Mapping[str, Any]) -> str:
        if Payment.objects.get(pk=payment_id).is_held or not payment.holds.exists():  # pressed twice
            by = cast("User", request.user)
            release_payment(payment_id=payment_id, by=by, why=typed["why"], at=clock.now())
        return "Released. It goes into the next bank file once its day has come."

    page = Page(
        title="Release this payment",
        button="Release this payment",
        back=payment,
        facts=[
            *list_facts(payment),
            *((f"Held by {item.held_by}", item.why) for item in payment.holds.filter(released_at=None)),
        ],
        words=[
            "It goes into the next bank file, if its bank account is validated and its day has come.",
            f"It counts as received on {long_date(payment.received_date)} as before.",
        ],
    )
    return show_act(request, page, act=act, refusals=(UnableToHold,))


def find_payment(payment_id: int) -> Payment:
    """The payment with its people, or page not found."""
    payments = Payment.objects.select_related(
        "account__enrollment__member", "account__enrollment__plan", "bank_account"
    )
    return get_object_or_404(payments, pk=payment_id)


def list_facts(payment: Payment) -> list[tuple[str, str]]:
    """What the page says of the payment."""
    enrollment = payment.account.enrollment
    return [
        ("Payment", format_number(payment.confirmation_number)),
        ("Member", str(enrollment.member)),
        ("Plan", enrollment.plan.name),
        ("Amount", format_dollars(payment.amount_cents)),
        ("Counts as received", long_date(payment.received_date)),
        ("Status", f"{payment.get_status_display()}{', on hold' if payment.is_held else ''}"),
    ]
