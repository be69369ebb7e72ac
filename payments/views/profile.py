"""The profile: language, what comes without paper, email, phone, password, and signing out everywhere.

Email and phone are changed by who has just typed the password again.
"""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_address
from members.choices import Act, UnableToChoose, choose_language
from members.contact import (
    UnableToAskAgain,
    UnableToConfirm,
    ask_for_email,
    change_phone,
    confirm_email,
    find_change,
    has_confirmed_email,
)
from members.email_links import read_token
from members.member_sessions import end_all
from members.models import Member, User
from members.paperless import choose_paperless, list_statement
from members.profile_forms import EmailForm, LanguageForm, PaperlessForm, PhoneForm
from payments.drafts import discard_drafts_of
from payments.views.access import require_member, require_password
from payments.views.journey import read_language, see_other

TOO_OFTEN = 429


@never_cache
@login_required
@require_member
@require_safe
def show_profile(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """What we know of how to reach the member, with a way to change each."""
    member = Member.objects.get(pk=member_pk)
    context = {"member": member, "is_confirmed": has_confirmed_email(member=member)}
    return render(request, "members/profile.html", context)


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def change_language(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """The language of bills, letters and emails, and from now on of the pages."""
    member = Member.objects.get(pk=member_pk)
    form = LanguageForm(_read_typed(request), initial={"language": member.language})
    if not form.is_valid():
        return _show(request, "language", form)
    try:
        choose_language(act=_read_act(request), language=form.cleaned_data["language"])
    except UnableToChoose:
        return _refuse(request, "language", form)
    with override(form.cleaned_data["language"]):
        answer = _go_back(request, _("Your language is saved."))
    answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return answer


@never_cache
@login_required
@require_member
@require_password
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Another email address: a link goes there, and nothing changes until it is opened."""
    member = Member.objects.get(pk=member_pk)
    form = EmailForm(_read_typed(request), initial={"email": member.email}, member=member)
    if not form.is_valid():
        return _show(request, "email", form)
    try:
        change = ask_for_email(act=_read_act(request), email=form.cleaned_data["email"])
    except UnableToAskAgain:
        form.add_error("email", _("You asked for too many links. Wait an hour and try again, or call us"))
        return _show(request, "email", form, status=TOO_OFTEN)
    words = _("We sent a link to %(email)s. Open it within one hour. Nothing changes until you do.")
    return _go_back(request, words % {"email": change.email})


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def show_email_link(request: HttpRequest, token: str, *, member_pk: int) -> HttpResponse:
    """The link of the email: asked once more, so that a program that opens every link changes nothing."""
    act, key = _read_act(request), read_token(token)
    try:
        if request.method != "POST":
            change = find_change(user=act.by, key=key, act=act)
            return render(request, "members/profile_email_link.html", {"email": change.email})
        confirm_email(act=act, key=key)
    except (UnableToConfirm, UnableToChoose):
        return render(request, "members/profile_email_link.html", {"email": ""})
    return _go_back(request, _("Your email address is confirmed. From now on, sign in with it."))


@never_cache
@login_required
@require_member
@require_password
@require_http_methods(["GET", "HEAD", "POST"])
def change_phone_number(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Another phone number, or none."""
    member = Member.objects.get(pk=member_pk)
    typed = member.phone.as_national if member.phone else ""
    form = PhoneForm(_read_typed(request), initial={"phone": typed})
    if not form.is_valid():
        return _show(request, "phone", form)
    try:
        change_phone(act=_read_act(request), phone=form.cleaned_data["phone"])
    except UnableToChoose:
        return _refuse(request, "phone", form)
    return _go_back(request, _("Your phone number is saved."))


@never_cache
@login_required
@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def change_paperless(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """What comes by email and not on paper, with what is agreed to."""
    member = Member.objects.get(pk=member_pk)
    form = PaperlessForm(_read_typed(request), member=member)
    context: dict[str, Any] = {
        "member": member,
        "is_confirmed": has_confirmed_email(member=member),
        "statement": list_statement(),
    }
    if not form.is_valid():
        return _show(request, "paperless", form, **context)
    try:
        choose_paperless(act=_read_act(request), without_paper=form.without_paper)
    except UnableToChoose:
        return _refuse(request, "paperless", form, **context)
    return _go_back(request, _("Your choice is saved."))


@never_cache
@login_required
@require_member
@require_POST
def sign_out_everywhere(request: HttpRequest, *, member_pk: int) -> HttpResponse:
    """Every session of the member ends, this one too, and half-typed payments are thrown away."""
    user = cast("User", request.user)
    end_all(user=user)
    discard_drafts_of(user=user)
    logout(request)
    messages.success(request, _("You are signed out on every phone and computer."))
    return see_other("front_door")


def _read_typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _read_act(request: HttpRequest) -> Act:
    at = clock.now()
    return Act(
        by=cast("User", request.user),
        at=at,
        today=clock.business_date(moment=at),
        language=read_language(),
        address=read_address(request),
        browser=request.headers.get("User-Agent", ""),
    )


def _show(request: HttpRequest, name: str, form: Form, *, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, f"members/profile_{name}.html", {"form": form, **context}, status=status)


def _refuse(request: HttpRequest, name: str, form: Form, **context: Any) -> HttpResponse:
    """Too many changes in a day, said beside the first box."""
    form.add_error(next(iter(form.fields)), _("You changed a lot today. Try again tomorrow, or call us"))
    return _show(request, name, form, status=TOO_OFTEN, **context)


def _go_back(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return see_other("profile")
