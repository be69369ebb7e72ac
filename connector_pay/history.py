"""The history of what people edit: the database keeps each change; a request of the staff says who made it, and where."""

from collections.abc import Callable

import pghistory
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

READING = ("GET", "HEAD", "OPTIONS", "TRACE")


def note_who(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whatever one of the staff changes is kept with their name and the page's address."""

    def answer(request: HttpRequest) -> HttpResponse:
        if (
            request.method in READING
            or SESSION_KEY not in request.session
            or not request.user.is_authenticated
        ):
            return get_response(request)
        if not request.user.is_staff:
            return get_response(request)
        with pghistory.context(user=request.user.pk, by=request.user.get_username(), url=request.path):
            return get_response(request)

    return answer
