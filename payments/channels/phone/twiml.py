"""TwiML, the carriers' common tongue: only Say, Gather, Pause, Redirect and Hangup."""

from xml.sax.saxutils import escape, quoteattr

from payments.channels.phone.calls import SILENCE, Reply
from payments.channels.phone.state import Line
from payments.channels.phone.steps import STEPS
from payments.channels.phone.words import LANGUAGE_CODES

QUIET_SECONDS = 20


def write_twiml(*, reply: Reply, action: str) -> str:
    """What a carrier does next. `action` is the address of the awaited step; of a call that is over it is not used."""
    said = "".join(_say(line) for line in reply.said)
    if not reply.step:
        return _wrap(f"{said}<Hangup/>")
    keys = STEPS[reply.step].keys
    # A choice is complete with its key, also with pound; else pound ends the entry.
    number = f' numDigits="{keys}"' if keys else ""
    finish = "" if keys == 1 else "#"
    gather = (
        f'<Gather input="dtmf" method="POST" action={quoteattr(action)} timeout="{SILENCE.seconds}" '
        f'finishOnKey="{finish}"{number}>{said}</Gather>'
    )
    silence = escape(f"{action}&silence=1")
    return _wrap(f'{gather}<Redirect method="POST">{silence}</Redirect>')


def write_nothing() -> str:
    """Nothing is to be done: the caller has hung up."""
    return _wrap("")


def _wrap(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


def _say(line: Line) -> str:
    if not line.words:
        return f'<Pause length="{QUIET_SECONDS}"/>'
    return f'<Say language="{LANGUAGE_CODES[line.language]}">{escape(line.words)}</Say>'
