"""Instant validation: a provider that answers at once, asked over https; the sandbox's own in a demonstration.

The provider is sent one JSON object by POST, with the token as a bearer's: routing_number, account_number, account_kind (checking
or savings), holder_name. It answers 200 and a JSON object: "result" is "valid", "invalid" or "unknown", "reason" a short code.
Anything else leaves the account waiting: the next method is asked, and the provider again at the next run.
"""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as NetworkTimeout

from connector_pay.lib.masking import redact_digits
from payments.bank.magic_accounts import find_magic_account
from payments.validation import INSTANT, Method, Outcome, Question, Result

LARGEST_ANSWER = 16_384  # bytes
MISSES_IN_A_ROW = 3  # then the provider is left alone until the next run
SECONDS_A_RUN = 300.0  # the day's file does not wait for longer
TOO_LONG = "the provider took too long"
LOOPBACK = ("127.0.0.1", "::1", "localhost")

log = structlog.get_logger(__name__)
_RESULTS = {"valid": Result.PASSED, "invalid": Result.FAILED, "unknown": Result.PENDING}
_REASON = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)


class UnableToAsk(Exception):
    """The provider gave no answer that can be read; the text says why, in a few words of ours."""


@dataclass(frozen=True)
class Bearer(AuthBase):
    """Who we are to the provider; said by us alone, whatever a .netrc says."""

    token: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(...)"


class SandboxInstant:
    """The sandbox's provider: it knows every account but the one that is there to fail."""

    name = INSTANT

    def ask(self, questions: Sequence[Question], *, at: datetime) -> list[Outcome]:
        """Passes all but the magic number that fails."""
        return [self._ask_one(question) for question in questions]

    def _ask_one(self, question: Question) -> Outcome:
        magic = find_magic_account(question.open_details().account_number)
        if magic and magic.fails_validation:
            return Outcome(Result.FAILED, "no such account", is_from_outside=True)
        return Outcome(Result.PASSED, is_from_outside=True)


class HttpInstant:
    """A provider behind a URL: one call an account, none of them longer than the time it is given."""

    name = INSTANT

    def __init__(self, *, url: str, token: str, timeout_seconds: float) -> None:
        fault = find_url_fault(url=url, may_be_local=settings.DEMO_MODE)
        if fault or not token:
            raise ImproperlyConfigured(f"INSTANT_VALIDATION_URL {fault or 'needs INSTANT_VALIDATION_TOKEN.'}")
        self.url, self.auth, self.timeout_seconds = url, Bearer(token), timeout_seconds
        self.misses = 0
        self.stops_at = time.monotonic() + SECONDS_A_RUN

    def ask(self, questions: Sequence[Question], *, at: datetime) -> list[Outcome]:
        """Ask one account after the other, while the provider answers and there is time."""
        return [self._ask_one(question) for question in questions]

    def _ask_one(self, question: Question) -> Outcome:
        if self.misses >= MISSES_IN_A_ROW:
            return Outcome(Result.PENDING, "not asked: the provider does not answer")
        if time.monotonic() > self.stops_at:
            return Outcome(Result.PENDING, "not asked: the run took too long")
        try:
            answer = self._call(question)
        except UnableToAsk as problem:
            self.misses += 1
            log.warning("no instant validation", bank_account=question.bank_account.pk, why=str(problem))
            return Outcome(Result.PENDING, str(problem), is_from_outside=True)
        self.misses = 0
        return answer

    def _call(self, question: Question) -> Outcome:
        """The provider's answer about one account. Raises UnableToAsk."""
        details = question.open_details()
        body = {
            "routing_number": details.routing_number,
            "account_number": details.account_number,
            "account_kind": details.kind,
            "holder_name": details.holder_name,
        }
        code, answer = _post_within(self.url, body, auth=self.auth, seconds=self.timeout_seconds)
        return read_answer(code=code, answer=answer, secret=details.account_number)


def make_instant() -> Method:
    """The provider of the settings, else the sandbox's. Raises ImproperlyConfigured where there is neither."""
    if settings.INSTANT_VALIDATION_URL:
        return HttpInstant(
            url=settings.INSTANT_VALIDATION_URL,
            token=settings.INSTANT_VALIDATION_TOKEN,
            timeout_seconds=settings.INSTANT_VALIDATION_SECONDS,
        )
    if settings.BANK_DRIVER == "sandbox":
        return SandboxInstant()
    raise ImproperlyConfigured("BANK_VALIDATION_METHODS: instant needs INSTANT_VALIDATION_URL.")


def find_url_fault(*, url: str, may_be_local: bool) -> str:
    """Why account numbers may not be sent to this address, in words that follow the setting's name; empty if they may."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is no address."
    if parts.username or parts.password:
        return "holds a name or password: the token belongs into INSTANT_VALIDATION_TOKEN."
    if parts.scheme == "https" and host:
        return ""
    if parts.scheme == "http" and host in LOOPBACK and may_be_local:
        return ""
    return "is not an https address."


def read_answer(*, code: int, answer: bytes, secret: str) -> Outcome:
    """What the provider's answer means; a reason that is no short code, or tells the number, is left out. Raises UnableToAsk."""
    if code != requests.codes.ok:
        raise UnableToAsk(f"the provider answered {code}")
    if len(answer) > LARGEST_ANSWER:
        raise UnableToAsk("the provider's answer is too long")
    try:
        said: Any = json.loads(answer)
        result = _RESULTS[said["result"]]
        reason = said.get("reason", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnableToAsk("the provider's answer cannot be read") from None  # its text may hold the number
    is_code = isinstance(reason, str) and _REASON.fullmatch(reason) and secret.lower() not in reason.lower()
    return Outcome(result, redact_digits(reason) if is_code else "", is_from_outside=True)


def _post_within(url: str, body: dict[str, str], *, auth: AuthBase, seconds: float) -> tuple[int, bytes]:
    """Post and read the answer, all of it within so many seconds. Raises UnableToAsk.

    A time-out of the library's holds for each wait on the network, so that drops of an answer, or a slow look-up of the name,
    would go on for as long as they like: the call has a thread of its own, which is left behind when the time is up.
    """
    answers: list[tuple[int, bytes] | UnableToAsk] = []

    def call() -> None:
        try:
            answers.append(_post(url, body, auth=auth, seconds=seconds))
        except UnableToAsk as problem:
            answers.append(problem)

    thread = Thread(target=call, name="instant validation", daemon=True)
    thread.start()
    thread.join(seconds)
    answer = answers[0] if answers else UnableToAsk(TOO_LONG)
    if isinstance(answer, UnableToAsk):
        raise answer
    return answer


def _post(url: str, body: dict[str, str], *, auth: AuthBase, seconds: float) -> tuple[int, bytes]:
    """The status and the first bytes of the answer; no redirect is followed, nothing is unpacked. Raises UnableToAsk."""
    with requests.Session() as session:
        # A proxy of the environment is for https alone: through it nobody reads along.
        session.trust_env = url.startswith("https:")
        try:
            with session.post(
                url,
                json=body,
                auth=auth,
                headers={"Accept-Encoding": "identity"},
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code, _read_beginning(answer)
        except (requests.Timeout, NetworkTimeout):
            raise UnableToAsk(TOO_LONG) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # Its text is not told on: libraries quote what they were given.
            raise UnableToAsk(f"the provider cannot be reached: {type(error).__name__}") from None


def _read_beginning(answer: requests.Response) -> bytes:
    """The body as it came, to its announced end or until it is too long."""
    parts: list[bytes] = []
    left = LARGEST_ANSWER + 1
    # To the very end: only there a body that was cut short is told from a whole one.
    while left > 0 and (part := answer.raw.read(left, decode_content=False)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
