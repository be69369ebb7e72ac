"""The call as a table of steps: what each asks, which keys it expects, what a right entry does, and what is said of a wrong one.

At every step star gives more time, pound asks again, 0 goes back, and silence repeats the question, which is no try; three wrong
entries lead to the help line. `advance` takes one entry, and is all that a carrier's webhooks have to call.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from payments.channels.guest import requires_date_of_birth
from payments.channels.phone import answers, questions
from payments.channels.phone.answers import UnableToSayAgain, UnableToTake
from payments.channels.phone.facts import Facts
from payments.channels.phone.questions import Asked, UnableToGoOn
from payments.channels.phone.state import OVER, CallState, Line
from payments.channels.phone.words import say, say_help

FIRST = "language"
STAR, POUND, BACK = "*", "", "0"
MOST_WRONG = 3
MOST_SILENCES = 20
A_WHILE = ""  # words that are a while of quiet


@dataclass(frozen=True)
class Step:
    """One step: how it asks, the entries it expects, and what they do.

    `keys` is after how many keys an entry is complete: 1 for a choice, 0 where pound ends it. `looks_up` is done before the
    call is locked. `may_skip`: pound alone is an answer.
    """

    asks: Callable[[CallState, Facts], Asked]
    expects: str
    takes: Callable[[CallState, str, Facts], CallState]
    keys: int = 1
    wrong: str = "wrong_key"
    looks_up: Callable[[CallState, str, Facts], None] | None = None
    may_skip: bool = False

    def is_right(self, digits: str) -> bool:
        """Whether the entry is one that the step expects."""
        return re.fullmatch(self.expects, digits, re.ASCII) is not None


ask = questions.ask_plainly
STEPS: dict[str, Step] = {
    "language": Step(questions.ask_language, "[12]", answers.take_language),
    "member": Step(ask, r"\d{10}|1\d{10}|\d{12}", answers.take_member, keys=0, wrong="wrong_member"),
    "born": Step(
        questions.ask_born,
        r"\d{8}|",
        answers.take_born,
        keys=8,
        wrong="wrong_born",
        looks_up=answers.look_up,
        may_skip=True,
    ),
    "bill": Step(questions.ask_bill, "[1-8]", answers.take_bill, looks_up=answers.slow_down),
    "year": Step(questions.ask_year, "[1-8]", answers.take_year),
    "amount": Step(questions.ask_amount, "[1-8]", answers.take_amount),
    "other": Step(
        questions.ask_other, r"\d{1,5}(\*\d{2})?", answers.take_other, keys=0, wrong="wrong_amount"
    ),
    "sure": Step(questions.ask_sure, "[12]", answers.take_sure),
    "kind": Step(ask, "[12]", answers.take_kind),
    "owner": Step(ask, "[12]", answers.take_owner),
    "routing": Step(ask, r"\d{9}", answers.take_routing, keys=9, wrong="wrong_routing"),
    "account": Step(ask, r"\d{4,17}", answers.take_account, keys=0, wrong="wrong_account"),
    "again": Step(ask, r"\d{4,17}", answers.take_again, keys=0, wrong="wrong_account"),
    "review": Step(questions.ask_review, "1", answers.take_authorization),
}


@dataclass(frozen=True)
class Answer:
    """The call after an entry, and what is said: first what came of the entry, then the question."""

    state: CallState
    said: tuple[Line, ...]


def begin(facts: Facts) -> Answer:
    """The first words of a call."""
    return _ask(CallState(step=FIRST), facts)


def look_up_early(state: CallState, digits: str | None, facts: Facts) -> None:
    """What takes its time and is counted, before the call is locked."""
    step = STEPS.get(state.step)
    if step and step.looks_up and digits is not None and digits not in (STAR, BACK) and step.is_right(digits):
        step.looks_up(state, digits, facts)


def advance(state: CallState, digits: str | None, facts: Facts) -> Answer:
    """The call after one entry; None is silence, nothing is pound alone."""
    step = STEPS[state.step]
    if digits is None:
        return _repeat_after_silence(state, facts)
    state = replace(state, silences=0)
    if digits == STAR:
        waits = (say("take_your_time", language=state.language), Line(state.language, A_WHILE))
        return _ask(state, facts, first=waits)
    if digits == BACK:
        return _go_back(state, facts)
    if digits == POUND and not may_skip(step):
        return _ask(state, facts)
    return _take(step, state, digits, facts)


def may_skip(step: Step) -> bool:
    """Whether pound alone answers the step."""
    return step.may_skip and not requires_date_of_birth()


def end(state: CallState, *first: Line) -> Answer:
    """No payment: who helps, and goodbye. Nothing that was keyed in is kept."""
    said = (*first, *say_help(language=state.language))
    return Answer(CallState(step=OVER, language=state.language), said)


def _take(step: Step, state: CallState, digits: str, facts: Facts) -> Answer:
    try:
        if not step.is_right(digits):
            raise UnableToTake(step.wrong)
        after = step.takes(state, digits, facts)
    except UnableToTake as wrong:
        return _ask_once_more(state, wrong, facts)
    except UnableToSayAgain as change:
        return _ask(state, facts, first=(change.line,))
    except UnableToGoOn as reason:
        return _end_because(state, reason)
    if after.step == OVER:
        received = questions.say_received(facts.find_recorded(), language=state.language)
        return Answer(CallState(step=OVER, language=state.language), tuple(received))
    first = (say("keys", language=after.language),) if state.step == FIRST else ()
    return _ask(replace(after, before=state), facts, first=first)


def _ask(state: CallState, facts: Facts, *, first: tuple[Line, ...] = ()) -> Answer:
    try:
        asking, lines = STEPS[state.step].asks(state, facts)
    except UnableToGoOn as reason:
        return _end_because(state, reason)
    return Answer(asking, (*first, *lines))


def _ask_once_more(state: CallState, wrong: UnableToTake, facts: Facts) -> Answer:
    """Say what is wrong and ask again; after the third wrong entry at one step, the help line.

    An entry that turns out wrong only later counts where it is asked for again.
    """
    at = wrong.at or state
    count = state.wrong.get(at.step, 0) + 1
    words = say(wrong.key, language=state.language, **wrong.facts)
    if count >= MOST_WRONG:
        return end(state, words)
    return _ask(replace(at, wrong={**state.wrong, at.step: count}), facts, first=(words,))


def _repeat_after_silence(state: CallState, facts: Facts) -> Answer:
    """Silence is no try: relayed callers need the time. A line that stays silent is hung up at last."""
    if state.silences >= MOST_SILENCES:
        return end(state)
    return _ask(replace(state, silences=state.silences + 1), facts)


def _go_back(state: CallState, facts: Facts) -> Answer:
    """One step back; wrong entries stay counted."""
    before = state.before or state
    return _ask(replace(before, wrong=state.wrong, silences=0), facts)


def _end_because(state: CallState, reason: UnableToGoOn) -> Answer:
    line = reason.line if reason.line and reason.line.words else say(reason.key, language=state.language)
    return end(state, line)
