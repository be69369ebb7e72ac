"""One line of intake: read strictly against the published schema, then by what the schema cannot say.

The schema is `enrollment_event.schema.json`, beside this file.
"""

import hashlib
import json
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema import ValidationError as SchemaError
from jsonschema.validators import extend
from phonenumber_field.phonenumber import to_python as read_phone

SCHEMA_FILE = Path(__file__).with_name("enrollment_event.schema.json")
DAYS = ("requested_start", "from_month", "ends_on", "window_ends", "binder_due_date")
LONGEST_ECHO = 60
LONGEST_REASON = 200


class UnableToReadEvent(ValueError):
    """The line is no event that can be applied; the message says why, in words for whoever sent it."""


@dataclass(frozen=True)
class EnrollmentEvent:
    """One event as sent: days are dates, the phone number is one; `sha256` tells equal content."""

    event_id: str
    kind: str
    enrollment_id: str
    facts: Mapping[str, Any]
    sha256: str


def read_event(*, line: str, today: date) -> EnrollmentEvent:
    """The event of one line of JSON. Raises UnableToReadEvent."""
    sent = _parse(line)
    digest = _digest(sent)
    _check_schema(sent)
    facts = dict(sent)
    for day in DAYS:
        if day in facts:
            facts[day] = date.fromisoformat(facts[day])
    if "member" in facts:
        facts["member"] = _read_member(facts["member"], today=today)
    for problem in _find_problems(facts):
        raise UnableToReadEvent(problem)
    return EnrollmentEvent(
        event_id=facts["event_id"],
        kind=facts["kind"],
        enrollment_id=facts["enrollment_id"],
        facts=facts,
        sha256=digest,
    )


@cache
def read_schema() -> dict[str, Any]:
    """The published schema of one event."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def _parse(line: str) -> dict[str, Any]:
    """The JSON object of a line: UTF-8, no name twice, whole numbers only."""
    try:
        sent = json.loads(
            line,
            object_pairs_hook=_refuse_repeated_names,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except UnableToReadEvent:
        raise
    except (ValueError, RecursionError) as error:
        raise UnableToReadEvent(f"is not JSON ({type(error).__name__})") from None
    if not isinstance(sent, dict):
        raise UnableToReadEvent("is not a JSON object")
    return sent


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnableToReadEvent("has the same name twice in one object")
    return found


def _refuse_number(text: str) -> Any:
    raise UnableToReadEvent(f"has the number {text[:LONGEST_ECHO]}; numbers are whole cents")


def _check_schema(sent: dict[str, Any]) -> None:
    kind = sent.get("kind")
    validator = _make_validators().get(kind) if isinstance(kind, str) else None
    if validator is None:
        raise UnableToReadEvent(f"kind is none of {', '.join(sorted(_make_validators()))}")
    for error in validator.iter_errors(sent):
        raise UnableToReadEvent(_say(error))


def _say(error: SchemaError) -> str:
    """The first fault, with the place and without the value: a line may hold what must not reach a log."""
    place = error.json_path.removeprefix("$.").removeprefix("$")
    wanted: Any = error.validator_value
    words = {
        "required": error.message,
        "additionalProperties": error.message,
        "type": f"is not of type {wanted}",
        "enum": f"is none of {wanted}",
        "maxLength": f"is longer than {wanted} characters",
        "minLength": "is empty",
        "minimum": f"is below {wanted}",
        "maximum": f"is above {wanted}",
        "format": f"is no real {wanted}",
    }
    said = words.get(str(error.validator)) or f"must be {_read_form(error.schema)}"
    return f"{place} {said}".strip()[:LONGEST_REASON]


def _read_form(part: Any) -> str:
    """The form of a part of the schema in words: its title."""
    return str(part.get("title", "as the schema says")) if isinstance(part, dict) else "as the schema says"


@cache
def _make_validators() -> dict[str, Any]:
    """One validator for each kind of event, its references resolved beforehand: three times as fast."""
    extend_validator: Any = extend  # the library gives it no types
    strict = extend_validator(Draft202012Validator, {"pattern": _match_pattern})
    schema = read_schema()
    kinds = [_resolve(option, schema=schema) for option in schema["oneOf"]]
    checker = FormatChecker(["date"])
    return {kind["properties"]["kind"]["const"]: strict(kind, format_checker=checker) for kind in kinds}


def _resolve(part: Any, *, schema: dict[str, Any]) -> Any:
    """The part of the schema with every reference replaced by what it names."""
    if isinstance(part, list):
        return [_resolve(item, schema=schema) for item in part]
    if not isinstance(part, dict):
        return part
    own = {name: _resolve(item, schema=schema) for name, item in part.items() if name != "$ref"}
    if "$ref" not in part:
        return own
    target = schema
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return {**_resolve(target, schema=schema), **own}


def _match_pattern(_validator: Any, pattern: str, text: Any, _schema: Any) -> Iterator[SchemaError]:
    """As JSON Schema means it: `$` is the end of the text, not the place before a last line break."""
    if isinstance(text, str) and not _compile(pattern).search(text):
        yield SchemaError("does not match")


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def _read_member(facts: dict[str, Any], *, today: date) -> dict[str, Any]:
    """The member's facts as columns. Raises UnableToReadEvent."""
    read = dict(facts)
    if read.get("email"):
        try:
            validate_email(read["email"])
        except ValidationError:
            raise UnableToReadEvent("member.email is no email address") from None
    if read.get("phone"):
        read["phone"] = read_phone(read["phone"], region="US")
        if not read["phone"].is_valid():
            raise UnableToReadEvent("member.phone is no phone number")
    if "date_of_birth" in read:
        read["date_of_birth"] = date.fromisoformat(read["date_of_birth"])
        if read["date_of_birth"] >= today:
            raise UnableToReadEvent("member.date_of_birth is not in the past")
    if "paperless" in read:
        read["paperless_bills"] = read["paperless_notices"] = read.pop("paperless")
    return read


def _find_problems(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the schema cannot say: amounts and dates that contradict each other."""
    if facts.get("subsidy_cents", 0) > facts.get("premium_cents", 0):
        yield "subsidy_cents is above premium_cents"
    if facts.get("subsidy_cents", 0) and facts.get("subsidized") is False:
        yield "subsidized is false, but there is a subsidy"
    if "window_ends" in facts and facts["window_ends"] < facts["requested_start"]:
        yield "window_ends is before requested_start"
    if facts["kind"] == "end" and facts["ends_on"].day != monthrange(*_month_of(facts["ends_on"]))[1]:
        yield "ends_on is not the last day of a month"


def _month_of(day: date) -> tuple[int, int]:
    return day.year, day.month


def _digest(sent: dict[str, Any]) -> str:
    """The sha256 of the event in one canonical spelling, so that spaces and order make no difference.

    Half of a character, as bytes that are no UTF-8 or in escapes, is no text. Raises UnableToReadEvent.
    """
    text = json.dumps(sent, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return hashlib.sha256(text.encode("utf-8")).hexdigest()
    except UnicodeEncodeError:
        raise UnableToReadEvent("is not UTF-8 text") from None
