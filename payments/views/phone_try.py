"""A phone call in the browser, for a demo: what is said as text, the keypad as a box, over the same webhooks as a carrier's."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from payments.channels.phone.playing import Call, Heard
from payments.channels.phone.steps import STEPS

HANG_UP = "hang_up"
LONGEST_ENTRY = 40


class KeysForm(forms.Form):
    """What is keyed in, and for which question of which call. Keys are never shown again: they may be an account's number."""

    keeps_typed = False

    call_id = forms.RegexField(r"CA[0-9a-f]{32}", strip=False, widget=forms.HiddenInput)
    step = forms.ChoiceField(choices=[(name, name) for name in STEPS], widget=forms.HiddenInput)
    turn = forms.IntegerField(min_value=0, max_value=9_999, widget=forms.HiddenInput)
    keys = forms.CharField(
        label=_("Keys"),
        required=False,
        max_length=LONGEST_ENTRY,
        help_text=_("Digits and *. Leave the box empty to press pound alone."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "spellcheck": "false"}),
    )
    lines = forms.JSONField(widget=forms.HiddenInput)

    def clean_lines(self) -> list[tuple[str, str]]:
        """What was heard, kept for a page that comes back in the other language: words with their language."""
        lines = self.cleaned_data["lines"]
        try:
            return [(str(language), str(words)) for language, words in lines]
        except (TypeError, ValueError):
            raise forms.ValidationError("Call again.") from None


@never_cache
@sensitive_post_parameters("keys")
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Dial, hear, key in, one question after another."""
    if not settings.DEMO_MODE:
        raise Http404
    if request.method != "POST":
        return _draw_again(request)
    form = KeysForm(request.POST)
    if not form.is_valid():
        call = Call(post=_post)
        return _draw(request, call, call.begin())
    call = Call(post=_post, call_id=form.cleaned_data["call_id"])
    if HANG_UP in request.POST:
        call.hang_up()
        return redirect("phone_try")
    address = reverse("phone_step", args=[form.cleaned_data["step"]])
    asked = Heard(action=f"{address}?turn={form.cleaned_data['turn']}")
    return _draw(request, call, call.key_in(asked, form.cleaned_data["keys"]))


def _draw_again(request: HttpRequest) -> HttpResponse:
    """The page as it is opened; or, after a switch of the language, the call as far as it has come."""
    before = KeysForm(getattr(request, "typed", None))
    if not before.is_valid():
        return render(request, "payments/phone_try.html")
    call = {name: value for name, value in before.cleaned_data.items() if name != "keys"}
    return render(request, "payments/phone_try.html", {"heard": call, "form": KeysForm(initial=call)})


def _draw(request: HttpRequest, call: Call, heard: Heard) -> HttpResponse:
    context: dict[str, Any] = {"heard": heard}
    if not heard.is_over:
        address = urlsplit(heard.action)
        step, turn = resolve(address.path).kwargs["step"], address.query.removeprefix("turn=")
        context["form"] = KeysForm(
            initial={"call_id": call.call_id, "step": step, "turn": turn, "lines": heard.lines}
        )
    return render(request, "payments/phone_try.html", context)


def _post(path: str, parameters: Mapping[str, str]) -> str:
    """Send one webhook to ourselves, within this process: a demo may have one worker only."""
    address, body = urlsplit(path), urlencode(parameters).encode()
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
    )
    match = resolve(address.path)
    return str(match.func(request, *match.args, **match.kwargs).content.decode())
