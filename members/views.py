"""The pages of activation: who you are, by Member ID, date of birth and ZIP code; then email and password."""

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connector_pay.lib.addresses import read_network
from members import activation
from members.forms import AccountForm, IdentityForm
from members.models import Member

FOUND = "member_to_activate"
NOBODY = 0
SIGNED_IN_BY = "django.contrib.auth.backends.ModelBackend"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def show_identity(request: HttpRequest) -> HttpResponseBase:
    """Step 1: who you are. Every miss gets the same words."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = IdentityForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _show(request, form, step=1)
    try:
        member = activation.find_member(**form.cleaned_data, address=read_network(request) or "")
    except activation.UnableToFindMember:
        form.add_error("member_id", gettext("We could not find you with these. Check all three, or call us"))
        return _show(request, form, step=1)
    except activation.UnableToTryAgain:
        wait = gettext("We cannot look you up now. Wait 15 minutes and try again, or call us")
        form.add_error("member_id", wait)
        return _show(request, form, step=1, status=429)
    if activation.has_account(member=member):
        return render(request, "members/already_activated.html")
    request.session.cycle_key()
    request.session[FOUND] = member.pk
    return redirect("activate_account")


@never_cache
@sensitive_post_parameters("password", "password_again")
@require_http_methods(["GET", "HEAD", "POST"])
def show_account(request: HttpRequest) -> HttpResponseBase:
    """Step 2: email and password, and the member is signed in."""
    member = Member.objects.filter(pk=request.session.get(FOUND, NOBODY), user=None).first()
    if member is None:
        return redirect("activate")
    form = AccountForm(request.POST if request.method == "POST" else None, member=member)
    if not form.is_valid():
        return _show(request, form, step=2, member=member)
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    try:
        user = activation.activate(member=member, email=email, password=password)
    except activation.AlreadyActivated:
        return render(request, "members/already_activated.html")
    del request.session[FOUND]
    login(request, user, backend=SIGNED_IN_BY)
    return redirect(settings.LOGIN_REDIRECT_URL)


def _show(
    request: HttpRequest,
    form: IdentityForm | AccountForm,
    *,
    step: int,
    member: Member | None = None,
    status: int = 200,
) -> HttpResponse:
    steps = [gettext("Who you are"), gettext("Email and password")]
    context = {"form": form, "step": step, "steps": steps, "member": member}
    return render(request, "members/activate.html", context, status=status)
