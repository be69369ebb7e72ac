"""Calls on the line: each webhook answered once, whatever a carrier repeats, sends twice at once or out of order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from billing.policy import read_policy
from connector_pay.lib import clock
from connector_pay.lib.masking import mask_number
from connector_pay.lib.models import SealedValue
from payments.channels.phone.facts import Facts
from payments.channels.phone.questions import say_received
from payments.channels.phone.state import OVER, CallState, Line, read_call, write_call
from payments.channels.phone.steps import FIRST, STEPS, Answer, advance, begin, end, look_up_early, may_skip
from payments.channels.phone.words import say, speaking
from payments.models import Payment, PhoneCall

PURPOSE = "phone_call"
SILENCE = timedelta(seconds=30)  # how long nothing is keyed in before a question is asked again
TELLING = timedelta(minutes=5)  # how long after its end a call says once more how it ended
CHANGING = ("language", "step", "turn", "sealed", "said_at", "ended_at")
CLEARED_AT_ONCE = 500


@dataclass(frozen=True)
class Reply:
    """What is said on a call now, and at which step and turn the next entry is awaited; no step: the call is over."""

    step: str
    turn: int
    said: tuple[Line, ...]
    payments: Sequence[Payment] = ()


def start_call(*, call_id: str, caller: str, at: datetime) -> Reply:
    """A call comes in; one that is known goes on where it is."""
    with transaction.atomic():
        call, is_new = PhoneCall.objects.get_or_create(
            call_id=call_id,
            defaults={
                "caller": mask_number(caller) if caller[-4:].isdigit() else "",
                "language": "en",
                "step": FIRST,
                "started_at": at,
                "said_at": at,
                "expires_at": at + timedelta(minutes=read_policy().draft_minutes),
            },
        )
        if is_new:
            with speaking(call.language):
                return _keep(call, begin(_find_facts(call, caller, at)), at=at)
    return _say_again(call, caller=caller, at=at)


def take_entry(
    *, call_id: str, caller: str, step: str, turn: int | None, digits: str | None, at: datetime
) -> Reply:
    """Take one entry of a call; where it belongs to a turn that is past, what was said then is said again.

    `digits` is None for silence. A call that nobody knows begins anew.
    """
    call = PhoneCall.objects.select_related("sealed").filter(call_id=call_id).first()
    if call is None:
        return start_call(call_id=call_id, caller=caller, at=at)
    if not _is_awaited(call, step, turn, at):
        return _say_again(call, caller=caller, at=at)
    digits = _tell_pound_from_silence(call, digits, at)
    facts = _find_facts(call, caller, at)
    look_up_early(_open(call)[0], digits, facts)
    with transaction.atomic():
        call = PhoneCall.objects.select_for_update(no_key=True).get(pk=call.pk)
        if _is_awaited(call, step, turn, at):
            state, _said = _open(call)
            with speaking(state.language):
                return _keep(call, advance(state, digits, facts), at=at, facts=facts)
    return _say_again(call, caller=caller, at=at)


def hang_up(*, call_id: str, at: datetime) -> None:
    """The caller has hung up: nothing that was keyed in is kept."""
    with transaction.atomic():
        for call in PhoneCall.objects.select_for_update(no_key=True).filter(call_id=call_id, ended_at=None):
            _close(call, at=at)


def clear_calls(*, at: datetime) -> int:
    """Throw away what was keyed in on calls that nobody has ended in their time; returns how many. Safe to run at any time."""
    cleared = 0
    while True:
        with transaction.atomic():
            left = PhoneCall.objects.select_for_update(no_key=True, skip_locked=True).order_by("pk")
            calls = list(left.filter(sealed__isnull=False, expires_at__lte=at)[:CLEARED_AT_ONCE])
            for call in calls:
                _close(call, at=at)
        cleared += len(calls)
        if len(calls) < CLEARED_AT_ONCE:
            return cleared


def _is_awaited(call: PhoneCall, step: str, turn: int | None, at: datetime) -> bool:
    """Whether the entry is the one that the call waits for."""
    is_on = call.ended_at is None and call.sealed_id is not None and at < call.expires_at
    return is_on and call.step == step and turn in (None, call.turn)


def _tell_pound_from_silence(call: PhoneCall, digits: str | None, at: datetime) -> str | None:
    """Carriers tell no pound alone from silence; but silence takes its time, and only where pound is an answer it matters."""
    was_quick = at - call.said_at < SILENCE
    return "" if digits is None and was_quick and may_skip(STEPS[call.step]) else digits


def _say_again(call: PhoneCall, *, caller: str, at: datetime) -> Reply:
    """What was said last; of a call that is over, how it ended, and after a while no more than goodbye."""
    facts = _find_facts(call, caller, at)
    with transaction.atomic():
        call = PhoneCall.objects.select_for_update(no_key=True).get(pk=call.pk)
        if call.ended_at is None and at >= call.expires_at:
            _close(call, at=at)
        if call.ended_at is None:
            _state, said = _open(call)
            return Reply(call.step, call.turn, said)
    if at >= call.ended_at + TELLING:
        return Reply("", call.turn, (say("goodbye", language=call.language),))
    with speaking(call.language):
        payments = facts.find_recorded()
        if payments:
            return Reply("", call.turn, tuple(say_received(payments, language=call.language)))
        return Reply("", call.turn, end(CallState(step=OVER, language=call.language)).said)


def _keep(call: PhoneCall, answer: Answer, *, at: datetime, facts: Facts | None = None) -> Reply:
    """Write down where the call stands and what is said."""
    state = answer.state
    call.language, call.step, call.turn, call.said_at = state.language, state.step, call.turn + 1, at
    if state.step == OVER:
        _close(call, at=at)
        return Reply("", call.turn, answer.said, facts.find_recorded() if facts else ())
    clear = write_call(state=state, said=answer.said)
    if call.sealed is None:
        call.sealed = SealedValue.make(clear=clear, purpose=PURPOSE)
        call.sealed.save(force_insert=True)
    else:
        call.sealed.replace(clear=clear)
        call.sealed.save(update_fields=["token"])
    call.save(update_fields=CHANGING)
    return Reply(state.step, call.turn, answer.said)


def _close(call: PhoneCall, *, at: datetime) -> None:
    """The call is over, and what was keyed in is gone."""
    sealed, call.sealed = call.sealed, None
    call.step, call.ended_at = OVER, at
    call.save(update_fields=CHANGING)
    if sealed:
        sealed.delete()


def _open(call: PhoneCall) -> tuple[CallState, tuple[Line, ...]]:
    if call.sealed is None:
        return CallState(step=OVER, language=call.language), ()
    return read_call(call.sealed.open(purpose=PURPOSE))


def _find_facts(call: PhoneCall, caller: str, at: datetime) -> Facts:
    """How things stand for this call; whose number is withheld is counted by the call, not with all others like them."""
    return Facts(
        call_id=call.call_id,
        form_key=call.form_key,
        caller=f"phone {caller or call.call_id}",
        at=at,
        today=clock.business_date(moment=at),
    )
