"""Events as the exchange sends them, for the tests of intake."""

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

from members.intake import IntakeResult, apply_events

JANUARY_5 = datetime(2027, 1, 5, 15, 0, tzinfo=UTC)
MEMBER = {
    "member_id": "003456789011",
    "first_name": "Inés",
    "last_name": "O'Leary",
    "date_of_birth": "1986-04-09",
    "email": "ines@example.org",
    "phone": "(617) 555-0142",
    "language": "es",
    "street": "12 Beacon Street",
    "city": "Boston",
    "state": "MA",
    "zip_code": "02108",
}
PLAN = {
    "code": "HL-SILVER",
    "name": "Harborlight Silver 2000",
    "product": "health",
    "carrier": {"code": "HARBORLIGHT", "name": "Harborlight Health"},
    "remittance_name": "Harborlight Health",
    "remittance_address": "PO Box 550101\nBoston, MA 02205-0101",
}
_numbers = count(1)


def enroll(**facts: Any) -> dict[str, Any]:
    """A new enrollment for February 1, 2027; any fact may be given, None leaves it out."""
    event = {
        "event_id": f"event-{next(_numbers)}",
        "kind": "enroll",
        "enrollment_id": "E1",
        "member": MEMBER,
        "plan": PLAN,
        "premium_cents": 412_30,
        "subsidy_cents": 128_13,
        "requested_start": "2027-02-01",
    }
    return {name: value for name, value in (event | facts).items() if value is not None}


def change(**facts: Any) -> dict[str, Any]:
    """Another price from April on."""
    price = {"from_month": "2027-04-01", "premium_cents": 430_00, "subsidy_cents": 100_00}
    return {"event_id": f"event-{next(_numbers)}", "kind": "change", "enrollment_id": "E1", **price, **facts}


def end(**facts: Any) -> dict[str, Any]:
    """The last day of coverage."""
    event = {"event_id": f"event-{next(_numbers)}", "kind": "end", "enrollment_id": "E1"}
    return {**event, "ends_on": "2027-06-30", **facts}


def tell_of_member(**facts: Any) -> dict[str, Any]:
    """New facts about the member."""
    event = {"event_id": f"event-{next(_numbers)}", "kind": "member", "enrollment_id": "E1"}
    return {**event, "member": facts}


def apply(*events: Any, at: datetime = JANUARY_5) -> IntakeResult:
    """Take the events in as one file; text stands for itself."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return apply_events(lines=lines, at=at)


def reasons(result: IntakeResult) -> list[str]:
    """The bad lines as the command prints them."""
    return [f"line {line.number}: {line.reason}" for line in result.bad]
