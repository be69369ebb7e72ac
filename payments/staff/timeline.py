"""Seeing it all on the staff's side: a member's page, an account's timeline, and what a figure is made of in the ledger."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.balances import read_standing, read_standings
from billing.figures_explained import FIGURES, list_lines, sum_figures
from billing.models import Account
from connector_pay.lib import clock
from members.models import Member, Notice, User
from payments.models import BankAccount, Mandate, MandateStatus
from payments.staff.events import KIND_WORDS, list_events, name_notice, read_cursor

NOTICES_SHOWN = 20
RECORDS = {
    "invoice": "admin:billing_invoice_change",
    "payment": "admin:payments_payment_change",
    "refund": "admin:payments_refund_change",
}


@require_safe
@never_cache
def show_member(request: HttpRequest, member_id: int) -> HttpResponse:
    """A member: accounts with what is owed, bank accounts, sign-in, and what we told them last."""
    member = get_object_or_404(Member, pk=member_id)
    accounts = list(
        Account.objects.filter(enrollment__member=member).select_related("enrollment__plan").order_by("-pk")
    )
    standings = read_standings(account_ids=[account.pk for account in accounts], today=clock.today())
    user = User.objects.filter(member=member).first()
    drafted = set(
        Mandate.objects.filter(account__in=accounts, status=MandateStatus.ON).values_list(
            "account_id", flat=True
        )
    )
    notices = Notice.objects.filter(member=member).order_by("-at", "-pk")[:NOTICES_SHOWN]
    shown = {
        "title": member.full_name,
        "member": member,
        "accounts": [(account, standings[account.pk], account.pk in drafted) for account in accounts],
        "signs_in": user,
        "bank_accounts": BankAccount.objects.filter(owner=user).order_by("-pk") if user else (),
        "notices": [(notice, name_notice(notice)) for notice in notices],
        "notices_url": f"{reverse('admin:members_notice_changelist')}?{urlencode({'member__id__exact': member.pk})}",
    }
    return _render(request, "admin/member_overview.html", shown)


@require_safe
@never_cache
def show_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account's figures, and all that happened on it, newest first, by month."""
    account = _find_account(account_id)
    kinds = [kind for kind in request.GET.getlist("kind") if kind in KIND_WORDS]
    events, has_more = list_events(
        account=account, kinds=kinds, after=read_cursor(request.GET.get("after", ""))
    )
    more = urlencode([*(("kind", kind) for kind in kinds), ("after", events[-1].cursor)]) if has_more else ""
    shown = {
        "title": f"{account.enrollment.member.full_name}, {account.enrollment.plan}",
        "account": account,
        "standing": read_standing(account_id=account.pk, today=clock.today()),
        "figures": _list_figures(account),
        "events": events,
        "kinds": [(kind, words, kind in kinds) for kind, words in KIND_WORDS.items()],
        "is_first": "after" not in request.GET,
        "more": more,
    }
    return _render(request, "admin/account_timeline.html", shown)


@require_safe
@never_cache
def show_ledger(request: HttpRequest, account_id: int) -> HttpResponse:
    """The movements that make up one figure of an account, with a running sum."""
    account = _find_account(account_id)
    key = request.GET.get("figure", "owed")
    if key not in FIGURES:
        raise Http404("There is no such figure.")
    lines = list_lines(account_id=account.pk, key=key)
    shown = {
        "title": FIGURES[key].words,
        "account": account,
        "lines": [(line, find_record(line.movement.reference)) for line in lines],
        "total": sum_figures(account_id=account.pk)[key],
        "figures": _list_figures(account),
    }
    return _render(request, "admin/account_ledger.html", shown)


def find_record(reference: str) -> str:
    """The address of what a movement is about, by its reference such as payment:12:received; empty for another's."""
    name, _, rest = reference.partition(":")
    number = rest.partition(":")[0]
    return reverse(RECORDS[name], args=[number]) if name in RECORDS and number.isdecimal() else ""


def _find_account(account_id: int) -> Account:
    people = ("enrollment__member", "enrollment__plan")
    return get_object_or_404(Account.objects.select_related(*people), pk=account_id)


def _list_figures(account: Account) -> list[tuple[str, int, str]]:
    """Each figure's words, its cents, and the address that explains it."""
    address = reverse("admin:account_ledger", args=[account.pk])
    sums = sum_figures(account_id=account.pk)
    return [(figure.words, sums[key], f"{address}?figure={key}") for key, figure in FIGURES.items()]


def _render(request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), **shown})
