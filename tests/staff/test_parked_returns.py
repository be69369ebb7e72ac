"""A return that no rule could apply waits in its queue until one of the staff has said what was done; once, and by whom."""

import pytest
import time_machine
from django.urls import reverse

from connector_pay.front_page import list_queues
from payments.ach.parked_lines import UnableToResolveLine, find_parked, resolve_line
from payments.models import FileEntry, ReturnLine, ReturnResolution
from tests import people
from tests.diary import eastern
from tests.payments.incoming_files import make_line, read_files, write_incoming
from tests.payments.payers import read
from tests.payments.paying import TUESDAY, live, make_account, noon, pay
from tests.staff.seeing import make_clerk, sign_in

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    from connector_pay.self_check import find_violations

    with time_machine.travel(eastern(2027, 1, 15), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def parked() -> ReturnLine:
    payment = pay(make_account())
    live(TUESDAY, TUESDAY)
    entry = FileEntry.objects.get(payment=payment)
    read_files({"x": write_incoming(make_line(entry, trace="0" * 15, number="NOBODY"))})
    return ReturnLine.objects.get(applied=False)


def count() -> int:
    return next(
        queue.count for queue in list_queues(today=TUESDAY) if queue.words == "Returns that need a person"
    )


def close(client, line: ReturnLine, why: str = "Asked the bank; it was not ours"):
    return client.post(
        reverse("admin:payments_returnline_resolve", args=[line.pk]), {"why": why}, follow=True
    )


def test_what_was_done_is_written_down_once_and_the_line_leaves_the_queue(parked: ReturnLine) -> None:
    assert count() == 1
    clerk = make_clerk("resolve_returnline")
    client = sign_in(clerk)
    page = client.get(reverse("admin:payments_returnline_change", args=[parked.pk]))
    assert "This return waits for a person" in read(page)
    assert "Say what was done" in read(close(client, parked, why="  "))
    assert count() == 1
    assert "no longer waits" in read(close(client, parked))
    again = close(sign_in(people.make_staff()), parked, why="something else")
    assert "Somebody has dealt with this return before" in read(again)
    resolution = ReturnResolution.objects.get()
    assert (resolution.by, resolution.why) == (clerk, "Asked the bank; it was not ours")
    assert "Asked the bank; it was not ours" in read(again)
    assert "This return waits for a person" not in read(again)
    assert (count(), find_parked().count()) == (0, 0)


def test_who_lacks_the_right_sees_it_and_closes_nothing(parked: ReturnLine) -> None:
    client = sign_in(make_clerk("change_refund"))
    page = client.get(reverse("admin:payments_returnline_change", args=[parked.pk]))
    assert "This return waits for a person" not in read(page)
    assert close(client, parked).status_code == 403
    assert client.get(reverse("admin:payments_returnline_resolve", args=[parked.pk])).status_code == 405
    assert not ReturnResolution.objects.exists()


def test_a_return_that_was_applied_waits_for_nobody() -> None:
    payment = pay(make_account())
    live(TUESDAY, TUESDAY)
    read_files({"x": write_incoming(make_line(FileEntry.objects.get(payment=payment)))})
    applied = ReturnLine.objects.get(applied=True)
    with pytest.raises(UnableToResolveLine, match="was applied"):
        resolve_line(line_id=applied.pk, by=people.make_staff(), why="x", at=noon(TUESDAY))
    assert count() == 0
