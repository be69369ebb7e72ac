"""Checks on the staff's side: recorded over the counter, found, put on accounts, sent back by two people, returned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.models import Movement, Receipt
from connector_pay.lib import clock
from connector_pay.lib.read_only_admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    link_to,
    link_to_list,
    show_dollars,
)
from connector_pay.lib.staff_pages import Done, Effect, Page, WhyForm, require, show_act
from members.models import User
from payments import unmatched
from payments.banking_calendar import read_calendar
from payments.check_batches import find_meant
from payments.checks import WAITING, NewCheck, Share, UnableToRecordCheck, record_checks, return_checks
from payments.models import CheckMove, CheckShare, CheckStatus, ReceivedCheck
from payments.staff.check_facts import list_facts
from payments.staff.check_forms import CheckForm, MatchForm, list_parts
from payments.staff.check_waiting import (
    DATED_BACK,
    MAY_CONFIRM,
    explain_waiting,
    list_expected,
    may_match,
    say_limit,
)
from payments.staff.handling import Deed
from payments.staff.lockbox import describe_place
from payments.staff.previews import preview_standings
from payments.suggestions import Suggestion, suggest_accounts
from payments.unmatched import UnableToMatch

MAY_RECORD, MAY_RETURN = "payments.record_check", "payments.return_check"
MAY_MATCH, MAY_SEND_BACK = "payments.match_money", "payments.send_back_money"
REFUSALS = (UnableToRecordCheck, UnableToMatch)


class CheckMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = CheckMove
    fields = ("before", "after", "at", "why")


class CheckShareInline(ReadOnlyInline):
    """The accounts it was put on."""

    model = CheckShare
    verbose_name_plural = "put on accounts"
    fields = ("account_link", "amount", "receipt_link")
    amount = show_dollars("cents", "amount")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckShare]:
        """With the account."""
        return super().get_queryset(request).select_related("account__enrollment__plan", "received_check")

    @admin.display(description="account")
    def account_link(self, share: CheckShare) -> str:
        """Leads to the account."""
        return link_to(share.account)

    @admin.display(description="receipt")
    def receipt_link(self, share: CheckShare) -> str:
        """Leads to what counts, wherever it counts now."""
        return link_to(Receipt.objects.filter(reference=share.reference).first())


@dataclass(frozen=True)
class MatchPage(Page):
    """With the accounts that the money may be for."""

    template: str = "admin/payments/receivedcheck/match.html"
    suggestions: Sequence[Suggestion] = ()


class UnmatchedFilter(admin.SimpleListFilter):
    """The money that waits for staff."""

    title = "unmatched money"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "Waits for an account")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReceivedCheck]) -> QuerySet[ReceivedCheck]:
        """Those, or all."""
        return queryset.filter(status__in=WAITING) if self.value() == "yes" else queryset


@admin.register(ReceivedCheck)
class ReceivedCheckAdmin(ReadOnlyAdmin):
    """A check or money order that came in."""

    change_list_template = "admin/payments/receivedcheck/change_list.html"
    change_form_template = "admin/payments/receivedcheck/change_form.html"
    list_display = ("number", "kind", "payer", "amount", "status", "received_on", "deposit_on", "source")
    list_filter = (UnmatchedFilter, "status", "kind", "source")
    fields = (
        "number",
        "kind",
        "payer",
        "amount",
        "status",
        "received_on",
        "deposit_on",
        "banked_on",
        "source",
        "recorded_by",
        "recorded_at",
        "back_asked_by",
        "back_decided_by",
        "lockbox",
        "movements",
    )
    inlines = (CheckShareInline, CheckMoveInline)
    search_paths = {
        "text": "number",
        "last_four": "number",
        "title": "payer",
        "member_id": "shares__account__enrollment__member__member_id",
    }
    search_help_text = "The check's number, who wrote it, or a Member ID"
    amount = show_dollars("cents", "amount")

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        name = "payments_receivedcheck"
        return [
            path("record/", wrap(record), name=f"{name}_record"),
            path("<int:check_id>/match/", wrap(match), name=f"{name}_match"),
            path("<int:check_id>/ask-back/", wrap(ask_back), name=f"{name}_ask_back"),
            path("<int:check_id>/send-back/", wrap(send_back), name=f"{name}_send_back"),
            path("<int:check_id>/keep/", wrap(keep), name=f"{name}_keep"),
            path("<int:check_id>/return/", wrap(give_back), name=f"{name}_return"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now."""
        check = self.get_object(request, object_id)
        more = {"deeds": list_deeds(check, request=request)} if check else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="lockbox")
    def lockbox(self, check: ReceivedCheck) -> str:
        """Leads to its place in a lockbox file, with why it went where it went."""
        return describe_place(check=check)

    @admin.display(description="ledger")
    def movements(self, check: ReceivedCheck) -> str:
        """Leads to its movements."""
        held = link_to_list(Movement, "In suspense", reference__startswith=f"{check.held_reference}:")
        counted = link_to_list(Movement, "On accounts", reference__startswith=f"check:{check.pk}-")
        return format_html("{} · {}", held, counted)


def list_deeds(check: ReceivedCheck, *, request: HttpRequest) -> list[Deed]:
    """What this person may do with the check as it stands."""
    waits, is_asked = check.status == CheckStatus.UNMATCHED, check.status == CheckStatus.BACK_ASKED
    is_own = check.back_asked_by_id == request.user.pk
    standing = check.status not in (CheckStatus.RETURNED, CheckStatus.SENT_BACK)
    deeds = [
        (waits and may_match(check, request=request), MAY_MATCH, "Put on accounts", "match"),
        (waits, MAY_MATCH, "Ask to send it back", "ask_back"),
        (is_asked and not is_own, MAY_SEND_BACK, "Send it back", "send_back"),
        (is_asked and not is_own, MAY_SEND_BACK, "Do not send it back", "keep"),
        (standing, MAY_RETURN, "The bank returned it", "return"),
    ]
    return [
        Deed(words, reverse(f"admin:payments_receivedcheck_{name}", args=[check.pk]))
        for is_possible, permission, words, name in deeds
        if is_possible and request.user.has_perm(permission)
    ]


@require_http_methods(["GET", "POST"])
@never_cache
def record(request: HttpRequest) -> HttpResponse:
    """Record a check or money order that was handed over, on the accounts it is for, or on none."""
    require(request, MAY_RECORD)
    today, at = clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> Done:
        (check,) = record_checks(
            checks=[_read_check(typed)], by=cast("User", request.user), today=today, at=at
        )
        if check.status != CheckStatus.UNMATCHED:
            return Done("Recorded. Give the payer its number.", check)
        return Done(f"Recorded. It waits. {explain_waiting(check) if typed['shares'] else ''}".strip(), check)

    page = Page(
        title="Record a check or money order",
        button="Record it",
        back=ReceivedCheck,
        words=[
            "It counts as received on the day it reached us, and is final ten banking days after its deposit.",
            DATED_BACK,
            say_limit(),
            "The member is told what it does to coverage. Write down what is on the paper; cash is not taken.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=REFUSALS,
        preview=lambda typed: _preview(lambda: act(typed), typed["shares"]),
        form_class=CheckForm,
        needs_preview=True,
        today=today,
        initial=_suggest(today) | {"account_1": request.GET.get("account", "")},
    )


@require_http_methods(["GET", "POST"])
@never_cache
def match(request: HttpRequest, check_id: int) -> HttpResponse:
    """Put money that waits on the accounts it is for."""
    require(request, MAY_MATCH)
    check = get_object_or_404(ReceivedCheck, pk=check_id)
    if unmatched.takes_confirming(check):
        require(request, MAY_CONFIRM)

    def act(typed: Mapping[str, Any]) -> str:
        unmatched.match_check(
            check_id=check.pk,
            shares=typed["shares"],
            by=cast("User", request.user),
            why=typed["why"],
            today=clock.today(),
            at=clock.now(),
        )
        return "Put on its accounts, as of the day it was received. The members are told."

    page = MatchPage(
        title="Put this money on accounts",
        button="Put it on these accounts",
        back=check,
        suggestions=suggest_accounts(check=check),
        facts=list_facts(check),
        words=[
            "It counts as of the day it was received. A start of coverage that this keeps or gives back is mended.",
            *list_expected(check),
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=REFUSALS,
        preview=lambda typed: _preview(lambda: act(typed), typed["shares"]),
        form_class=MatchForm,
        needs_preview=True,
        cents=check.cents,
        initial={"account_1": request.GET.get("account", ""), **list_parts(find_meant(check=check))},
    )


@require_http_methods(["GET", "POST"])
@never_cache
def ask_back(request: HttpRequest, check_id: int) -> HttpResponse:
    """Ask that money that nobody can place goes back."""

    def act(check: ReceivedCheck, typed: Mapping[str, Any]) -> str:
        by = cast("User", request.user)
        unmatched.ask_to_send_back(check_id=check.pk, by=by, why=typed["why"], at=clock.now())
        return "Asked for. Another person must approve it."

    words = ["Nothing leaves before another person approves it."]
    return _act_on(request, check_id, MAY_MATCH, "Ask to send it back", words=words, act=act)


@require_http_methods(["GET", "POST"])
@never_cache
def send_back(request: HttpRequest, check_id: int) -> HttpResponse:
    """Approve that it goes back."""

    def act(check: ReceivedCheck, typed: Mapping[str, Any]) -> str:
        by, today, at = cast("User", request.user), clock.today(), clock.now()
        unmatched.send_back(check_id=check.pk, by=by, why=typed["why"], today=today, at=at)
        return "Sent back. The money is out of our books."

    words = [
        "The money leaves our books today. A paper that is not deposited goes back to its payer; "
        "for one that is, a check of the same amount must go out.",
    ]
    return _act_on(request, check_id, MAY_SEND_BACK, "Send it back", words=words, act=act)


@require_http_methods(["GET", "POST"])
@never_cache
def keep(request: HttpRequest, check_id: int) -> HttpResponse:
    """Decline to send it back."""

    def act(check: ReceivedCheck, typed: Mapping[str, Any]) -> str:
        unmatched.keep_money(
            check_id=check.pk, by=cast("User", request.user), why=typed["why"], at=clock.now()
        )
        return "Kept. It waits for an account again."

    words = ["It waits for an account again."]
    return _act_on(request, check_id, MAY_SEND_BACK, "Do not send it back", words=words, act=act)


@require_http_methods(["GET", "POST"])
@never_cache
def give_back(request: HttpRequest, check_id: int) -> HttpResponse:
    """Write down that the bank returned it."""
    require(request, MAY_RETURN)
    check = get_object_or_404(ReceivedCheck, pk=check_id)
    today, at = clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> str:
        why = f"by {request.user.get_username()}: {typed.get('why') or 'a preview'}"
        return_checks(check_ids=[check.pk], why=why, today=today, at=at)
        return "Returned. Its money was never received, and the members are told."

    references = [share.reference for share in check.shares.all()]
    accounts = Receipt.objects.filter(reference__in=references).values_list("account_id", flat=True)
    page = Page(
        title="The bank returned this check",
        button="Record the return",
        back=check,
        facts=list_facts(check),
        words=[
            "Its money was never received: the bills it paid are open again, and starts of coverage are worked out anew.",
            "The members are told by letter and email what to do. We charge no fee.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=REFUSALS,
        preview=lambda _typed: preview_standings(
            act=lambda: act({}), account_ids=accounts, refusals=REFUSALS, today=today
        ),
    )


def _suggest(today: date) -> dict[str, Any]:
    """What the boxes begin with: handed over today."""
    days = {"received_on": today, "deposit_on": read_calendar().roll_forward(today)}
    return {"kind": "check", "source": "counter", **days}


def _act_on(
    request: HttpRequest,
    check_id: int,
    permission: str,
    title: str,
    *,
    words: Sequence[str],
    act: Callable[[ReceivedCheck, Mapping[str, Any]], str],
) -> HttpResponse:
    require(request, permission)
    check = get_object_or_404(ReceivedCheck, pk=check_id)
    page = Page(title=title, button=title, back=check, facts=list_facts(check), words=words)
    return show_act(request, page, act=lambda typed: act(check, typed), refusals=REFUSALS, form_class=WhyForm)


def _preview(act: Callable[[], object], shares: Sequence[Share]) -> Effect:
    return preview_standings(
        act=act,
        account_ids=[share.account_id for share in shares],
        refusals=REFUSALS,
        today=clock.today(),
    )


def _read_check(typed: Mapping[str, Any]) -> NewCheck:
    names = ("number", "payer", "received_on", "deposit_on", "kind", "source", "form_key", "shares")
    return NewCheck(cents=typed["amount"], **{name: typed[name] for name in names})
