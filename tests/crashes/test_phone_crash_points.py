"""Every crash point of a call: wherever the process dies, the carrier's next try goes on, and there is one payment."""

from pathlib import Path
from typing import Any

import pytest

from connector_pay.lib.models import SealedValue
from connector_pay.simulation.facts import read_facts
from payments.channels.phone.calls import PURPOSE, start_call, take_entry
from payments.models import PhoneCall
from tests import people
from tests.crash_points import Work, check_every_crash_point
from tests.crashes.test_crash_points import issue
from tests.diary import eastern
from tests.payments.channels.phone.calling import BORN, CALLER, MEMBER_ID, list_bank

CALL = {"call_id": "CA1", "caller": CALLER, "at": eastern(2027, 1, 20)}
STEPS = [
    "language",
    "member",
    "born",
    "bill",
    "amount",
    "amount",
    "kind",
    "owner",
    "routing",
    "account",
    "again",
]
ENTRIES = ("1", MEMBER_ID, BORN, "3", "1", "1", *list_bank())


def enroll() -> None:
    """A member with a health and a dental bill."""
    member = people.make_member(member_id=MEMBER_ID)
    people.make_enrollment(member=member)
    people.make_enrollment(member=member, product="dental", premium_cents=31_50)
    issue()


def call_up_to_review() -> None:
    """Dial, and key in all but the last, each entry at its own step and turn: what is past is merely said again."""
    start_call(**CALL)
    for turn, (step, entry) in enumerate(zip(STEPS, ENTRIES, strict=True), start=1):
        take_entry(step=step, turn=turn, digits=entry, **CALL)


def prepare_review() -> None:
    """The caller has been asked to authorize both payments."""
    enroll()
    call_up_to_review()


def authorize() -> None:
    """1 is pressed: the webhook that a carrier sends until it is answered."""
    turn = len(ENTRIES) + 1
    assert not take_entry(step="review", turn=turn, digits="1", **CALL).step


def read_calls() -> tuple[Any, ...]:
    """The business facts, and where the call stands."""
    rows = list(PhoneCall.objects.values_list("call_id", "step", "turn", "ended_at"))
    return read_facts(), rows, SealedValue.objects.filter(purpose=PURPOSE).count()


@pytest.mark.parametrize(
    ("prepare", "work", "every_gap"),
    [
        pytest.param(prepare_review, authorize, False, id="authorizing, commits"),
        pytest.param(prepare_review, authorize, True, id="authorizing, every gap", marks=pytest.mark.prove),
        pytest.param(enroll, call_up_to_review, False, id="keying in, commits", marks=pytest.mark.prove),
    ],
)
def test_every_crash_point_of_a_call_leaves_one_payment_or_none_and_the_call_goes_on(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    tmp_path: Path,
    settings,
    prepare: Work,
    work: Work,
    every_gap: bool,
) -> None:
    # All the calls of all the crash points are one caller's, within one window of the limits.
    settings.PREMIUM_POLICY = {
        "guest_find_per_address": 10_000,
        "guest_find_per_identifier": 10_000,
        "guest_find_overall": 10_000,
    }
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_calls,
            every_gap=every_gap,
        )
    assert points >= 2
