"""What nobody can read or PostgreSQL cannot keep is refused at the door: another encoding than UTF-8, the NUL character."""

from codecs import lookup
from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL, UTF_8 = "\0", "utf-8"


def refuse_encodings(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that answers 400 to a request that says it is written in anything but UTF-8."""

    def answer(request: HttpRequest) -> HttpResponse:
        if lookup(request.encoding or UTF_8).name != UTF_8:
            request.encoding = UTF_8  # the page that says so reads the request too
            raise BadRequest("Pages and forms are in UTF-8.")
        return get_response(request)

    return answer


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that answers 400 to NUL in an address, a query or a cookie; forms refuse it beside its box."""

    def answer(request: HttpRequest) -> HttpResponse:
        if any(NUL in text for text in _list_texts(request)):
            raise BadRequest("The NUL character is in nothing that anyone types.")
        return get_response(request)

    return answer


def _list_texts(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    yield from request.COOKIES.values()
    for name, values in request.GET.lists():
        yield from (name, *values)
