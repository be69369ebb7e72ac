"""Playing a call without any carrier: read what a webhook answers, and send what is keyed in where a carrier would."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from uuid import uuid4

from payments.channels.phone.words import LANGUAGE_CODES

START = "/phone/"
Post = Callable[[str, Mapping[str, str]], str]
LANGUAGES = {code: language for language, code in LANGUAGE_CODES.items()}


@dataclass
class Heard:
    """What a caller hears: words with their language; where the entry and where silence is sent, nowhere when it is over."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    action: str = ""
    silence: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return not self.action


@dataclass
class Call:
    """A call that is played: `post` sends a webhook, as a carrier does, and returns what it answers."""

    post: Post
    caller: str = ""
    call_id: str = field(default_factory=lambda: f"CA{uuid4().hex}")

    def begin(self) -> Heard:
        """Dial."""
        return self._send(START)

    def key_in(self, heard: Heard, keys: str) -> Heard:
        """Key in an answer, grouped as people read numbers; pound ends it, or is all of it."""
        digits = re.sub(r"[\s\-]", "", keys).removesuffix("#")
        return self._send(heard.action, Digits=digits, FinishedOnKey="#")

    def wait(self, heard: Heard) -> Heard:
        """Say nothing until the question comes again."""
        return self._send(heard.silence)

    def hang_up(self) -> None:
        """Hang up."""
        self._send(START, CallStatus="completed")

    def _send(self, address: str, **parameters: str) -> Heard:
        facts = {"CallSid": self.call_id, "From": self.caller, "CallStatus": "in-progress", **parameters}
        return read_twiml(self.post(address, facts))


def read_twiml(text: str) -> Heard:
    """What TwiML has a carrier do."""
    reader = _Reader()
    reader.feed(text.partition("?>")[2])
    return reader.heard


class _Reader(HTMLParser):
    """Reads our own TwiML, whose verbs are few."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = Heard()
        self._verb = self._language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self._verb = tag
        self._language = LANGUAGES.get(facts.get("language") or "", "en")
        if tag == "gather":
            self.heard.action = facts["action"] or ""
        if tag == "pause":
            self.heard.lines.append((self._language, "…"))

    def handle_endtag(self, tag: str) -> None:
        self._verb = ""

    def handle_data(self, data: str) -> None:
        if self._verb == "say":
            self.heard.lines.append((self._language, data))
        if self._verb == "redirect":
            self.heard.silence = data
