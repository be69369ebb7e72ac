"""What PostgreSQL cannot keep is refused at the door: an address, a query or a cookie with the NUL character in it."""

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL = "\0"


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that answers 400; what is typed into forms is refused by the forms, beside its box."""

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
