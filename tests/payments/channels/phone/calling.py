"""Calls of the tests: a carrier that keeps to TwiML, over the test server's webhooks."""

from collections.abc import Mapping
from typing import Any

from django.test import Client

from payments.channels.phone.playing import Call, Heard

CALLER = "+16175550123"
ROUTING = "011000015"
ACCOUNT = "482001234567"
MEMBER_ID = "003456789011"
BORN = "04091986"


def make_call(client: Client | None = None, *, caller: str = CALLER, **facts: Any) -> Call:
    """A call that is played over the test server."""
    browser = client or Client()

    def post(path: str, parameters: Mapping[str, str]) -> str:
        answer = browser.post(path, parameters)
        assert answer.status_code == 200, answer.content
        assert "no-store" in answer["Cache-Control"]
        return answer.content.decode()

    return Call(post=post, caller=caller, **facts)


def key_in(call: Call, *entries: str, heard: Heard | None = None) -> Heard:
    """Dial, unless the call is going on, and key in one entry after another; what is heard last."""
    heard = heard or call.begin()
    for entry in entries:
        heard = call.key_in(heard, entry)
    return heard


def list_bank(*, account: str = ACCOUNT, kind: str = "1", routing: str = ROUTING) -> list[str]:
    """Checking, the member's own, the two numbers."""
    return [kind, "1", routing, account, account]


def write(heard: Heard) -> str:
    """All that is said, in one line."""
    return " ".join(words for _language, words in heard.lines)
