"""Sessions of the staff: one at a time, over after 15 idle minutes, after 8 hours, or when an administrator ends it.

They keep machine time, as every session does.
"""

import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from members.models import User

TOKEN, SINCE, SEEN = "staff_session", "staff_signed_in_at", "staff_seen_at"


def begin(*, request: HttpRequest, user: User) -> None:
    """This session is the one in which a member of staff is signed in; any other has ended."""
    request.session[TOKEN] = end(user=user)
    request.session[SINCE] = request.session[SEEN] = int(time.time())


def end(*, user: User) -> str:
    """End the session of one of the staff, wherever it is; the answer is what the next one is known by."""
    user.staff_session = secrets.token_hex(16)
    user.save(update_fields=["staff_session"])
    return user.staff_session


def end_stale(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whose session is over signs in again, and reads why."""

    def answer(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY not in request.session or not getattr(request.user, "is_staff", False):
            return get_response(request)
        why = _find_end(request)
        if not why:
            request.session[SEEN] = int(time.time())
            return get_response(request)
        logout(request)
        messages.info(request, why)
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return redirect(f"{redirect(settings.LOGIN_URL).url}?{query or 'next=/admin/'}")

    return answer


def _find_end(request: HttpRequest) -> str:
    """Why this session is over, in words; empty while it goes on."""
    now, session = int(time.time()), request.session
    if session.get(TOKEN, "") != getattr(request.user, "staff_session", ""):
        return "You signed in somewhere else, or an administrator ended this session. Sign in again."
    if now - session.get(SEEN, now) >= settings.STAFF_IDLE_SECONDS:
        return "You were away for 15 minutes. Sign in again."
    if now - session.setdefault(SINCE, now) >= settings.STAFF_SIGNED_IN_SECONDS:
        return "You have been signed in for 8 hours. Sign in again."
    return ""
