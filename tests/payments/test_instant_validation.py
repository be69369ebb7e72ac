"""Instant validation against a real provider on this machine: right, slow, wrong, down, huge; it never holds up, never tells."""

import gzip
import json
import time
from datetime import date

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured

from payments import settlement
from payments.bank_accounts import register, validate
from payments.models import Validation
from payments.validation import Result, instant, list_methods
from payments.validation.instant import LARGEST_ANSWER, Bearer, find_url_fault, read_answer
from tests.payments.paying import GOOD, ROUTING, TUESDAY, make_account, make_details, noon, pay
from tests.payments.providers import TOKEN, Provider, drip, hang_up, run_provider, say, wait

AT = noon(date(2027, 1, 12))
SECONDS = 0.4


@pytest.fixture
def provider(settings, db):
    with run_provider() as provider:
        settings.BANK_VALIDATION_METHODS = ["instant", "manual"]
        settings.INSTANT_VALIDATION_URL = provider.url
        settings.INSTANT_VALIDATION_TOKEN = TOKEN
        settings.INSTANT_VALIDATION_SECONDS = SECONDS
        yield provider


def ask(number: str = GOOD) -> tuple[str, str, str]:
    """The account's status after asking, the provider's result, and its detail."""
    account = register(details=make_details(number), owner=None, at=AT)
    status = validate(bank_account=account, at=AT)
    said = account.validations.get(method="instant")
    return status, said.outcome, said.detail


@pytest.mark.parametrize(
    ("result", "status", "outcome"),
    [("valid", "valid", "passed"), ("invalid", "failed", "failed"), ("unknown", "unchecked", "pending")],
)
def test_each_answer_is_taken_at_its_word(provider: Provider, result: str, status: str, outcome: str) -> None:
    provider.answer = say({"result": result, "reason": "no_match"})
    assert ask() == (status, outcome, "no_match")


def test_it_is_told_what_it_needs_and_who_asks(provider: Provider) -> None:
    provider.answer = say({"result": "valid"})
    ask()
    ((path, headers, body),) = provider.heard
    assert (path, headers["Authorization"]) == ("/accounts", f"Bearer {TOKEN}")
    assert body == {
        "routing_number": ROUTING,
        "account_number": GOOD,
        "account_kind": "checking",
        "holder_name": "Alice Alvarez",
    }


WRONG = {
    "a server's fault": (say({"result": "valid"}, status=500), "the provider answered 500"),
    "refused": (say({"result": "valid"}, status=401), "the provider answered 401"),
    "no content": (say(b"", status=204), "the provider answered 204"),
    "a redirect": (say(b"", status=307, Location="http://127.0.0.1:1/"), "the provider answered 307"),
    "no JSON": (say(b"<html>valid</html>"), "the provider's answer cannot be read"),
    "no object": (say(b'["valid"]'), "the provider's answer cannot be read"),
    "no result": (say({"reason": "none"}), "the provider's answer cannot be read"),
    "another result": (say({"result": "perhaps"}), "the provider's answer cannot be read"),
    "a result that is no text": (say({"result": ["valid"]}), "the provider's answer cannot be read"),
    "deeply nested": (say(b"[" * 16_000), "the provider's answer cannot be read"),
    "packed": (
        say(gzip.compress(json.dumps({"result": "valid"}).encode()), Content_Encoding="gzip"),
        "the provider's answer cannot be read",
    ),
    "too long": (say(b" " * (LARGEST_ANSWER + 1)), "the provider's answer is too long"),
    "huge": (say(b"{" * 20_000_000), "the provider's answer is too long"),
    "cut short": (
        say(b'{"result": "valid"}', Content_Length="900"),
        "the provider cannot be reached: ProtocolError",
    ),
    "hung up": (hang_up, "the provider cannot be reached: ConnectionError"),
    "slow to answer": (wait(SECONDS * 2), "the provider took too long"),
    "dripping headers": (drip(SECONDS * 3, before_the_body=True), "the provider took too long"),
    "dripping a body": (drip(SECONDS * 3, before_the_body=False), "the provider took too long"),
}


@pytest.mark.parametrize(("answer", "words"), WRONG.values(), ids=WRONG.keys())
def test_whatever_else_it_does_the_account_waits_and_the_next_method_is_asked(
    provider: Provider, answer, words: str
) -> None:
    provider.answer = answer
    began = time.monotonic()
    assert ask() == ("unchecked", "pending", words)
    assert time.monotonic() - began < SECONDS * 2
    assert Validation.objects.latest("pk").method == "manual"
    assert len(provider.heard) == 1


def test_an_answer_of_exactly_the_largest_size_is_read(provider: Provider) -> None:
    provider.answer = say(b'{"result": "valid"}'.ljust(LARGEST_ANSWER))
    assert ask()[0] == "valid"


def test_a_provider_that_is_down_leaves_the_account_waiting(provider: Provider, settings) -> None:
    settings.INSTANT_VALIDATION_URL = "http://127.0.0.1:1/"
    assert ask() == ("unchecked", "pending", "the provider cannot be reached: ConnectionError")


@pytest.mark.parametrize(
    "reason", [GOOD, f"acct-{GOOD}", "two words", "", 7, None, ["x"], "a" * 41, "<script>", f"x{GOOD[:8]}"]
)
def test_a_reason_that_is_no_short_code_or_tells_the_number_is_not_kept(provider: Provider, reason) -> None:
    provider.answer = say({"result": "invalid", "reason": reason})
    status, outcome, detail = ask()
    assert (status, outcome) == ("failed", "failed")
    assert GOOD not in detail
    assert GOOD[:8] not in detail
    assert len(detail) < 20


def test_a_number_with_letters_is_not_kept_either() -> None:
    said = b'{"result": "invalid", "reason": "ab12cdef"}'
    assert read_answer(code=200, answer=said, secret="AB12CDEF").detail == ""


@pytest.mark.parametrize("answer", [say(b"never mind"), wait(SECONDS * 2)], ids=["wrong", "slow"])
def test_the_log_says_which_account_and_why_never_the_number(provider: Provider, answer) -> None:
    provider.answer = answer
    with structlog.testing.capture_logs() as lines:
        ask()
    (line,) = [line for line in lines if line["event"] == "no instant validation"]
    assert line["bank_account"]
    assert line["why"].startswith("the provider")
    assert GOOD not in str(lines)
    assert TOKEN not in str(lines)


def test_every_call_is_kept_and_asking_again_is_another(provider: Provider) -> None:
    account = register(details=make_details(), owner=None, at=AT)
    provider.answer = say(b"", status=503)
    for _ in range(2):
        validate(bank_account=account, at=AT)
    provider.answer = say({"result": "valid"})
    validate(bank_account=account, at=AT)
    outcomes = list(
        account.validations.filter(method="instant").order_by("pk").values_list("outcome", flat=True)
    )
    assert outcomes == ["pending", "pending", "passed"]
    assert account.validations.filter(method="manual").count() == 1


def test_after_three_misses_in_a_row_it_is_left_alone_until_the_next_run(provider: Provider) -> None:
    for place in range(5):
        pay(make_account(), 10_00, number=f"48200123450{place}")
    provider.answer = say(b"", status=503)
    settlement.validate_waiting(today=TUESDAY, at=AT)
    assert len(provider.heard) == 3
    assert Validation.objects.filter(detail="not asked: the provider does not answer").count() == 2
    provider.answer = say({"result": "valid"})
    assert settlement.validate_waiting(today=TUESDAY, at=AT)["passed"] == 5


def test_an_answer_between_begins_the_count_anew(provider: Provider) -> None:
    for place in range(6):
        pay(make_account(), 10_00, number=f"48200123450{place}")

    def answer_every_third(call) -> None:
        say({"result": "valid"}, status=200 if len(provider.heard) % 3 == 0 else 503)(call)

    provider.answer = answer_every_third
    assert settlement.validate_waiting(today=TUESDAY, at=AT)["passed"] == 2
    assert len(provider.heard) == 6


def test_a_run_that_took_too_long_asks_no_more(provider: Provider, monkeypatch) -> None:
    monkeypatch.setattr(instant, "SECONDS_A_RUN", 0.0)
    provider.answer = say({"result": "valid"})
    assert ask() == ("unchecked", "pending", "not asked: the run took too long")
    assert not provider.heard


@pytest.mark.parametrize(
    ("url", "may_be_local", "fault"),
    [
        ("https://checks.example.org/v1", False, ""),
        ("http://127.0.0.1:8/", True, ""),
        ("http://[::1]:8/", True, ""),
        ("http://127.0.0.1:8/", False, "is not an https address."),
        ("http://checks.example.org", True, "is not an https address."),
        ("http://127.0.0.1.example.org", True, "is not an https address."),
        ("ftp://checks.example.org", True, "is not an https address."),
        ("https://", True, "is not an https address."),
        ("https://[", True, "is no address."),
    ],
)
def test_numbers_go_over_https_or_nowhere_beyond_this_machine(
    url: str, may_be_local: bool, fault: str
) -> None:
    assert find_url_fault(url=url, may_be_local=may_be_local) == fault


def test_an_address_that_is_not_https_stops_the_run_before_anything_is_sent(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["instant"]
    settings.INSTANT_VALIDATION_URL, settings.INSTANT_VALIDATION_TOKEN = "http://checks.example.org", TOKEN
    with pytest.raises(ImproperlyConfigured, match="not an https address") as caught:
        list_methods()
    assert TOKEN not in str(caught.value)


def test_an_address_without_a_token_stops_the_run(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["instant"]
    settings.INSTANT_VALIDATION_URL, settings.INSTANT_VALIDATION_TOKEN = "https://checks.example.org", ""
    with pytest.raises(ImproperlyConfigured, match="INSTANT_VALIDATION_TOKEN"):
        list_methods()


def test_the_token_does_not_show() -> None:
    assert TOKEN not in repr(Bearer(TOKEN))


def test_the_sandbox_answers_without_any_call(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["instant"]
    (method,) = list_methods()
    assert isinstance(method, instant.SandboxInstant)
    assert Result.PASSED == "passed"
