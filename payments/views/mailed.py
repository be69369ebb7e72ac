"""I mailed a check: a member says so, sees which day counts, and may take it back."""

from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.accounts import list_accounts_of_member
from billing.balances import Standing, read_standing
from connector_pay.lib import clock
from members.models import User
from payments.banking_calendar import read_calendar
from payments.forms.mailed import MailedForm
from payments.mailed_checks import (
    UnableToExpect,
    describe_expected,
    find_expected,
    tell_mailed,
    warn_of_mail,
    withdraw_mailed,
)
from payments.models import MailedCheck
from payments.payables import can_be_paid
from payments.views.access import require_member
from payments.views.journey import see_other


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "POST"])
def tell(request: HttpRequest, account: int, *, member_pk: int) -> HttpResponse:
    """Say that a check for a bill is in the mail; with too little time left the page says so, and offers paying online."""
    today = clock.today()
    standing = _find_own(account, member_pk=member_pk)
    expected = find_expected(account_ids=[account], today=today).get(account)
    if expected is not None and request.method == "GET":
        return redirect("withdraw_mailed", expected.pk)
    first = {"form_key": uuid4(), "mailed_on": today, "amount": standing.due_cents or None}
    form = MailedForm(request.POST or None, initial=first, today=today)
    if form.is_valid():
        check = _note(request, form, account_id=account)
        if check is not None:
            messages.success(request, _("Thank you. We wrote down that your check is on its way."))
            return see_other(reverse("home"))
    mailed_on = getattr(form, "cleaned_data", {}).get("mailed_on") or today
    warning = warn_of_mail(standing=standing, mailed_on=mailed_on, today=today, calendar=read_calendar())
    shown = {"form": form, "standing": standing, "warning": warning}
    return render(request, "payments/mailed.html", shown)


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, key: int, *, member_pk: int) -> HttpResponse:
    """Say that a check is not coming after all: asked once, then done."""
    check = MailedCheck.objects.filter(pk=key, account__enrollment__member=member_pk).first()
    if check is None:
        raise Http404(_("There is no check of yours here."))
    if request.method != "POST":
        if check.withdrawn_at is not None:
            return redirect("home")
        return render(request, "payments/mailed_withdraw.html", {"words": describe_expected(check=check)})
    withdraw_mailed(check=check, at=clock.now())
    messages.success(request, _("We no longer expect this check."))
    return see_other(reverse("home"))


def _find_own(account_id: int, *, member_pk: int) -> Standing:
    """A bill of this member that can be paid."""
    if account_id in list_accounts_of_member(member_pk=member_pk):
        standing = read_standing(account_id=account_id, today=clock.today())
        if can_be_paid(standing=standing):
            return standing
    raise Http404(_("There is no bill of yours here."))


def _note(request: HttpRequest, form: MailedForm, *, account_id: int) -> MailedCheck | None:
    """Keep it; where it cannot be, the reason stands beside the day."""
    typed: dict[str, Any] = form.cleaned_data
    try:
        return tell_mailed(
            account_id=account_id,
            cents=typed["amount"],
            number=typed["number"],
            mailed_on=typed["mailed_on"],
            form_key=typed["form_key"],
            by=cast("User", request.user),
            today=clock.today(),
            at=clock.now(),
        )
    except UnableToExpect as refusal:
        form.add_error("mailed_on", str(refusal))
        return None
