"""A session's end: asked for more time, or over; members go on where they were once they have signed in again."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from connector_pay.lib import clock
from payments.drafts import discard_drafts_of, prolong_drafts, read_session_digest
from payments.views.journey import read_user, see_other

FORGET_ALL = '"cache", "storage"'


@never_cache
@require_POST
def extend(request: HttpRequest) -> HttpResponse:
    """More time: the session and what is half typed are kept for as long again; 403 where it is over already."""
    user, key = read_user(request), request.session.session_key
    if user is None and not (key and request.session.exists(key)):
        return HttpResponse(status=403)
    prolong_drafts(user=user, session_digest=read_session_digest(request), at=clock.now())
    request.session.modified = True
    return HttpResponse(status=204)


@never_cache
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The time is over. A member signs in again and goes on at the same page; of a guest's visit nothing is kept."""
    if request.POST.get("guest"):
        return clear_computer(
            request, words=_("The time was over. To keep you safe, we cleared what you typed.")
        )
    logout(request)
    messages.info(request, _("You were away for a while, so we signed you out. Sign in to go on."))
    there = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(there, allowed_hosts=None) and there.startswith("/")
    sign_in = redirect("account_login")
    return see_other(f"{sign_in.url}?{urlencode({'next': there})}" if is_ours else sign_in.url)


def clear_computer(request: HttpRequest, *, words: str) -> HttpResponse:
    """The session ends, half-typed payments are thrown away, and the browser forgets what it stored of our pages."""
    discard_drafts_of(user=read_user(request), session_digest=read_session_digest(request))
    request.session.flush()
    messages.success(request, words)
    answer = see_other("front_door")
    answer.headers["Clear-Site-Data"] = FORGET_ALL
    return answer
