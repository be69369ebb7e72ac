"""The language of a page: as its reader chose, else the signed-in member's, else the browser's; the staff's side is English.

The header's switch sends the page's own form to the page's own address, unchecked: the page comes back in the other
language, as if it were opened anew, with what was typed put back into its boxes.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language_from_request, override

SWITCH = "switch_language"
NOT_TYPED = (SWITCH, "csrfmiddlewaretoken")
Answer = Callable[[HttpRequest], HttpResponse]


def speak(get_response: Answer) -> Answer:
    """A middleware behind that of sign-in: every page in its reader's language, and the switch of the header."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = _read_choice(request)
        language = chosen or find_language(request)
        with override(language):
            response = _switch(request, get_response) if chosen else get_response(request)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", language)
        if chosen:
            keep_choice(response, language=chosen)
        return response

    return answer


def find_language(request: HttpRequest) -> str:
    """The language that a page is shown in."""
    if request.path_info.startswith(reverse("admin:index")):
        return settings.LANGUAGE_CODE
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    member = None if _is_offered(chosen) else getattr(request.user, "member", None)
    if member and _is_offered(member.language):
        return str(member.language)
    return get_language_from_request(request)


def keep_choice(response: HttpResponse, *, language: str) -> None:
    """What a reader chose holds on this computer, before and after signing in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )


def _is_offered(language: str) -> bool:
    return language in dict(settings.LANGUAGES)


def _read_choice(request: HttpRequest) -> str:
    """The language that the switch was pressed for; empty where it was not."""
    chosen = request.POST.get(SWITCH, "") if request.method == "POST" else ""
    return chosen if _is_offered(chosen) else ""


def _switch(request: HttpRequest, get_response: Answer) -> HttpResponse:
    """The page once more. Nothing that was typed is acted on, so that no token has to prove who sent it."""
    typed = request.POST.copy()
    for name in NOT_TYPED:
        typed.pop(name, None)
    if not typed:
        response: HttpResponse = HttpResponseRedirect(escape_leading_slashes(request.get_full_path()))
        response.status_code = 303
        return response
    request.method = request.META["REQUEST_METHOD"] = "GET"
    request.POST = QueryDict()
    request.typed = typed  # type: ignore[attr-defined]
    response = get_response(request)
    add_never_cache_headers(response)
    return response
