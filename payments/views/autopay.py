"""AutoPay's pages: its state, setting it up or changing it in three steps, and turning it off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from billing.accounts import list_accounts_of_member
from billing.balances import Standing, read_standings
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from members.models import Enrollment
from payments import routing_directory
from payments.autopay.amounts import read_on_its_way
from payments.autopay.days import find_next_draft
from payments.autopay.plans import Plan, describe_change, make_plans
from payments.autopay.setting_up import UnableToSetUp, find_set_up, may_set_up, read_live, set_up
from payments.autopay.states import State, read_states
from payments.autopay.turning_off import turn_off
from payments.bank_numbers import UnableToUseBankAccount
from payments.banking_calendar import read_calendar
from payments.drafts import (
    Chosen,
    Contents,
    UnableToFindDraft,
    discard_draft,
    ensure_session,
    start_draft,
)
from payments.forms.authorizing import ReviewForm, is_authorized, name_box
from payments.forms.autopay import AutoPayForm
from payments.models import Mandate, MandateStatus, PaymentChannel
from payments.payables import Payable, make_payables
from payments.proofs import make_mandate_filename, prove_mandate
from payments.recording import UnableToRecord
from payments.review import UnableToReadReview, read_review, sign_review
from payments.statements import describe_cutoff
from payments.tasks import wake_validation
from payments.views.access import require_member
from payments.views.journey import (
    BANK,
    CONFIRMATION,
    REVIEW,
    STEP_WORDS,
    Journey,
    describe_payer,
    open_journey,
    read_language,
    read_user,
    see_other,
    start_again,
)
from payments.views.pay import NUMBERS
from payments.views.steps import OPEN_TOO_LONG, Bank, Shown, find_bank, list_bank_rows, show_bank

BILLS = "bills"
AUTOPAY_STEPS = {
    BILLS: gettext_lazy("Bills"),
    BANK: STEP_WORDS[BANK],
    REVIEW: STEP_WORDS[REVIEW],
    CONFIRMATION: STEP_WORDS[CONFIRMATION],
}


@dataclass(frozen=True)
class AutoPayJourney(Journey):
    """A member on the way to AutoPay."""

    is_autopay: ClassVar[bool] = True

    def link(self, step: str) -> str:
        """The address of a step of this visit."""
        return reverse("autopay_step", args=[self.draft.id, step])

    @property
    def back_url(self) -> str:
        """Where the bank account page leads back to."""
        return self.link(BILLS)

    def show(self, template: str, step: str, **context: Any) -> HttpResponse:
        """The page of a step."""
        return render(self.request, template, {"journey": self, **describe_autopay_step(step), **context})

    def make_plans(self, *, chosen: Sequence[Chosen], bank: Bank | None) -> list[Plan] | None:
        """What AutoPay does for these bills as things stand; None where one of them is over."""
        account_ids = self.contents.account_ids
        standings = read_standings(account_ids=account_ids, today=self.today)
        return self.prepare(standings, read_live(account_ids=account_ids), chosen=chosen, bank=bank)

    def prepare(
        self,
        standings: Mapping[int, Standing],
        live: Mapping[int, Mandate],
        *,
        chosen: Sequence[Chosen],
        bank: Bank | None,
    ) -> list[Plan] | None:
        """The same, from these standings and mandates."""
        payables = {item.account_id: item for item in _list_open(make_payables(standings=standings))}
        if any(item.account_id not in payables for item in chosen):
            return None
        return make_plans(
            chosen=chosen, payables=payables, live=live, bank=bank, language=read_language(), at=self.at
        )


def describe_autopay_step(step: str) -> dict[str, Any]:
    """The names of all steps and the number of this one, for the step indicator."""
    return {"steps": list(AUTOPAY_STEPS.values()), "step": list(AUTOPAY_STEPS).index(step) + 1}


@never_cache
@login_required
@require_member
@require_safe
def overview(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """AutoPay of each bill: its state, the next three drafts, and what can be done."""
    draft_day = find_next_draft(at=clock.now(), calendar=read_calendar())
    context = {
        "states": _read_states(member_pk),
        "is_enrolled": Enrollment.objects.filter(member=member_pk).exists(),
        "draft_date": draft_day.received_date,
    }
    return render(request, "payments/autopay.html", context)


@never_cache
@login_required
@require_member
@require_safe
def start(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Begin to set up AutoPay, or to change it; `?account=` says which bill is ticked beforehand."""
    at = clock.now()
    standings = read_standings(
        account_ids=list_accounts_of_member(member_pk=member_pk), today=clock.business_date(moment=at)
    )
    account_ids = [payable.account_id for payable in _list_open(make_payables(standings=standings))]
    if not account_ids:
        return redirect("autopay")
    live = read_live(account_ids=account_ids)
    asked = request.GET.get("account", "")
    sources = _list_sources(account_ids, live, asked=asked)
    contents = Contents(
        account_ids=tuple(account_ids),
        typed=_fill_in(account_ids, live, asked=asked),
        saved_account_id=sources[0] if len(sources) == 1 else None,
        must_choose_bank=len(sources) > 1,
        is_autopay=True,
    )
    draft = start_draft(
        user=read_user(request), session_digest=ensure_session(request), contents=contents, at=at
    )
    return redirect("autopay_step", draft.pk, BILLS)


@never_cache
@sensitive_post_parameters(*NUMBERS)
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, draft: UUID, step: str, *, member_pk: int) -> HttpResponse:
    """One step of setting up AutoPay."""
    steps = {BILLS: show_bills, BANK: show_bank, REVIEW: show_review}
    if step not in steps:
        raise Http404
    at, channel = clock.now(), PaymentChannel.WEB
    try:
        journey = open_journey(request, draft_id=draft, channel=channel, at=at, kind=AutoPayJourney)
    except UnableToFindDraft:
        return start_again(request, start="autopay_start")
    if journey.contents.recorded:
        return _go_to_confirmation(journey)
    if step in (BANK, REVIEW) and not journey.contents.chosen:
        return journey.go(BILLS)
    if step == REVIEW and not journey.contents.has_bank:
        return journey.go(BANK)
    return steps[step](journey)


def show_bills(journey: AutoPayJourney) -> HttpResponse:
    """Which bills, with what will be drafted of each and what will not, and a limit."""
    every = [Chosen(key, 0) for key in journey.contents.account_ids]
    plans = journey.make_plans(chosen=every, bank=None)
    if plans is None:
        return redirect("autopay_start")
    if journey.request.method != "POST":
        form = AutoPayForm(initial=dict(journey.contents.typed), plans=plans)
        return journey.show("payments/autopay_bills.html", BILLS, form=form)
    form = AutoPayForm(journey.request.POST, plans=plans)
    if journey.is_keeping:
        return journey.keep_half_typed(typed=form.typed)
    if not form.is_valid():
        return journey.show("payments/autopay_bills.html", BILLS, form=form)
    journey.keep(replace(journey.contents, typed=form.typed, chosen=form.chosen))
    return journey.go(BANK)


def show_review(journey: AutoPayJourney) -> HttpResponse:
    """What AutoPay will do, in words; then it is on, if every word still holds when the request arrives."""
    bank = find_bank(journey)
    if bank is None:
        return journey.go(BANK)
    if journey.request.method != "POST":
        return _draw_review(journey, bank)
    typed = journey.request.POST
    try:
        shown = read_review(token=typed.get("token", ""), draft_id=journey.draft.id)["items"]
    except UnableToReadReview:
        return _draw_review(journey, bank, problem=_(OPEN_TOO_LONG))
    if not is_authorized(typed=typed, account_ids=journey.chosen_accounts):
        return _draw_review(journey, bank, shown=shown)
    return _record(journey, bank, shown=shown)


@never_cache
@login_required
@require_member
@require_safe
def confirmation(request: HttpRequest, form_key: UUID, *, member_pk: int) -> HttpResponse:
    """What is on now, for the member who turned it on; what has been turned off since is not."""
    mandates = [
        mandate
        for mandate in find_set_up(form_key=form_key)
        if mandate.account.enrollment.member_id == member_pk and mandate.status == MandateStatus.ON
    ]
    if not mandates:
        return redirect("autopay")
    ours = {mandate.account_id for mandate in mandates}
    states = [state for state in _read_states(member_pk) if state.standing.account_id in ours]
    context = {
        "states": states,
        "mandates": mandates,
        "cutoff": describe_cutoff(),
        **describe_autopay_step(CONFIRMATION),
    }
    return render(request, "payments/autopay_confirmation.html", context)


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def off(request: HttpRequest, account: int, *, member_pk: int) -> HttpResponse:
    """Turn AutoPay off: asked once, then done."""
    states = {state.standing.account_id: state for state in _read_states(member_pk)}
    if account not in states:
        raise Http404(_("There is no AutoPay of yours here."))
    if request.method != "POST":
        if not states[account].is_alive:
            return redirect("autopay")
        return render(request, "payments/autopay_off.html", {"state": states[account]})
    at = clock.now()
    turn_off(account_ids=[account], today=clock.business_date(moment=at), at=at)
    messages.success(request, _describe_off(account))
    return see_other(reverse("autopay"))


@never_cache
@login_required
@require_member
@require_safe
def authorization(request: HttpRequest, mandate: int, *, member_pk: int) -> HttpResponse:
    """What the member authorized, word for word, as a PDF to keep."""
    mine = Mandate.objects.filter(pk=mandate, account__enrollment__member=member_pk)
    found = mine.filter(authorization__given_by=request.user.pk).first()
    if found is None:
        raise Http404(_("There is no AutoPay of yours here."))
    headers = {"Content-Disposition": f'attachment; filename="{make_mandate_filename(mandate=found)}"'}
    document = prove_mandate(mandate=found, at=clock.now())
    return HttpResponse(document, content_type="application/pdf", headers=headers)


def _describe_off(account_id: int) -> str:
    """What turning off did; what is at the bank already is paid by itself."""
    at_bank_cents = read_on_its_way(account_ids=[account_id])[account_id].at_bank_cents
    if not at_bank_cents:
        return _("AutoPay is off. You pay your next bill yourself.")
    words = _("AutoPay is off. A payment of %s is already at your bank. Do not pay it again.")
    return words % format_dollars(at_bank_cents)


def _list_open(payables: Iterable[Payable]) -> list[Payable]:
    """The bills that AutoPay can be set up for."""
    return [payable for payable in payables if may_set_up(standing=payable.standing)]


def _read_states(member_pk: int) -> list[State]:
    """AutoPay of each of the member's accounts that has bills to come or has had AutoPay, health first."""
    at = clock.now()
    standings = read_standings(
        account_ids=list_accounts_of_member(member_pk=member_pk), today=clock.business_date(moment=at)
    )
    states = read_states(standings=standings, at=at).values()
    shown = [state for state in states if state.can_set_up or state.mandate]
    return sorted(shown, key=lambda state: (state.standing.product != "health", state.standing.account_id))


def _fill_in(account_ids: Sequence[int], live: Mapping[int, Mandate], *, asked: str) -> dict[str, Any]:
    """The first page as it is filled in beforehand: the bill that was asked for, and the limits that hold."""
    known = {str(key) for key in account_ids}
    ticks = {f"pay_{key}": key == asked for key in known} if asked in known else {}
    limits = {
        f"limit_{key}": format_dollars(mandate.ceiling_cents).removeprefix("$")
        for key, mandate in live.items()
        if mandate.ceiling_cents
    }
    return ticks | limits


def _list_sources(account_ids: Sequence[int], live: Mapping[int, Mandate], *, asked: str) -> list[int]:
    """From which bank accounts the bill that was asked for is paid; with none asked, all of them. One is chosen beforehand."""
    wanted = [key for key in account_ids if str(key) == asked] or list(live)
    return sorted({live[key].bank_account_id for key in wanted if key in live})


def _draw_review(
    journey: AutoPayJourney, bank: Bank, *, problem: str = "", shown: Shown | None = None
) -> HttpResponse:
    """The review as things stand, with a new signature; with a `problem` nothing that was typed counts.

    After an answer that lacks a box `shown` is what it answered: where that still holds, its ticks are kept.
    """
    plans = journey.make_plans(chosen=journey.contents.chosen, bank=bank)
    if plans is None:
        return journey.go(BILLS)
    if shown is not None:
        problem = describe_change(shown=shown, plans=plans)
    token = {"token": sign_review(draft=journey.draft, items=plans)}
    if problem:
        form = ReviewForm(token, items=plans, problem=problem)
    elif shown is not None:
        form = ReviewForm({**journey.request.POST.dict(), **token}, items=plans)
    else:
        form = ReviewForm(initial=token, items=plans)
    directory = routing_directory.find_bank(routing_number=bank.routing_number)
    boxes = [form[name_box(plan.payable.account_id)] for plan in plans]
    return journey.show(
        "payments/autopay_review.html",
        REVIEW,
        form=form,
        plans=list(zip(plans, boxes, strict=True)),
        bank_rows=list_bank_rows(journey, bank, directory),
        directory=directory,
    )


def _record(journey: AutoPayJourney, bank: Bank, *, shown: Shown) -> HttpResponse:
    def prepare(standings: Mapping[int, Standing], live: Mapping[int, Mandate]) -> Sequence[Plan]:
        """The plans under the lock. Raises UnableToSetUp where what was shown no longer holds."""
        plans = journey.prepare(standings, live, chosen=journey.contents.chosen, bank=bank)
        if plans is None:
            raise UnableToSetUp(_("AutoPay can no longer be set up for this bill. Call us"))
        change = describe_change(shown=shown, plans=plans)
        if change:
            raise UnableToSetUp(change)
        return plans

    try:
        mandates = set_up(
            payer=describe_payer(journey, name=bank.holder_name),
            bank=bank,
            account_ids=journey.chosen_accounts,
            beside=journey.contents.account_ids,
            prepare=prepare,
            form_key=journey.draft.form_key,
            today=journey.today,
            at=journey.at,
        )
    except (UnableToSetUp, UnableToRecord, UnableToUseBankAccount) as refusal:
        return _draw_review(journey, bank, problem=str(refusal))
    wake_validation(uses=mandates)
    discard_draft(draft=journey.draft)
    return _go_to_confirmation(journey)


def _go_to_confirmation(journey: AutoPayJourney) -> HttpResponse:
    return see_other(reverse("autopay_confirmation", args=[journey.draft.form_key]))
