"""Who may see a member's pages: the member, signed in, some only with the password just typed. Staff have the admin instead."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def require_member(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the signed-in member's key to the view as `member_pk`; send staff, who are no members, to the admin."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        member_pk = getattr(request.user, "member_id", None)
        if member_pk is None:
            return redirect("admin:index" if getattr(request.user, "is_staff", False) else "activate")
        return view(request, *args, member_pk=member_pk, **kwargs)

    return guarded


def require_password(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Whoever has not typed the password in the last minutes types it now, and comes back."""
    guarded: Callable[..., HttpResponse] = reauthentication_required(view)
    return guarded
