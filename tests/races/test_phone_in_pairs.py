"""Webhooks of one call that arrive at the same moment: one answer, one payment."""

from datetime import date
from functools import partial

import pytest

from billing import invoices
from connector_pay.self_check import find_violations
from payments.channels.phone.calls import Reply, hang_up, start_call, take_entry
from payments.models import Authorization, Payment, PhoneCall
from tests import people
from tests.diary import eastern
from tests.payments.channels.phone.calling import BORN, CALLER, MEMBER_ID, list_bank
from tests.races.together import run_inside, run_together

AT = eastern(2027, 1, 20)
CALL = {"call_id": "CA1", "caller": CALLER, "at": AT}
pytestmark = pytest.mark.usefixtures("committed_db")


def call_up_to_review() -> Reply:
    """Alice has been asked to authorize $284.17."""
    people.make_enrollment(member=people.make_member(member_id=MEMBER_ID))
    invoices.issue_missing(today=date(2027, 1, 5), at=people.ENROLLED_AT)
    reply = start_call(**CALL)
    for entry in ("1", MEMBER_ID, BORN, "1", "1", *list_bank()):
        reply = take_entry(step=reply.step, turn=reply.turn, digits=entry, **CALL)
    assert reply.step == "review"
    return reply


def test_webhooks_sent_at_once_make_one_payment_and_say_the_same() -> None:
    review = call_up_to_review()
    press = partial(take_entry, step="review", turn=review.turn, digits="1", **CALL)
    replies = run_together(press, press, press, press)
    assert {(reply.step, reply.turn, tuple(reply.said)) for reply in replies} == {
        ("", review.turn + 1, tuple(replies[0].said))
    }
    assert (Payment.objects.count(), Authorization.objects.count()) == (1, 1)
    assert find_violations() == []


def test_a_second_webhook_waits_for_the_first_and_hears_what_came_of_it() -> None:
    review = call_up_to_review()
    press = partial(take_entry, step="review", turn=review.turn, digits="1", **CALL)
    back = partial(take_entry, step="review", turn=review.turn, digits="0", **CALL)
    first, second = run_inside(press, back, waits=True)
    assert tuple(second.said) == tuple(first.said)
    assert Payment.objects.count() == 1


def test_a_caller_who_hangs_up_while_the_payment_is_recorded_has_paid() -> None:
    review = call_up_to_review()
    press = partial(take_entry, step="review", turn=review.turn, digits="1", **CALL)
    run_inside(press, partial(hang_up, call_id="CA1", at=AT), waits=True)
    assert Payment.objects.count() == 1
    assert PhoneCall.objects.get().sealed is None


def test_a_call_that_comes_in_twice_at_once_is_one_call() -> None:
    replies = run_together(*[partial(start_call, **CALL)] * 3)
    assert [(reply.step, reply.turn) for reply in replies] == [("language", 1)] * 3
    assert PhoneCall.objects.count() == 1
