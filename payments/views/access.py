"""Who may see a member's pages: the member, signed in. Staff have the admin instead."""

from collections.abc import Callable
from functools import wraps
from typing import Any

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
