"""The webhooks of phone calls: a carrier says what was keyed in, and is told what to say."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from connector_pay.lib import clock
from payments.channels.phone import calls, twiml
from payments.channels.phone.signature import is_signed
from payments.channels.phone.steps import POUND
from payments.tasks import wake_validation

SIGNATURE = "X-Twilio-Signature"
OVER_STATUSES = {"completed", "busy", "failed", "no-answer", "canceled"}
LONGEST_ENTRY = 40
LONGEST_CALL_ID = 64
View = Callable[..., HttpResponse]


def webhook(view: View) -> View:
    """A view for a carrier alone: no browser's session, its own signature instead of a form's token."""

    @wraps(view)
    def answer(request: HttpRequest, **options: str) -> HttpResponse:
        _refuse_others(request)
        call_id, at = request.POST.get("CallSid", ""), clock.now()
        if not 0 < len(call_id) <= LONGEST_CALL_ID:
            raise BadRequest("A webhook of a call names the call.")
        if request.POST.get("CallStatus") in OVER_STATUSES:
            calls.hang_up(call_id=call_id, at=at)
            return _write(twiml.write_nothing())
        return view(request, call_id=call_id, at=at, **options)

    return csrf_exempt(
        never_cache(sensitive_post_parameters("Digits", "From", "Caller")(require_POST(answer)))
    )


@webhook
def start(request: HttpRequest, *, call_id: str, at: datetime) -> HttpResponse:
    """A call comes in."""
    return _say(calls.start_call(call_id=call_id, caller=_read_caller(request), at=at))


@webhook
def take(request: HttpRequest, *, call_id: str, at: datetime, step: str) -> HttpResponse:
    """What was keyed in at a step."""
    turn = request.GET.get("turn", "")
    reply = calls.take_entry(
        call_id=call_id,
        caller=_read_caller(request),
        step=step,
        turn=int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 9 else None,
        digits=_read_entry(request),
        at=at,
    )
    wake_validation(uses=reply.payments)
    return _say(reply)


def _refuse_others(request: HttpRequest) -> None:
    """Raises Http404 where no call is taken, PermissionDenied for what no carrier has signed; a demo has no carrier."""
    if settings.DEMO_MODE:
        return
    if not settings.PHONE_TOKEN:
        raise Http404
    url = settings.PORTAL_URL.rstrip("/") + request.get_full_path()
    parameters = dict(request.POST.lists())
    signature = request.headers.get(SIGNATURE, "")
    if not is_signed(url=url, parameters=parameters, token=settings.PHONE_TOKEN, signature=signature):
        raise PermissionDenied


def _read_entry(request: HttpRequest) -> str | None:
    """What was keyed in; pound ends it and is no part of it. None for silence."""
    if "silence" in request.GET:
        return None
    digits = request.POST.get("Digits", "")[:LONGEST_ENTRY]
    return digits.removesuffix("#") or POUND


def _read_caller(request: HttpRequest) -> str:
    """The caller's number, empty where it is withheld."""
    return request.POST.get("From", "")[:LONGEST_ENTRY]


def _say(reply: calls.Reply) -> HttpResponse:
    action = f"{reverse('phone_step', args=[reply.step])}?turn={reply.turn}" if reply.step else ""
    return _write(twiml.write_twiml(reply=reply, action=action))


def _write(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/xml; charset=utf-8")
